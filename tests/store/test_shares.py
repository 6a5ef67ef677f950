"""How tenants share a limit: shares, holdings and eviction."""

from contextlib import ExitStack

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from openresponses_grpc.store import ShareExceededError, StoreFullError, StoreLimits
from openresponses_grpc.store._entry import Entry
from openresponses_grpc.store._index import Reservation, StreamIndex
from openresponses_grpc.store._shares import Pool, Shares, SharesError, divide


@pytest.mark.parametrize(
    "wanted, shares",
    [
        ({}, {}),
        ({"a": None}, {"a": 50}),
        ({"a": None, "b": None}, {"a": 25, "b": 25}),
        ({"a": 100}, {"a": 100}),
        ({"a": 60, "b": None, "c": None}, {"a": 60, "b": 10, "c": 10}),
        ({"a": 0, "b": None}, {"a": 0, "b": 50}),
        ({"a": 100, "b": None}, {"a": 100, "b": 0}),
        ({"a": None, "b": None, "c": None}, {"a": 16, "b": 16, "c": 16}),
    ],
)
def test_tenants_without_a_configured_share_split_half_of_the_rest(
    wanted: dict[str, int | None], shares: dict[str, int]
) -> None:
    assert divide(100, wanted, "calls") == shares


def test_shares_that_exceed_the_limit_are_rejected() -> None:
    with pytest.raises(SharesError, match="the shares of calls add up to 101, more than the limit of 100"):
        divide(100, {"a": 60, "b": 41, "c": None}, "calls")


def pool(shares: dict[str, int], held: dict[str, int], evictable: dict[str, int]) -> Pool:
    pool = Pool(100)
    pool.set_shares(shares)
    for tenant, amount in held.items():
        pool.hold(tenant, amount)
    for tenant, amount in evictable.items():
        pool.hold(tenant, amount)
        pool.make_evictable(tenant, amount)
    return pool


@pytest.mark.parametrize(
    "shares, held, evictable, tenant, most",
    [
        # Without shares, a tenant may hold everything that others do not hold.
        ({}, {}, {}, "", 100),
        ({}, {"": 70}, {}, "", 30),
        ({}, {"": 70}, {"": 30}, "", 30),
        # A tenant may hold everything except the shares of others and what they hold beyond their shares.
        ({"a": 25, "b": 25}, {}, {}, "a", 75),
        ({"a": 25, "b": 25}, {"a": 40}, {}, "a", 35),
        ({"a": 25, "b": 25}, {"a": 75}, {}, "a", 0),
        ({"a": 25, "b": 25}, {"b": 10}, {}, "a", 75),
        ({"a": 25, "b": 25}, {"b": 40}, {}, "a", 60),
        ({"a": 25, "b": 25}, {"b": 75}, {}, "a", 25),
        # Evictable holdings do not count.
        ({"a": 25, "b": 25}, {}, {"b": 100}, "a", 75),
        ({"a": 25, "b": 25}, {"b": 75}, {"b": 25}, "a", 25),
        # A tenant without a share may hold free space.
        ({"a": 25, "b": 25}, {}, {}, "c", 50),
        ({"a": 25, "b": 25}, {"a": 75}, {}, "c", 0),
    ],
)
def test_a_tenant_may_hold_what_others_neither_hold_nor_have_reserved(
    shares: dict[str, int], held: dict[str, int], evictable: dict[str, int], tenant: str, most: int
) -> None:
    tried = pool(shares, held, evictable)
    assert [tried.may_hold(tenant, amount) for amount in (0, most, most + 1)] == [True, True, False]


@pytest.mark.parametrize(
    "shares, used, tenants, tenant, amount, victim",
    [
        # Without shares: the tenant that uses the most.
        ({}, {"": 100}, [""], "", 1, ""),
        ({}, {"a": 10, "b": 90}, ["a", "b"], "", 1, "b"),
        # The tenant furthest over its share, if it has something to evict.
        ({"a": 25, "b": 25, "c": 10}, {"a": 30, "b": 60, "c": 10}, ["a", "b", "c"], "c", 1, "b"),
        ({"a": 25, "b": 25, "c": 10}, {"a": 30, "b": 60, "c": 5}, ["a", "c"], "c", 1, "a"),
        # Never a tenant within its share.
        ({"a": 25, "b": 25}, {"a": 75, "b": 25}, ["b"], "a", 1, None),
        ({"a": 25, "b": 25}, {"a": 75, "b": 25}, ["a", "b"], "a", 1, "a"),
        # Never a tenant that exceeds its share by less than the tenant that needs the space.
        ({"a": 25, "b": 25}, {"a": 60, "b": 40}, ["b"], "a", 1, None),
        ({"a": 25, "b": 25}, {"a": 60, "b": 40}, ["a", "b"], "b", 1, "a"),
        ({"a": 25, "b": 25}, {"a": 50, "b": 50}, ["a", "b"], "a", 1, "a"),
        # Streams of a removed token are evicted first.
        ({"a": 25}, {"a": 90, "gone": 10}, ["a", "gone"], "a", 1, "gone"),
        ({"a": 25}, {"a": 90, "gone": 10}, ["gone"], "a", 1, "gone"),
    ],
)
def test_the_victim_is_the_tenant_furthest_over_its_share(
    shares: dict[str, int], used: dict[str, int], tenants: list[str], tenant: str, amount: int, victim: str | None
) -> None:
    assert pool(shares, {}, used).victim(tenants, tenant, amount) == victim


def test_new_shares_apply_to_existing_holdings() -> None:
    tried = pool({"a": 25, "b": 25}, {"a": 75}, {})
    tried.set_shares({"a": 80, "b": 20})
    assert [tried.may_hold("a", amount) for amount in (5, 6)] == [True, False]
    tried.free("a", 75, held=True)
    assert [tried.may_hold("b", amount) for amount in (20, 21)] == [True, False]
    tried.set_shares({})
    assert tried.may_hold("b", 100)


LIMITS = StoreLimits(max_bytes=100, max_streams=12, max_stream_bytes=1000, retention=1e9, abandon_after=5)
SHARES = {"a": Shares(30, 3), "b": Shares(20, None), "c": Shares(None, 2)}
BYTES, STREAMS = {"a": 30, "b": 20, "c": 25, "d": 0}, {"a": 3, "b": 3, "c": 2, "d": 0}

steps = st.lists(
    st.tuples(
        st.sampled_from("aaaabbbcd"),
        st.integers(0, 5),
        st.integers(0, 20),
        st.sampled_from(("stay", "leave", "finish", "finish", "cancel")),
    ),
    min_size=30,
    max_size=60,
)


class Tenants:
    """Tenants that fill one store, and the streams of each."""

    def __init__(self) -> None:
        self.now = 0.0
        self.entries: list[Entry] = []
        self.dropped: list[Entry] = []
        self.index = StreamIndex[Entry](
            LIMITS, lambda: self.now, event_overhead=0, stream_overhead=1, dropped=self.dropped.append
        )
        self.index.divide(SHARES)
        self.present = ExitStack()

    def kept(self, tenant: str) -> list[Entry]:
        return [each for each in self.entries if each.tenant == tenant and self.index.holds(each)]

    def used(self, tenant: str) -> tuple[int, int]:
        """Returns the bytes and the number of streams of a tenant."""
        return amount(self.kept(tenant))

    def step(self, tenant: str, number: int, size: int, what: str) -> None:
        """Appends to an open or new stream of a tenant, and checks which streams are evicted for it."""
        self.now += 1
        still_open = [each for each in self.kept(tenant) if each.finished_at is None]
        entry = still_open[number] if number < len(still_open) else Entry(f"{tenant} {self.now}", self.now, tenant)
        new = not entry.stored
        size_open, streams_open = amount(still_open)
        within = size_open + size + new <= BYTES[tenant] and streams_open + new <= STREAMS[tenant]
        used = {each: self.used(each) for each in "abcd"}
        self.dropped.clear()
        try:
            reservation = self.index.reserve(entry, [b"x" * size], 0)
        except StoreFullError:
            assert not within
        else:
            self.end(reservation, what)
            event(f"{what}, {len(self.dropped)} dropped")
        used[tenant] = used[tenant][0] + size + new, used[tenant][1] + new
        for gone in self.dropped:
            assert gone.finished_at is not None or (not gone.publishers and gone.left_at + 5 <= self.now)
            size_used, streams_used = used[gone.tenant]
            assert size_used > BYTES[gone.tenant] or streams_used > STREAMS[gone.tenant]
            used[gone.tenant] = size_used - gone.bytes - 1, streams_used - 1
        sizes, streams = zip(*map(self.used, "abcd"), strict=True)
        assert sum(sizes) <= LIMITS.max_bytes
        assert sum(streams) <= LIMITS.max_streams

    def end(self, reservation: Reservation[Entry], what: str) -> None:
        if what == "cancel":
            self.index.cancel(reservation)
            return
        self.index.commit(reservation, self.now, finished=what == "finish", failure=None)
        self.entries += [] if reservation.entry in self.entries else [reservation.entry]
        if what == "stay":
            self.present.enter_context(self.index.publishing(reservation.entry))


def amount(entries: list[Entry]) -> tuple[int, int]:
    return sum(each.bytes + 1 for each in entries), len(entries)


@given(steps)
def test_a_tenant_within_its_share_is_never_refused_and_loses_no_stream(steps: list[tuple[str, int, int, str]]) -> None:
    tenants = Tenants()
    for step in steps:
        tenants.step(*step)
    tenants.present.close()
    for entry in tenants.entries:
        if tenants.index.holds(entry):
            tenants.index.drop(entry)
    # Nothing leaked: a tenant may again hold everything except the shares of others.
    reservation = tenants.index.reserve(Entry("all", tenants.now, "a"), [b"x" * 54], 0)
    tenants.end(reservation, "stay")
    with pytest.raises(ShareExceededError):
        tenants.index.reserve(reservation.entry, [b"x"], 0)
