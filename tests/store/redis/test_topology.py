"""The assignment of slots to cluster nodes, from the replies of the nodes."""

import asyncio
from typing import Any

import pytest

from openresponses_grpc.store import StoreUnavailableError
from openresponses_grpc.store.redis._connection import Node
from openresponses_grpc.store.redis._topology import SLOTS, Range, Topology, parse_slots

A, B, C = (Node(host, 6379) for host in ("10.0.0.1", "10.0.0.2", "10.0.0.3"))
KEYS = {"openresponses:format": 9142, "foo": 12182, "bar": 5061}


def described(node: Node) -> list[Any]:
    """Returns a node as CLUSTER SLOTS describes it."""
    return [node.host.encode(), node.port, b"id", []]


FIRST_HALF, SECOND_HALF = (
    [0, SLOTS // 2 - 1, described(A), described(C)],
    [SLOTS // 2, SLOTS - 1, described(B)],
)


@pytest.mark.parametrize(
    "reply, ranges",
    [
        ([], []),
        ([[0, 5, [b"10.0.0.1", 6379]]], [Range(0, 5, A, [])]),
        ([FIRST_HALF, SECOND_HALF], [Range(0, SLOTS // 2 - 1, A, [C]), Range(SLOTS // 2, SLOTS - 1, B, [])]),
        # A node that does not know or does not announce its own address.
        ([[0, 5, [b"", 6379, b"id", []]]], [Range(0, 5, B, [])]),
        ([[0, 5, [None, 6379, b"id", []]]], [Range(0, 5, B, [])]),
    ],
)
def test_a_reply_to_cluster_slots_is_parsed(reply: Any, ranges: list[Range]) -> None:
    assert [*parse_slots(reply, B)] == ranges


class Cluster:
    """The reply or exception of each node; other nodes do not reply."""

    def __init__(self, **replies: Any) -> None:
        self.replies = {Node(f"10.0.0.{name[1:]}", 6379): reply for name, reply in replies.items()}
        self.asked: list[Node] = []
        self.topology = Topology(A, self.ask)

    async def ask(self, node: Node) -> Any:
        self.asked.append(node)
        reply = self.replies.get(node, StoreUnavailableError("down"))
        if isinstance(reply, Exception):
            raise reply
        return reply


async def test_each_key_belongs_to_the_primary_of_its_slot() -> None:
    cluster = Cluster(n1=[FIRST_HALF, SECOND_HALF])
    await cluster.topology.load()
    assert {key: cluster.topology.node(key) for key in KEYS} == {
        key: A if slot < SLOTS // 2 else B for key, slot in KEYS.items()
    }
    assert cluster.topology.primaries() == {A, B}
    cluster.topology.moved(KEYS["foo"], C)
    assert cluster.topology.node("foo") == C
    await cluster.topology.aclose()


@pytest.mark.parametrize(
    "fault", [StoreUnavailableError("down"), AttributeError("in redis-py"), [[0]], [[0, 5]], None, []], ids=repr
)
async def test_a_node_with_an_invalid_or_partial_reply_is_skipped(fault: Any) -> None:
    cluster = Cluster(n1=[FIRST_HALF, SECOND_HALF])
    await cluster.topology.load()
    cluster.replies = {A: fault, B: fault, C: [FIRST_HALF, SECOND_HALF]}
    for _ in range(10):
        await cluster.topology.load()
        assert cluster.topology.primaries() == {A, B}


async def test_a_suspected_node_is_queried_last() -> None:
    cluster = Cluster(n1=[FIRST_HALF, SECOND_HALF])
    await cluster.topology.load()
    for suspect in (A, B, C):
        cluster.replies, cluster.asked = {suspect: [FIRST_HALF, SECOND_HALF]}, []
        await cluster.topology.load(suspect)
        assert len(cluster.asked) == 3
        assert cluster.asked[-1] == suspect


async def test_without_any_reply_the_topology_is_unchanged() -> None:
    cluster = Cluster(n1=[FIRST_HALF, SECOND_HALF])
    await cluster.topology.load()
    cluster.replies = {}
    with pytest.raises(StoreUnavailableError, match=r"no node reports the slots: .*down"):
        await cluster.topology.load()
    assert cluster.topology.primaries() == {A, B}


async def test_an_uncovered_slot_is_unavailable_and_reloads_the_topology() -> None:
    cluster = Cluster(n1=[FIRST_HALF])
    await cluster.topology.load()
    assert cluster.topology.node("bar") == A
    asked = len(cluster.asked)
    with pytest.raises(StoreUnavailableError, match=f"no node has slot {KEYS['foo']}"):
        cluster.topology.node("foo")
    while len(cluster.asked) == asked:  # noqa: ASYNC110 - a task of the topology asks
        await asyncio.sleep(0)
    await cluster.topology.aclose()
