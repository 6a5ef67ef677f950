"""Measures the memory that tenants use in Redis, and enforces their shares.

Streams expire by themselves, on independent nodes, so a counter in Redis would drift. Instead, each server measures the
memory of the tenants while a node is almost half full, and counts its own appends in between.
"""

from __future__ import annotations

import asyncio
import logging
import sys
from collections import Counter, defaultdict
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
        # A pool without shares limits what all tenants together may append before the node must be measured.
        self._pools: dict[Node, Pool] = {}
        self._next: dict[Node, Pool] = {}  # of the measurements in progress
        self._locks = defaultdict[Node, asyncio.Lock](asyncio.Lock)

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Sets each tenant's share; raises SharesError for a share of streams, which this store does not count."""
        for tenant, share in shares.items():
            if share.streams:
                raise SharesError(f"token {tenant!r} has a share of streams, which the Redis store does not count")
        self._wanted = {tenant: share.bytes for tenant, share in shares.items()}
        self._pools = {}

    async def admit(self, node: Node, append: Append) -> None:
        """Counts an append on a node against its tenant's share. It measures first if the node may be half full.

        Raises:
            ShareExceededError: the tenant has used its share, and the rest is in use or reserved.
            StoreUnavailableError: the node had to be measured, and did not reply.

        """
        if len(self._wanted) < 2:
            return
        tenant = append.tenant
        size = sum(map(len, append.events)) + (_STREAM_OVERHEAD if append.epoch is None else 0)
        pool = self._pool(node, tenant, size)
        if pool is None:
            async with self._locks[node]:
                pool = self._pool(node, tenant, size) or await self._measure(node, size)
        if not pool.may_hold(tenant, size):
            raise ShareExceededError(
                f"token {tenant!r} has about {pool.held(tenant)} of {pool.limit} bytes in Redis and a share of"
                f" {pool.share(tenant)}; the rest is in use or reserved",
                tenant=tenant,
                share_bytes=pool.share(tenant) or 0,
            )
        pool.hold(tenant, size)
        if node in self._next:
            self._next[node].hold(tenant, size)  # the measurement may miss it

    async def measure(self) -> None:
        """Measures the memory of the tenants on nodes that are almost half full."""
        if len(self._wanted) < 2:
            return
        for node in self._client.nodes().values():
            async with self._locks[node]:
                with suppress(StoreUnavailableError):  # its calls fail anyway
                    await self._measure(node)

    def _pool(self, node: Node, tenant: str, size: int) -> Pool | None:
        """Returns the pool of a node; None if the node must be measured before an append of `size` bytes."""
        pool = self._pools.get(node)
        if pool and (pool.share(tenant) is not None or pool.may_hold(tenant, size)):
            return pool
        return None

    async def _measure(self, node: Node, size: int = 0) -> Pool:
        """Measures a node before an append of `size` bytes, and returns its new pool."""
        wanted = self._wanted
        pool = self._next[node] = Pool(sys.maxsize)
        try:
            used, limit, *_ = await self._ask(node, "0", 0)
            half = limit // 2
            if limit and used + max(size, limit // 8) <= half:
                pool.limit = half - used
            elif limit:
                await self._set_shares(pool, node, used, limit)
        except BaseException:
            self._pools.pop(node, None)
            raise
        finally:
            del self._next[node]
        if wanted is self._wanted:
            self._pools[node] = pool
        return pool

    async def _set_shares(self, pool: Pool, node: Node, used: int, limit: int) -> None:
        """Sets what the tenants hold on a node, and their shares, unless these exceed its limit."""
        nodes = len(self._client.nodes())
        wanted = {tenant: None if share is None else share // nodes for tenant, share in self._wanted.items()}
        try:
            shares = divide(limit, wanted, "bytes")
        except SharesError as error:
            if str(error) != self._logged:
                _logger.error("%s on a Redis node: lower the shares of the tokens, or raise its maxmemory", error)
            self._logged = str(error)
            return
        sizes = await self._scan(node)
        pool.limit = limit
        pool.set_shares(shares)
        # Redis' own overhead is distributed in proportion.
        total = sizes.total()
        for tenant, size in sizes.items():
            pool.hold(tenant, used * size // total)

    async def _scan(self, node: Node) -> Counter[str]:
        """Returns the bytes of each tenant's streams on a node."""
        sizes: Counter[str] = Counter()
        cursor = "0"
        while True:
            _, _, next_cursor, *found = await self._ask(node, cursor, _KEYS)
            for tenant, size in zip(found[::2], found[1::2], strict=True):
                sizes[tenant.decode()] += size
            if (cursor := next_cursor.decode()) == "0":
                return sizes

    async def _ask(self, node: Node, cursor: str, keys: int) -> list[Any]:
        reply: list[Any] = await self._client.ask(node, "EVAL", USAGE.text, 0, cursor, keys, _STREAM_OVERHEAD)
        return reply
