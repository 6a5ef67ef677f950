"""A TCP proxy that cuts each connection after so many bytes."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def cutting(port: int, after: Iterable[int]) -> AsyncIterator[tuple[str, list[int]]]:
    """Relays connections to a port of 127.0.0.1, and cuts them in the middle of what they carry.

    Args:
        port: the port.
        after: for each connection that has a response, the bytes of it after which it is cut; when there are no more,
            none is.

    Yields:
        The URL, and the bytes after which connections were cut.

    """
    remaining, cuts = list(after), list[int]()
    connections: set[asyncio.Task[None]] = set()
    writers: list[StreamWriter] = []

    async def relay(reader: StreamReader, writer: StreamWriter) -> None:
        with suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", port)
            request = asyncio.create_task(_pass(reader, to_server))
            try:
                left = remaining.pop(0) if remaining else None
                while data := await from_server.read(1 << 16):
                    if left is not None and len(data) >= left:
                        writer.write(data[:left])
                        await writer.drain()
                        cuts.append(left)
                        return
                    left = None if left is None else left - len(data)
                    writer.write(data)
                    await writer.drain()
                if left is not None:
                    remaining.insert(0, left)  # it was short: the next one is cut
            finally:
                request.cancel()
                to_server.transport.abort()
                writer.close()  # behind what was written

    def accept(reader: StreamReader, writer: StreamWriter) -> None:
        writers.append(writer)
        connection = asyncio.create_task(relay(reader, writer))
        connections.add(connection)
        connection.add_done_callback(connections.discard)

    listener = await asyncio.start_server(accept, "127.0.0.1", 0)
    try:
        yield "http://{}:{}".format(*listener.sockets[0].getsockname()), cuts
    finally:
        listener.close()
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        await asyncio.gather(*(writer.wait_closed() for writer in writers), return_exceptions=True)


async def _pass(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError):
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
