"""Peers that no library would be: they speak HTTP/2 frame by frame."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from openresponses_grpc import wire
from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

_WINDOW: Final = 2**31 - 1


class Peer:
    """One HTTP/2 connection to a server, whose flow control lets the server send whatever it wants to."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = H2Connection(H2Configuration(client_side=True))
        self._connection.local_settings[SettingCodes.INITIAL_WINDOW_SIZE] = _WINDOW
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_WINDOW - 65535)

    def subscribe(self, stream_id: str) -> int:
        """Calls Subscribe; returns the call's HTTP/2 stream."""
        call = self.call(wire.SUBSCRIBE)
        message = SubscribeRequest(stream_id=stream_id).SerializeToString()
        self._connection.send_data(call, b"\0" + len(message).to_bytes(4) + message, end_stream=True)
        return call

    def call(self, method: str, metadata: Iterable[tuple[str, str]] = ()) -> int:
        """Makes a call without a request; returns its HTTP/2 stream."""
        call = self._connection.get_next_available_stream_id()
        headers = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", method),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
            *metadata,
        ]
        self._connection.send_headers(call, headers)
        return call

    def reset(self, call: int) -> None:
        """Takes a call back."""
        self._connection.reset_stream(call)

    async def send(self) -> None:
        """Sends what was called and taken back."""
        self._writer.write(self._connection.data_to_send())
        await self._writer.drain()

    async def answered(self) -> None:
        """Sends what was called, waits for the first bytes of an answer, and reads no more."""
        await self.send()
        await self._reader.readexactly(1)

    async def read(self) -> None:
        """Reads what the server says, until it ends the connection."""
        with suppress(ProtocolError, OSError):
            while data := await self._reader.read(1 << 16):
                self._connection.receive_data(data)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    """A connection for as long as the context lasts."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
