"""Files that a running server reloads: tokens and certificates; and the expiry of certificates."""

import asyncio
import hashlib
import logging
import shutil
import signal
import ssl
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from logging.handlers import QueueHandler
from pathlib import Path
from typing import Any, cast

import grpc
import pytest
import trustme
from cryptography import x509

from openresponses_grpc.cli._upkeep import kept_up
from openresponses_grpc.server._auth import Tokens
from openresponses_grpc.server._expiry import SOON_SECONDS, ExpiryWatch, expires_at
from openresponses_grpc.server._reload import Reloaded, read_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.server._tls import ServerFiles, channel_credentials, read_server_files
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..cli.processes import serving
from ..support.events import event
from ..support.rpc import reason, status, status_of


def entry(name: str, may: str = '"publish", "subscribe"', streams: str = "*", expires: str = "") -> str:
    digest = hashlib.sha256(f"{name}-token".encode()).hexdigest()
    expiry = f"expires = {expires}\n" if expires else ""
    return f'[[token]]\nname = "{name}"\nsha256 = "{digest}"\nmay = [{may}]\nstreams = "{streams}"\n{expiry}'


class Server:
    """The address of a server, and its log by a function that returns the next line."""

    def __init__(self, address: str, next_line: Callable[[], Awaitable[str]]) -> None:
        self.address = address
        self._next_line = next_line

    async def logged(self, text: str) -> str:
        """Returns the next line of the log that contains the text."""
        lines = []
        while line := await self._next_line():
            lines.append(line)
            if text in line:
                return line
        raise AssertionError(f"no line with {text!r} in {lines}")


@asynccontextmanager
async def started(*arguments: str | Path) -> AsyncIterator[tuple[Server, Process]]:
    """Runs a server process, which checks its files every second."""

    async def next_line() -> str:
        assert process.stderr
        return (await process.stderr.readline()).decode()

    async with serving(*arguments) as (process, address):
        yield Server(address, next_line), process


@asynccontextmanager
async def running(
    tokens: Reloaded[Tokens] | None = None, files: Reloaded[ServerFiles] | None = None
) -> AsyncIterator[Server]:
    """Runs a server in the event loop of the test, which checks its files more often."""
    records: asyncio.Queue[logging.LogRecord] = asyncio.Queue()

    async def next_line() -> str:
        return (await records.get()).getMessage()

    service = StreamService(MemoryStore(), tokens=tokens.value if tokens else None)
    logger, handler = logging.getLogger("openresponses_grpc"), QueueHandler(cast("Any", records))
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        async with (
            kept_up(service, tokens, files, seconds=0.02) as credentials,
            running_server(service, "127.0.0.1:0", credentials=credentials) as address,
        ):
            yield Server(address, next_line)
    finally:
        logger.removeHandler(handler)
        logger.setLevel(logging.NOTSET)


def reloaded_tokens(file: Path) -> Reloaded[Tokens]:
    return Reloaded([file], partial(read_tokens, file))


def metadata(name: str) -> tuple[tuple[str, str], ...]:
    return (("authorization", f"Bearer {name}-token"),)


class Subscription:
    """An open call that waits for the next event of a stream."""

    def __init__(self, channel: grpc.aio.Channel, name: str, stream_id: str = "s") -> None:
        stub = OpenResponsesStreamServiceStub(channel)
        self.call: Any = stub.Subscribe(SubscribeRequest(stream_id=stream_id), metadata=metadata(name))

    async def read(self) -> int:
        """Returns the number of events in the next response."""
        return len((await self.call.read()).events)

    async def ended(self) -> tuple[grpc.StatusCode, str]:
        """Returns the status code of the call and its reason."""
        code, details = await status(self.call.read())
        return code, reason(details)


async def publish(channel: grpc.aio.Channel, name: str, stream_id: str = "s") -> None:
    call: Any = OpenResponsesStreamServiceStub(channel).Publish(metadata=metadata(name))
    await call.write(PublishRequest(stream_id=stream_id, events=[event(0)]))
    assert (await call.read()).next_offset
    await call.done_writing()
    assert await call.code() == grpc.StatusCode.OK


@pytest.mark.parametrize("how", ["replaced", "rewritten", "SIGHUP"])
async def test_a_revoked_token_ends_its_calls_and_no_others(tmp_path: Path, how: str) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(entry("relay") + entry("viewer") + entry("guest") + entry("narrowed"))
    async with AsyncExitStack() as stack:
        if how == "SIGHUP":
            server, process = await stack.enter_async_context(started("--tokens", tokens))
        else:
            server = await stack.enter_async_context(running(reloaded_tokens(tokens)))
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(server.address))
        await publish(channel, "relay")
        names = ("viewer", "guest", "narrowed", "relay")
        calls = {name: Subscription(channel, name) for name in names}
        for call in calls.values():
            assert await call.read() == 1
        text = entry("relay") + entry("viewer", streams="s") + entry("narrowed", streams="t") + entry("new")
        if how == "replaced":
            (tmp_path / "next").write_text(text)
            (tmp_path / "next").rename(tokens)
        else:
            tokens.write_text(text)
        if how == "SIGHUP":
            process.send_signal(signal.SIGHUP)
        assert await calls["guest"].ended() == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_REVOKED")
        assert await calls["narrowed"].ended() == (grpc.StatusCode.PERMISSION_DENIED, "NOT_PERMITTED")
        await publish(channel, "new")
        for name in ("viewer", "relay"):
            assert await calls[name].read() == 1
        assert await Subscription(channel, "guest").ended() == (grpc.StatusCode.UNAUTHENTICATED, "TOKEN_UNKNOWN")
        await server.logged(f"reloaded {tokens}")


@pytest.mark.parametrize(
    "damage, problem",
    [
        (lambda file: file.write_text("token = 1"), "tokens.toml: Expected `array`"),
        (lambda file: file.write_bytes(b"\xff"), "tokens.toml: 'utf-8' codec can't decode"),
        (lambda file: file.unlink(), "No such file or directory"),
    ],
)
async def test_an_invalid_token_file_is_logged_and_the_previous_tokens_stay(
    tmp_path: Path, damage: Callable[[Path], object], problem: str
) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(entry("relay"))
    async with (
        running(reloaded_tokens(tokens)) as server,
        grpc.aio.insecure_channel(server.address) as channel,
    ):
        await publish(channel, "relay")
        call = Subscription(channel, "relay")
        assert await call.read() == 1
        damage(tokens)
        line = await server.logged("cannot reload")
        assert problem in line
        assert "the previous contents stay in use" in line
        await publish(channel, "relay")
        assert await call.read() == 1
        tokens.write_text(entry("relay") + entry("new"))
        await server.logged("reloaded")
        await publish(channel, "new")
        assert await call.read() == 1


async def test_sighup_without_files_changes_nothing() -> None:
    async with started() as (server, process), grpc.aio.insecure_channel(server.address) as channel:
        await publish(channel, "anyone")
        process.send_signal(signal.SIGHUP)
        await server.logged("SIGHUP: no token or TLS files to reload")
        await publish(channel, "anyone")


def write_pair(folder: Path, ca: trustme.CA, **validity: Any) -> None:
    made = ca.issue_cert("127.0.0.1", **validity)
    (folder / "cert.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(folder / "key.pem")


async def test_new_certificates_apply_to_new_connections_and_calls_stay_open(tmp_path: Path) -> None:
    old, new = trustme.CA(), trustme.CA()
    old.cert_pem.write_to_path(tmp_path / "old.pem")
    new.cert_pem.write_to_path(tmp_path / "new.pem")
    write_pair(tmp_path, old)
    shutil.copy(tmp_path / "old.pem", tmp_path / "clients.pem")
    made = old.issue_cert("client@example.org")
    (tmp_path / "client.pem").write_bytes(b"".join(blob.bytes() for blob in made.cert_chain_pems))
    made.private_key_pem.write_to_path(tmp_path / "client-key.pem")

    def trusting(roots: str) -> grpc.ChannelCredentials:
        return channel_credentials(tmp_path / roots, tmp_path / "client.pem", tmp_path / "client-key.pem")

    async with (
        started(
            *("--tls-cert", tmp_path / "cert.pem", "--tls-key", tmp_path / "key.pem"),
            *("--tls-client-ca", tmp_path / "clients.pem"),
        ) as (server, _),
        grpc.aio.secure_channel(server.address, trusting("old.pem")) as before,
    ):
        await publish(before, "anyone")
        call = Subscription(before, "anyone")
        assert await call.read() == 1
        (tmp_path / "key.pem").write_bytes(b"no key")
        assert "cert.pem" in await server.logged("cannot reload")
        async with grpc.aio.secure_channel(server.address, trusting("old.pem")) as channel:
            await publish(channel, "anyone")
        write_pair(tmp_path, new)
        await server.logged("reloaded")
        async with grpc.aio.secure_channel(server.address, trusting("new.pem")) as channel:
            await publish(channel, "anyone")
        async with grpc.aio.secure_channel(server.address, trusting("old.pem")) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await publish(channel, "anyone")
            assert status_of(caught.value)[0] == grpc.StatusCode.UNAVAILABLE
        assert [await call.read(), await call.read()] == [1, 1]
        shutil.copy(tmp_path / "new.pem", tmp_path / "clients.pem")
        await server.logged("reloaded")
        async with grpc.aio.secure_channel(server.address, trusting("new.pem")) as channel:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await publish(channel, "anyone")
            assert status_of(caught.value)[0] == grpc.StatusCode.UNAVAILABLE
        await publish(before, "anyone")
        assert await call.read() == 1


async def test_an_expired_certificate_is_reported_at_the_start(tmp_path: Path) -> None:
    ca = trustme.CA()
    clients, cert, key = tmp_path / "clients.pem", tmp_path / "cert.pem", tmp_path / "key.pem"
    ca.cert_pem.write_to_path(clients)
    write_pair(tmp_path, ca, not_before=datetime(2020, 1, 1), not_after=datetime(2021, 1, 31, 12))
    files = Reloaded([cert, key, clients], partial(read_server_files, cert, key, clients))
    async with running(files=files) as server:
        line = await server.logged("has expired")
        assert line.rstrip().endswith("cert.pem has expired: notAfter is 2021-01-31T12:00:00+00:00")
        write_pair(tmp_path, ca, not_after=datetime.now(UTC) + timedelta(days=3))
        await server.logged("reloaded")
        assert "cert.pem expires soon" in await server.logged("expires")


async def test_a_metric_reports_the_expiry_of_each_certificate(tmp_path: Path) -> None:
    def expires() -> float | None:
        return service.metrics.registry.get_sample_value(
            "openresponses_certificate_expires_seconds", {"file": str(tmp_path / "cert.pem")}
        )

    ca, end = trustme.CA(), datetime(2031, 1, 31, 12, tzinfo=UTC)
    write_pair(tmp_path, ca, not_after=end)
    cert, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    files = Reloaded([cert, key], partial(read_server_files, cert, key, None))
    service = StreamService(MemoryStore())
    async with kept_up(service, None, files):
        assert expires() == end.timestamp()


async def test_each_stage_of_a_certificate_expiry_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    times = [0.0, 9.0, 10.0, 11.0, SOON_SECONDS + 9, SOON_SECONDS + 10, SOON_SECONDS + 11]
    reported, clock = [], iter(times)
    watch = ExpiryWatch(
        lambda: {"cert.pem": SOON_SECONDS + 10}, lambda *values: reported.append(values), clock=lambda: next(clock)
    )
    for _ in times:
        await watch.check()
    assert [(line.levelno, line.getMessage().split(":")[0]) for line in caplog.records] == [
        (logging.WARNING, "a certificate in cert.pem expires soon"),
        (logging.ERROR, "a certificate in cert.pem has expired"),
    ]
    assert reported == [("cert.pem", SOON_SECONDS + 10)] * 7


@pytest.mark.parametrize("year", [1970, 2000, 2049, 2050, 2099, 9999])
def test_the_earliest_expiry_in_a_file_counts(year: int) -> None:
    ca = trustme.CA()
    before, after = datetime(1960, 1, 1), datetime(year, 12, 31, 23, 59, 59)
    first = ca.issue_cert("127.0.0.1", not_before=before, not_after=after)
    other = ca.issue_cert("127.0.0.1", not_before=before, not_after=datetime(9999, 12, 31, 23, 59, 59))
    pem = b"".join(made.cert_chain_pems[0].bytes() for made in (other, first))
    [expected] = {
        min(certificate.not_valid_after_utc for certificate in x509.load_pem_x509_certificates(pem)),
        after.replace(tzinfo=UTC),
    }
    assert expires_at(b"A comment.\n" + pem) == expected.timestamp()


@pytest.mark.parametrize("size", [0, 1, 20, 50, 100])
def test_a_certificate_without_a_readable_expiry_is_rejected(size: int) -> None:
    der = ssl.PEM_cert_to_DER_cert(trustme.CA().cert_pem.bytes().decode())
    assert expires_at(ssl.DER_cert_to_PEM_cert(der).encode())
    with pytest.raises(ValueError):
        expires_at(ssl.DER_cert_to_PEM_cert(der[:size]).encode())
