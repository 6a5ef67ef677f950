"""Queues of streams, with those of each tenant in order."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, KeysView
from typing import Generic, TypeVar

from ._entry import Entry

E = TypeVar("E", bound=Entry)


class Queue(Generic[E]):
    """Streams in the order in which they were added.

    An OrderedDict, unlike a dict, finds its first key in constant time after many deletions at its front.
    """

    def __init__(self) -> None:
        self._all: OrderedDict[E, None] = OrderedDict()
        self._by_tenant: dict[str, OrderedDict[E, None]] = {}

    def __contains__(self, entry: E) -> bool:
        return entry in self._all

    def add(self, entry: E) -> None:
        """Adds a stream at the end."""
        self._all[entry] = None
        if (own := self._by_tenant.get(entry.tenant)) is None:
            own = self._by_tenant[entry.tenant] = OrderedDict()
        own[entry] = None

    def discard(self, entry: E) -> None:
        """Removes a stream if it is in the queue."""
        if entry not in self._all:
            return
        del self._all[entry]
        own = self._by_tenant[entry.tenant]
        del own[entry]
        if not own:
            del self._by_tenant[entry.tenant]

    def streams(self, tenant: str | None = None) -> Iterator[E]:
        """Returns all streams, or those of one tenant."""
        return iter(self._all if tenant is None else self._by_tenant.get(tenant, ()))

    def first(self, tenant: str | None = None) -> E | None:
        """Returns the first of all streams, or of those of one tenant."""
        return next(self.streams(tenant), None)

    def tenants(self) -> KeysView[str]:
        """Returns the tenants of the streams."""
        return self._by_tenant.keys()
