"""Runs the gateway's HTTP server, and drains it."""

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
"""Write timeout: the connection of a reader that accepts no data for this long is aborted."""

KEEP_ALIVE_SECONDS: Final = 75
"""Idle timeout between requests. Longer than the idle timeout of usual proxies, which otherwise report errors."""

REQUEST_SECONDS: Final = 30.0
"""Timeout for receiving a request, from its first byte, or from the start of the connection for the first request."""


class ServerFiles(NamedTuple):
    """The PEM files of a TLS server.

    Attributes:
        cert: certificate chain of the server.
        key: private key of the certificate.
        client_ca: root certificates for required client certificates; None requires none.

    """

    cert: Path
    key: Path
    client_ca: Path | None = None


@asynccontextmanager
async def running_gateway(
    gateway: Gateway, listen: str, *, files: ServerFiles | None = None, grace: float = DRAIN_SECONDS
) -> AsyncIterator[str]:
    """Serves until the context exits, then drains: it aborts the streams, whose readers resume elsewhere.

    Args:
        gateway: the gateway.
        listen: `host:port`, where port 0 selects a free port, or `unix:PATH`.
        files: TLS files; None serves plain HTTP.
        grace: seconds for responses to end after the context exits.

    Yields:
        The URL, or `unix:PATH` for a Unix socket.

    Raises:
        ListenError: the server cannot listen on the address.
        Exception: the server failed. The body of the context is cancelled.

    """
    try:
        listener = _listener(listen)
    except (OSError, OverflowError, ValueError) as error:
        raise ListenError(f"cannot listen on {listen}: {error}") from None
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
        log_level="critical",  # the gateway logs its requests itself; uvicorn would log an error for each aborted one
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
    """A uvicorn server that leaves signal handling to its caller."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


class _Protocol(H11Protocol):
    """A connection with timeouts for receiving a request and for writing."""

    _write_timer: asyncio.TimerHandle | None = None
    _request_timer: asyncio.TimerHandle | None = None
    _unwritten = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_request_timer()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_write_timer()
        self._stop_request_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self.cycle and not self.cycle.response_complete:
            self._stop_request_timer()
        elif self._request_timer is None and not self.transport.is_closing():
            self._start_request_timer()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._stop_write_timer()
        self._start_write_timer()

    def resume_writing(self) -> None:
        super().resume_writing()
        self._stop_write_timer()

    def _start_write_timer(self) -> None:
        self._unwritten = self._buffered
        self._write_timer = self.loop.call_later(WRITE_SECONDS, self._check_progress)

    def _check_progress(self) -> None:
        if self._buffered < self._unwritten:
            self._start_write_timer()
        else:
            self.transport.abort()

    @property
    def _buffered(self) -> int:
        """Bytes that the peer has not read. With TLS, asyncio has no public API for those of the transport below."""
        below = getattr(getattr(self.transport, "_ssl_protocol", None), "_transport", None)
        return self.transport.get_write_buffer_size() + (below.get_write_buffer_size() if below else 0)

    def _start_request_timer(self) -> None:
        self._request_timer = self.loop.call_later(REQUEST_SECONDS, self.transport.abort)

    def _stop_request_timer(self) -> None:
        if self._request_timer:
            self._request_timer.cancel()
            self._request_timer = None

    def _stop_write_timer(self) -> None:
        if self._write_timer:
            self._write_timer.cancel()


def _listener(listen: str) -> socket.socket:
    if listen.startswith("unix:"):
        return _unix_listener(listen.removeprefix("unix:"))
    host, _, port = listen.rpartition(":")
    family = socket.AF_INET6 if host.startswith("[") else socket.AF_INET
    return socket.create_server((host.strip("[]"), int(port)), family=family, backlog=2048)


def _unix_listener(path: str) -> socket.socket:
    """Listens on a Unix socket. Replaces a stale socket that a killed process left behind."""
    listener = socket.socket(socket.AF_UNIX)
    try:
        try:
            listener.bind(path)
        except OSError:
            if not _is_stale(path):
                raise
            Path(path).unlink()
            listener.bind(path)
        listener.listen(2048)
    except OSError:
        listener.close()
        raise
    return listener


def _is_stale(path: str) -> bool:
    """Returns whether a path is a Unix socket on which no process listens."""
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
    """Raises the limit of open files to the maximum: each reader needs a connection."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
