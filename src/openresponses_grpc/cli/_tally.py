"""The messages of `publish` and `subscribe` on standard error, if it is a terminal."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import click


class Tally:
    """Counts the events that a command transfers.

    Attributes:
        events: number of events.
        bytes: size of the events in bytes.
        end: how the stream ended; empty until it has.

    """

    def __init__(self) -> None:
        self.events = self.bytes = 0
        self.end = ""
        self._started = time.monotonic()

    def add(self, event: bytes) -> None:
        """Counts an event."""
        self.events += 1
        self.bytes += len(event)

    def summary(self, verb: str) -> str:
        """Returns the summary line."""
        seconds = time.monotonic() - self._started
        events = f"{self.events:,} event{'' if self.events == 1 else 's'}"
        return f"{verb} {events}, {in_units(self.bytes)}, in {seconds:.1f} s: {self.end or 'the stream has not ended'}"


@contextmanager
def tally(verb: str) -> Iterator[Tally]:
    """Yields a tally, and prints its summary on exit if standard error is a terminal, except after Ctrl-C."""
    counted = Tally()
    try:
        yield counted
    except KeyboardInterrupt:
        raise
    except BaseException:
        note(counted.summary(verb))
        raise
    else:
        note(counted.summary(verb))


def note(text: str) -> None:
    """Prints a line to standard error if it is a terminal."""
    if sys.stderr.isatty():
        click.echo(text, err=True)


def in_units(size: int) -> str:
    """Formats a size for people: `1.2 MB`."""
    if size < 1000:
        return f"{size} B"
    value, unit = float(size), ""
    for unit in ("kB", "MB", "GB", "TB"):  # noqa: B007 - the last unit stays
        value /= 1000
        if value < 999.95:
            break
    return f"{value:.1f} {unit}"
