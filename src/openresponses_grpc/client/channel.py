"""What the asynchronous and the synchronous client set up alike."""

from __future__ import annotations

from typing import Final

from .. import wire

DEFAULT_TARGET: Final = "127.0.0.1:50051"

OPTIONS: Final[list[tuple[str, int]]] = [
    ("grpc.max_receive_message_length", wire.MAX_MESSAGE_BYTES),
    # A server that is gone without a word is noticed within 30 seconds. The ping's own timeout of 60 caps the other.
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 10_000),
    ("grpc.http2.ping_timeout_ms", 10_000),
    ("grpc.initial_reconnect_backoff_ms", 100),
    ("grpc.max_reconnect_backoff_ms", 5_000),
    # How long an attempt to connect may take, whatever the name says: a far server's TLS needs several round trips.
    ("grpc.min_reconnect_backoff_ms", 10_000),
    # Clients do not share a connection: a server allows 100 calls on one, and the next would wait without a word.
    ("grpc.use_local_subchannel_pool", 1),
]
