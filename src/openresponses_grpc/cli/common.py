"""What several commands have: options, reading, and how they fail."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, NoReturn

import click

from ..client import StreamError
from ..codec import NAMINGS, Naming
from ..errors import EventError
from ..framing import FORMATS, EventReader

CHUNK_BYTES: Final = 1 << 17

format_choice = click.Choice(list(FORMATS))
naming_option = click.option(
    "--naming",
    type=click.Choice(NAMINGS),
    help="How the JSON spells the properties: camelCase is the SDK's itemId, snake_case the API's item_id."
    "  [default: snake_case with sse, which the API speaks, else camelCase]",
)
strict_option = click.option(
    "--strict", is_flag=True, help="Refuse events of an unknown type or shape instead of carrying them as they are."
)
file_path = click.Path(exists=True, dir_okay=False, path_type=Path)


def options(options: Sequence[Callable[..., Any]], command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command options, which its help lists in this order."""
    for option in reversed(options):
        command = option(command)
    return command


def usual_naming(*formats: str) -> Naming:
    """How the properties are spelled where nobody says: SSE is what the API sends, and what its clients read."""
    return "snake_case" if "sse" in formats else "camelCase"


def chunks(file: BinaryIO, advance: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """What is there to read, as soon as it is there; `advance` is told of each chunk's bytes."""
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while chunk := read(CHUNK_BYTES):
        yield chunk
        advance(len(chunk))


@contextmanager
def faults(reader: EventReader | None) -> Iterator[None]:
    """Ends the command with status 1 and one line on standard error for what users can do something about."""
    try:
        yield
    except EventError as error:
        fail(f"{reader.position}: {error}" if reader else str(error))
    except StreamError as error:
        fail(str(error))


def fail(message: str) -> NoReturn:
    """Ends the command with status 1 and a line on standard error."""
    click.echo(message, err=True)
    sys.exit(1)
