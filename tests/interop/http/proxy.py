"""A TCP proxy that cuts connections after a number of bytes."""

from __future__ import annotations

import asyncio
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress


@asynccontextmanager
async def cutting(port: int, after: Iterable[int]) -> AsyncIterator[tuple[str, list[int]]]:
    """Relays connections to a port of 127.0.0.1, and cuts them within the response.

    Args:
        port: the port of the target.
        after: the number of response bytes after which each connection is cut; later connections are not cut.

    Yields:
        The URL of the proxy, and the list of cuts so far, each as a number of response bytes.

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
                    remaining.insert(0, left)  # the response was too short: cut the next connection
            finally:
                request.cancel()
                to_server.transport.abort()
                writer.close()  # after the written data

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
