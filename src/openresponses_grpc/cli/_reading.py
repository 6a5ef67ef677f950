"""The way of a stream's events from a subscription to standard output."""

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
from ._common import fail, writer_of
from ._positions import Saved
from ._sink import Sink
from ._tally import Tally
from ._text import TextWriter


class Encoder:
    """Makes output of events.

    Args:
        target: a format, or `text`.
        naming: the spelling of JSON; None for the format's own.
        types: the patterns of the types to write; empty for all.
        offsets: whether the offset of an event comes before it.

    """

    def __init__(self, target: str, naming: Naming | None, types: Sequence[str], offsets: bool) -> None:
        self.target = target
        self._writer = TextWriter() if target == "text" else writer_of(target, naming)
        self._types = types
        self._offsets = offsets

    def event(self, event: bytes, offset: int) -> bytes:
        """The output for an event."""
        if self._types and not self._matches(event_type(parse_event(event)) or ""):
            return b""
        try:
            data = b"".join(self._writer.write([event]))
        except EventError as error:
            fail(f"the event at offset {offset} has no form in {self.target}: {error}")
        return b"%d\t%b" % (offset, data) if self._offsets else data

    def end(self, last: bytes | None, *, terminal: bool, failure: StreamFailedError | None) -> bytes:
        """The output at the end of the stream.

        Args:
            last: the last event; None if it is not known.
            terminal: whether there was a terminal event.
            failure: why the stream failed, if it did.

        """
        if self.target == "sse" and failure:
            return b"".join(self._writer.write([_error_event(failure, last)]))
        return self._writer.close() if terminal or self.target != "sse" else b""

    def _matches(self, type: str) -> bool:
        return any(fnmatchcase(type, pattern) for pattern in self._types)


class Reading:
    """Reads a stream to its end.

    Args:
        sink: where the output goes, and the position to resume at.
        encoder: makes the output.
        start_offset: the first event to write, where there is no position.

    """

    def __init__(self, sink: Sink, encoder: Encoder, start_offset: int) -> None:
        self._sink = sink
        self._encoder = encoder
        self._saved = sink.saved
        self._start_offset = self._saved.position.offset if self._saved else start_offset

    def run(self, subscribe: Callable[..., Any], tally: Tally) -> None:
        """Reads until the stream ends.

        Args:
            subscribe: opens the subscription, given the position or the offset to read from.
            tally: counts the events.

        Raises:
            StreamError: the stream failed, or cannot be read.

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
                    more = (after.checked_offset or 0) > after.offset  # the response had more events
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
        """Whether the output depends on events before the first one to write."""
        return self._encoder.target == "text"


def _error_event(failure: StreamFailedError, last: bytes | None) -> bytes:
    """The `error` event of a failed stream, with the sequence number after the last event's, if it is known."""
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
