"""Processes that report their figures on request."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any


async def answering(pipe: Connection, figures: Callable[[], Any]) -> None:
    """Replies to each message on a pipe with the figures, until the other end closes the pipe."""
    closed = asyncio.Event()

    def answer() -> None:
        try:
            pipe.recv()
        except EOFError:
            asyncio.get_running_loop().remove_reader(pipe.fileno())
            closed.set()
        else:
            pipe.send(figures())

    asyncio.get_running_loop().add_reader(pipe.fileno(), answer)
    await closed.wait()


def ask(pipe: Connection) -> Any:
    """Returns the figures of the process at the other end."""
    pipe.send(None)
    return pipe.recv()


async def relay(pipe: Connection, target: str) -> None:
    """Relays connections to a server. Sends its own address, then replies with the bytes to and from the server."""
    host, _, port = target.rpartition(":")
    counts = [0, 0]

    async def copy(source: asyncio.StreamReader, sink: asyncio.StreamWriter, way: int) -> None:
        with suppress(OSError):
            while data := await source.read(1 << 16):
                counts[way] += len(data)
                sink.write(data)
                await sink.drain()
        sink.close()

    async def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection(host, int(port))
        await asyncio.gather(copy(reader, to_writer, 0), copy(to_reader, writer, 1))

    async with await asyncio.start_server(accept, "127.0.0.1", 0) as server:
        pipe.send(f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await answering(pipe, lambda: tuple(counts))
