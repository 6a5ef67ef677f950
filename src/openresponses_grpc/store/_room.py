"""The room of a store: bytes and streams, and what each tenant has of them. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping

from ._errors import ShareExceededError, StoreFullError
from ._interface import StoreLimits
from ._shares import Pool, Shares, divide


class Room:
    """The room of a store.

    Args:
        limits: of the store.

    Attributes:
        bytes, streams: what its tenants use.

    """

    def __init__(self, limits: StoreLimits) -> None:
        self.bytes = Pool(limits.max_bytes)
        self.streams = Pool(limits.max_streams)

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Gives each tenant its share; raises SharesError, and changes nothing, if they are more than there is."""
        bytes_ = divide(self.bytes.limit, {tenant: share.bytes for tenant, share in shares.items()}, "bytes")
        streams = divide(self.streams.limit, {tenant: share.streams for tenant, share in shares.items()}, "streams")
        self.bytes.set_shares(bytes_)
        self.streams.set_shares(streams)

    def hold(self, tenant: str, size: int, streams: int) -> None:
        """Counts an open stream, or more of one."""
        self.bytes.hold(tenant, size)
        if streams:
            self.streams.hold(tenant, streams)

    def settle(self, tenant: str, size: int) -> None:
        """Counts an open stream that has finished."""
        self.bytes.settle(tenant, size)
        self.streams.settle(tenant, 1)

    def free(self, tenant: str, size: int, streams: int, *, held: bool) -> None:
        """Counts a stream that is gone, or what has not become of one; `held` is whether it was open."""
        self.bytes.free(tenant, size, held=held)
        if streams:
            self.streams.free(tenant, streams, held=held)

    def refusal(self, tenant: str) -> StoreFullError:
        """The error for a tenant for whom there is no room."""
        full = (
            f"the store is full: it has {self.streams.used} live streams of at most {self.streams.limit}, with"
            f" {self.bytes.used} of at most {self.bytes.limit} bytes"
        )
        size, streams = self.bytes.share(tenant), self.streams.share(tenant)
        if size is None or streams is None:
            return StoreFullError(full)
        return ShareExceededError(
            f"the token {tenant!r} has {self.streams.held(tenant)} open streams with {self.bytes.held(tenant)} bytes;"
            f" its share is {streams} streams and {size} bytes, and the rest of the store is taken or reserved for the"
            " others",
            tenant=tenant,
            share_bytes=size,
            share_streams=streams,
        )
