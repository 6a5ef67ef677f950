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
    LeftOut,
    chunks,
    fail,
    faults,
    format_choice,
    on_error_option,
    options,
    reader_of,
    strict_option,
)
from ._connect import connects
from ._inputs import Seen, format_of
from ._option import option
from ._outputs import file_faults
from ._resume import DifferentInputError, skip_logged
from ._statuses import ListsStatuses, Status
from ._tally import tally

_REASON_BYTES = 64


def _reason(text: str) -> str:
    if not 0 < len(text.encode()) <= _REASON_BYTES:
        raise click.BadParameter(f"has 1 to {_REASON_BYTES} bytes, not {len(text.encode())}")
    return text


_OPTIONS = [
    option(
        "--from",
        "source",
        type=format_choice,
        help="The format of FILE.  [default: that of its ending, else of its first bytes]",
    ),
    strict_option,
    on_error_option,
    option("--end", is_flag=True, help="End the stream even if FILE has no terminal event."),
    option("--fail", "reason", metavar="REASON", type=_reason, help="End the stream as failed after FILE's events."),
    option("--fail-message", "message", metavar="TEXT", help="What people read beside the REASON of --fail."),
    option(
        "--resume",
        is_flag=True,
        help="Skip the events that the stream has already. FILE has them, too: it is read from its beginning.",
    ),
]


@click.command(cls=ListsStatuses, short_help="Publish the events of a file to a stream.")
@connects
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
    """Publish the events of FILE to STREAM, each as soon as it is read, and end the stream.

    FILE is a file; - or nothing is standard input. JSON is read in either spelling. At the first invalid event the
    command stops with status 1. The events before it are published, and the stream stays open.

    The stream ends if FILE has a terminal event: response.completed, response.failed, response.incomplete, error, or
    [DONE] in SSE. Otherwise FILE is truncated: the stream stays open, and the status is 1. --fail ends a stream without
    a terminal event as failed, such as after a crash of its source.

    --resume continues a stream with an input that starts again from its beginning. The command compares the events that
    it skips with those of the stream; if one differs, the status is 3 and the stream stays as it is. This needs a token
    that may also subscribe.

    \b
    Examples:
      openresponses publish resp_1 events.ndjson
      curl -N ... | openresponses publish resp_1 --from sse
      openresponses publish resp_1 --fail UPSTREAM_CRASHED < /dev/null
    """
    if end and reason:
        raise click.UsageError("--end and --fail do not go together")
    if message and not reason:
        raise click.UsageError("--fail-message needs --fail")
    with (
        file_faults(),
        closing(chunks(file)) as raw,
        tally("published") as counted,
        client.publish(stream) as publisher,
    ):
        source, data = format_of(source, file.name if isinstance(file.name, str) else "", raw)
        reader, seen = reader_of(source, strict), Seen()
        left_out = LeftOut(reader)
        reader.on_error = left_out if on_error == "skip" else None
        events = seen.watch(read_events(reader, data))
        opened = publisher.position
        with faults(reader):
            try:
                if resume:
                    skip_logged(client, stream, opened, events)
                for event in events:
                    publisher.send(event)
                    counted.add(event)
            except DifferentInputError as error:
                _leave_open(f"{error}: stream {stream!r} stays as it is; use another id, or delete it", Status.STREAM)
            except EventError:
                publisher.flush()
                raise
        publisher.flush()
        left_out.report()
        terminal = seen.terminal or (reader.done and seen.events > 0)
        if resume and seen.events < opened.offset and (end or reason or terminal):
            _leave_open(
                f"the input ends at offset {seen.events}, and stream {stream!r} at offset {opened.offset}: it stays as"
                " it is",
                Status.STREAM,
            )
        if reason and terminal:
            _leave_open(
                f"the input has a terminal event: stream {stream!r} stays open; end it with --end instead of --fail",
                Status.USAGE,
            )
        if reason:
            publisher.fail(reason, message or "")
        elif publisher.failure:
            _leave_open(
                f"stream {stream!r} failed with {publisher.failure.reason}: use another id, or delete it", Status.STREAM
            )
        elif not (end or terminal or publisher.end_of_stream):
            _leave_open(
                f"{NO_TERMINAL_EVENT if seen.events else NO_EVENT}: stream {stream!r} stays open; --end ends it"
            )
        counted.end = f"the stream {f'failed with {reason}' if reason else 'is complete'}"


def _leave_open(message: str, status: Status = Status.BAD_INPUT) -> NoReturn:
    """Ends the command. This leaves the publisher's body as an error does, so that the stream is not ended."""
    fail(message, status)
