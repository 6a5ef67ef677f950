"""What tenants have of the memory of Redis, and who is over its share.

Streams in Redis expire by themselves, on nodes that know nothing of each other: no counter in Redis would stay right.
So each server measures what tenants have, while a node is more than half full, and counts what it appends in between.
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
from ._client import USAGE, Server
from ._connection import Node

MEASURE_SECONDS: Final = 1.0
"""How often a server measures at most."""

MOST_SECONDS: Final = 10.0
"""How long it waits at most before it measures again: a node that does not answer takes time, too."""

MEASURE_PART: Final = 0.05
"""The part of the time that it measures at most: Redis does nothing else meanwhile."""

_KEYS: Final = 500
"""Keys that are looked at together."""

_STREAM_OVERHEAD: Final = 1024
"""Bytes that a stream counts beside its events."""

_logger = logging.getLogger(__package__)


class Tenants:
    """The tenants of a Redis, of which each has a share of every node's `maxmemory`.

    Args:
        server: the Redis.

    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self._wanted: Mapping[str, int | None] = {}
        self._told = ""  # the last problem in the log
        self._pools: dict[str, Pool] = {}  # of the nodes that are more than half full

    def divide(self, shares: Mapping[str, Shares]) -> None:
        """Gives each tenant its share; raises SharesError where it is one of streams, which nobody counts here."""
        for tenant, share in shares.items():
            if share.streams:
                raise SharesError(
                    f"the token {tenant!r} has a share of streams, which the store in Redis does not count"
                )
        self._wanted = {tenant: share.bytes for tenant, share in shares.items()}
        self._pools = {}

    def take(self, node: str, append: Append) -> None:
        """Counts what a tenant appends at a node.

        Raises:
            ShareExceededError: it has its share, and what is free is reserved for others.

        """
        pool = self._pools.get(node)
        if pool is None:
            return
        tenant = append.tenant
        size = sum(map(len, append.events)) + (_STREAM_OVERHEAD if append.epoch is None else 0)
        if not pool.may_hold(tenant, size):
            raise ShareExceededError(
                f"the token {tenant!r} has about {pool.held(tenant)} of {pool.limit} bytes of Redis; its share is"
                f" {pool.share(tenant)}, and the rest is taken or reserved for the others",
                tenant=tenant,
                share_bytes=pool.share(tenant) or 0,
            )
        pool.hold(tenant, size)

    async def measure(self) -> None:
        """Measures what tenants have, where a node is more than half full.

        Nobody is refused at a node that cannot be asked: the calls for its streams say so.
        """
        if len(self._wanted) < 2:
            return
        nodes = self._server.nodes().values()
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
            _, _, following, *found = await self._ask(node, cursor, _KEYS)
            for tenant, size in zip(found[::2], found[1::2], strict=True):
                sizes[tenant.decode()] += size
            if (cursor := following.decode()) == "0":
                break
        pool = Pool(limit)
        wanted = {tenant: None if share is None else share // nodes for tenant, share in self._wanted.items()}
        try:
            pool.set_shares(divide(limit, wanted, "bytes"))
        except SharesError as error:
            if str(error) != self._told:
                _logger.error("%s in a node of Redis: lower the shares of the tokens, or raise its maxmemory", error)
            self._told = str(error)
            return None
        # Whatever Redis needs beside the events is everybody's, in proportion.
        total = sizes.total()
        for tenant, size in sizes.items():
            pool.hold(tenant, used * size // total)
        return pool

    async def _ask(self, node: Node, cursor: str, keys: int) -> list[Any]:
        reply: list[Any] = await self._server.ask(node, "EVAL", USAGE.text, 0, cursor, keys, _STREAM_OVERHEAD)
        return reply
