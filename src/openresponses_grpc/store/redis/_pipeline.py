"""Pipelines commands to one Redis server: those queued while others are in flight are sent together."""

from __future__ import annotations

import asyncio
import copy
from collections import deque
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from .._errors import StoreUnavailableError
from ._connection import Connector, Node
from ._errors import store_error

CONNECTIONS: Final = 4
"""The maximum number of connections in use."""

BATCH_SIZE: Final = 16
"""The maximum number of commands sent together; each reply may be a megabyte."""

_ABORTED: Final = StoreUnavailableError("Redis: the command was aborted")


class _Command(NamedTuple):
    """A command that waits for its reply.

    Attributes:
        parts: the command, preceded by ASKING if it needs it.
        reply: the reply to the last part.

    """

    parts: Sequence[tuple[Any, ...]]
    reply: asyncio.Future[Any]

    def fail(self, error: Exception) -> None:
        """Fails the reply with a copy of the exception, because each one collects its own traceback."""
        if not self.reply.done():
            self.reply.set_exception(copy.copy(error))


class Pipeline:
    """A pipeline of commands to one Redis server.

    Up to CONNECTIONS worker tasks send commands, each over its own connection. A worker sends a batch of queued
    commands in one write, reads their replies, and ends when the queue is empty. Callers only wait for their replies.
    So a cancelled caller does not interrupt a connection, and neither a cancellation nor an exception leaks a worker.

    Args:
        connector: opens the connections.
        node: the Redis server.

    """

    def __init__(self, connector: Connector, node: Node) -> None:
        self._connector = connector
        self._node = node
        self._idle: list[AbstractConnection] = []
        self._queue: deque[_Command] = deque()
        self._workers: set[asyncio.Task[None]] = set()

    async def run(self, *command: bytes | str | int, asking: bool = False) -> Any:
        """Runs a command.

        Args:
            command: the command.
            asking: whether to send ASKING first, for a slot that is being imported.

        Raises:
            StoreUnavailableError: the server is unreachable; the command may have run.
            ResponseError: the server's error reply.

        """
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append(_Command([("ASKING",), command] if asking else [command], reply))
        self._start_worker()
        return await reply

    async def aclose(self) -> None:
        """Aborts pending commands, and closes the connections."""
        self._fail_queued(_ABORTED)
        for worker in self._workers:
            worker.cancel()
        while self._workers:
            await asyncio.wait(self._workers)
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    def _start_worker(self) -> None:
        if self._queue and len(self._workers) < CONNECTIONS:
            worker = asyncio.create_task(self._work())
            self._workers.add(worker)
            worker.add_done_callback(self._worker_ended)

    def _worker_ended(self, worker: asyncio.Task[None]) -> None:
        self._workers.remove(worker)
        self._start_worker()  # for commands queued meanwhile

    async def _work(self) -> None:
        while self._queue:
            commands = [self._queue.popleft() for _ in range(min(BATCH_SIZE, len(self._queue)))]
            commands = [command for command in commands if not command.reply.done()]
            failure: Exception = _ABORTED
            try:
                if commands:
                    await self._run_batch(commands)
            except Exception as error:
                failure = store_error(error)
            finally:
                for command in commands:
                    command.fail(failure)

    async def _run_batch(self, commands: Sequence[_Command]) -> None:
        connection = await self._connection()
        usable, read_only = False, False
        try:
            async with asyncio.timeout(self._connector.timeout) as deadline:
                packed = connection.pack_commands([part for command in commands for part in command.parts])
                await connection.send_packed_command(packed, check_health=False)
                for command in commands:
                    for _ in command.parts:
                        reply = await _read(connection)
                        deadline.reschedule(asyncio.get_running_loop().time() + self._connector.timeout)
                    if isinstance(reply, Exception):
                        command.fail(reply)
                        read_only = read_only or isinstance(reply, exceptions.ReadOnlyError)
                    elif not command.reply.done():
                        command.reply.set_result(reply)
            # A primary that has become a replica needs a new connection: its host name may have another address now.
            usable = not read_only
        except TimeoutError as error:
            self._fail_queued(error)
            raise
        finally:
            if usable:
                self._idle.append(connection)
            else:
                await connection.disconnect(nowait=True)

    async def _connection(self) -> AbstractConnection:
        """Returns an idle connection that the server has not closed, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            # An idle connection is readable only if the server has closed it.
            if connection.is_connected and not await connection.can_read():
                return connection
            await connection.disconnect(nowait=True)
        try:
            return await self._connector.connect(self._node)
        except Exception as error:
            self._fail_queued(error)
            raise

    def _fail_queued(self, error: Exception) -> None:
        """Fails the queued commands of a server that is unreachable or does not reply."""
        failure = store_error(error)
        while self._queue:
            self._queue.popleft().fail(failure)


async def _read(connection: AbstractConnection) -> Any:
    """Reads the next reply; returns error replies."""
    try:
        return await connection.read_response()
    except exceptions.ResponseError as error:
        return error
