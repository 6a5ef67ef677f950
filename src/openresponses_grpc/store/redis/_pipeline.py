"""The way to one Redis server: commands that gather while others are under way go together."""

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
"""How many connections carry commands at one time."""

TOGETHER: Final = 16
"""How many commands go together at most: the reply to each may have a megabyte."""


_GIVEN_UP: Final = StoreUnavailableError("Redis: the command was given up")


class _Command(NamedTuple):
    """A command that waits for its reply.

    Attributes:
        parts: what is sent: the command, after an ASKING where it needs one.
        reply: of the last part.

    """

    parts: Sequence[tuple[Any, ...]]
    reply: asyncio.Future[Any]

    def fail(self, error: Exception) -> None:
        """Raises an exception where the reply is waited for: one of its own, as each grows a traceback."""
        if not self.reply.done():
            self.reply.set_exception(copy.copy(error))


class Pipeline:
    """The way to one server.

    Up to CONNECTIONS tasks carry commands, each over a connection of its own. A task sends the commands that have
    gathered in one write, reads their replies, and ends when none are left. A caller only waits for its reply. So a
    caller that is cancelled interrupts no connection, and neither a cancellation nor an exception costs a place.

    Args:
        connector: makes the connections.
        node: the server.

    """

    def __init__(self, connector: Connector, node: Node) -> None:
        self._connector = connector
        self._node = node
        self._idle: list[AbstractConnection] = []
        self._gathered: deque[_Command] = deque()
        self._carriers: set[asyncio.Task[None]] = set()

    async def run(self, *command: bytes | str | int, asking: bool = False) -> Any:
        """Runs a command.

        Args:
            command: the command.
            asking: whether to tell a node of a cluster that it is asked for a slot that is moving to it.

        Raises:
            StoreUnavailableError: the server cannot be reached; the command may have run.
            ResponseError: the server's error reply.

        """
        reply: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._gathered.append(_Command([("ASKING",), command] if asking else [command], reply))
        self._carry()
        return await reply

    async def aclose(self) -> None:
        """Refuses what is under way, and ends the connections."""
        self._refuse(_GIVEN_UP)
        for carrier in self._carriers:
            carrier.cancel()
        while self._carriers:
            await asyncio.wait(self._carriers)
        while self._idle:
            await self._idle.pop().disconnect(nowait=True)

    def _carry(self) -> None:
        if self._gathered and len(self._carriers) < CONNECTIONS:
            carrier = asyncio.create_task(self._run_gathered())
            self._carriers.add(carrier)
            carrier.add_done_callback(self._carried)

    def _carried(self, carrier: asyncio.Task[None]) -> None:
        self._carriers.remove(carrier)
        self._carry()  # what has gathered since its last look

    async def _run_gathered(self) -> None:
        while self._gathered:
            commands = [self._gathered.popleft() for _ in range(min(TOGETHER, len(self._gathered)))]
            commands = [command for command in commands if not command.reply.done()]
            failure: Exception = _GIVEN_UP
            try:
                if commands:
                    await self._run_together(commands)
            except Exception as error:
                failure = store_error(error)
            finally:
                for command in commands:
                    command.fail(failure)

    async def _run_together(self, commands: Sequence[_Command]) -> None:
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
            # A primary that has become a replica: by now, its host's name may be that of another server.
            usable = not read_only
        except TimeoutError as error:
            self._refuse(error)
            raise
        finally:
            if usable:
                self._idle.append(connection)
            else:
                await connection.disconnect(nowait=True)

    async def _connection(self) -> AbstractConnection:
        """An idle connection that the server has not ended, or a new one."""
        while self._idle:
            connection = self._idle.pop()
            # An idle one has nothing to be read, unless the server has ended it.
            if connection.is_connected and not await connection.can_read():
                return connection
            await connection.disconnect(nowait=True)
        try:
            return await self._connector.connect(self._node)
        except Exception as error:
            self._refuse(error)
            raise

    def _refuse(self, error: Exception) -> None:
        """Refuses what has gathered for a server that cannot be connected to, or does not reply."""
        failure = store_error(error)
        while self._gathered:
            self._gathered.popleft().fail(failure)


async def _read(connection: AbstractConnection) -> Any:
    """The next reply; an error reply is returned."""
    try:
        return await connection.read_response()
    except exceptions.ResponseError as error:
        return error
