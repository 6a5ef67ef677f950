"""Unauthenticated calls: health and reflection. The memory of their requests is bounded before they are read."""

from __future__ import annotations

import asyncio
import ctypes
import resource
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Final

from ..store import InvalidRequestError
from ._calls import Call, Calls, Timeouts
from ._errors import RequestTimeoutError, TooManyCallsError

_TIMEOUTS: Final = Timeouts(first_request=10.0, next_request=10.0, write=10.0)

_CHECK_SECONDS: Final = 0.005
"""The interval between checks of a request that is being read."""

_MAX_GROWTH: Final = 4 << 20
"""The growth of the process in bytes that aborts the request being read (Linux only)."""

_GROWTH_CHECKS: Final = 2
"""The number of checks before growth counts. A request that is still incomplete then is probably the cause."""

_LATE_CHECK: Final = 0.25
"""What a late check counts. A request that has arrived takes several iterations of a busy event loop."""

_MAX_REQUEST_BYTES: Final = 64 << 10
"""Requests of clients have a few bytes. A larger one is freed at once: the traceback of its error would hold it."""

_STATM: Final = Path("/proc/self/statm")


class AnonymousCalls(Calls):
    """The open unauthenticated calls.

    Args:
        limit: the maximum number of open calls.
        per_connection: the maximum number on one connection.

    """

    def __init__(self, limit: int, *, per_connection: int) -> None:
        super().__init__(limit, _TIMEOUTS)
        self._per_connection = per_connection
        self._connections: Counter[str] = Counter()

    def _add(self, call: Call) -> None:
        # All peers on a Unix socket have the same name, and are local.
        if self._connections[call.peer] >= self._per_connection and not call.peer.startswith("unix"):
            raise TooManyCallsError(f"the connection has reached its limit of {self._per_connection} such calls")
        super()._add(call)
        self._connections[call.peer] += 1

    def _remove(self, call: Call) -> None:
        if call in self._open:
            super()._remove(call)
            self._connections[call.peer] -= 1
            self._connections += Counter()  # drops the zero counts


class SerialReader:
    """Reads the requests of unauthenticated callers one at a time.

    gRPC has one maximum message size for all methods, which publishers need to be large, and does not show how much of
    an incomplete message it has buffered. Reading one request at a time bounds the memory of all unauthenticated
    callers to part of one such message: the request is aborted if it takes too long or if the process grows. A request
    of a few bytes has arrived by the time it is read.

    Args:
        limit: the maximum number of waiting callers. What each has sent is bounded by its flow control window.
        contended_timeout: seconds for a request while other callers wait.
        timeout: seconds for a request otherwise. A busy event loop extends both.

    """

    def __init__(self, limit: int, *, contended_timeout: float, timeout: float) -> None:
        self._limit = limit
        self._contended_timeout = contended_timeout
        self._timeout = timeout
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def read(self, call: Call) -> bytes | None:
        """Reads the next request of a call; None after the last one.

        Raises:
            InvalidRequestError: the request is too large.
            RequestTimeoutError: the request did not arrive in time; the call has been aborted.
            TooManyCallsError: too many callers are waiting.

        """
        if self._waiting >= self._limit:
            raise TooManyCallsError(f"{self._limit} callers are waiting for their requests to be read")
        self._waiting += 1
        try:
            with call.waiting:
                await self._lock.acquire()
        finally:
            self._waiting -= 1
        watcher = asyncio.create_task(self._watch(call))
        try:
            request = await call.read(shielded=True)
            if request and len(request) > _MAX_REQUEST_BYTES:
                request = None
                _return_freed_memory()
                raise InvalidRequestError("", f"the request has more than {_MAX_REQUEST_BYTES} bytes")
            return request
        except RequestTimeoutError as error:
            # gRPC keeps the partial request until the call has ended, so the next caller waits for that.
            try:
                await call.abort(error, self._timeout)
            finally:
                _return_freed_memory()
            raise
        finally:
            watcher.cancel()
            self._lock.release()

    async def _watch(self, call: Call) -> None:
        """Interrupts a call whose request does not arrive in time, or makes the process grow."""
        loop = asyncio.get_running_loop()
        size, checks = _resident_bytes(), 0.0
        while True:
            due = loop.time() + _CHECK_SECONDS
            await asyncio.sleep(_CHECK_SECONDS)
            checks += 1 if loop.time() < due + _CHECK_SECONDS else _LATE_CHECK
            late = checks * _CHECK_SECONDS >= (self._contended_timeout if self._waiting else self._timeout)
            if late or (checks >= _GROWTH_CHECKS and _resident_bytes() - size > _MAX_GROWTH):
                call.waiting.interrupt(RequestTimeoutError("the request did not arrive in time: call again"))
                return


def _return_freed_memory() -> None:
    """Makes glibc return freed memory to the system; has no effect with other C libraries.

    glibc keeps the freed blocks of a large message for later ones, so the next message would not enlarge the process.
    """
    with suppress(AttributeError, OSError, TypeError):
        ctypes.CDLL(None).malloc_trim(0)


def _resident_bytes() -> int:
    """The resident memory of this process; 0 on systems without /proc."""
    try:
        return int(_STATM.read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        return 0
