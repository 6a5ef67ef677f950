"""The channels of a client, asynchronous or synchronous, and what goes with each call."""

from __future__ import annotations

import copy
import os
import threading
from collections.abc import Callable
from typing import Final, Generic, Self, TypeVar

import grpc

from ..codec import _raw_messages as raw_messages
from ._errors import StreamError, stream_error

DEFAULT_SERVER: Final = "127.0.0.1:50051"

OPTIONS: Final[list[tuple[str, int]]] = [
    ("grpc.max_receive_message_length", raw_messages.MAX_MESSAGE_BYTES),
    # A server that is gone without a word is noticed within 30 seconds. The ping's own timeout of 60 caps the other.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # A subscriber sends nothing but pings, and by default no more than two of them.
    ("grpc.http2.max_pings_without_data", 0),
    # A server closes a connection without a call after three seconds, and gRPC logs that: mostly the client is first.
    ("grpc.client_idle_timeout_ms", 1_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # How long an attempt to connect may take, whatever the name says: a far server's TLS needs several round trips.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # Each channel has a connection of its own: a server allows 100 calls on one, and the next would wait silently.
    ("grpc.use_local_subchannel_pool", 1),
]

CALLS_PER_CHANNEL: Final = 90
"""Calls that a channel is given: below the server's 100, as one that has ended here may not have ended there."""

C = TypeVar("C")


class ChannelPool(Generic[C]):
    """Channels to one server, as many as its calls need. Usable by many threads, of one process.

    Args:
        server: the server.
        connect: makes a channel.
        token: the bearer token that every call shows; None for none.
        secure: whether the channels use TLS.
        wait_for_ready: whether the first call waits for a server that is not up yet.

    Attributes:
        metadata: what goes with each call.
        fail_first: whether a call that the server answers with an error before its first reply is not tried again.

    Raises:
        ValueError: `server` is empty, or `token` contains characters that are not allowed in a bearer token.

    """

    def __init__(
        self, server: str, connect: Callable[[], C], token: str | None, *, secure: bool, wait_for_ready: bool
    ) -> None:
        if not server:
            raise ValueError("the address is empty: give HOST:PORT")
        self.server = server
        self.metadata = _metadata(token)
        self.wait_for_ready = wait_for_ready
        self.fail_first = False
        self._closed = threading.Event()
        self._connect = connect
        self._secure = secure
        self._calls: dict[C, int] = {}
        self._lock = threading.RLock()  # reentrant: the garbage collector may close a subscription within `acquire`
        self._pid = os.getpid()

    def with_token(self, token: str | None) -> Self:
        """The same channels for calls with another token; raises ValueError as the class does."""
        other = copy.copy(self)
        other.metadata = _metadata(token)
        return other

    @property
    def closed(self) -> bool:
        """Whether the client is closed."""
        return self._closed.is_set()

    def check(self) -> None:
        """Raises RuntimeError if the client cannot be used here, or any more."""
        if self.forked:
            raise RuntimeError(
                "the client was made before this process was forked, and gRPC's connections do not survive a fork:"
                " make a client in each process, and fork while no call is open, or gRPC hangs in the child"
            )
        if self.closed:
            raise self.closed_error()

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that made the client."""
        return os.getpid() != self._pid

    @staticmethod
    def closed_error() -> RuntimeError:
        """The error for the use of a closed client."""
        return RuntimeError("the client is closed: make another one")

    def acquire(self) -> C:
        """A channel for one call, to be given back when the call has ended; raises as `check`."""
        self.check()
        with self._lock:
            channel = next((channel for channel, calls in self._calls.items() if calls < CALLS_PER_CHANNEL), None)
            if channel is None:
                channel = self._connect()
            self._calls[channel] = self._calls.get(channel, 0) + 1
            return channel

    def release(self, channel: C) -> None:
        """Frees the place of a call that has ended."""
        with self._lock:
            self._calls[channel] -= 1

    def error(self, error: grpc.RpcError, stream_id: str = "", offset: int | None = None) -> StreamError:
        """The StreamError of a call that failed."""
        return stream_error(error, server=self.server, secure=self._secure, stream_id=stream_id, offset=offset)

    def close(self) -> list[C]:
        """Hands out no more channels; returns those to be closed."""
        with self._lock:
            self._closed.set()
            return list(self._calls)


def _metadata(token: str | None) -> tuple[tuple[str, str], ...]:
    """The metadata that shows a token."""
    # gRPC would refuse an invalid one, too, and tell everyone the token.
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ValueError("a token is one word of visible ASCII characters")
    return () if token is None else (("authorization", f"Bearer {token}"),)
