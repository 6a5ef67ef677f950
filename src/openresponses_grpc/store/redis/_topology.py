"""The topology of a Redis Cluster: its nodes and their slots."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Any, Final, NamedTuple

from redis.crc import key_slot

from .._errors import StoreUnavailableError
from ._connection import Node
from ._errors import store_error

_logger = logging.getLogger(__package__)

SLOTS: Final = 16384

REFRESH_SECONDS: Final = 0.5
"""The minimum pause between two refreshes."""


class Range(NamedTuple):
    """Consecutive slots of one primary."""

    first: int
    last: int
    primary: Node
    replicas: list[Node]


def parse_slots(reply: Any, asked: Node) -> Iterator[Range]:
    """Parses a reply to CLUSTER SLOTS; a node without a host is the node that was asked."""
    for first, last, *nodes in reply:
        primary, *replicas = (Node(host.decode() if host else asked.host, port) for host, port, *_ in nodes)
        yield Range(first, last, primary, replicas)


class Topology:
    """The nodes of a cluster.

    Args:
        seed: the node in the URL.
        ask: returns a node's reply to CLUSTER SLOTS.

    """

    def __init__(self, seed: Node, ask: Callable[[Node], Awaitable[Any]]) -> None:
        self._seed = seed
        self._ask = ask
        self._slots: list[Node | None] = [None] * SLOTS
        self._nodes = [seed]
        self._refresher: asyncio.Task[None] | None = None

    async def load(self, suspect: Node | None = None) -> None:
        """Asks node after node, the suspect last, until one knows all slots.

        Raises:
            StoreUnavailableError: no node replies.

        """
        nodes = dict.fromkeys([*random.sample(self._nodes, len(self._nodes)), self._seed])
        best: list[Range] | None = None
        failure: Exception | None = None
        for node in sorted(nodes, key=lambda node: node == suspect):
            try:
                ranges = [*parse_slots(await self._ask(node), node)]
            except Exception as error:
                failure = store_error(error)
                continue
            if best is None or _covered(ranges) > _covered(best):
                best = ranges
            if _covered(best) == SLOTS:
                break
        if best is None:
            raise StoreUnavailableError(f"Redis Cluster: no node reports the slots: {failure}") from failure
        self._slots = [None] * SLOTS
        for each in best:
            self._slots[each.first : each.last + 1] = [each.primary] * (each.last + 1 - each.first)
        self._nodes = [*dict.fromkeys(node for each in best for node in (each.primary, *each.replicas))]

    def refresh(self, suspect: Node | None = None) -> None:
        """Reloads the slots in the background, unless a refresh is running."""
        if self._refresher is None or self._refresher.done():
            self._refresher = asyncio.create_task(self._refresh(suspect))

    async def aclose(self) -> None:
        """Stops a running refresh."""
        if self._refresher:
            self._refresher.cancel()
            with suppress(asyncio.CancelledError):
                await self._refresher

    def node(self, key: str) -> Node:
        """Returns the primary with a key; raises StoreUnavailableError if no node has its slot."""
        slot = key_slot(key.encode())
        node = self._slots[slot]
        if node is None:
            self.refresh()
            raise StoreUnavailableError(f"Redis Cluster: no node has slot {slot}")
        return node

    def moved(self, slot: int, node: Node) -> None:
        """Records the new node of a slot, and refreshes the others, which may have moved, too."""
        self._slots[slot] = node
        self.refresh()

    def primaries(self) -> set[Node]:
        """Returns the nodes with slots."""
        return {node for node in self._slots if node}

    async def _refresh(self, suspect: Node | None) -> None:
        try:
            await self.load(suspect)
        except StoreUnavailableError as error:
            _logger.warning("%s", error)
        await asyncio.sleep(REFRESH_SECONDS)


def _covered(ranges: list[Range]) -> int:
    return sum(each.last + 1 - each.first for each in ranges)
