"""A real browser, driven by browser.mjs."""

from __future__ import annotations

import json
from asyncio.subprocess import Process
from typing import Any


class Browser:
    """A browser that executes commands."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def __call__(self, *command: object) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command).encode() + b"\n")
        line = await self._process.stdout.readline()
        assert line, "the browser's driver has ended"
        return json.loads(line)
