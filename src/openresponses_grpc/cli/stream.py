"""`openresponses publish` and `openresponses subscribe`."""

from __future__ import annotations

import sys
from typing import BinaryIO

import click

from ..client import SyncEventStreamClient
from ..codec.schema import Naming
from ..errors import EventError
from ..framing import read_events
from .common import chunks, faults, format_choice, naming_option, reader_of, strict_option, writer_of
from .connect import connects


@click.command(short_help="Publish the events of a file to a stream.")
@connects
@click.option("--from", "source", type=format_choice, default="ndjson", show_default=True, help="The format of FILE.")
@strict_option
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
def publish(client: SyncEventStreamClient, source: str, strict: bool, stream: str, file: BinaryIO) -> None:
    """Publish the events of FILE to STREAM, each as soon as it is read, and end the stream.

    FILE is a file; - or nothing is standard input. JSON is read in either spelling. At the first invalid event the
    command stops with status 1. The events before it are published, and the stream stays open.

    \b
    Examples:
      openresponses publish resp_1 events.ndjson
      curl -N ... | openresponses publish resp_1 --from sse
    """
    reader = reader_of(source, strict)
    with faults(reader), client, client.publish(stream) as publisher:
        try:
            for event in read_events(reader, chunks(file)):
                publisher.send(event)
        except EventError:
            publisher.flush()
            raise


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
    writer = writer_of(target, naming)
    output = sys.stdout.buffer
    with faults(None), client:
        for event in client.subscribe_serialized(stream, start_offset=start_offset):
            output.writelines(writer.write([event]))
            output.flush()
        output.write(writer.close())
        output.flush()
