"""Processes that tests kill and restart, and attackers."""

from __future__ import annotations

import asyncio
import os
import random
import re
import signal
import socket
import sys
from asyncio.subprocess import PIPE, STDOUT, Process
from collections.abc import Sequence
from pathlib import Path
from typing import Self

OPENRESPONSES = Path(sys.executable).with_name("openresponses")


class Restartable:
    """A process with a fixed port that can be killed and restarted.

    Attributes:
        port: the port on 127.0.0.1.
        kills: the number of times that the process was killed.

    """

    def __init__(self, port: int, command: Sequence[str], *, ready: bytes) -> None:
        self.port = port
        self.kills = 0
        self._command = command
        self._ready = ready
        self._process: Process | None = None
        self._output = bytearray()
        self._reader: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    @property
    def output(self) -> str:
        """The output of the process, including earlier runs."""
        return self._output.decode(errors="replace")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if exc == (None, None, None):
            assert await self._end(signal.SIGTERM) == 0, self.output
            assert "Traceback" not in self.output, self.output
        else:
            await self._end(signal.SIGKILL)

    async def start(self) -> None:
        """Starts the process; returns when it is ready."""
        self._process = await asyncio.create_subprocess_exec(*self._command, stdout=PIPE, stderr=STDOUT)
        assert self._process.stdout is not None
        line = b""
        while self._ready not in line:
            line = await self._process.stdout.readline()
            self._output += line
            assert line, self.output
        self._reader = asyncio.create_task(self._read(self._process.stdout))

    async def kill(self) -> None:
        """Kills the process with SIGKILL."""
        self.kills += 1
        await self._end(signal.SIGKILL)

    def rss(self) -> int:
        """Returns the resident memory in bytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")

    def peak(self) -> int:
        """Returns the peak of the resident memory since `forget_peak`, in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return int(re.search(r"VmHWM:\s*(\d+) kB", status)[1]) << 10  # type: ignore[index]

    def forget_peak(self) -> None:
        """Resets `peak`."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    def has_printed(self, text: str) -> bool:
        """Returns whether the running process has printed the text."""
        assert self._process is not None
        assert self._process.returncode is None, self.output
        return text in self.output

    async def idle(self) -> None:
        """Waits until the process is idle."""
        before = -1
        while before != (before := self._cpu_ticks()):  # noqa: ASYNC110 - another process
            await asyncio.sleep(0.2)

    def _cpu_ticks(self) -> int:
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])

    async def _read(self, stdout: asyncio.StreamReader) -> None:
        while data := await stdout.read(1 << 16):
            self._output += data

    async def _end(self, number: signal.Signals) -> int:
        assert self._process is not None
        if self._process.returncode is None:
            self._process.send_signal(number)
        status = await self._process.wait()
        if self._reader is not None:
            await self._reader
        return status


def server(store: str, *options: str, files: str | None = None) -> Restartable:
    """A server over a store; `files` is its limit of open files, `SOFT:HARD`."""
    port = free_port()
    listen = f"127.0.0.1:{port}"
    limited = () if files is None else ("prlimit", f"--nofile={files}", "--")
    command = (*limited, str(OPENRESPONSES), "serve", "--listen", listen, "--store", store, *options)
    return Restartable(port, command, ready=b"listening on ")


def gateway(server: Restartable, *options: str, port: int | None = None) -> Restartable:
    """A gateway in front of a server."""
    port = port or free_port()
    listen = f"127.0.0.1:{port}"
    command = (str(OPENRESPONSES), "gateway", "--listen", listen, "--server", server.address, *options)
    return Restartable(port, command, ready=b"listening on ")


def attack(name: str, server: Restartable, factor: int = 1) -> Restartable:
    """An attack of attacks.py against a server."""
    command = (sys.executable, "-m", f"{__package__}.attacks", name, str(server.port), str(factor))
    return Restartable(server.port, command, ready=b"attacking")


def free_port() -> int:
    """Returns a port that stays free while its process is down.

    It is below the range of ephemeral ports. While the process is down, an ephemeral port could be assigned to another
    socket, even to a client that connects to it and thereby to itself.
    """
    lowest = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    while True:
        port = random.randrange(lowest // 2, lowest)
        with socket.socket() as trial:
            trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
