"""Options, readers, writers and errors that several commands share."""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import click

from ..codec._bridge import json_to_protobuf, protobuf_to_json
from ..codec._schema import NAMINGS, Naming
from ..errors import EventError
from ..framing import FORMATS, TERMINAL_TYPES, EventReader, EventWriter
from ._interrupts import readiness
from ._options import option
from ._statuses import Status

CHUNK_BYTES: Final = 1 << 17
NO_EVENT: Final = "the input contains no events"
NO_TERMINAL_EVENT: Final = f"the input ends without a terminal event ({', '.join(TERMINAL_TYPES)} or [DONE])"

format_choice = click.Choice(list(FORMATS))
naming_option = option(
    "--naming",
    type=click.Choice(NAMINGS),
    help="Spelling of properties in the output: camelCase as in the SDK (itemId), or snake_case as in the API"
    " (item_id).  [default: snake_case for sse, otherwise camelCase]",
)
strict_option = option(
    "--strict", is_flag=True, help="Reject events that OpenRouter's SDK rejects, instead of passing them on unchanged."
)
on_error_option = option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="On an invalid event: stop, or skip it and report it on standard error.",
)
file_path = click.Path(exists=True, dir_okay=False, path_type=Path)


def options(options: Sequence[Callable[..., Any]], command: Callable[..., None]) -> Callable[..., None]:
    """Adds options to a command. Its help lists them in this order."""
    for add in reversed(options):
        command = add(command)
    return command


def make_reader(source: str, strict: bool = False) -> EventReader:
    """Returns a reader for a format. It accepts both spellings of properties."""
    return FORMATS[source].reader(partial(json_to_protobuf, strict=strict) if strict else json_to_protobuf)


def make_writer(target: str, naming: Naming | None) -> EventWriter:
    """Returns a writer for a format. The default naming is that of the API for SSE, and that of the SDK otherwise."""
    default: Naming = "snake_case" if target == "sse" else "camelCase"
    return FORMATS[target].writer(partial(protobuf_to_json, naming=naming or default))


def chunks(file: BinaryIO, advance: Callable[[int], None] = lambda _: None) -> Generator[bytes, None, None]:
    """Yields chunks as they become available; the caller closes it.

    Calls `advance` with the size of each consumed chunk, in bytes.
    """
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    with readiness(file) as wait:
        wait()
        while chunk := read(CHUNK_BYTES):
            yield chunk
            advance(len(chunk))
            wait()


class SkippedEvents:
    """An error handler for `--on-error skip`: reports and counts the skipped events."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._count = 0

    def __call__(self, error: EventError) -> None:
        """Reports a skipped event."""
        self._count += 1
        click.echo(f"{self._reader.position}: {error}; skipped", err=True)

    def report(self) -> None:
        """Reports the number of skipped events, if any."""
        if self._count:
            click.echo(f"skipped {self._count} event{'s' if self._count > 1 else ''}", err=True)


@contextmanager
def exit_on_invalid_input(reader: EventReader) -> Iterator[None]:
    """Exits with status 1 and a one-line message if the input is invalid."""
    try:
        yield
    except EventError as error:
        fail(f"{reader.position}: {error}")


def fail(message: str, status: Status = Status.BAD_INPUT) -> NoReturn:
    """Prints a message to standard error and exits with a status."""
    click.echo(message, err=True)
    sys.exit(status)
