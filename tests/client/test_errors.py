"""Error messages for unreachable servers and refused calls, as gRPC reports them on loopback."""

import asyncio
from collections.abc import AsyncIterator

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient, StreamError
from openresponses_grpc.client._advice import advice
from openresponses_grpc.server._auth import parse_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.server._tls import ServerTLS, channel_credentials, read_server_files
from openresponses_grpc.store import MemoryStore

from ..support.certificates import Certificates
from ..support.events import event

TOKENS = """[[token]]
name = "t"
sha256 = "0000000000000000000000000000000000000000000000000000000000000000"
may = ["publish"]
streams = "*"
"""


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("grpc_proxy", "https_proxy", "http_proxy", "no_grpc_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
async def http_server() -> AsyncIterator[str]:
    """The address of a server that replies to everything with an HTTP/1.1 error, as some proxies do."""

    async def reply(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(100)
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n")
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(reply, "127.0.0.1", 0) as listener:
        yield f"127.0.0.1:{listener.sockets[0].getsockname()[1]}"


async def failure(target: str, credentials: grpc.ChannelCredentials | None = None) -> str:
    """Returns the error message of a call, after checking that both clients give the same advice."""

    def in_thread() -> str:
        with EventStreamClient(target, credentials=credentials) as client, pytest.raises(StreamError) as caught:
            client.get_stream("s")
        return str(caught.value)

    async with AsyncEventStreamClient(target, credentials=credentials) as client:
        with pytest.raises(StreamError) as caught:
            await anext(client.subscribe("s"))
        with pytest.raises(StreamError):
            await client.publish("s").__aenter__()
    assert caught.value.code == grpc.StatusCode.UNAVAILABLE
    assert (caught.value.stream_id, caught.value.server) == ("s", target)
    text = str(caught.value)
    assert text.startswith(f"UNAVAILABLE: stream 's' at {target}")
    assert (await asyncio.to_thread(in_thread)).rpartition("; ")[2] == text.rpartition("; ")[2]
    return text


@pytest.mark.parametrize(
    "target, remedy",
    [
        ("127.0.0.1", "the address has no port, so gRPC uses 443: use HOST:PORT"),
        ("http://127.0.0.1:50051", "the address is a URL: use HOST:PORT"),
        ("127.0.0.1:1", "start the server, check the port, or wait for the server with wait_for_ready"),
        ("unix:/nonexistent/socket", "start the server, check the path, or wait for the server with wait_for_ready"),
    ],
)
async def test_a_target_without_a_server_is_explained(target: str, remedy: str) -> None:
    assert (await failure(target)).endswith(f"; {remedy}")


async def test_tls_on_one_side_only_is_explained(server: str, certificates: Certificates) -> None:
    files = certificates
    assert (await failure(server, channel_credentials(files.ca))).endswith(
        "; the server does not use TLS: connect without TLS"
    )
    credentials = ServerTLS(read_server_files(files.cert, files.key, None)).credentials
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        assert (await failure(address)).endswith("; the server may require TLS")
        assert "does not trust the server's certificate" in await failure(address, channel_credentials(files.other_ca))
    credentials = ServerTLS(read_server_files(files.cert, files.key, files.ca)).credentials
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        assert "client certificate" in await failure(address, channel_credentials(files.ca))


async def test_a_server_with_another_protocol_is_explained(http_server: str) -> None:
    assert (await failure(http_server)).endswith("; this port does not serve gRPC: check the port")


@pytest.mark.parametrize("variable", ["grpc_proxy", "https_proxy", "http_proxy"])
async def test_a_proxy_in_the_environment_is_named(
    server: str, http_server: str, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(variable, f"http://user:secret@{http_server}")
    text = await failure(server)
    assert text.endswith(
        f"; gRPC connects through the proxy in {variable}: unset it, or add the server's host to no_proxy"
    )
    assert "secret" not in text
    monkeypatch.setenv("no_proxy", "localhost,127.0.0.1")
    async with AsyncEventStreamClient(server) as client:
        assert [info async for info in client.list_streams()] == []
    assert "proxy" not in await failure("127.0.0.1:1")


async def test_a_missing_token_is_explained() -> None:
    service = StreamService(MemoryStore(), tokens=parse_tokens(TOKENS))
    async with running_server(service, "127.0.0.1:0") as address:
        for token, reason, remedy in (
            (None, "TOKEN_MISSING", "pass a token to the client"),
            ("wrong", "TOKEN_UNKNOWN", "check the client's token"),
        ):
            async with AsyncEventStreamClient(address, token=token) as client:
                with pytest.raises(StreamError) as caught:
                    await client.get_stream("s")
            assert caught.value.reason == reason
            assert str(caught.value).endswith(f"; {remedy}")


async def test_a_first_call_is_retried_if_the_server_requests_it() -> None:
    service = StreamService(MemoryStore(), max_calls=1, idle_interval=0.1)
    async with running_server(service, "127.0.0.1:0") as address, AsyncEventStreamClient(address) as client:
        async with client.publish("s") as publisher:
            calls = [asyncio.create_task(anext(client.subscribe("s"))), asyncio.create_task(client.get_stream("s"))]
            await publisher.send(event(0))
            done, _ = await asyncio.wait(calls, timeout=0.2)
            assert not done
        await asyncio.gather(*calls)


def test_an_empty_target_is_rejected() -> None:
    for client in (AsyncEventStreamClient, EventStreamClient):
        with pytest.raises(ValueError, match="use HOST:PORT"):
            client("")


def test_an_unknown_error_has_no_advice() -> None:
    for code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.INTERNAL):
        assert advice(code, "", "Socket closed", server="localhost:1", secure=False) == ""
