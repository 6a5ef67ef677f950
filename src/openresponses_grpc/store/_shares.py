"""Divides a limit among tenants: the share of each, and whose data is evicted first. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Shares(NamedTuple):
    """What a tenant can always use, regardless of other tenants; None for a fair share."""

    bytes: int | None = None
    streams: int | None = None
    calls: int | None = None


class SharesError(ValueError):
    """The shares exceed the limit."""


def divide(limit: int, wanted: Mapping[str, int | None], unit: str) -> dict[str, int]:
    """Returns the share of each tenant.

    Args:
        limit: the limit for all tenants together.
        wanted: the configured shares; None for a fair one. Fair shares divide half of the remainder equally; the other
            half is first come, first served.
        unit: the unit of the limit, for messages.

    Raises:
        SharesError: the shares exceed the limit.

    """
    rest = limit - sum(share for share in wanted.values() if share is not None)
    if rest < 0:
        raise SharesError(f"the shares of {unit} add up to {limit - rest}, more than the limit of {limit}")
    fair = rest // 2 // max(1, sum(share is None for share in wanted.values()))
    return {tenant: fair if share is None else share for tenant, share in wanted.items()}


class _Account:
    """One tenant's use of a pool; `reserved` is its share or what it holds, whichever is more."""

    __slots__ = ("held", "reserved", "share", "used")

    def __init__(self) -> None:
        self.share = self.used = self.held = self.reserved = 0

    def add(self, used: int, held: int) -> int:
        """Adds to what it uses and holds; returns the change of `reserved`."""
        self.used += used
        self.held = held = self.held + held
        before = self.reserved
        self.reserved = reserved = max(self.share, held)
        return reserved - before


class Pool:
    """A limit for all tenants together, of which each has a share.

    What a tenant uses is either held, such as open streams and calls, or evictable, such as finished streams. A tenant
    may hold everything except what others hold and what remains of their shares. So each tenant can always hold its
    share, and all tenants compete for unreserved capacity.

    Args:
        limit: the maximum that all tenants together may use.

    Attributes:
        used: what all tenants together use.

    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._shares: Mapping[str, int] = {}
        self._accounts = defaultdict[str, _Account](_Account)
        self._reserved = 0

    def set_shares(self, shares: Mapping[str, int]) -> None:
        """Sets each tenant's share. Without shares, nothing is reserved."""
        self._shares = dict(shares)
        for tenant in self._accounts.keys() | shares.keys():
            account = self._accounts[tenant]
            account.share = shares.get(tenant, 0)
            self._reserved += account.add(0, 0)

    def share(self, tenant: str) -> int | None:
        """Returns a tenant's share; None if no shares are set."""
        return self._shares.get(tenant, 0) if self._shares else None

    def held(self, tenant: str) -> int:
        """Returns what a tenant holds."""
        return self._accounts[tenant].held

    def may_hold(self, tenant: str, amount: int) -> bool:
        """Whether a tenant may hold `amount` more."""
        account = self._accounts[tenant]
        grown = account.held + amount - account.reserved
        return grown <= 0 or self._reserved + grown <= self.limit

    def has_room(self, amount: int) -> bool:
        """Whether `amount` more fits without eviction."""
        return self.used + amount <= self.limit

    def hold(self, tenant: str, amount: int) -> None:
        """Counts what a tenant starts to hold."""
        self.used += amount
        self._reserved += self._accounts[tenant].add(amount, amount)

    def make_evictable(self, tenant: str, amount: int) -> None:
        """Makes what a tenant holds evictable."""
        self._reserved += self._accounts[tenant].add(0, -amount)

    def free(self, tenant: str, amount: int, *, held: bool) -> None:
        """Frees what a tenant used; `held` is whether it was held or evictable."""
        self.used -= amount
        self._reserved += self._accounts[tenant].add(-amount, -amount if held else 0)

    def victim(self, tenants: Iterable[str], tenant: str, amount: int, *, held: bool = False) -> str | None:
        """Selects the tenant to evict from: of `tenants`, the one furthest over its share.

        It does not select a tenant within its share, nor one less far over it than the tenant that needs the capacity.

        Args:
            tenants: the tenants with something to evict.
            tenant: the tenant that needs the capacity.
            amount: how much it needs.
            held: whether to compare shares with what the tenants hold, instead of with what they use.

        Returns:
            The tenant; None if the request must be refused.

        """
        furthest = None
        most = max(1, self._over(tenant, amount, held=held)) if self._shares else 1
        for other in tenants:
            over = self._over(other, amount if other == tenant else 0, held=held)
            if over >= most:
                furthest, most = other, over
        return furthest

    def _over(self, tenant: str, more: int, *, held: bool) -> int:
        account = self._accounts[tenant]
        over = (account.held if held else account.used) + more - account.share
        # Streams of a removed token are evicted before all others.
        return over if tenant in self._shares else over + self.limit
