"""Streams in an order, of all tenants and of each."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, KeysView
from typing import Generic, TypeVar

from ._entry import Entry

E = TypeVar("E", bound=Entry)


class Queue(Generic[E]):
    """Streams in the order in which they were added.

    Unlike a dict, an OrderedDict finds its first key at once even where many before it are gone.
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
        """Removes a stream, if it is there."""
        if entry not in self._all:
            return
        del self._all[entry]
        own = self._by_tenant[entry.tenant]
        del own[entry]
        if not own:
            del self._by_tenant[entry.tenant]

    def first(self) -> E | None:
        """The first of all streams."""
        return next(iter(self._all), None)

    def of(self, tenant: str) -> Iterator[E]:
        """A tenant's streams."""
        return iter(self._by_tenant.get(tenant, ()))

    def first_of(self, tenant: str) -> E | None:
        """The first of a tenant's streams."""
        return next(self.of(tenant), None)

    def tenants(self) -> KeysView[str]:
        """The tenants of the streams."""
        return self._by_tenant.keys()
