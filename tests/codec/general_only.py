"""A reader that uses only the general functions: the reference for the compiled ones."""

from __future__ import annotations

from typing import Final

from openresponses_grpc.codec._reader import Reader
from openresponses_grpc.codec._schema import Message, Naming, message_of
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

EVENT: Final = message_of(OpenResponsesStreamEvent.DESCRIPTOR)


class _GeneralReader(Reader):
    def _try(self, message: Message, data: bytes, naming: Naming | None) -> None:
        return None


def read_generally(text: str | bytes) -> bytes:
    """Serializes an event with the general functions only."""
    return _READER.read(text, None)


_READER: Final = _GeneralReader(EVENT)
