"""`openresponses subscribe`."""

from __future__ import annotations

import sys
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from ..client import EventStreamClient, StreamError
from ..codec._schema import Naming
from ._common import fail, format_choice, naming_option, options
from ._connect import connects
from ._option import option
from ._outputs import file_faults, not_to_a_terminal
from ._positions import PositionFile
from ._reading import Encoder, Reading
from ._sink import Sink
from ._statuses import ListsStatuses
from ._tally import note, tally
from ._units import duration

_OPTIONS = [
    option(
        "--start-offset",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="The offset of the first event to write. Once the file of --position-file exists, it counts instead.",
    ),
    option(
        "--position-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Continue at the position in FILE, if it exists, and save the position there after what is written.",
    ),
    option("--no-wait", is_flag=True, help="Fail if the stream does not exist, instead of waiting for it."),
    option("--timeout", metavar="DURATION", type=duration, help="Give up after this time, such as 30s, with status 4."),
    option(
        "--type",
        "types",
        metavar="GLOB",
        multiple=True,
        help="Write only events of this type, such as 'response.output_text.*'; can be repeated.",
    ),
    option("--text", is_flag=True, help="Write the response's text as it streams, instead of events."),
    option("--to", "target", type=format_choice, help="The format to write.  [default: ndjson]"),
    naming_option,
    option("--print-offsets", is_flag=True, help="Write the offset of the event and a tab before each line of ndjson."),
]


@click.command(cls=ListsStatuses, short_help="Write the events of a stream as they come.")
@connects
@partial(options, _OPTIONS)
@click.argument("stream")
def subscribe(
    client: EventStreamClient,
    start_offset: int,
    position_file: Path | None,
    no_wait: bool,
    timeout: float | None,
    types: tuple[str, ...],
    text: bool,
    target: str | None,
    naming: Naming | None,
    print_offsets: bool,
    stream: str,
) -> None:
    """Write the events of STREAM to standard output, each as it comes, until the stream ends.

    The command waits for a stream that does not exist yet. If the stream fails, the status is 3, and SSE ends with an
    error event. SSE has [DONE] only after a terminal event.

    With --position-file, a command that was stopped continues where it was. After the end of the stream it writes
    nothing. If standard output appends to a file (>> FILE), the file has each event once, even after kill -9. A pipe
    may get the last events before a kill twice. Neither file is synchronized with the disk: a loss of power can lose
    the latest events and positions.

    \b
    Examples:
      openresponses subscribe resp_1 --text
      openresponses subscribe resp_1 --type 'response.output_item.*'
      openresponses subscribe resp_1 --position-file resp_1.position >> resp_1.ndjson
    """
    if text and (target or naming or print_offsets):
        raise click.UsageError("--text does not go with --to, --naming or --print-offsets")
    if print_offsets and target not in (None, "ndjson"):
        raise click.UsageError("--print-offsets goes with ndjson only")
    target = "text" if text else target or "ndjson"
    not_to_a_terminal(target)
    with file_faults(), closing(_sink(position_file)) as sink, tally("received") as counted:
        if not no_wait:
            _say_if_missing(client, stream)
        reading = Reading(sink, Encoder(target, naming, types, print_offsets), start_offset)
        try:
            reading.run(partial(client.subscribe_serialized, stream, must_exist=no_wait, timeout=timeout), counted)
        except StreamError as error:
            if sink.saved and error.reason in ("EPOCH_MISMATCH", "STREAM_NOT_FOUND", "STREAM_DIVERGED"):
                error.add_note(f"remove {position_file} to start at the beginning")
            raise


def _sink(position_file: Path | None) -> Sink:
    try:
        return Sink(PositionFile(position_file) if position_file else None)
    except ValueError as error:
        fail(f"{position_file} is not a position file: {error}")


def _say_if_missing(client: EventStreamClient, stream: str) -> None:
    if not sys.stderr.isatty():
        return
    try:
        client.get_stream(stream)
    except StreamError as error:
        # Others are not for this call to tell: its token may allow less.
        if error.reason == "STREAM_NOT_FOUND":
            note(f"stream {stream!r} does not exist yet: waiting for it")
