"""This project's server and client library without checksums and fencing, to measure their cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from unittest.mock import patch

from .contender import Client
from .ours import Ours


class Unchecked(Ours):
    """The stream service with all checksums 0 and all publishers accepted."""

    @asynccontextmanager
    async def serve(self) -> AsyncIterator[str]:
        with _unchecked():
            async with super().serve() as address:
                yield address

    @asynccontextmanager
    async def connect(self, address: str) -> AsyncIterator[Client]:
        with _unchecked():
            async with super().connect(address) as client:
                yield client


@contextmanager
def _unchecked() -> Iterator[None]:
    with (
        patch("openresponses_grpc.store._segment.checksum", lambda events, before=0: 0),
        patch("openresponses_grpc.client._cursor.checksum", lambda events, before=0: 0),
        patch("openresponses_grpc.store._entry.check_publisher", lambda publisher, *, owner, end: None),
    ):
        yield
