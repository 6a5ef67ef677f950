"""Peers that speak HTTP/2 frame by frame, so that they can misbehave."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import StreamEnded, StreamReset
from h2.exceptions import ProtocolError
from h2.settings import SettingCodes

from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest

_WINDOW: Final = 2**31 - 1
_ZEROS: Final = bytes(1 << 16)


class Peer:
    """One HTTP/2 connection to a server. Its flow control windows never limit the server."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._connection = H2Connection(H2Configuration(client_side=True, validate_outbound_headers=False))
        self._connection.local_settings[SettingCodes.INITIAL_WINDOW_SIZE] = _WINDOW
        self._connection.initiate_connection()
        self._connection.increment_flow_control_window(_WINDOW - 65535)

    def call(self, path: str, data: bytes, *headers: tuple[str, str | bytes], end: bool = True) -> int:
        """Calls a method with a framed request; returns the HTTP/2 stream id of the call."""
        call = self._connection.get_next_available_stream_id()
        common = [
            (":method", "POST"),
            (":scheme", "http"),
            (":path", path),
            (":authority", "localhost"),
            ("content-type", "application/grpc"),
            ("te", "trailers"),
        ]
        self._connection.send_headers(call, [*common, *headers])
        self._connection.send_data(call, data, end_stream=end)
        return call

    def subscribe(self, stream_id: str, *headers: tuple[str, str | bytes]) -> int:
        """Calls Subscribe with arbitrary header bytes; returns the HTTP/2 stream id of the call."""
        return self.call(
            raw_messages.SUBSCRIBE, framed(SubscribeRequest(stream_id=stream_id).SerializeToString()), *headers
        )

    def reset(self, call: int) -> None:
        """Resets a call."""
        self._connection.reset_stream(call)

    async def fill(self, call: int, size: int, data: bytes = b"") -> None:
        """Sends `size` bytes for a call within its flow control window; returns early if the call has ended.

        Args:
            call: the HTTP/2 stream id of the call.
            size: the number of bytes.
            data: the bytes; zeros if empty.

        """
        while size:
            room = min(self._connection.local_flow_control_window(call), self._connection.max_outbound_frame_size, size)
            if room:
                self._connection.send_data(call, data[-size:][:room] or _ZEROS[:room])
                size -= room
                await self.send()
            elif await self._ended(call):
                return

    async def finish(self, call: int) -> None:
        """Sends queued frames; returns when the call has ended."""
        await self.send()
        while not await self._ended(call):
            pass

    async def send(self) -> None:
        """Sends queued frames."""
        self._writer.write(self._connection.data_to_send())
        await self._writer.drain()

    async def wait_for_reply(self) -> None:
        """Sends queued frames, waits for the first byte of a reply, and stops reading."""
        await self.send()
        await self._reader.readexactly(1)

    async def wait_for_end(self) -> None:
        """Sends queued frames and reads until a call has ended."""
        await self.send()
        while data := await self._reader.read(1 << 16):
            if any(isinstance(received, StreamEnded) for received in self._connection.receive_data(data)):
                return

    async def read(self) -> None:
        """Reads until the server closes the connection."""
        with suppress(ProtocolError, OSError):
            while data := await self._reader.read(1 << 16):
                self._connection.receive_data(data)

    async def _ended(self, call: int) -> bool:
        """Reads once; returns whether the call has ended."""
        data = await self._reader.read(1 << 16)
        events = self._connection.receive_data(data)
        await self.send()
        ends = (each.stream_id for each in events if isinstance(each, StreamEnded | StreamReset))
        return not data or call in ends


def framed(message: bytes, *, size: int | None = None, compressed: bool = False) -> bytes:
    """Returns a length-prefixed gRPC message; `size` replaces the real length."""
    return bytes([compressed]) + (len(message) if size is None else size).to_bytes(4) + message


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Peer]:
    """Opens a connection until the context ends."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1 << 10)
    try:
        yield Peer(reader, writer)
    finally:
        writer.transport.abort()
