"""The capacity of a store in bytes and streams, divided among tenants. Pure: no I/O, no clock."""

from __future__ import annotations

from collections.abc import Mapping

from ._errors import ShareExceededError, StoreFullError
from ._interface import StoreLimits
from ._shares import Pool, Shares, divide


class Capacity:
    """The capacity of a store.

    Args:
        limits: the limits of the store.

    Attributes:
        bytes, streams: the pools from which tenants are served.

    """

    def __init__(self, limits: StoreLimits) -> None:
        self.bytes = Pool(limits.max_bytes)
        self.streams = Pool(limits.max_streams)

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Sets each tenant's share; raises SharesError, and changes nothing, if the shares exceed the capacity."""
        bytes_ = divide(self.bytes.limit, {tenant: share.bytes for tenant, share in shares.items()}, "bytes")
        streams = divide(self.streams.limit, {tenant: share.streams for tenant, share in shares.items()}, "streams")
        self.bytes.set_shares(bytes_)
        self.streams.set_shares(streams)

    def hold(self, tenant: str, size: int, streams: int) -> None:
        """Counts bytes of an open stream, and the stream if it is new."""
        self.bytes.hold(tenant, size)
        if streams:
            self.streams.hold(tenant, streams)

    def make_evictable(self, tenant: str, size: int) -> None:
        """Counts a stream that has ended as evictable."""
        self.bytes.make_evictable(tenant, size)
        self.streams.make_evictable(tenant, 1)

    def free(self, tenant: str, size: int, streams: int, *, held: bool) -> None:
        """Frees what a dropped stream or a cancelled append used; `held` is whether the stream was open."""
        self.bytes.free(tenant, size, held=held)
        if streams:
            self.streams.free(tenant, streams, held=held)

    def refusal(self, tenant: str) -> StoreFullError:
        """Returns the error for a tenant whose append does not fit."""
        full = (
            f"the store is full: it holds {self.streams.used} of at most {self.streams.limit} streams and"
            f" {self.bytes.used} of at most {self.bytes.limit} bytes"
        )
        size, streams = self.bytes.share(tenant), self.streams.share(tenant)
        if size is None or streams is None:
            return StoreFullError(full)
        return ShareExceededError(
            f"token {tenant!r} has {self.streams.held(tenant)} open streams with {self.bytes.held(tenant)} bytes and a"
            f" share of {streams} streams and {size} bytes; the rest of the store is in use or reserved",
            tenant=tenant,
            share_bytes=size,
            share_streams=streams,
        )
