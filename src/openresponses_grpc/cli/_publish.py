"""`openresponses publish`."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import BinaryIO, NoReturn

import click

from ..client import EventStreamClient
from ..errors import EventError
from ..framing import read_events
from ._common import (
    NO_EVENT,
    NO_TERMINAL_EVENT,
    SkippedEvents,
    chunks,
    exit_on_invalid_input,
    fail,
    format_choice,
    make_reader,
    on_error_option,
    options,
    strict_option,
)
from ._connect import with_client
from ._inputs import InputSummary, detect_format
from ._options import option
from ._outputs import exit_on_file_error
from ._resume import InputMismatchError, skip_stored
from ._statuses import ExitStatusHelp, Status
from ._tally import tally

_REASON_BYTES = 64


def _reason(text: str) -> str:
    if not 0 < len(text.encode()) <= _REASON_BYTES:
        raise click.BadParameter(f"must be 1 to {_REASON_BYTES} bytes long, not {len(text.encode())}")
    return text


_OPTIONS = [
    option(
        "--from",
        "source",
        type=format_choice,
        help="Format of FILE.  [default: from its suffix, or detected from its first bytes]",
    ),
    strict_option,
    on_error_option,
    option("--end", is_flag=True, help="End the stream even if FILE has no terminal event."),
    option("--fail", "reason", metavar="REASON", type=_reason, help="End the stream as failed after FILE's events."),
    option("--fail-message", "message", metavar="TEXT", help="Human-readable explanation of the --fail REASON."),
    option(
        "--resume", is_flag=True, help="Skip the events that the stream already contains. FILE must start with them."
    ),
]


@click.command(cls=ExitStatusHelp, short_help="Publish the events of a file to a stream.")
@with_client
@partial(options, _OPTIONS)
@click.argument("stream")
@click.argument("file", type=click.File("rb"), default="-")
def publish(
    client: EventStreamClient,
    source: str | None,
    strict: bool,
    on_error: str,
    end: bool,
    reason: str | None,
    message: str | None,
    resume: bool,
    stream: str,
    file: BinaryIO,
) -> None:
    """Publish the events of FILE to STREAM as they are read, then end the stream.

    The default FILE, -, is standard input. JSON may use either spelling of properties. At the first invalid event, the
    command exits with status 1: the events before it are published, and the stream stays open.

    The stream ends if FILE has a terminal event: response.completed, response.failed, response.incomplete, error, or
    [DONE] in SSE. Otherwise FILE is truncated: the stream stays open, and the exit status is 1. Use --end to end the
    stream anyway, or --fail to end it as failed, such as after a crash of its source.

    --resume continues a stream from an input that starts over at its beginning. The command compares the events that
    it skips with the stream. If one differs, the stream stays unchanged, and the exit status is 3. The token must also
    allow subscribing.

    \b
    Examples:
      openresponses publish resp_1 events.ndjson
      curl -N ... | openresponses publish resp_1 --from sse
      openresponses publish resp_1 --fail UPSTREAM_CRASHED < /dev/null
    """
    if end and reason:
        raise click.UsageError("--end and --fail cannot be combined")
    if message and not reason:
        raise click.UsageError("--fail-message requires --fail")
    with (
        exit_on_file_error(),
        closing(chunks(file)) as raw,
        tally("published") as counted,
        client.publish(stream) as publisher,
    ):
        source, data = detect_format(source, file.name if isinstance(file.name, str) else "", raw)
        reader, summary = make_reader(source, strict), InputSummary()
        skipped = SkippedEvents(reader)
        reader.on_error = skipped if on_error == "skip" else None
        events = summary.watch(read_events(reader, data))
        stream_end = publisher.position
        with exit_on_invalid_input(reader):
            try:
                if resume:
                    skip_stored(client, stream, stream_end, events)
                for event in events:
                    publisher.send(event)
                    counted.add(event)
            except InputMismatchError as error:
                _exit_without_ending(
                    f"{error}: the stream is unchanged; use another stream id, or delete this one", Status.STREAM
                )
            except EventError:
                publisher.flush()
                raise
        publisher.flush()
        skipped.report()
        terminal = summary.terminal or (reader.done and summary.events > 0)
        if resume and summary.events < stream_end.offset and (end or reason or terminal):
            _exit_without_ending(
                f"the input ends at offset {summary.events}, before the end of stream {stream!r} at offset"
                f" {stream_end.offset}: the stream is unchanged",
                Status.STREAM,
            )
        if reason and terminal:
            _exit_without_ending(
                f"the input has a terminal event: stream {stream!r} stays open; end it with --end instead of --fail",
                Status.USAGE,
            )
        if reason:
            publisher.fail(reason, message or "")
        elif publisher.failure:
            _exit_without_ending(
                f"stream {stream!r} failed with {publisher.failure.reason}: use another stream id, or delete this one",
                Status.STREAM,
            )
        elif not (end or terminal or publisher.end_of_stream):
            _exit_without_ending(
                f"{NO_TERMINAL_EVENT if summary.events else NO_EVENT}: stream {stream!r} stays open; end it with --end"
            )
        counted.end = f"the stream {f'failed with {reason}' if reason else 'is complete'}"


def _exit_without_ending(message: str, status: Status = Status.BAD_INPUT) -> NoReturn:
    """Exits. SystemExit leaves the publisher's context like any exception, so the stream stays open."""
    fail(message, status)
