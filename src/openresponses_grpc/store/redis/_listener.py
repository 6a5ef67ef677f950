"""A connection to one Redis server that receives the notifications of streams."""

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
"""The silence after which a server gets a PING. After the same time without a reply, the connection is lost."""

RETRY_SECONDS: Final = 1.0
"""The pause after a failed attempt to subscribe."""


class Listener:
    """Subscribes to the channels of streams on one Redis server.

    It reconnects if the connection is lost. If that fails, or if the server does not have a channel, it notifies the
    waiting readers, too: they then read the stream and get the error, at most once per RETRY_SECONDS.

    Args:
        connect: connects to the server.
        notify: called with the channel of a stream that may have changed.

    """

    def __init__(self, connect: Callable[[], Awaitable[AbstractConnection]], notify: Callable[[str], None]) -> None:
        self._connect = connect
        self._notify = notify
        self._channels: set[str] = set()
        self._commands: list[tuple[str, str]] = []
        self._changed = asyncio.Event()
        self._received = False
        self._task = asyncio.create_task(self._run())

    def subscribe(self, channel: str) -> None:
        """Subscribes to a channel; calls `notify` once the subscription is active."""
        if channel not in self._channels:
            self._channels.add(channel)
            self._send("SSUBSCRIBE", channel)

    def unsubscribe(self, channel: str) -> None:
        """Unsubscribes from a channel."""
        if channel in self._channels:
            self._channels.remove(channel)
            self._send("SUNSUBSCRIBE", channel)

    async def aclose(self) -> None:
        """Closes the connection."""
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    def _send(self, command: str, channel: str) -> None:
        self._commands.append((command, channel))
        self._changed.set()

    async def _run(self) -> None:
        while True:
            await self._changed.wait()
            self._received = False
            try:
                await self._listen()
            except* exceptions.ResponseError as errors:
                # Another server has the channel now, or the user lacks the permission.
                self._received = False
                _logger.info("Redis refuses the subscription: %s", errors.exceptions[0])
            except* Exception as errors:
                _logger.warning("lost the notification connection to Redis: %s", store_error(errors.exceptions[0]))
            if self._received:
                self._changed.set()  # reconnects
            else:
                self._changed.clear()
                for channel in [*self._channels]:
                    self._drop(channel)
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
        pinged = False
        while True:
            message: Any = await connection.read_response(timeout=PING_SECONDS)
            if message is None:
                if pinged:
                    raise exceptions.ConnectionError("no reply to PING")
                await connection.send_command("PING", check_health=False)
            pinged = message is None
            if isinstance(message, list):
                self._handle(message)

    def _handle(self, message: list[Any]) -> None:
        self._received = True
        channel = message[1].decode()
        if message[0] in (b"smessage", b"ssubscribe"):
            self._notify(channel)
        elif message[0] == b"sunsubscribe" and channel in self._channels:
            self._drop(channel)  # unsolicited: its slot moves to another server

    def _drop(self, channel: str) -> None:
        self._channels.remove(channel)
        self._notify(channel)
