"""What the asynchronous and the synchronous client set up alike: channels, and what goes with each call."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Generic, TypeVar

from .. import wire

DEFAULT_TARGET: Final = "127.0.0.1:50051"

OPTIONS: Final[list[tuple[str, int]]] = [
    ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
    # A server that is gone without a word is noticed within 30 seconds. The ping's own timeout of 60 caps the other.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    # A subscriber sends nothing but pings, and by default no more than two of them.
    ("grpc.http2.max_pings_without_data", 0),
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
    """Channels to one server, as many as its calls need; usable by many threads.

    Args:
        connect: makes a channel.
        token: the bearer token that every call shows; None for none.

    Attributes:
        metadata: what goes with each call.

    Raises:
        ValueError: `token` has characters that no token has.

    """

    def __init__(self, connect: Callable[[], C], token: str | None) -> None:
        # gRPC would refuse it, too, and tell everyone the token.
        if token is not None and not (token.isascii() and token.isprintable() and token and " " not in token):
            raise ValueError("a token is one word of visible ASCII characters")
        self.metadata = () if token is None else (("authorization", f"Bearer {token}"),)
        self._connect = connect
        self._calls: dict[C, int] = {}
        self._closed = False
        self._lock = threading.Lock()

    def take(self) -> C:
        """A channel for one call, to be given back when the call has ended.

        Raises:
            RuntimeError: the client is closed.

        """
        with self._lock:
            if self._closed:
                raise RuntimeError("the client is closed")
            channel = next((channel for channel, calls in self._calls.items() if calls < CALLS_PER_CHANNEL), None)
            if channel is None:
                channel = self._connect()
            self._calls[channel] = self._calls.get(channel, 0) + 1
            return channel

    def give_back(self, channel: C) -> None:
        """Lets another call have the place that one had."""
        with self._lock:
            self._calls[channel] -= 1

    def close(self) -> list[C]:
        """Gives out no channel any more; returns those that are to be closed."""
        with self._lock:
            self._closed = True
            return list(self._calls)
