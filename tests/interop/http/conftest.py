"""Node clients, installed once, and a gateway in front of a server with the sample stream."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from openresponses_grpc import AsyncEventStreamClient

from ...faults.processes import Restartable
from ...faults.processes import gateway as gateway_before
from ...faults.processes import server as server_over
from ..languages import needs
from .browser import Browser
from .log import EXAMPLE, publish

HERE: Final = Path(__file__).parent
BUILD: Final = HERE.parents[2] / "build" / "http"


@pytest.fixture(scope="session")
def node() -> Path:
    """A folder with the scripts of this folder and the packages that they import."""
    needs("node", "npm")
    BUILD.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, BUILD)
    command = ("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund")
    installed = subprocess.run(command, cwd=BUILD, capture_output=True, text=True, check=False)
    assert installed.returncode == 0, installed.stderr
    for script in HERE.glob("*.mjs"):
        shutil.copy(script, BUILD)
    return BUILD


class Served(NamedTuple):
    """A server and a gateway in separate processes; the streams survive restarts of the server."""

    server: Restartable
    gateway: Restartable

    @property
    def url(self) -> str:
        return f"http://{self.gateway.address}"


@pytest.fixture
async def served(tmp_path: Path) -> AsyncIterator[Served]:
    """A server and a gateway, with the sample as the stream `resp_1`."""
    async with (
        server_over(f"sqlite:{tmp_path / 'streams.db'}") as server,
        gateway_before(server) as gateway,
        AsyncEventStreamClient(server.address) as client,
    ):
        await publish(client, "resp_1", EXAMPLE)
        yield Served(server, gateway)


@pytest.fixture
async def browser(node: Path) -> AsyncIterator[Browser]:
    needs("chromium")
    process = await asyncio.create_subprocess_exec(
        *("node", "browser.mjs"),
        cwd=node,
        stdin=PIPE,
        stdout=PIPE,
        env={**os.environ, "CHROMIUM": str(shutil.which("chromium"))},
        limit=1 << 24,
    )
    browser = Browser(process)
    try:
        yield browser
        assert await browser("errors") == []
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
