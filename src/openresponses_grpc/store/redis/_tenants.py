"""Measures the memory that tenants use in Redis, and enforces their shares.

Streams expire by themselves, on independent nodes, so a counter in Redis would drift. Instead, each server measures the
memory of the tenants while a node is more than half full, and counts its own appends in between.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from .._errors import ShareExceededError, StoreUnavailableError
from .._interface import Append
from .._shares import Pool, Shares, SharesError, divide
from ._client import USAGE, RedisClient
from ._connection import Node

MIN_PAUSE_SECONDS: Final = 1.0
"""The minimum pause between two measurements."""

MAX_PAUSE_SECONDS: Final = 10.0
"""The maximum pause, also after a measurement that was slow because a node did not reply."""

MAX_MEASURE_FRACTION: Final = 0.05
"""The maximum fraction of time for measurements, which block Redis."""

_KEYS: Final = 500
"""The number of keys that one script scans."""

_STREAM_OVERHEAD: Final = 1024
"""The bytes that a stream counts in addition to its events."""

_logger = logging.getLogger(__package__)


class Tenants:
    """The tenants of a Redis. Each has a share of every node's `maxmemory`.

    Args:
        client: the Redis client.

    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self._wanted: Mapping[str, int | None] = {}
        self._logged = ""  # the last problem logged
        self._pools: dict[str, Pool] = {}  # of the nodes that are more than half full

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Sets each tenant's share; raises SharesError for a share of streams, which this store does not count."""
        for tenant, share in shares.items():
            if share.streams:
                raise SharesError(f"token {tenant!r} has a share of streams, which the Redis store does not count")
        self._wanted = {tenant: share.bytes for tenant, share in shares.items()}
        self._pools = {}

    def admit(self, node: str, append: Append) -> None:
        """Counts an append on a node against its tenant's share.

        Raises:
            ShareExceededError: the tenant has used its share, and the rest is in use or reserved.

        """
        pool = self._pools.get(node)
        if pool is None:
            return
        tenant = append.tenant
        size = sum(map(len, append.events)) + (_STREAM_OVERHEAD if append.epoch is None else 0)
        if not pool.may_hold(tenant, size):
            raise ShareExceededError(
                f"token {tenant!r} has about {pool.held(tenant)} of {pool.limit} bytes in Redis and a share of"
                f" {pool.share(tenant)}; the rest is in use or reserved",
                tenant=tenant,
                share_bytes=pool.share(tenant) or 0,
            )
        pool.hold(tenant, size)

    async def measure(self) -> None:
        """Measures the memory of the tenants on nodes that are more than half full.

        Shares are not enforced on an unreachable node, where calls fail anyway.
        """
        if len(self._wanted) < 2:
            return
        nodes = self._client.nodes().values()
        pools: dict[str, Pool] = {}
        for node in nodes:
            with suppress(StoreUnavailableError):
                if pool := await self._measure(node, len(nodes)):
                    pools[str(node)] = pool
        self._pools = pools

    async def _measure(self, node: Node, nodes: int) -> Pool | None:
        used, limit, *_ = await self._ask(node, "0", 0)
        if used * 2 < limit or not limit:
            return None
        sizes: Counter[str] = Counter()
        cursor = "0"
        while True:
            _, _, next_cursor, *found = await self._ask(node, cursor, _KEYS)
            for tenant, size in zip(found[::2], found[1::2], strict=True):
                sizes[tenant.decode()] += size
            if (cursor := next_cursor.decode()) == "0":
                break
        pool = Pool(limit)
        wanted = {tenant: None if share is None else share // nodes for tenant, share in self._wanted.items()}
        try:
            pool.set_shares(divide(limit, wanted, "bytes"))
        except SharesError as error:
            if str(error) != self._logged:
                _logger.error("%s on a Redis node: lower the shares of the tokens, or raise its maxmemory", error)
            self._logged = str(error)
            return None
        # Redis' own overhead is distributed in proportion.
        total = sizes.total()
        for tenant, size in sizes.items():
            pool.hold(tenant, used * size // total)
        return pool

    async def _ask(self, node: Node, cursor: str, keys: int) -> list[Any]:
        reply: list[Any] = await self._client.ask(node, "EVAL", USAGE.text, 0, cursor, keys, _STREAM_OVERHEAD)
        return reply
