"""The input of `convert` and `publish`: its format and its contents."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from pathlib import PurePath
from typing import Final

from ..framing import guess_format, is_enough, is_terminal

SUFFIXES: Final = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".sse": "sse",
    ".binpb": "protobuf",
    ".pb": "protobuf",
    ".bin": "protobuf",
}
"""Formats by file suffix."""


def format_from_suffix(path: str) -> str | None:
    """Returns the format for a file's suffix, or None for other suffixes."""
    return SUFFIXES.get(PurePath(path).suffix.lower())


def detect_format(given: str | None, path: str, chunks: Iterator[bytes]) -> tuple[str, Iterator[bytes]]:
    """Determines the format of an input: as given, by its suffix, or by its first bytes.

    Args:
        given: format from the command line; None for none.
        path: path of the file; empty for standard input.
        chunks: the input.

    Returns:
        The format, and an iterator over all chunks.

    """
    if known := given or format_from_suffix(path):
        return known, chunks
    start = b""
    for chunk in chunks:
        start += chunk
        if is_enough(start):
            break
    return guess_format(start), itertools.chain([start] if start else [], chunks)


class InputSummary:
    """Counts the events of an input.

    Attributes:
        events: number of events so far.
        terminal: whether one of them is terminal.

    """

    def __init__(self) -> None:
        self.events = 0
        self.terminal = False

    def watch(self, events: Iterable[bytes]) -> Iterator[bytes]:
        """Yields the events and counts them."""
        for event in events:
            self.events += 1
            if is_terminal(event):
                self.terminal = True
            yield event
