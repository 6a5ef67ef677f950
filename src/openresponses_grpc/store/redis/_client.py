"""Redis as the store needs it: scripts on a stream's keys, and connections to listen on; one server or a cluster."""

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
"""How often a command follows its key from node to node."""

TRY_AGAIN_SECONDS: Final = 0.05
"""The pause before a command whose keys are on their way to another node is sent again."""


class Keys(NamedTuple):
    """The keys of a stream; the log's is the channel of its news, too."""

    state: str
    log: str


class Home(NamedTuple):
    """The server that has a key, and how to connect to it."""

    name: str
    connect: Callable[[], Awaitable[AbstractConnection]]


def _lua(name: str) -> str:
    return files(__package__).joinpath(f"{name}.lua").read_text("utf-8")


COMMON: Final = _lua("common")


class Script:
    """A script in Lua, which Redis runs as one step."""

    def __init__(self, name: str) -> None:
        flags, newline, body = _lua(name).partition("\n")
        # The flags of a script must be its first line.
        self.text = f"{flags}{newline}{COMMON}{body}" if flags.startswith("#!") else f"{COMMON}{flags}{newline}{body}"
        self.sha = hashlib.sha1(self.text.encode(), usedforsecurity=False).hexdigest()


APPEND: Final = Script("append")
READ: Final = Script("read")
PRESENCE: Final = Script("presence")
INFO: Final = Script("info")
DELETE: Final = Script("delete")
USAGE: Final = Script("usage")

FORMAT: Final = "3"
"""The version of what the scripts keep in Redis; `common.lua` has it too."""

FORMAT_KEY: Final = "openresponses:format"

CHECK_MILLISECONDS: Final = 10_000
"""How long Redis keeps what a check has written."""

CHECKS: Final = [f"openresponses:{{check-{number}}}" for number in range(32)]
"""Keys that checks write: enough that each node of a cluster has one."""

STATES: Final = "openresponses:{*}:state"
"""The pattern of the keys of streams' states."""


def stream_keys(stream_id: str) -> Keys:
    """The keys of a stream: the text in the braces, which they have in common, decides on the slot."""
    prefix = f"openresponses:{{{quote(stream_id, safe='')}}}"
    return Keys(f"{prefix}:state", f"{prefix}:log")


def stream_id_of(state: bytes) -> str:
    """The id of the stream with this state key."""
    return unquote(state[len("openresponses:{") : -len("}:state")].decode())


class Server:
    """One Redis server, or one cluster.

    A command is sent once: an append whose reply is lost may be stored. Only a reply that says that the command did not
    run, such as MOVED, sends it again, to the node that the reply names.

    Args:
        connector: makes the connections.
        cluster: whether the connector's node is one of a cluster.

    """

    def __init__(self, connector: Connector, *, cluster: bool) -> None:
        self._connector = connector
        self._pipelines: dict[Node, Pipeline] = {}
        self.topology = Topology(connector.node, self._ask_for_slots) if cluster else None

    async def aclose(self) -> None:
        """Gives up what is under way, and ends all connections."""
        if self.topology:
            await self.topology.aclose()
        for pipeline in self._pipelines.values():
            await pipeline.aclose()

    async def run(self, script: Script, keys: Keys, *arguments: bytes | str | int) -> Any:
        """Runs a script on a stream's keys; raises StoreFullError, and StoreUnavailableError if it may have run."""
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
        """Runs a command at a node."""
        with store_errors():
            return await self._run(node, *command)

    async def check(self) -> None:
        """Writes a key at each server of the Redis; raises StoreUnavailableError if none takes it."""
        outcomes = await asyncio.gather(*map(self._check, self._check_keys()), return_exceptions=True)
        problems = [outcome for outcome in outcomes if isinstance(outcome, Exception)]
        if len(problems) == len(outcomes):
            raise problems[0] if problems else StoreUnavailableError("Redis: no node of the cluster is known")

    def nodes(self) -> dict[str, Node]:
        """The servers that share the keys, by their names; the name of a single one is empty, whatever its URL."""
        if self.topology is None:
            return {"": self._connector.node}
        return {str(node): node for node in self.topology.primaries()}

    async def scan(self, node: Node, cursor: int, count: int) -> tuple[int, list[str]]:
        """Looks at about `count` keys of a node; returns the next cursor, 0 at the end, and the ids of streams."""
        following, keys = await self.ask(node, "SCAN", cursor, "MATCH", STATES, "COUNT", count)
        return int(following), [stream_id_of(key) for key in keys]

    def _check_keys(self) -> Collection[str]:
        """A key of each server."""
        keys: dict[str, str] = {}
        for key in CHECKS:
            with suppress(StoreUnavailableError):
                keys[self.home(key).name] = key
        return keys.values()

    async def _check(self, key: str) -> None:
        with suppress(StoreFullError):  # it is at its limit, as another store is at --max-bytes
            await self.command(key, "SET", key, "", "PX", CHECK_MILLISECONDS)

    def home(self, key: str) -> Home:
        """The server that has a key, as far as it is known; a script on the key finds out where it has gone."""
        node = self._node(key)
        return Home(str(node), partial(self._connector.connect, node))

    def _node(self, key: str) -> Node:
        return self.topology.node(key) if self.topology else self._connector.node

    async def _follow(self, key: str, *command: bytes | str | int) -> Any:
        """Runs a command at the node that has a key, wherever the key has gone."""
        node, asking = self._node(key), False
        for _ in range(REDIRECTS):
            try:
                return await self._run(node, *command, asking=asking)
            except exceptions.AskError as error:  # or MovedError, which is one
                node, asking = Node(error.host or node.host, error.port), True
                if isinstance(error, exceptions.MovedError) and self.topology:
                    self.topology.moved(error.slot_id, node)
                    asking = False
            except exceptions.TryAgainError:
                await asyncio.sleep(TRY_AGAIN_SECONDS)
        raise StoreUnavailableError(f"Redis Cluster: {key} is on its way from node to node")

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
