"""`openresponses publish` and `openresponses subscribe`."""

from __future__ import annotations

import sys
from typing import BinaryIO

import click

from ..client import SyncEventStreamClient
from ..codec.schema import Naming
from ..errors import EventError
from ..framing import read_events
from .common import (
    NO_EVENT,
    NO_TERMINAL_EVENT,
    LeftOut,
    chunks,
    fail,
    faults,
    format_choice,
    naming_option,
    on_error_option,
    reader_of,
    strict_option,
    writer_of,
)
from .connect import connects
from .inputs import Seen, format_of
from .outputs import file_faults, not_to_a_terminal


@click.command(short_help="Publish the events of a file to a stream.")
@connects
@click.option(
    "--from",
    "source",
    type=format_choice,
    help="The format of FILE.  [default: that of its ending, else of its first bytes]",
)
@strict_option
@on_error_option
@click.option("--end", is_flag=True, help="End the stream even if FILE has no terminal event.")
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
def publish(
    client: SyncEventStreamClient,
    source: str | None,
    strict: bool,
    on_error: str,
    end: bool,
    stream: str,
    file: BinaryIO,
) -> None:
    """Publish the events of FILE to STREAM, each as soon as it is read, and end the stream.

    FILE is a file; - or nothing is standard input. JSON is read in either spelling. At the first invalid event the
    command stops with status 1. The events before it are published, and the stream stays open.

    The stream ends if FILE has a terminal event: response.completed, response.failed, response.incomplete, error, or
    [DONE] in SSE. Otherwise FILE is cut off: the stream stays open, and the status is 1.

    \b
    Examples:
      openresponses publish resp_1 events.ndjson
      curl -N ... | openresponses publish resp_1 --from sse
    """
    with file_faults(), faults(None), client, client.publish(stream) as publisher:
        source, data = format_of(source, file.name if isinstance(file.name, str) else "", chunks(file))
        reader, seen = reader_of(source, strict), Seen()
        left_out = LeftOut(reader)
        reader.on_error = left_out if on_error == "skip" else None
        with faults(reader):
            try:
                for event in seen.watch(read_events(reader, data)):
                    publisher.send(event)
            except EventError:
                publisher.flush()
                raise
        left_out.report()
        if not (end or seen.terminal or (reader.done and seen.events)):
            publisher.flush()
            # This leaves the publisher's body as an error does: the stream stays open.
            fail(f"{NO_TERMINAL_EVENT if seen.events else NO_EVENT}: stream {stream!r} stays open; --end ends it")


@click.command(short_help="Write the events of a stream as they come.")
@connects
@click.option(
    "--start-offset", metavar="N", type=click.IntRange(min=0), default=0, help="The first event wanted, from 0."
)
@click.option("--to", "target", type=format_choice, default="ndjson", show_default=True, help="The format to write.")
@naming_option
@click.argument("stream")
def subscribe(
    client: SyncEventStreamClient, start_offset: int, target: str, naming: Naming | None, stream: str
) -> None:
    """Write the events of STREAM to standard output, each as it comes, until the stream ends.

    A stream that nobody has published yet is waited for.

    \b
    Example:
      openresponses subscribe resp_1 --start-offset 100
    """
    not_to_a_terminal(target)
    writer = writer_of(target, naming)
    output = sys.stdout.buffer
    with file_faults(), faults(None), client:
        for event in client.subscribe_serialized(stream, start_offset=start_offset):
            output.writelines(writer.write([event]))
            output.flush()
        output.write(writer.close())
        output.flush()
