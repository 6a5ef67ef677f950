"""Redis as the store needs it: scripts on a stream's keys, and connections to listen on; one server or a cluster."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from importlib.resources import files
from typing import Any, Final, NamedTuple
from urllib.parse import quote, unquote

from redis.asyncio import Redis, RedisCluster
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import NoScriptError

from .errors import store_errors
from .lane import Lane


class Keys(NamedTuple):
    """The keys of a stream; the log's is the channel of its news, too."""

    state: str
    log: str


class Home(NamedTuple):
    """The server that has a key, and how to connect to it."""

    name: str
    connect: Callable[[], AbstractConnection]


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

    Args:
        redis: the client; it must not try anything again by itself, as an append whose answer is lost may be stored.

    """

    def __init__(self, redis: Redis | RedisCluster) -> None:
        self._redis = redis
        self._lanes: dict[str, Lane] = {}

    async def run(self, script: Script, keys: Keys, *arguments: bytes | str | int) -> Any:
        """Runs a script on a stream's keys; raises StoreFullError, and StoreUnavailableError if it may have run."""
        with store_errors():
            home = self.home(keys.log).name
            lane = self._lanes.get(home)
            if lane is None:
                lane = self._lanes[home] = Lane(self._redis, home)
            try:
                return await lane.run("EVALSHA", script.sha, len(keys), *keys, *arguments)
            except NoScriptError:
                return await lane.run("EVAL", script.text, len(keys), *keys, *arguments)

    def nodes(self) -> list[str]:
        """The names of the servers that share the keys, in their order."""
        if isinstance(self._redis, RedisCluster):
            return sorted(node.name for node in self._redis.get_primaries())
        return [""]

    async def scan(self, node: str, cursor: int, count: int) -> tuple[int, list[str]]:
        """Looks at about `count` keys of a node; returns the next cursor, 0 at the end, and the ids of streams."""
        found: Any
        with store_errors():
            if isinstance(self._redis, RedisCluster):
                target = self._redis.get_node(node_name=node)
                found, keys = await self._redis.scan(cursor, STATES, count, target_nodes=target)
                cursor = found[node]
            else:
                cursor, keys = await self._redis.scan(cursor, STATES, count)
        return cursor, [stream_id_of(key) for key in keys if isinstance(key, bytes)]

    async def ask(self, node: str, *command: bytes | str | int) -> Any:
        """Runs a command at a node."""
        with store_errors():
            if isinstance(self._redis, RedisCluster):
                target = self._redis.get_node(node_name=node)
                return await self._redis.execute_command(*command, target_nodes=target)
            return await self._redis.execute_command(*command)  # type: ignore[no-untyped-call]

    async def aclose(self) -> None:
        """Waits for what is under way, and ends all connections."""
        for lane in self._lanes.values():
            await lane.aclose()
        await self._redis.aclose()

    def home(self, key: str) -> Home:
        """The server that has a key, as far as it is known; a script on the key finds out where it has gone."""
        if isinstance(self._redis, RedisCluster):
            with store_errors():
                node = self._redis.nodes_manager.get_node_from_slot(self._redis.keyslot(key))
            return Home(node.name, lambda: node.connection_class(**node.connection_kwargs))
        return Home("", self._redis.connection_pool.make_connection)
