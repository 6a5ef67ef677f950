"""A reader whose compiled functions handle nothing, to compare the others with."""

from __future__ import annotations

from typing import Final

from openresponses_grpc.codec._reader import Reader
from openresponses_grpc.codec._schema import Message, Naming, message_of
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)


class _GeneralOnly(Reader):
    def _try(self, message: Message, data: bytes, naming: Naming | None) -> None:
        return None


def read_generally(text: str | bytes) -> bytes:
    """An event's bytes, made by the general functions alone."""
    return _READER.read(text, None)


_READER: Final = _GeneralOnly(EVENT)
