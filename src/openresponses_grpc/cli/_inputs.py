"""The input of `convert` and `publish`: its format, and whether it is whole."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from ..framing import guess_format, is_enough, is_terminal

ENDINGS: Final = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".sse": "sse",
    ".binpb": "protobuf",
    ".pb": "protobuf",
    ".bin": "protobuf",
}
"""The formats by the endings of files."""


def format_by_name(path: str) -> str | None:
    """The format that a file's ending names, if it does."""
    return ENDINGS.get(PurePath(path).suffix.lower())


def format_of(named: str | None, path: str, chunks: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """The format of an input, named or by its file's ending or by its first bytes; and all its chunks."""
    if known := named or format_by_name(path):
        return known, chunks
    start = b""
    for chunk in chunks:
        start += chunk
        if is_enough(start):
            break
    return guess_format(start), itertools.chain([start] if start else [], chunks)


class Seen:
    """What an input had: how many events, and whether one of them ends its response."""

    def __init__(self) -> None:
        self.events = 0
        self.terminal = False

    def watch(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the events."""
        for event in events:
            self.events += 1
            if is_terminal(event):
                self.terminal = True
            yield event
