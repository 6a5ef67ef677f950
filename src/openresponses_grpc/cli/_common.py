"""Options, reading and errors that several commands share."""

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
from ._option import option
from ._statuses import Status

CHUNK_BYTES: Final = 1 << 17
NO_EVENT: Final = "the input has no event"
NO_TERMINAL_EVENT: Final = f"the input ends without a terminal event ({', '.join(TERMINAL_TYPES)} or [DONE])"

format_choice = click.Choice(list(FORMATS))
naming_option = option(
    "--naming",
    type=click.Choice(NAMINGS),
    help="The spelling of properties in the output: camelCase as in the SDK (itemId), or snake_case as in the API"
    " (item_id).  [default: snake_case for sse, else camelCase]",
)
strict_option = option(
    "--strict", is_flag=True, help="Stop at an event that OpenRouter's SDK rejects, instead of carrying it unchanged."
)
on_error_option = option(
    "--on-error",
    type=click.Choice(["stop", "skip"]),
    default="stop",
    show_default=True,
    help="What to do at an invalid event: stop, or report it on standard error and leave it out.",
)
file_path = click.Path(exists=True, dir_okay=False, path_type=Path)


def options(options: Sequence[Callable[..., Any]], command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command options, which its help lists in this order."""
    for add in reversed(options):
        command = add(command)
    return command


def reader_of(source: str, strict: bool = False) -> EventReader:
    """The reader of a format. It accepts either spelling."""
    return FORMATS[source].reader(partial(json_to_protobuf, strict=strict) if strict else json_to_protobuf)


def writer_of(target: str, naming: Naming | None) -> EventWriter:
    """The writer of a format. By default, SSE is spelled as the API does, and other JSON as the SDK does."""
    usual: Naming = "snake_case" if target == "sse" else "camelCase"
    return FORMATS[target].writer(partial(protobuf_to_json, naming=naming or usual))


def chunks(file: BinaryIO, advance: Callable[[int], None] = lambda _: None) -> Generator[bytes, None, None]:
    """Reads chunks as they become available, and tells `advance` the bytes of each. The caller closes it."""
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    with readiness(file) as wait:
        wait()
        while chunk := read(CHUNK_BYTES):
            yield chunk
            advance(len(chunk))
            wait()


class LeftOut:
    """Reports each event that `--on-error skip` leaves out, and counts them."""

    def __init__(self, reader: EventReader) -> None:
        self._reader = reader
        self._count = 0

    def __call__(self, error: EventError) -> None:
        """Reports one."""
        self._count += 1
        click.echo(f"{self._reader.position}: {error}; left out", err=True)

    def report(self) -> None:
        """Reports how many events were left out, if any."""
        if self._count:
            click.echo(f"left out: {self._count} event{'s' if self._count > 1 else ''}", err=True)


@contextmanager
def faults(reader: EventReader) -> Iterator[None]:
    """Ends the command with status 1 and one line on standard error for invalid input."""
    try:
        yield
    except EventError as error:
        fail(f"{reader.position}: {error}")


def fail(message: str, status: Status = Status.BAD_INPUT) -> NoReturn:
    """Ends the command with a status and a line on standard error."""
    click.echo(message, err=True)
    sys.exit(status)
