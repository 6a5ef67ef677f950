"""The channel pool and channel options of both clients."""

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
    # Detect a dead connection within 30 seconds. The ping timeout, 60 seconds by default, caps the keepalive timeout.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # A subscriber sends only pings. By default gRPC stops after two pings without data.
    ("grpc.http2.max_pings_without_data", 0),
    # The server closes a connection without calls after three seconds, which gRPC logs. Usually, the client is first:
    # it takes one to two times this timeout. It differs from the server's retry delay of one second: a retry
    # that starts while the channel becomes idle can fail, see LOST_STATUSES.
    ("grpc.client_idle_timeout_ms", 1_300),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # Despite its name, the timeout of a connection attempt: TLS with a distant server needs several round trips.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # One connection per channel. A server allows 100 calls on a connection, and gRPC silently queues further ones.
    ("grpc.use_local_subchannel_pool", 1),
]

CALLS_PER_CHANNEL: Final = 90
"""Maximum calls on a channel. Below the server's 100: a call that ended here may still be running on the server."""

C = TypeVar("C")


class ChannelPool(Generic[C]):
    """A pool of channels to one server, which grows with the number of calls. Thread-safe, but not fork-safe.

    Args:
        server: server address.
        connect: creates a channel.
        token: bearer token to send with each call; None sends none.
        secure: whether the channels use TLS.
        wait_for_ready: whether the first call waits for a server that is not up yet.

    Attributes:
        metadata: metadata of each call.
        fail_fast: whether to raise an error that the server returns before its first reply, instead of retrying.

    Raises:
        ValueError: `server` is empty, or `token` contains characters that are not allowed in a bearer token.

    """

    def __init__(
        self, server: str, connect: Callable[[], C], token: str | None, *, secure: bool, wait_for_ready: bool
    ) -> None:
        if not server:
            raise ValueError("the server address is empty: use HOST:PORT")
        self.server = server
        self.metadata = _metadata(token)
        self.wait_for_ready = wait_for_ready
        self.fail_fast = False
        self._closed = threading.Event()
        self._connect = connect
        self._secure = secure
        self._calls: dict[C, int] = {}
        self._lock = threading.RLock()  # reentrant: garbage collection within `acquire` may close a subscription
        self._pid = os.getpid()

    def with_token(self, token: str | None) -> Self:
        """Returns a pool that shares these channels and sends another token; raises ValueError like the class."""
        other = copy.copy(self)
        other.metadata = _metadata(token)
        return other

    @property
    def closed(self) -> bool:
        """Whether the client is closed."""
        return self._closed.is_set()

    def check(self) -> None:
        """Raises RuntimeError if the client is closed or was created before a fork."""
        if self.forked:
            raise RuntimeError(
                "the client was created before this process was forked, and gRPC connections do not survive a fork:"
                " create a client in each process, and fork only while no call is open, or gRPC hangs in the child"
            )
        if self.closed:
            raise self.closed_error()

    @property
    def forked(self) -> bool:
        """Whether this process is a fork of the one that created the client."""
        return os.getpid() != self._pid

    @staticmethod
    def closed_error() -> RuntimeError:
        """Returns the error for using a closed client."""
        return RuntimeError("the client is closed: create another one")

    def acquire(self) -> C:
        """Returns a channel for one call. Release it when the call has ended. Raises like `check`."""
        self.check()
        with self._lock:
            channel = next((channel for channel, calls in self._calls.items() if calls < CALLS_PER_CHANNEL), None)
            if channel is None:
                channel = self._connect()
            self._calls[channel] = self._calls.get(channel, 0) + 1
            return channel

    def release(self, channel: C) -> None:
        """Releases the channel of a call that has ended."""
        with self._lock:
            self._calls[channel] -= 1

    def error(self, error: grpc.RpcError, stream_id: str = "", offset: int | None = None) -> StreamError:
        """Returns the StreamError for a failed call."""
        return stream_error(error, server=self.server, secure=self._secure, stream_id=stream_id, offset=offset)

    def close(self) -> list[C]:
        """Closes the pool and returns its channels, which the caller closes."""
        with self._lock:
            self._closed.set()
            return list(self._calls)


def _metadata(token: str | None) -> tuple[tuple[str, str], ...]:
    """Returns the call metadata for a bearer token."""
    # gRPC rejects invalid tokens too, but its error message contains the token.
    if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
        raise ValueError("invalid bearer token: use printable ASCII characters without spaces")
    return () if token is None else (("authorization", f"Bearer {token}"),)
