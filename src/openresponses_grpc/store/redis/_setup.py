"""Whether a Redis is set up to keep logs."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping
from typing import Final

from .._errors import StoreUnavailableError
from ._client import Server
from ._connection import Node

_logger = logging.getLogger(__package__)

OLDEST_VERSION: Final = (7, 0)
"""The first with sharded pub/sub, and with scripts that say what they need."""


async def node_info(server: Server, node: Node) -> dict[str, str]:
    """What a node says of itself (`INFO`)."""
    reply: bytes = await server.ask(node, "INFO")
    lines = (line.partition(":") for line in reply.decode(errors="replace").splitlines())
    return {name: value for name, separator, value in lines if separator}


def server_problem(info: Mapping[str, str], *, cluster: bool) -> str | None:
    """Why a Redis cannot keep logs, by its INFO; `cluster` is whether the URL names a cluster."""
    version = info["redis_version"]
    if tuple(map(int, version.split(".")[:2])) < OLDEST_VERSION:
        return f"has version {version}; {'.'.join(map(str, OLDEST_VERSION))} or newer is needed"
    if info.get("cluster_enabled") == "1" and not cluster:
        return "is a node of a Redis Cluster: begin the URL with redis+cluster:// or rediss+cluster://"
    return None


def memory_problem(info: Mapping[str, str]) -> str | None:
    """Why a Redis would not keep what it has, by its INFO."""
    policy = info.get("maxmemory_policy", "noeviction")
    if int(info.get("maxmemory", 0)) and policy != "noeviction":
        return f"has maxmemory-policy {policy}, which drops events that are acknowledged: set it to noeviction"
    return None


class Setup:
    """How a Redis is set up, which may change while the store is open.

    Args:
        server: the Redis.

    Attributes:
        problem: why it does not keep what it acknowledges; None if it does.

    """

    def __init__(self, server: Server) -> None:
        self._server = server
        self.problem: str | None = None

    async def check(self) -> None:
        """Asks each node how it is set up; logs what has changed.

        A node that is down is the affair of the calls for its streams. The others go on.

        Raises:
            StoreUnavailableError: no node can be reached, or one does not keep what it acknowledges.

        """
        nodes = [*self._server.nodes().values()]
        infos = await asyncio.gather(*(node_info(self._server, node) for node in nodes), return_exceptions=True)
        problems = [
            f"Redis at {node} {problem}"
            for node, info in zip(nodes, infos, strict=True)
            if isinstance(info, dict) and (problem := memory_problem(info))
        ]
        failures = [info for info in infos if isinstance(info, BaseException)]
        if failures and len(failures) == len(nodes):
            raise StoreUnavailableError(f"Redis does not say how it is set up: {failures[0]}")
        # A node that does not reply is as it was.
        if not failures or problems:
            self._note(problems[0] if problems else None)
        self.require()

    def require(self) -> None:
        """Raises StoreUnavailableError if Redis does not keep what it acknowledges."""
        if self.problem:
            raise StoreUnavailableError(self.problem)

    def _note(self, problem: str | None) -> None:
        if problem and problem != self.problem:
            _logger.error("%s; until then, publishers are refused", problem)
        elif self.problem and not problem:
            _logger.warning("Redis keeps what it acknowledges again: publishers are served")
        self.problem = problem
