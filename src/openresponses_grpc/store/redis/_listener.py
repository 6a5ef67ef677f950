"""A connection to one Redis server on which it tells of the streams that are waited for."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any, Final

from redis import exceptions
from redis.asyncio.connection import AbstractConnection

from ._errors import store_error

_logger = logging.getLogger(__package__)

PING_SECONDS: Final = 5.0
"""A server that is silent for so long is asked whether it is there; if it is for as long again, it is not."""

RETRY_SECONDS: Final = 1.0
"""How long a server that cannot be listened to is left alone."""


class Listener:
    """Listens to the channels of streams at one server.

    Where the connection breaks it is made anew. Where that fails, or the server does not have a channel, those who
    wait are told, too, so that they read for themselves and find out what it is: at most once in RETRY_SECONDS.

    Args:
        connect: connects to the server.
        tell: is called with the channel that there may be news of.

    """

    def __init__(self, connect: Callable[[], Awaitable[AbstractConnection]], tell: Callable[[str], None]) -> None:
        self._connect = connect
        self._tell = tell
        self._channels: set[str] = set()
        self._commands: list[tuple[str, str]] = []
        self._changed = asyncio.Event()
        self._heard = False
        self._task = asyncio.create_task(self._run())

    def subscribe(self, channel: str) -> None:
        """Listens to a channel; `tell` is called as soon as it does."""
        if channel not in self._channels:
            self._channels.add(channel)
            self._send("SSUBSCRIBE", channel)

    def unsubscribe(self, channel: str) -> None:
        """Listens to a channel no longer."""
        if channel in self._channels:
            self._channels.remove(channel)
            self._send("SUNSUBSCRIBE", channel)

    async def aclose(self) -> None:
        """Ends the connection."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _send(self, command: str, channel: str) -> None:
        self._commands.append((command, channel))
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._heard = False
            try:
                await self._listen()
            except* exceptions.ResponseError as errors:
                # Another server has the channel now, or the user may not listen to it.
                self._heard = False
                _logger.info("Redis does not let this server listen: %s", errors.exceptions[0])
            except* Exception as errors:
                _logger.warning("the connection to listen to Redis is lost: %s", store_error(errors.exceptions[0]))
            if self._heard:
                self._changed.set()  # and so is made anew
            else:
                self._changed.clear()
                for channel in [*self._channels]:
                    self._let_go(channel)
                await asyncio.sleep(RETRY_SECONDS)

    async def _listen(self) -> None:
        connection = await self._connect()
        try:
            self._commands = [("SSUBSCRIBE", channel) for channel in self._channels]
            self._changed.set()
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._write(connection))
                tasks.create_task(self._read(connection))
        finally:
            await connection.disconnect(nowait=True)

    async def _write(self, connection: AbstractConnection) -> None:
        while True:
            await self._changed.wait()
            self._changed.clear()
            commands, self._commands = self._commands, []
            await connection.send_packed_command(connection.pack_commands(commands), check_health=False)

    async def _read(self, connection: AbstractConnection) -> None:
        asked = False
        while True:
            message: Any = await connection.read_response(timeout=PING_SECONDS)
            if message is None:
                if asked:
                    raise exceptions.ConnectionError("it does not answer")
                await connection.send_command("PING", check_health=False)
            asked = message is None
            if isinstance(message, list):
                self._hear(message)

    def _hear(self, message: list[Any]) -> None:
        self._heard = True
        channel = message[1].decode()
        if message[0] in (b"smessage", b"ssubscribe"):
            self._tell(channel)
        elif message[0] == b"sunsubscribe" and channel in self._channels:
            self._let_go(channel)  # Unasked: its slot goes to another server.

    def _let_go(self, channel: str) -> None:
        self._channels.remove(channel)
        self._tell(channel)
