"""The in-memory state of a stream, without its events, in a store of one process."""

from __future__ import annotations

import secrets
import time

from ._interface import Batch, End, Failure
from ._rules import check_publisher, draw
from ._segment import Verified


class Entry:
    """One stream. Times are by the clock of its index.

    Attributes:
        tenant: the name of the token that created it; empty without authentication.
        end: the end offset of its stored events.
        checksum: the checksum of its events.
        bytes: the bytes of its events.
        owner: the number of the publisher that has claimed it; 0 before the first claim.
        drawn: the highest number that was drawn for it or has claimed it.
        created_at: when it was created.
        updated_at: when events were last appended, or when it ended.
        finished_at: when it ended; None while it is open.
        failure: why it failed, if it did.
        left_at: when its last publisher left.
        publishers: the number of its publishers and pending appends.
        stored: whether the store has it; a new stream is stored with its first append.

    """

    def __init__(self, stream_id: str, now: float, tenant: str) -> None:
        self.stream_id = stream_id
        self.tenant = tenant
        self.epoch = secrets.randbits(63) or 1
        self.end = 0
        self.checksum = 0
        self.bytes = 0
        self.owner = 0
        self.drawn = 0
        self.created_at = self.updated_at = self.left_at = now
        self.finished_at: float | None = None
        self.failure: Failure | None = None
        self.publishers = 0
        self.stored = False

    def admit(self, publisher: int | None) -> tuple[int, int]:
        """Admits the publisher of an append, which may draw a number or claim the stream.

        Returns the owner and the highest number drawn after the append.

        Raises:
            PublisherFencedError: a newer publisher has claimed the stream.

        """
        check_publisher(publisher, owner=self.owner, end=self.end)
        if publisher:
            return publisher, max(self.drawn, publisher)
        return self.owner, self.drawn if publisher is None else draw(self.drawn, time.time())

    def end_now(self, publisher: int | None) -> End:
        """Returns the end for the reply to an append, with the latest number if the publisher drew one."""
        number = self.drawn if publisher == 0 else None
        return End(self.end, self.epoch, self.checksum, self.finished_at is not None, self.failure, number)

    def batch(self, start_offset: int, events: Verified | None) -> Batch:
        """Returns a batch for a reader at an offset; `events` is None if the offset has no events."""
        stop = start_offset + (len(events.events) if events else 0)
        ended = self.finished_at is not None and stop == self.end
        checksum = self.checksum if stop == self.end else None
        return Batch(
            start_offset,
            events.events if events else (),
            end_of_stream=ended,
            epoch=self.epoch,
            end=self.end,
            checksum=events.after if events else checksum,
            failure=self.failure if ended else None,
        )
