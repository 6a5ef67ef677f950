"""The calls that are open on a server: how many there may be, and what ends one that waits."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, NamedTuple, NoReturn

import grpc

from ..store import ServiceError
from ..store._shares import Pool
from ._auth import AccessError, Token


class CallEndedError(ServiceError):
    """The server ends the call, although its requests are valid."""

    retryable = True


class ShuttingDownError(CallEndedError):
    """The server is to stop, and the call with it."""

    reason = "SHUTTING_DOWN"


class TooManyCallsError(CallEndedError):
    """The server has as many open calls as it may have."""

    reason = "TOO_MANY_CALLS"


class CallShareExceededError(CallEndedError):
    """The tenant has at least its share of the open calls, and the places that are left belong to others.

    Attributes:
        tenant: the name of its token.

    """

    reason = "SHARE_EXCEEDED"

    def __init__(self, message: str, *, tenant: str) -> None:
        super().__init__(message)
        self.tenant = tenant


class PeerNotReadingError(CallEndedError):
    """What is written to the peer has not been taken for too long."""

    reason = "PEER_NOT_READING"


class RequestTimeoutError(CallEndedError):
    """No complete request has come from the peer for too long."""

    reason = "REQUEST_TIMEOUT"


class Timeouts(NamedTuple):
    """Seconds that a call gives its peer. gRPC does not tell a request that has begun from silence.

    Attributes:
        first_request: until its first request is complete.
        next_request: until the one after it is complete: a publisher may be silent for so long.
        write: until what is written to it is read.

    """

    first_request: float = 10.0
    next_request: float = 300.0
    write: float = 60.0


TIMEOUTS: Final = Timeouts()
"""Those of a call, unless it is said."""


class _Waiting:
    """Where a call waits for others. What ends a call from outside ends it here, and nowhere else."""

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._waits = False
        self._end: CallEndedError | AccessError | None = None

    def end(self, error: CallEndedError | AccessError) -> None:
        """Raises `error` where the call waits, now or when it comes to it."""
        self._end = self._end or error
        if self._waits:
            self._task.cancel()

    def __enter__(self) -> None:
        if self._end:
            raise self._end
        self._waits = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._waits = False
        if self._end and kind is asyncio.CancelledError:
            raise self._end from None


class _PeerMayBeGone:
    """Around what gRPC does with a peer: when it or the server is gone, that fails with an error of gRPC's own."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind and issubclass(kind, grpc.aio.BaseError):
            raise asyncio.CancelledError from None


_GONE = _PeerMayBeGone()


class Call:
    """One call, to be made in the task that handles it.

    Where the peer is gone without a word, its methods raise CancelledError as if it had said so.

    Args:
        method: `Publish` or `Subscribe`.
        context: gRPC's side of the call.
        timeouts: what ends it.

    Attributes:
        token: the token that its caller has shown; None where none is asked for.
        stream_id: its stream; empty before its first request.
        offset: the offset of the next event that it reads or appends.
        end: the offset at which its stream ends, as far as it knows.
        events, bytes: what it has moved so far, in messages of so many bytes.
        started: when it began, by the event loop's clock.
        waiting: a context manager for what waits for others.

    """

    def __init__(self, method: str, context: grpc.aio.ServicerContext[Any, Any], timeouts: Timeouts) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.method = method
        self.token: Token | None = None
        self.stream_id = ""
        self.offset = self.end = self.events = self.bytes = 0
        self.task = task
        self.waiting = _Waiting(task)
        self._context = context
        self._timeouts = timeouts
        self._loop = asyncio.get_running_loop()
        self.started = self._loop.time()
        self._reading_since: float | None = None
        self._writing_since: float | None = None
        self._has_request = False
        self._watch = self._loop.call_later(min(timeouts.first_request, timeouts.write), self._check)

    @property
    def tenant(self) -> str:
        """Whose share it counts for: the name of its token, empty where none is asked for."""
        return self.token.name if self.token else ""

    @property
    def peer(self) -> str:
        """Where the caller is, as gRPC names it: `ipv4:127.0.0.1:40000`."""
        return str(self._context.peer())

    @property
    def seconds(self) -> float:
        """How long it has been open."""
        return self._loop.time() - self.started

    async def accept(self) -> None:
        """Sends the headers, which tell a peer that its call is let in and has nothing to read yet.

        Sooner or later they must go: a call that is ended while they are under way could send no status.
        """
        with _GONE:
            await self._context.send_initial_metadata(())

    async def read(self) -> bytes | None:
        """The next request; None after the last one."""
        self._reading_since = self._loop.time()
        with self.waiting:
            with _GONE:
                data = await self._context.read()
            self._reading_since, self._has_request = None, True
            if data is grpc.aio.EOF:
                # Requests end, too, when a call is cancelled; that it was is told only in the loop's next turn.
                await asyncio.sleep(0)
                return None
            return data  # type: ignore[no-any-return]

    async def write(self, data: bytes) -> int:
        """Sends a response; returns its size in bytes when there is room for the next."""
        self._writing_since = self._loop.time()
        with self.waiting, _GONE:
            await self._context.write(data)
        self._writing_since = None
        return len(data)

    async def abort(self, status: grpc.Status, patience: float | None = None) -> NoReturn:
        """Ends the call with a status; waits up to `patience` seconds for a peer that does not read.

        A peer who does not read gets it after what it has not read, if ever; it is not waited for.
        """
        try:
            async with asyncio.timeout(0 if self._writing_since else patience or self._timeouts.write):
                await self._context.abort_with_status(status)
        except grpc.aio.AbortError:
            raise
        except (TimeoutError, grpc.aio.BaseError):
            raise asyncio.CancelledError from None

    def close(self) -> None:
        """Forgets the call; to be called when it has ended."""
        self._watch.cancel()

    def _check(self) -> None:
        # A timer for each call, not for each read and write: that would take a tenth of the time of a small message.
        first, later, write = self._timeouts
        read = later if self._has_request else first
        now = self._loop.time()
        if self._writing_since and self._writing_since + write <= now:
            self.waiting.end(PeerNotReadingError(f"the responses were not read for {write:g} seconds"))
        elif self._reading_since and self._reading_since + read <= now:
            self.waiting.end(RequestTimeoutError(f"no complete request has come for {read:g} seconds: begin again"))
        else:
            due = min((self._writing_since or now) + write, (self._reading_since or now) + read)
            self._watch = self._loop.call_at(due, self._check)


class Calls:
    """The open calls of a server.

    Args:
        limit: how many there may be.

    """

    def __init__(self, limit: int) -> None:
        self._places = Pool(limit)
        self._open: dict[Call, str] = {}  # with their tenants: a token may be renamed while they are open
        self._draining = False

    @property
    def limit(self) -> int:
        """How many there may be."""
        return self._places.limit

    def set_shares(self, shares: Mapping[str, int]) -> None:
        """Gives each tenant its share of the calls."""
        self._places.set_shares(shares)

    def open(self) -> list[Call]:
        """The calls that are open; any thread may ask."""
        return list(self._open)

    def add(self, call: Call) -> None:
        """Lets a call in.

        Raises:
            CallEndedError: the server is to stop, or has as many calls as it may have.

        """
        if self._draining:
            raise ShuttingDownError("the server is shutting down")
        tenant, places = call.tenant, self._places
        if not places.has_room(1):
            raise TooManyCallsError(f"the server has {places.limit} open calls, as many as it may have")
        if not places.may_hold(tenant, 1):
            raise CallShareExceededError(
                f"the token {tenant!r} has {places.held(tenant)} open calls; its share is {places.share(tenant)}, and"
                " the rest is taken or reserved for the others",
                tenant=tenant,
            )
        places.hold(tenant, 1)
        self._open[call] = tenant

    def remove(self, call: Call) -> None:
        """Lets a call go, if it was in."""
        tenant = self._open.pop(call, None)
        if tenant is not None:
            self._places.free(tenant, 1, held=True)

    async def drain(self, grace: float) -> None:
        """Ends every call, and lets none in.

        Returns when the last one has ended, at the latest after `grace` seconds: a peer that does not read what is
        written to it holds its call up.
        """
        self._draining = True
        for call in self._open:
            call.waiting.end(ShuttingDownError("the server is shutting down"))
        if self._open:
            await asyncio.wait([call.task for call in self._open], timeout=grace)
