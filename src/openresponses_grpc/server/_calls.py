"""The open calls of a server: admission, timeouts, status, and shutdown."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import TracebackType
from typing import Any, Final, NamedTuple

import grpc

from ..store import ServiceError
from ..store._shares import Pool
from ._auth import Token
from ._errors import (
    AccessError,
    CallEndedError,
    CallShareExceededError,
    PeerNotReadingError,
    RequestTimeoutError,
    ShuttingDownError,
    TooManyCallsError,
)
from ._statuses import status_for


class Timeouts(NamedTuple):
    """The timeouts of a call in seconds. gRPC does not distinguish an incomplete request from silence.

    Attributes:
        first_request: until the first request is complete.
        next_request: until the next request is complete; a publisher can be silent for this long.
        write: until the peer has read a response.

    """

    first_request: float = 10.0
    next_request: float = 300.0
    write: float = 60.0


TIMEOUTS: Final = Timeouts()
"""The default timeouts."""


class _Waiting:
    """Marks where a call waits for others. Only there can it be interrupted from outside.

    Attributes:
        error: the error of the interruption.

    """

    def __init__(self, task: asyncio.Task[Any]) -> None:
        self._task = task
        self._active = False
        self.error: CallEndedError | AccessError | None = None

    def interrupt(self, error: CallEndedError | AccessError) -> None:
        """Raises `error` in the call: now if it is waiting, else when it next waits."""
        self.error = self.error or error
        if self._active:
            self._task.cancel()

    def __enter__(self) -> None:
        if self.error:
            raise self.error
        self._active = True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._active = False
        if self.error and kind is asyncio.CancelledError:
            raise self.error from None


class _CancelledWithPeer:
    """Raises CancelledError for gRPC's own errors, which mean that the peer or the server is gone."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind and issubclass(kind, grpc.aio.BaseError):
            raise asyncio.CancelledError from None


_CANCELLED_WITH_PEER = _CancelledWithPeer()


def _retrieve_exception(task: asyncio.Task[Any]) -> None:
    """Prevents the log line for an exception that nobody awaits."""
    if not task.cancelled():
        task.exception()


class CallObserver:
    """Observes the calls of a server. By default, the methods do nothing."""

    def transferred(self, call: Call, events: int, size: int) -> None:
        """Called for each message whose events were stored for a publisher or sent to a subscriber."""

    def ended(self, call: Call) -> None:
        """Called when a call has ended, also if it was refused; `code` and `reason` are set."""


class Call:
    """One RPC, created in the task that handles it.

    After the peer has disconnected, its methods raise CancelledError, as they do after the peer cancels.

    Args:
        method: the method's name, such as `Publish`.
        context: gRPC's context of the call.
        timeouts: the timeouts.
        observers: observe the call.

    Attributes:
        token: the caller's token; None without authentication.
        stream_id: the stream; empty before the first request.
        offset: the offset of the next event to send to a subscriber.
        end: the end offset of the stream, as far as the call knows.
        events: the number of events transferred.
        bytes: the bytes of the messages that held them.
        code: the status code; CANCELLED until the call has ended otherwise.
        reason: the reason of the error; empty without one.
        started: the start time by the event loop's clock.
        waiting: a context manager in which the call can be interrupted.

    """

    def __init__(
        self,
        method: str,
        context: grpc.aio.ServicerContext[Any, Any],
        timeouts: Timeouts,
        observers: Sequence[CallObserver] = (),
    ) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.method = method
        self.token: Token | None = None
        self.stream_id = ""
        self.offset = self.end = self.events = self.bytes = 0
        self.code, self.reason = grpc.StatusCode.CANCELLED, ""
        self.task = task
        self.waiting = _Waiting(task)
        self._context = context
        self._timeouts = timeouts
        self._observers = observers
        self._loop = asyncio.get_running_loop()
        self.started = self._loop.time()
        self._reading_since: float | None = None
        self._writing_since: float | None = None
        self._has_request = self._aborted = False
        self._timer = self._loop.call_later(min(timeouts.first_request, timeouts.write), self._check_timeouts)

    @property
    def tenant(self) -> str:
        """The tenant whose share the call uses: the name of its token, empty without authentication."""
        return self.token.name if self.token else ""

    @property
    def peer(self) -> str:
        """The caller's address in gRPC's notation: `ipv4:127.0.0.1:40000`."""
        return str(self._context.peer())

    @property
    def seconds(self) -> float:
        """The seconds since the call started."""
        return self._loop.time() - self.started

    def metadata(self) -> list[tuple[str, str | bytes]]:
        """The metadata that the caller sent."""
        return list(self._context.invocation_metadata() or ())

    def transferred(self, events: int, size: int) -> None:
        """Counts a message of `size` bytes whose events were stored for a publisher or sent to a subscriber."""
        self.events += events
        self.bytes += size
        for observer in self._observers:
            observer.transferred(self, events, size)

    async def accept(self) -> None:
        """Sends the initial metadata, which tells the peer that the call is admitted before there is a response.

        It is not interruptible: gRPC cannot send a status while the metadata is being sent.
        """
        with _CANCELLED_WITH_PEER:
            await self._context.send_initial_metadata(())

    async def read(self, *, shielded: bool = False) -> bytes | None:
        """Reads the next request; None after the last one.

        Args:
            shielded: whether gRPC's read continues after a cancellation. gRPC leaks a message that arrives for a
                cancelled read. The shield takes a task for each read.

        """
        self._reading_since = self._loop.time()
        with self.waiting:
            with _CANCELLED_WITH_PEER:
                data = await (self._shielded_read() if shielded else self._context.read())
            self._reading_since, self._has_request = None, True
            if data is grpc.aio.EOF:
                # A cancelled call reads EOF, too; the cancellation arrives in the loop's next iteration.
                await asyncio.sleep(0)
                return None
            return data  # type: ignore[no-any-return]

    def _shielded_read(self) -> asyncio.Future[Any]:
        reading = self._loop.create_task(self._context.read())
        reading.add_done_callback(_retrieve_exception)
        return asyncio.shield(reading)

    async def write(self, data: bytes) -> int:
        """Sends a response, waits until there is room for another one, and returns its size in bytes."""
        self._writing_since = self._loop.time()
        with self.waiting, _CANCELLED_WITH_PEER:
            await self._context.write(data)
        self._writing_since = None
        return len(data)

    async def abort(self, error: Exception, patience: float | None = None) -> None:
        """Ends the call with the status of an error, and waits up to `patience` seconds for the peer to read it.

        It does not wait for a peer that has not read earlier responses: the status is queued behind them. It has no
        effect on a call that it has ended.
        """
        if self._aborted:
            return
        self._aborted = True
        status = status_for(error)
        self.code, self.reason = status.code, error.reason if isinstance(error, ServiceError) else ""
        try:
            async with asyncio.timeout(0 if self._writing_since else patience or self._timeouts.write):
                await self._context.abort_with_status(status)
        except grpc.aio.AbortError as aborted:
            # gRPC keeps this error, so that it sends no second status. Its reference cycle would keep the request, too.
            aborted.__traceback__ = aborted.__context__ = None
        except (TimeoutError, grpc.aio.BaseError):
            raise asyncio.CancelledError from None

    def close(self) -> None:
        """Cancels the timer, and reports the end of the call to the observers."""
        self._timer.cancel()
        self.waiting.error = None  # its traceback refers to the call
        for observer in self._observers:
            observer.ended(self)

    def _check_timeouts(self) -> None:
        # One timer per call: one per read and write would take a tenth of the time of a small message.
        first, later, write = self._timeouts
        read = later if self._has_request else first
        now = self._loop.time()
        if self._writing_since and self._writing_since + write <= now:
            self.waiting.interrupt(PeerNotReadingError(f"the peer read no response for {write:g} seconds"))
        elif self._reading_since and self._reading_since + read <= now:
            self.waiting.interrupt(RequestTimeoutError(f"no complete request for {read:g} seconds: call again"))
        else:
            due = min((self._writing_since or now) + write, (self._reading_since or now) + read)
            self._timer = self._loop.call_at(due, self._check_timeouts)


class Calls:
    """The open calls of a server.

    Args:
        limit: the maximum number of open calls.
        timeouts: the timeouts of each call.
        authenticate: returns the token of a call; raises AccessError.
        observers: observe every call.

    """

    def __init__(
        self,
        limit: int,
        timeouts: Timeouts,
        *,
        authenticate: Callable[[Call], Token | None] = lambda _: None,
        observers: Sequence[CallObserver] = (),
    ) -> None:
        self._pool = Pool(limit)
        self._timeouts = timeouts
        self._authenticate = authenticate
        self._observers = observers
        self._open: dict[Call, str] = {}  # with their tenants: a token may be renamed during a call
        self._draining = False

    @property
    def limit(self) -> int:
        """The maximum number of open calls."""
        return self._pool.limit

    def set_shares(self, shares: Mapping[str, int]) -> None:
        """Sets each tenant's share of the calls."""
        self._pool.set_shares(shares)

    def open(self) -> list[Call]:
        """Returns the open calls; thread-safe."""
        return list(self._open)

    def handler(self, method: str, serve: Callable[[Call], Awaitable[None]]) -> grpc.RpcMethodHandler[bytes, bytes]:
        """Returns gRPC's handler of a method. It authenticates and admits each call, serves it, and reports any error.

        Requests and responses are bytes, so that a malformed request gets INVALID_ARGUMENT. All methods are registered
        as streaming: gRPC would read the request of a unary one before it calls the handler.
        """

        async def handle(_: object, context: Any) -> None:
            call = Call(method, context, self._timeouts, self._observers)
            try:
                call.token = self._authenticate(call)
                self._add(call)
                await serve(call)
                call.code = grpc.StatusCode.OK
            except Exception as error:
                await call.abort(error)
            finally:
                self._remove(call)
                call.close()

        return grpc.stream_stream_rpc_method_handler(handle)

    async def drain(self, grace: float) -> None:
        """Ends all calls and refuses new ones.

        Returns when all calls have ended, or after `grace` seconds: a peer that does not read delays the end of its
        call.
        """
        self._draining = True
        for call in self._open:
            call.waiting.interrupt(ShuttingDownError("the server is shutting down"))
        if self._open:
            await asyncio.wait([call.task for call in self._open], timeout=grace)

    def _add(self, call: Call) -> None:
        """Admits a call; raises CallEndedError if the server is shutting down or a limit is reached."""
        if self._draining:
            raise ShuttingDownError("the server is shutting down")
        tenant, pool = call.tenant, self._pool
        if not pool.has_room(1):
            raise TooManyCallsError(f"the server has reached its limit of {pool.limit} open calls")
        if not pool.may_hold(tenant, 1):
            raise CallShareExceededError(
                f"token {tenant!r} has {pool.held(tenant)} open calls and a share of {pool.share(tenant)}; all other"
                " calls are in use or reserved",
                tenant=tenant,
            )
        pool.hold(tenant, 1)
        self._open[call] = tenant

    def _remove(self, call: Call) -> None:
        """Removes a call, unless it was refused."""
        tenant = self._open.pop(call, None)
        if tenant is not None:
            self._pool.free(tenant, 1, held=True)
