"""Copies a stream's events from a subscription to standard output."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any

from ..client import StreamFailedError
from ..codec._bridge import event_type, json_to_protobuf, protobuf_to_json
from ..codec._parsing import parse_event
from ..codec._schema import Naming
from ..errors import EventError
from ..framing import is_terminal
from ..position import Position
from ._common import fail, make_writer
from ._positions import Saved
from ._sink import Sink
from ._tally import Tally
from ._text import TextWriter


class Encoder:
    """Encodes events for the output.

    Args:
        target: a format, or `text`.
        naming: spelling of properties in JSON; None selects the format's default.
        types: glob patterns of the event types to write; empty selects all.
        offsets: whether to write the offset before each event.

    """

    def __init__(self, target: str, naming: Naming | None, types: Sequence[str], offsets: bool) -> None:
        self.target = target
        self._writer = TextWriter() if target == "text" else make_writer(target, naming)
        self._types = types
        self._offsets = offsets

    def event(self, event: bytes, offset: int) -> bytes:
        """Returns the output for an event; empty if its type is not selected."""
        if self._types and not self._matches(event_type(parse_event(event)) or ""):
            return b""
        try:
            data = b"".join(self._writer.write([event]))
        except EventError as error:
            fail(f"the event at offset {offset} cannot be written as {self.target}: {error}")
        return b"%d\t%b" % (offset, data) if self._offsets else data

    def end(self, last: bytes | None, *, terminal: bool, failure: StreamFailedError | None) -> bytes:
        """Returns the output for the end of the stream.

        Args:
            last: the last event; None if unknown.
            terminal: whether the stream has a terminal event.
            failure: error of a stream that ended in failure; None otherwise.

        """
        if self.target == "sse" and failure:
            return b"".join(self._writer.write([_error_event(failure, last)]))
        return self._writer.close() if terminal or self.target != "sse" else b""

    def _matches(self, type: str) -> bool:
        return any(fnmatchcase(type, pattern) for pattern in self._types)


class StreamCopy:
    """Copies a stream to the output, up to its end.

    Args:
        sink: receives the output, and holds the position to resume at.
        encoder: encodes the output.
        start_offset: offset of the first event to write, if no position was saved.

    """

    def __init__(self, sink: Sink, encoder: Encoder, start_offset: int) -> None:
        self._sink = sink
        self._encoder = encoder
        self._saved = sink.saved
        self._start_offset = self._saved.position.offset if self._saved else start_offset

    def run(self, subscribe: Callable[..., Any], tally: Tally) -> None:
        """Copies the stream.

        Args:
            subscribe: opens the subscription at a `position` or a `start_offset`.
            tally: counts the events.

        Raises:
            StreamError: the stream ended in failure, or cannot be read.

        """
        here = self._saved.position if self._saved else None
        terminal = self._saved.terminal if self._saved else False
        last: bytes | None = None
        failure: StreamFailedError | None = None
        with self._open(subscribe) as subscription:
            try:
                for event in subscription:
                    after: Position = subscription.position
                    data = self._encoder.event(event, after.offset - 1)
                    if after.offset <= self._start_offset:
                        continue
                    last = event
                    terminal = terminal or is_terminal(event)
                    tally.add(event)
                    before = here or Position(after.epoch, after.offset - 1)
                    more = (after.checked_offset or 0) > after.offset  # the same response contains more events
                    self._sink.write(data, Saved(after, terminal), before=before, more=more)
                    here = after
            except StreamFailedError as error:
                failure = error
            end: Position = subscription.position
        if not (self._saved and self._saved.ended):
            data = self._encoder.end(last, terminal=terminal, failure=failure)
            self._sink.write(data, Saved(end, terminal, ended=True), before=here or end)
        tally.end = f"the stream {f'failed with {failure.reason}' if failure else 'is complete'}"
        if failure:
            raise failure

    def _open(self, subscribe: Callable[..., Any]) -> Any:
        if self._saved is None:
            return subscribe(start_offset=0 if self._from_start else self._start_offset)
        position = self._saved.position
        return subscribe(position=position._replace(offset=0) if self._from_start else position)

    @property
    def _from_start(self) -> bool:
        """Whether the output depends on events before the first one to write, which are read but not written."""
        return self._encoder.target == "text"


def _error_event(failure: StreamFailedError, last: bytes | None) -> bytes:
    """Returns the `error` event for a failed stream, with the next sequence number if it is known."""
    event: dict[str, object] = {
        "type": "error",
        "code": failure.reason,
        "message": failure.message or failure.reason,
        "param": None,
    }
    number = json.loads(protobuf_to_json(last, naming="snake_case")).get("sequence_number") if last else None
    if isinstance(number, int):
        event["sequence_number"] = number + 1
    return json_to_protobuf(json.dumps(event))
