"""The gateway's port, and its way out."""

from __future__ import annotations

import asyncio
import contextlib
import resource
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, NamedTuple

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from ..server._server import DRAIN_SECONDS, ListenError
from ._app import Gateway

WRITE_SECONDS: Final = 60.0
"""How long a reader may take nothing of what is written to it."""

KEEP_ALIVE_SECONDS: Final = 75
"""How long a connection may be idle between requests: longer than proxies keep theirs, or they would get errors."""

REQUEST_SECONDS: Final = 30.0
"""How long a request may take to arrive, from its first byte on, and the first from the start of its connection."""


class ServerFiles(NamedTuple):
    """The PEM files of a server with TLS.

    Attributes:
        cert: the server's certificate, followed by those that lead to its root.
        key: its private key.
        client_ca: the roots of the certificates that every client must have; None asks for none.

    """

    cert: Path
    key: Path
    client_ca: Path | None = None


@asynccontextmanager
async def running_gateway(
    gateway: Gateway, listen: str, *, files: ServerFiles | None = None, grace: float = DRAIN_SECONDS
) -> AsyncIterator[str]:
    """Serves for as long as the context lasts, then drains: streams are cut off, and their readers resume elsewhere.

    Args:
        gateway: the gateway.
        listen: `host:port`, where port 0 takes a free one, or `unix:PATH`.
        files: for TLS; None serves plain HTTP.
        grace: seconds that responses have to end in when the context ends.

    Yields:
        The URL; `unix:PATH` for a socket.

    Raises:
        ListenError: the address cannot be listened at.
        Exception: what ended the server; the body of the context is cancelled then.

    """
    try:
        listener = _listener(listen)
    except (OSError, OverflowError, ValueError) as error:
        raise ListenError(f"cannot listen at {listen}: {error}") from None
    _allow_connections()
    tls: dict[str, Any] = {}
    if files:
        tls = {"ssl_certfile": files.cert, "ssl_keyfile": files.key}
        if files.client_ca:
            tls |= {"ssl_ca_certs": str(files.client_ca), "ssl_cert_reqs": ssl.CERT_REQUIRED}
    config = uvicorn.Config(
        gateway,
        http=_Protocol,
        ws="none",
        lifespan="off",
        log_config=None,
        log_level="critical",  # the gateway logs its requests, and uvicorn would report each one that is cut off
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=max(1, round(grace)),
        **tls,
    )
    server = _Server(config)
    server.servers = []
    serving = asyncio.create_task(server.serve([listener]))
    caller = asyncio.current_task()
    assert caller is not None
    serving.add_done_callback(lambda _: server.should_exit or caller.cancel())
    try:
        yield listen if listen.startswith("unix:") else _url(listener, listen, secure=files is not None)
    finally:
        gateway.drain()
        server.should_exit = True
        try:
            await serving
        finally:
            for listening in server.servers:
                listening.close()
            listener.close()
            _remove_socket(listen)


class _Server(uvicorn.Server):
    """A server that leaves signals to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(H11Protocol):
    """A connection that ends where its peer does not send a request, or does not read, for too long."""

    _timer: asyncio.TimerHandle | None = None  # of a write
    _request_timer: asyncio.TimerHandle | None = None
    _unwritten = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop()
        self._stop_request()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle and not self.cycle.response_complete:
            self._stop_request()
        elif self._request_timer is None and not self.transport.is_closing():
            self._watch_request()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop()
        self._watch_writing()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop()

    def _watch_writing(self) -> None:
        self._unwritten = self._buffered
        self._timer = self.loop.call_later(WRITE_SECONDS, self._check_writing)

    def _check_writing(self) -> None:
        if self._buffered < self._unwritten:
            self._watch_writing()
        else:
            self.transport.abort()

    @property
    def _buffered(self) -> int:
        """The bytes that the peer has not taken; asyncio's TLS has no public way to those below it."""
        below = getattr(getattr(self.transport, "_ssl_protocol", None), "_transport", None)
        return self.transport.get_write_buffer_size() + (below.get_write_buffer_size() if below else 0)

    def _watch_request(self) -> None:
        self._request_timer = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop_request(self) -> None:
        if self._request_timer:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop(self) -> None:
        if self._timer:
            self._timer.cancel()


def _listener(listen: str) -> socket.socket:
    if listen.startswith("unix:"):
        return _unix_listener(listen.removeprefix("unix:"))
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=2048)


def _unix_listener(path: str) -> socket.socket:
    """Listens at a path, also where a process that was killed has left its socket."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        try:
            listener.bind(path)
        except OSError:
            if not _is_left(path):
                raise
            Path(path).unlink()
            listener.bind(path)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _is_left(path: str) -> bool:
    """Whether there is a socket at a path and nobody listens."""
    if not Path(path).is_socket():
        return False
    with socket.socket(socket.AF_UNIX) as peer:
        try:
            peer.connect(path)
        except ConnectionRefusedError:
            return True
    return False


def _remove_socket(listen: str) -> None:
    if listen.startswith("unix:"):
        Path(listen.removeprefix("unix:")).unlink(missing_ok=True)


def _url(listener: socket.socket, listen: str, *, secure: bool) -> str:
    host = listen.rpartition(":")[0]
    return f"http{'s' if secure else ''}://{host}:{listener.getsockname()[1]}"


def _allow_connections() -> None:
    """Lets the process have as many connections as the system allows: each reader is one."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
