"""The command `openresponses`."""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.metadata import version
from typing import BinaryIO, NoReturn

import click

from .client import StreamError, SyncEventStreamClient
from .client.channel import DEFAULT_TARGET
from .codec import NAMINGS, Naming
from .errors import EventError
from .framing import FORMATS, EventReader, read_events, transcode
from .server import ListenError, running_server, stop_signal
from .service import StreamService
from .store import OpenStoreError, StoreLimits, open_store

CHUNK_BYTES = 1 << 16

_format = click.Choice(list(FORMATS))
_naming = click.option(
    "--naming",
    type=click.Choice(NAMINGS),
    help="How the JSON spells the properties: camelCase is the SDK's itemId, snake_case the API's item_id."
    "  [default: snake_case with sse, which the API speaks, else camelCase]",
)
_strict = click.option(
    "--strict", is_flag=True, help="Refuse events of an unknown type or shape instead of carrying them as they are."
)
_server = click.option(
    "--server", metavar="ADDR", default=DEFAULT_TARGET, show_default=True, help="The server, as host:port."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("openresponses-grpc"))
def main() -> None:
    """Streamed response events as Protocol Buffers: convert them, and stream them over gRPC.

    \b
    Formats of event streams:
      ndjson    one JSON event a line, as the SDK describes it
      sse       server-sent events, as the API streams them
      protobuf  OpenResponsesStreamEvent messages, each after its length as a varint
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)


@main.command(short_help="Convert a stream of events to another format.")
@click.option("--from", "source", type=_format, default="ndjson", show_default=True, help="The format of INPUT.")
@click.option(
    "--to", "target", type=_format, help="The format of OUTPUT.  [default: protobuf, or ndjson from protobuf]"
)
@_naming
@_strict
@click.argument("input", type=click.File("rb"), default="-")
@click.argument("output", type=click.File("wb"), default="-")
def convert(
    source: str, target: str | None, naming: Naming | None, strict: bool, input: BinaryIO, output: BinaryIO
) -> None:
    """Convert a stream of events from one format to another.

    INPUT and OUTPUT are files; - or nothing is standard input and standard output. At the first event that cannot be
    converted the command stops with status 1 and says where; what came before it is written.

    \b
    Examples:
      openresponses convert events.ndjson events.binpb
      openresponses convert --from protobuf events.binpb | head
    """
    target = target or ("ndjson" if source == "protobuf" else "protobuf")
    naming = naming or _usual_naming(source, target)
    reader = FORMATS[source].reader(naming, strict)
    writer = FORMATS[target].writer(naming)
    with _faults(reader), _progress(input) as advance:
        try:
            for chunk in _chunks(input, advance):
                output.writelines(transcode(reader, writer, chunk))
            output.writelines(writer.write(reader.close()))
            output.write(writer.close())
        finally:
            output.flush()


@main.command(short_help="Run a server that carries streams.")
@click.option(
    "--listen", metavar="HOST:PORT", default=DEFAULT_TARGET, show_default=True, help="Port 0 takes a free one."
)
@click.option("--store", metavar="URL", default="memory:", show_default=True, help="Where the streams are kept.")
@click.option(
    "--max-bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=StoreLimits.max_bytes,
    show_default=True,
    help="Memory for all streams. When it is full, finished streams go, the oldest first, then abandoned ones; when"
    " there are none, publishers are refused with RESOURCE_EXHAUSTED. Redis has its own maxmemory instead.",
)
@click.option(
    "--max-streams",
    metavar="N",
    type=click.IntRange(min=1),
    default=StoreLimits.max_streams,
    show_default=True,
    help="Streams at one time; beyond it as with --max-bytes. Not with Redis.",
)
@click.option(
    "--max-stream-bytes",
    metavar="BYTES",
    type=click.IntRange(min=1),
    default=StoreLimits.max_stream_bytes,
    show_default=True,
    help="Bytes of the events of one stream; a publisher that goes beyond is refused with RESOURCE_EXHAUSTED.",
)
@click.option(
    "--keep-finished",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=StoreLimits.keep_finished,
    show_default=True,
    help="How long a finished stream can be replayed.",
)
@click.option(
    "--abandon-after",
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=StoreLimits.abandon_after,
    show_default=True,
    help="How long an unfinished stream may be without a publisher before its readers are told that it is abandoned.",
)
def serve(
    listen: str,
    store: str,
    max_bytes: int,
    max_streams: int,
    max_stream_bytes: int,
    keep_finished: float,
    abandon_after: float,
) -> None:
    """Run a server that carries streams from publishers to subscribers.

    It prints its address when it is ready, serves the gRPC health service beside the streams, and stops on SIGTERM or
    Ctrl-C: calls end with UNAVAILABLE.

    The store memory: keeps the streams in memory, up to --max-bytes; they end with the server.

    redis://HOST:PORT keeps them in Redis 7 or newer, which several servers may share; so do rediss:// (TLS),
    unix:///PATH, and redis+cluster:// and rediss+cluster:// with one node of a Redis Cluster. It needs redis-py: pip
    install 'openresponses-grpc[redis]'.
    """
    limits = StoreLimits(
        max_bytes=max_bytes,
        max_streams=max_streams,
        max_stream_bytes=max_stream_bytes,
        keep_finished=keep_finished,
        abandon_after=abandon_after,
    )

    async def run() -> None:
        async with open_store(store, limits) as opened, running_server(StreamService(opened), listen) as address:
            click.echo(f"listening on {address}")
            await stop_signal()
            click.echo("stopping")

    try:
        asyncio.run(run())
    except OpenStoreError as error:
        raise click.BadParameter(str(error), param_hint="--store") from None
    except ListenError as error:
        _fail(str(error))


@main.command(short_help="Publish the events of a file to a stream.")
@_server
@click.option("--from", "source", type=_format, default="ndjson", show_default=True, help="The format of FILE.")
@_naming
@_strict
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
def publish(server: str, source: str, naming: Naming | None, strict: bool, stream: str, file: BinaryIO) -> None:
    """Publish the events of FILE to STREAM, each as soon as it is read, and end the stream.

    FILE is a file; - or nothing is standard input. At bytes that are no event the command stops with status 1: what
    came before them is published, and the stream is left open.

    \b
    Examples:
      openresponses publish resp_1 events.ndjson
      curl -N ... | openresponses publish resp_1 --from sse
    """
    reader = FORMATS[source].reader(naming or _usual_naming(source), strict)
    with _faults(reader), SyncEventStreamClient(server) as client, client.publish(stream) as publisher:
        try:
            for event in read_events(reader, _chunks(file)):
                publisher.send(event)
        except EventError:
            publisher.flush()
            raise


@main.command(short_help="Write the events of a stream as they come.")
@_server
@click.option(
    "--start-offset", metavar="N", type=click.IntRange(min=0), default=0, help="The first event wanted, from 0."
)
@click.option("--to", "target", type=_format, default="ndjson", show_default=True, help="The format to write.")
@_naming
@click.argument("stream")
def subscribe(server: str, start_offset: int, target: str, naming: Naming | None, stream: str) -> None:
    """Write the events of STREAM to standard output, each as it comes, until the stream ends.

    A stream that nobody has published yet is waited for.

    \b
    Example:
      openresponses subscribe resp_1 --start-offset 100
    """
    writer = FORMATS[target].writer(naming or _usual_naming(target))
    output = sys.stdout.buffer
    with _faults(None), SyncEventStreamClient(server) as client:
        for event in client.subscribe(stream, start_offset=start_offset):
            output.writelines(writer.write([event]))
            output.flush()
        output.write(writer.close())
        output.flush()


def _usual_naming(*formats: str) -> Naming:
    """How the properties are spelled where nobody says: SSE is what the API sends, and what its clients read."""
    return "snake_case" if "sse" in formats else "camelCase"


def _chunks(file: BinaryIO, advance: Callable[[int], None] = lambda _: None) -> Iterator[bytes]:
    """What is there to read, as soon as it is there; `advance` is told of each chunk's bytes."""
    read: Callable[[int], bytes] = getattr(file, "read1", file.read)
    while chunk := read(CHUNK_BYTES):
        yield chunk
        advance(len(chunk))


@contextmanager
def _progress(file: BinaryIO) -> Iterator[Callable[[int], None]]:
    """A progress bar on standard error where a person sees it and the end is known."""
    size = os.fstat(file.fileno()).st_size if file is not sys.stdin.buffer else 0
    if size and sys.stderr.isatty():
        with click.progressbar(length=size, label="Converting", file=sys.stderr) as bar:
            yield bar.update
    else:
        yield lambda _: None


@contextmanager
def _faults(reader: EventReader | None) -> Iterator[None]:
    """Ends the command with status 1 and one line on standard error for what users can do something about."""
    try:
        yield
    except EventError as error:
        _fail(f"{reader.position}: {error}" if reader else str(error))
    except StreamError as error:
        _fail(str(error))


def _fail(message: str) -> NoReturn:
    click.echo(message, err=True)
    sys.exit(1)
