"""Readers that only store what they receive, so that the benchmark measures the servers."""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from functools import partial
from typing import Final
from urllib.parse import urlsplit

_CONNECTING: Final = 100
"""Maximum readers that connect at the same time."""


class Reader(asyncio.Protocol):
    """Reads one response.

    Attributes:
        first: `time.perf_counter()` at its first event; 0 before.

    """

    def __init__(self, host: str, path: str) -> None:
        self._request = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode()
        self._chunks: list[bytes] = []
        self.first = 0.0
        self.ended = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def ask(self) -> None:
        assert isinstance(self._transport, asyncio.WriteTransport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        if not self.first and b"data: " in data:
            self.first = time.perf_counter()
        self._chunks.append(data)

    def connection_lost(self, error: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def data(self) -> list[bytes]:
        """Returns the data of the received events, including `[DONE]`."""
        head, _, body = b"".join(self._chunks).partition(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        if b"chunked" in head:
            body = _joined(body)
        return re.findall(rb"^data: (.*)$", body, re.MULTILINE)

    def close(self) -> None:
        self._transport.close()


async def connected(url: str, paths: Sequence[str]) -> list[Reader]:
    """Returns connected readers that have not sent a request yet."""
    address = urlsplit(url)
    loop = asyncio.get_running_loop()
    readers = []
    for start in range(0, len(paths), _CONNECTING):
        made = [
            loop.create_connection(
                partial(Reader, address.netloc, path), str(address.hostname), int(address.port or 80)
            )
            for path in paths[start : start + _CONNECTING]
        ]
        readers += [reader for _, reader in await asyncio.gather(*made)]
    return readers


def _joined(body: bytes) -> bytes:
    """Decodes a body in chunked transfer encoding."""
    parts, at = [], 0
    while size := int(body[at : (end := body.index(b"\r\n", at))], 16):
        parts.append(body[end + 2 : end + 2 + size])
        at = end + size + 4
    return b"".join(parts)
