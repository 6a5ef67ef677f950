"""Calls that need no token: health and reflection. What they send costs memory, so it is bounded before it is read."""

from __future__ import annotations

import asyncio
import resource
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import grpc

from ._calls import Call, Calls, RequestTimeoutError, Timeouts, TooManyCallsError
from ._statuses import ending

_TIMEOUTS: Final = Timeouts(first_request=10.0, next_request=10.0, write=10.0)

_LOOK: Final = 0.02
"""Seconds from one look at a request that is being read to the next."""

_GROWTH: Final = 8 << 20
"""Bytes by which the process may grow while a request is read, where the system tells (Linux)."""


_STATM: Final = Path("/proc/self/statm")


class AnonymousCalls(Calls):
    """The open calls of callers that show no token.

    Args:
        limit: how many there may be.
        per_connection: how many of them one connection may have.

    """

    def __init__(self, limit: int, *, per_connection: int) -> None:
        super().__init__(limit)
        self._per_connection = per_connection
        self._connections: Counter[str] = Counter()

    def add(self, call: Call) -> None:
        """Lets a call in; raises CallEndedError."""
        # The peers of a Unix socket all have one name, and are on this machine.
        if self._connections[call.peer] >= self._per_connection and not call.peer.startswith("unix"):
            raise TooManyCallsError(f"a connection has at most {self._per_connection} such calls at one time")
        super().add(call)
        self._connections[call.peer] += 1

    def remove(self, call: Call) -> None:
        """Lets a call go, if it was in."""
        if call in self._open:
            super().remove(call)
            self._connections[call.peer] -= 1
            self._connections += Counter()  # forgets those without calls

    @asynccontextmanager
    async def call(self, method: str, context: Any) -> AsyncIterator[Call]:
        """One call: let in, and with a status for whatever ends it."""
        call = Call(method, context, _TIMEOUTS)
        try:
            self.add(call)
            yield call
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            await call.abort(ending(error))
        finally:
            self.remove(call)
            call.close()


class Turns:
    """Reads the requests of anonymous callers one at a time.

    gRPC has one size of messages for all methods, that of a publisher's, and nothing shows how much of a message has
    come before all of it has. So what anonymous callers hold together is part of one such message: the time that it
    takes is bounded, and it ends early if the process grows meanwhile. A request of a few bytes is there when its turn
    comes.

    Args:
        limit: how many callers may wait for their turn. What each has sent by then is bounded by its window.
        turn: seconds until a request must be complete while others wait for their turn.
        patience: seconds until it must be complete while nobody does.

    """

    def __init__(self, limit: int, *, turn: float, patience: float) -> None:
        self._limit = limit
        self._turn = turn
        self._patience = patience
        self._lock = asyncio.Lock()
        self._waiting = 0
        self._timer: asyncio.TimerHandle | None = None

    async def read(self, call: Call) -> bytes | None:
        """The next request of a call; None after the last one. A call whose request is late ends here."""
        if self._waiting >= self._limit:
            raise TooManyCallsError(f"{self._limit} callers wait for their request to be read")
        self._waiting += 1
        try:
            with call.waiting:
                await self._lock.acquire()
        finally:
            self._waiting -= 1
        self._look(call, asyncio.get_running_loop().time(), _resident_bytes())
        try:
            return await call.read()
        except RequestTimeoutError as error:
            # It holds what has come of its request until it has ended, so the next one waits for that.
            await call.abort(ending(error), self._patience)
        finally:
            if self._timer:
                self._timer.cancel()
            self._lock.release()

    def _look(self, call: Call, since: float, size: int) -> None:
        loop = asyncio.get_running_loop()
        late = loop.time() - since >= (self._turn if self._waiting else self._patience)
        if late or _resident_bytes() - size > _GROWTH:
            call.waiting.end(RequestTimeoutError("the request did not come in time: begin again"))
        else:
            self._timer = loop.call_later(_LOOK, self._look, call, since, size)


def _resident_bytes() -> int:
    """The memory of this process; 0 where the system does not tell."""
    try:
        return int(_STATM.read_bytes().split()[1]) * resource.getpagesize()
    except OSError:
        return 0
