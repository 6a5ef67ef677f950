"""Checks whether the configuration of a Redis suits the store."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from .._errors import StoreUnavailableError
from ._client import RedisClient
from ._connection import Node

_logger = logging.getLogger(__package__)

OLDEST_VERSION: Final = (7, 0)
"""The first version with sharded pub/sub and script flags."""


async def node_info(client: RedisClient, node: Node) -> dict[str, str]:
    """Returns the `INFO` of a node."""
    reply: bytes = await client.ask(node, "INFO")
    lines = (line.partition(":") for line in reply.decode(errors="replace").splitlines())
    return {name: value for name, separator, value in lines if separator}


def server_problem(info: Mapping[str, str], *, cluster: bool) -> str | None:
    """Returns why a Redis with this INFO is unsuitable, or None; `cluster` is whether the URL names a cluster."""
    version = info["redis_version"]
    if tuple(map(int, version.split(".")[:2])) < OLDEST_VERSION:
        return f"has version {version}; {'.'.join(map(str, OLDEST_VERSION))} or newer is required"
    if info.get("cluster_enabled") == "1" and not cluster:
        return "is a node of a Redis Cluster: use redis+cluster:// or rediss+cluster:// in the URL"
    return None


def memory_problem(info: Mapping[str, str]) -> str | None:
    """Returns why a Redis with this INFO may evict acknowledged events, or None."""
    policy = info.get("maxmemory_policy", "noeviction")
    if int(info.get("maxmemory", 0)) and policy != "noeviction":
        return f"has maxmemory-policy {policy}, which evicts acknowledged events: set it to noeviction"
    return None


class Setup:
    """The configuration of a Redis, which may change while the store is open.

    Args:
        client: the Redis client.

    Attributes:
        problem: why Redis may evict acknowledged events; None if it does not.

    """

    def __init__(self, client: RedisClient) -> None:
        self._client = client
        self.problem: str | None = None

    async def check(self) -> None:
        """Checks the configuration of each node, and logs changes.

        A node that is down is ignored: only the calls for its streams fail.

        Raises:
            StoreUnavailableError: no node is reachable, or one may evict acknowledged events.

        """
        nodes = [*self._client.nodes().values()]
        infos = await asyncio.gather(*(node_info(self._client, node) for node in nodes), return_exceptions=True)
        problems = [
            f"Redis at {node} {problem}"
            for node, info in zip(nodes, infos, strict=True)
            if isinstance(info, dict) and (problem := memory_problem(info))
        ]
        failures = [info for info in infos if isinstance(info, BaseException)]
        if failures and len(failures) == len(nodes):
            raise StoreUnavailableError(f"cannot check the configuration of Redis: {failures[0]}")
        # A node that does not reply is assumed to be unchanged.
        if not failures or problems:
            self._note(problems[0] if problems else None)
        self.raise_problem()

    def raise_problem(self) -> None:
        """Raises StoreUnavailableError if Redis may evict acknowledged events."""
        if self.problem:
            raise StoreUnavailableError(self.problem)

    def _note(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            _logger.error("%s; until then, publishers are refused", problem)
        elif self.problem and not problem:
            _logger.warning("Redis stopped evicting acknowledged events: publishers are served again")
        self.problem = problem
