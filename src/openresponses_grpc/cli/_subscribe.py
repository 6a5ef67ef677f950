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
from ._connect import with_client
from ._options import duration, option
from ._outputs import exit_on_file_error, refuse_binary_on_terminal
from ._positions import PositionFile
from ._reading import Encoder, StreamCopy
from ._sink import Sink
from ._statuses import ExitStatusHelp
from ._tally import note, tally

_OPTIONS = [
    option(
        "--start-offset",
        metavar="N",
        type=click.IntRange(min=0),
        default=0,
        show_default=True,
        help="Offset of the first event to write. Ignored once the --position-file exists.",
    ),
    option(
        "--position-file",
        metavar="FILE",
        type=click.Path(dir_okay=False, path_type=Path),
        help="Resume at the position in FILE, if it exists, and keep the position of the output there.",
    ),
    option("--no-wait", is_flag=True, help="Fail if the stream does not exist, instead of waiting for it."),
    option(
        "--timeout",
        metavar="DURATION",
        type=duration,
        help="Exit with status 4 if the stream has not ended after this time, such as 30s.",
    ),
    option(
        "--type",
        "types",
        metavar="GLOB",
        multiple=True,
        help="Write only events of this type, such as 'response.output_text.*'. Repeatable.",
    ),
    option("--text", is_flag=True, help="Write the text of the response as it streams, instead of events."),
    option("--to", "target", type=format_choice, help="Output format.  [default: ndjson]"),
    naming_option,
    option("--print-offsets", is_flag=True, help="Prefix each line of ndjson with the offset of its event and a tab."),
]


@click.command(cls=ExitStatusHelp, short_help="Write the events of a stream as they arrive.")
@with_client
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
    """Write the events of STREAM to standard output as they arrive, until the stream ends.

    The command waits for a stream that does not exist yet. If the stream ends as failed, the exit status is 3, and SSE
    output ends with an error event. SSE output contains [DONE] only after a terminal event.

    With --position-file, an interrupted command resumes where it stopped. After the end of the stream it writes nothing
    more. If standard output appends to a file (>> FILE), the file contains each event exactly once, even after kill -9.
    A pipe may receive the last events before a kill twice. Neither file is synced to disk: a power loss can lose the
    latest events and positions.

    \b
    Examples:
      openresponses subscribe resp_1 --text
      openresponses subscribe resp_1 --type 'response.output_item.*'
      openresponses subscribe resp_1 --position-file resp_1.position >> resp_1.ndjson
    """
    if text and (target or naming or print_offsets):
        raise click.UsageError("--text cannot be combined with --to, --naming or --print-offsets")
    if print_offsets and target not in (None, "ndjson"):
        raise click.UsageError("--print-offsets requires --to ndjson")
    target = "text" if text else target or "ndjson"
    refuse_binary_on_terminal(target)
    with exit_on_file_error(), closing(_sink(position_file)) as sink, tally("received") as counted:
        if not no_wait:
            _note_if_missing(client, stream)
        copy = StreamCopy(sink, Encoder(target, naming, types, print_offsets), start_offset)
        try:
            copy.run(partial(client.subscribe_serialized, stream, must_exist=no_wait, timeout=timeout), counted)
        except StreamError as error:
            if sink.saved and error.reason in ("EPOCH_MISMATCH", "STREAM_NOT_FOUND", "STREAM_DIVERGED"):
                error.add_note(f"remove {position_file} to start at the beginning")
            raise


def _sink(position_file: Path | None) -> Sink:
    try:
        return Sink(PositionFile(position_file) if position_file else None)
    except ValueError as error:
        fail(f"{position_file} is not a position file: {error}")


def _note_if_missing(client: EventStreamClient, stream: str) -> None:
    if not sys.stderr.isatty():
        return
    try:
        client.get_stream(stream)
    except StreamError as error:
        # Ignore other errors: the token may not be allowed to inspect streams.
        if error.reason == "STREAM_NOT_FOUND":
            note(f"stream {stream!r} does not exist yet: waiting for it")
