"""How tenants share a limit: what each may hold, and who gives way when it is reached. Pure: no I/O, no clock."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Shares(NamedTuple):
    """What a tenant can have at any time, whatever the others do; None for a fair share."""

    bytes: int | None = None
    streams: int | None = None
    calls: int | None = None


class SharesError(ValueError):
    """The shares add up to more than there is."""


def divide(limit: int, wanted: Mapping[str, int | None], unit: str) -> dict[str, int]:
    """The share of each tenant.

    Args:
        limit: what there is for all.
        wanted: the share that each tenant is to have; None for a fair one. The tenants with None divide half of what
            the others leave, in equal parts; the other half is for whoever comes first.
        unit: of the limit, for messages.

    Raises:
        SharesError: the shares add up to more than the limit.

    """
    rest = limit - sum(share for share in wanted.values() if share is not None)
    if rest < 0:
        raise SharesError(f"the shares of {unit} add up to {limit - rest}, and there are {limit} for all")
    fair = rest // 2 // max(1, sum(share is None for share in wanted.values()))
    return {tenant: fair if share is None else share for tenant, share in wanted.items()}


class _Account:
    """What one tenant uses of a pool; `reserved` is its share, or what it holds where that is more."""

    __slots__ = ("held", "reserved", "share", "used")

    def __init__(self) -> None:
        self.share = self.used = self.held = self.reserved = 0

    def add(self, used: int, held: int) -> int:
        """Adds to what it uses and holds; returns what that adds to `reserved`."""
        self.used += used
        self.held = held = self.held + held
        before = self.reserved
        self.reserved = reserved = max(self.share, held)
        return reserved - before


class Pool:
    """A limit for all tenants together, of which each has a share.

    What a tenant uses is held, as open streams and calls are, or can be evicted, as finished streams can. A tenant may
    hold anything but what the others hold and what is left of their shares. So each can hold its share at any time,
    whatever the others do, and everything that is free serves whoever needs it.

    Args:
        limit: what all tenants together may use.

    Attributes:
        used: what all tenants use.

    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._shares: Mapping[str, int] = {}
        self._accounts = defaultdict[str, _Account](_Account)
        self._reserved = 0

    def set_shares(self, shares: Mapping[str, int]) -> None:
        """Gives each tenant its share. Without shares, all that there is is for everyone."""
        self._shares = dict(shares)
        for tenant in self._accounts.keys() | shares.keys():
            account = self._accounts[tenant]
            account.share = shares.get(tenant, 0)
            self._reserved += account.add(0, 0)

    def share(self, tenant: str) -> int | None:
        """A tenant's share; None while the limit is not divided."""
        return self._shares.get(tenant, 0) if self._shares else None

    def held(self, tenant: str) -> int:
        """What a tenant holds."""
        return self._accounts[tenant].held

    def may_hold(self, tenant: str, amount: int) -> bool:
        """Whether a tenant may hold so much more."""
        account = self._accounts[tenant]
        grown = account.held + amount - account.reserved
        return grown <= 0 or self._reserved + grown <= self.limit

    def has_room(self, amount: int) -> bool:
        """Whether there is room for so much more, without eviction."""
        return self.used + amount <= self.limit

    def hold(self, tenant: str, amount: int) -> None:
        """Counts what a tenant holds from now on."""
        self.used += amount
        self._reserved += self._accounts[tenant].add(amount, amount)

    def settle(self, tenant: str, amount: int) -> None:
        """Counts what a tenant has held, and what can be evicted from now on."""
        self._reserved += self._accounts[tenant].add(0, -amount)

    def free(self, tenant: str, amount: int, *, held: bool) -> None:
        """Counts what a tenant does not use any more: something that it held, or that could be evicted."""
        self.used -= amount
        self._reserved += self._accounts[tenant].add(-amount, -amount if held else 0)

    def gives_way(self, tenants: Iterable[str], tenant: str, amount: int, *, held: bool = False) -> str | None:
        """Who gives way to `amount` for `tenant`: of `tenants`, the one that is furthest over its share.

        Nobody gives way within its share, nor to a tenant that is further over its own.

        Args:
            tenants: those that have something to evict.
            tenant: who needs the room.
            amount: of the room.
            held: compare what they hold with their shares, and not what they use.

        Returns:
            The tenant; None if the one that needs the room is to be refused.

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
        # Streams of a token that is gone go before those of any other.
        return over if tenant in self._shares else over + self.limit
