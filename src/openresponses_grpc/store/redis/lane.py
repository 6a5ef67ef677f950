"""The way to one Redis server: commands that gather while others are under way go together."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import suppress
from typing import Any, Final

from redis import exceptions
from redis.asyncio import Redis, RedisCluster

CONNECTIONS: Final = 4
"""How many connections carry commands at one time."""

TOGETHER: Final = 16
"""How many commands go together at most: the answer to each may have a megabyte."""

LOST: Final = (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ClusterError)


class Lane:
    """The way to one server, or to one node of a cluster.

    A command goes at once where a connection is free. What has gathered when one becomes free goes in one write and
    comes back in one read. Whoever is cancelled while waiting takes nothing away from the others.

    Args:
        redis: the client.
        node: the node's name in a cluster, which has the keys of all commands.

    """

    def __init__(self, redis: Redis | RedisCluster, node: str) -> None:
        self._redis = redis
        self._node = node
        self._free = CONNECTIONS
        self._gathered: deque[tuple[tuple[Any, ...], asyncio.Future[Any]]] = deque()
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, *command: bytes | str | int) -> Any:
        """Runs a command; raises what redis-py does."""
        if not self._free:
            answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
            self._gathered.append((command, answer))
            return await answer
        self._free -= 1
        try:
            return await self._redis.execute_command(*command)
        finally:
            self._go_on()

    async def aclose(self) -> None:
        """Waits for what is under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    def _go_on(self) -> None:
        if self._gathered:
            task = asyncio.create_task(self._run_together())
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)
        else:
            self._free += 1

    async def _run_together(self) -> None:
        commands = [self._gathered.popleft() for _ in range(min(TOGETHER, len(self._gathered)))]
        commands = [(command, answer) for command, answer in commands if not answer.done()]
        try:
            pipeline = self._redis.pipeline(transaction=False)
            for command, _ in commands:
                pipeline.execute_command(*command)
            answers = await pipeline.execute(raise_on_error=False)
        except Exception as error:
            answers = [error] * len(commands)
        for (_, future), answer in zip(commands, answers, strict=True):
            if future.done():
                continue
            if isinstance(answer, Exception):
                future.set_exception(answer)
            else:
                future.set_result(answer)
        if isinstance(self._redis, RedisCluster) and any(isinstance(answer, LOST) for answer in answers):
            # Only when a command by itself fails does redis-py ask the cluster anew who has what.
            with suppress(exceptions.RedisError, exceptions.RedisClusterException):
                await self._redis.execute_command("PING", target_nodes=self._redis.get_node(node_name=self._node))
        self._go_on()
