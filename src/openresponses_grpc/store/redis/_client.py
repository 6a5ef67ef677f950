"""The store's Redis client, for one Redis server or a cluster: runs scripts on the keys of a stream."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection
from contextlib import suppress
from functools import partial
from importlib.resources import files
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from .._errors import StoreFullError, StoreUnavailableError
from ._connection import Connector, Node
from ._errors import store_errors
from ._pipeline import Pipeline
from ._topology import Topology

REDIRECTS: Final = 16
"""The maximum number of attempts to reach the node with a key."""

TRY_AGAIN_SECONDS: Final = 0.05
"""The pause before a retry of a command whose keys are being migrated."""


class Keys(NamedTuple):
    """The keys of a stream; the key of the log is also its notification channel."""

    state: str
    log: str


class Endpoint(NamedTuple):
    """The Redis server with a key, and how to connect to it."""

    name: str
    connect: Callable[[], Awaitable[AbstractConnection]]


def _lua(name: str) -> str:
    return files(__package__).joinpath(f"{name}.lua").read_text("utf-8")


COMMON: Final = _lua("common")


class Script:
    """A Lua script, which Redis runs atomically."""

    def __init__(self, name: str) -> None:
        flags, newline, body = _lua(name).partition("\n")
        # The flags of a script must be on its first line.
        self.text = f"{flags}{newline}{COMMON}{body}" if flags.startswith("#!") else f"{COMMON}{flags}{newline}{body}"
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


APPEND: Final = Script("append")
READ: Final = Script("read")
PRESENCE: Final = Script("presence")
INFO: Final = Script("info")
DELETE: Final = Script("delete")
USAGE: Final = Script("usage")

FORMAT: Final = "3"
"""The version of the data format in Redis; the same as in `common.lua`."""

FORMAT_KEY: Final = "openresponses:format"

CHECK_MILLISECONDS: Final = 10_000
"""How long Redis keeps the test write of a check."""

CHECKS: Final = [f"openresponses:{{check-{number}}}" for number in range(32)]
"""The keys of test writes, enough that every node of a cluster has one."""

STATES: Final = "openresponses:{*}:state"
"""The pattern of the state keys of all streams."""


def stream_keys(stream_id: str) -> Keys:
    """Returns the keys of a stream. The hash tag in braces maps both keys to the same slot."""
    prefix = f"openresponses:{{{quote(stream_id, safe='')}}}"
    return Keys(f"{prefix}:state", f"{prefix}:log")


def stream_id_of(state: bytes) -> str:
    """Returns the id of the stream with a state key."""
    return unquote(state[len("openresponses:{") : -len("}:state")].decode())


class RedisClient:
    """A client of one Redis server or one cluster.

    It does not retry commands: an append whose reply is lost may be stored. Only after a reply such as MOVED, which
    means that the command did not run, does it send the command again, to the node that the reply names.

    Args:
        connector: opens the connections.
        cluster: whether the connector's node belongs to a cluster.

    """

    def __init__(self, connector: Connector, *, cluster: bool) -> None:
        self._connector = connector
        self._pipelines: dict[Node, Pipeline] = {}
        self.topology = Topology(connector.node, self._ask_for_slots) if cluster else None

    async def aclose(self) -> None:
        """Aborts pending commands, and closes all connections."""
        if self.topology:
            await self.topology.aclose()
        for pipeline in self._pipelines.values():
            await pipeline.aclose()

    async def run(self, script: Script, keys: Keys, *arguments: bytes | str | int) -> Any:
        """Runs a script on the keys of a stream.

        Raises:
            StoreFullError: Redis has reached its maxmemory.
            StoreUnavailableError: the script may or may not have run.

        """
        with store_errors():
            try:
                return await self._follow(keys.log, "EVALSHA", script.sha, len(keys), *keys, *arguments)
            except exceptions.NoScriptError:
                return await self._follow(keys.log, "EVAL", script.text, len(keys), *keys, *arguments)

    async def command(self, key: str, *command: bytes | str | int) -> Any:
        """Runs a command on a key."""
        with store_errors():
            return await self._follow(key, *command)

    async def ask(self, node: Node, *command: bytes | str | int) -> Any:
        """Runs a command on a node."""
        with store_errors():
            return await self._run(node, *command)

    async def check(self) -> None:
        """Does a test write on each node; raises StoreUnavailableError if all of them fail."""
        outcomes = await asyncio.gather(*map(self._check, self._check_keys()), return_exceptions=True)
        problems = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if len(problems) == len(outcomes):
            raise problems[0] if problems else StoreUnavailableError("Redis Cluster: no known nodes")

    def nodes(self) -> dict[str, Node]:
        """Returns the primary nodes by name; a single server has an empty name."""
        if self.topology is None:
            return {"": self._connector.node}
        return {str(node): node for node in self.topology.primaries()}

    async def scan(self, node: Node, cursor: int, count: int) -> tuple[int, list[str]]:
        """Scans about `count` keys of a node; returns the next cursor, 0 at the end, and the stream ids found."""
        next_cursor, keys = await self.ask(node, "SCAN", cursor, "MATCH", STATES, "COUNT", count)
        return int(next_cursor), [stream_id_of(key) for key in keys]

    def node(self, key: str) -> Node:
        """Returns the last known node with a key."""
        return self.topology.node(key) if self.topology else self._connector.node

    def endpoint(self, key: str) -> Endpoint:
        """Returns the last known node with a key; a script on the key finds its current node."""
        node = self.node(key)
        return Endpoint(str(node), partial(self._connector.connect, node))

    def _check_keys(self) -> Collection[str]:
        """Returns one key on each node."""
        keys: dict[str, str] = {}
        for key in CHECKS:
            with suppress(StoreUnavailableError):
                keys[self.endpoint(key).name] = key
        return keys.values()

    async def _check(self, key: str) -> None:
        with suppress(StoreFullError):  # a store at its own limit is writable
            await self.command(key, "SET", key, "", "PX", CHECK_MILLISECONDS)

    async def _follow(self, key: str, *command: bytes | str | int) -> Any:
        """Runs a command on the node with a key, and follows redirects."""
        node, asking = self.node(key), False
        for _ in range(REDIRECTS):
            try:
                return await self._run(node, *command, asking=asking)
            except exceptions.AskError as error:  # or its subclass MovedError
                node, asking = Node(error.host or node.host, error.port), True
                if isinstance(error, exceptions.MovedError) and self.topology:
                    self.topology.moved(error.slot_id, node)
                    asking = False
            except exceptions.TryAgainError:
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        raise StoreUnavailableError(f"Redis Cluster: too many redirects for key {key}")

    async def _run(self, node: Node, *command: bytes | str | int, asking: bool = False) -> Any:
        pipeline = self._pipelines.get(node)
        if pipeline is None:
            pipeline = self._pipelines[node] = Pipeline(self._connector, node)
        try:
            return await pipeline.run(*command, asking=asking)
        except (StoreUnavailableError, exceptions.ClusterDownError):
            if self.topology:
                self.topology.refresh(suspect=node)
            raise

    async def _ask_for_slots(self, node: Node) -> Any:
        return await self._run(node, "CLUSTER", "SLOTS")
