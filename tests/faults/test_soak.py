"""Streams start and end for a long time, while clients and servers restart and the server reloads its files."""

from __future__ import annotations

import asyncio
import hashlib
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from openresponses_grpc import AsyncEventStreamClient

from ..support.redis_server import RedisServer, running
from .processes import Restartable, free_port, server
from .stores import KINDS, store_url
from .traffic import Stream, bursts
from .validator import Verdict

pytestmark = pytest.mark.faults

SECONDS: Final = 100
"""The duration, multiplied by the factor. Restarts happen in the first half; the memory is compared in the second."""

STREAMS: Final = 20
"""Concurrent streams."""

PAUSE: Final = 4.0
"""Seconds between two restarts, or two reloads, on average."""

TOKEN: Final = "soak"
OPTIONS: Final = ("--retention", "1m", "--abandon-after", "5m", "--log-level", "warning")


def write_tokens(file: Path, number: int) -> None:
    """Writes a token file that differs from the previous one in an unused token."""
    digests = {"soak": hashlib.sha256(TOKEN.encode()).hexdigest(), "other": hashlib.sha256(b"%d" % number).hexdigest()}
    entries = (
        f'[[token]]\nname = "{name}"\nsha256 = "{digest}"\nmay = ["publish", "subscribe"]\nstreams = "*"\n'
        for name, digest in digests.items()
    )
    file.write_text("\n".join(entries))


@asynccontextmanager
async def serving(
    kind: str, folder: Path, tokens: Path
) -> AsyncIterator[tuple[Restartable, list[Callable[[], Awaitable[None]]]]]:
    """Yields a server over an empty store, and the restarts that lose nothing."""
    async with AsyncExitStack() as stack:
        if kind == "redis":
            redis = RedisServer(folder, free_port(), "--appendonly", "yes", "--appendfsync", "always")
            stack.enter_context(running(redis))
            url = redis.url
        else:
            url = await stack.enter_async_context(store_url(kind, folder))
        process = await stack.enter_async_context(server(url, "--tokens", str(tokens), *OPTIONS))

        async def restart() -> None:
            await process.kill()
            await process.start()

        async def restart_redis() -> None:
            process.kills += 1
            redis.end(signal.SIGKILL)
            await asyncio.to_thread(redis.start)

        restarts: dict[str, list[Callable[[], Awaitable[None]]]] = {
            "sqlite": [restart],
            "redis": [restart, restart_redis],
        }
        yield process, restarts.get(kind, [])


class Soak:
    """Streams that start and end until the soak is over.

    Attributes:
        verdict: the sum of the verdicts of all ended streams.
        over: whether to start no more streams.

    """

    def __init__(self, address: str) -> None:
        self.verdict = Verdict()
        self.over = False
        self._address = address

    async def churn(self, number: int) -> None:
        """Publishes one stream after the other, each with its own client and two kinds of subscribers."""
        generation = 0
        while not self.over:
            generation += 1
            stream = Stream(f"{number}/{generation}")
            async with (
                AsyncEventStreamClient(self._address, token=TOKEN, wait_for_ready=True) as client,
                asyncio.TaskGroup() as group,
            ):
                group.create_task(stream.publish(client, bursts(random.randint(1, 100)), pause=0.3))
                group.create_task(stream.subscribe(client))
                group.create_task(stream.subscribe_in_pieces(client))
            self.verdict += stream.verdict()


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.timeout(0)
async def test_churn_restarts_and_reloads_lose_nothing_and_leak_no_memory(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    tokens = tmp_path / "tokens.toml"
    write_tokens(tokens, 0)
    loop = asyncio.get_running_loop()
    start, reloads, memory = loop.time(), 0, list[int]()
    async with serving(kind, tmp_path, tokens) as (process, restarts):
        soak = Soak(process.address)
        async with asyncio.TaskGroup() as group:
            for number in range(STREAMS):
                group.create_task(soak.churn(number))
            while (elapsed := loop.time() - start) < SECONDS * factor:
                await asyncio.sleep(random.uniform(0, 2 * PAUSE))
                if restarts and elapsed < SECONDS * factor / 2:
                    await random.choice(restarts)()
                if elapsed > SECONDS * factor / 2:
                    memory.append(process.rss())
                reloads += 1
                write_tokens(tokens, reloads)
                os.kill(process.pid, signal.SIGHUP)
            soak.over = True
    first, last = max(memory[: len(memory) // 2]), max(memory[len(memory) // 2 :])
    report(
        f"seconds {SECONDS * factor}, kills {process.kills}, reloads {reloads}, {soak.verdict}, memory"
        f" {first >> 20} MiB, later {last >> 20} MiB"
    )
    assert not soak.verdict.faults
    assert last < first * 1.2 + (8 << 20)
