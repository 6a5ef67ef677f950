"""Subscribers that disconnect, stall or read slowly, and servers and gateways that stop."""

import asyncio
import json
import socket
import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

import httpx
import pytest
import uvicorn

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf
from openresponses_grpc.gateway import Gateway, running_gateway
from openresponses_grpc.gateway import _server as server
from openresponses_grpc.gateway._server import ServerFiles
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore

from ..support.certificates import Certificates
from .streams import data, delta, deltas, error_of, events, path, publish, reading

MIB: Final = 1 << 20


@asynccontextmanager
async def service_and_gateway() -> AsyncIterator[tuple[StreamService, Gateway, str, AsyncEventStreamClient]]:
    """Yields a service, a gateway with its URL, and a client."""
    service = StreamService(MemoryStore(), idle_interval=0.1)
    async with (
        running_server(service, "127.0.0.1:0") as address,
        AsyncEventStreamClient(address) as client,
        running_gateway(gateway := Gateway(client, keep_alive=0.1), "127.0.0.1:0") as url,
    ):
        yield service, gateway, url, client


async def wait_until(condition: Callable[[], bool]) -> None:
    """Polls until the condition holds; the timeout of the test bounds the wait."""
    while not condition():  # noqa: ASYNC110 - nothing signals the change
        await asyncio.sleep(0.01)


def subscribers(service: StreamService) -> float | None:
    return service.metrics.registry.get_sample_value("openresponses_open_subscribers")


def open_streams(gateway: Gateway) -> float | None:
    return gateway.metrics.registry.get_sample_value("openresponses_gateway_open_streams")


async def connect_without_reading(url: str, stream_id: str, *, receive_buffer: int | None = None) -> socket.socket:
    """Opens a connection that has sent its request and does not read."""
    connection = socket.socket()
    if receive_buffer:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    host, _, port = url.removeprefix("http://").partition(":")
    connection.connect((host, int(port)))
    connection.sendall(f"GET {path(stream_id)} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
    return connection


@pytest.mark.parametrize("stream_id", ["live", "missing"])
async def test_a_subscriber_that_disconnects_ends_its_call(stream_id: str) -> None:
    async with service_and_gateway() as (service, gateway, url, client), client.publish("live") as publisher:
        await publisher.flush()
        async with httpx.AsyncClient(base_url=url) as http:
            left = [asyncio.create_task(http.get(path(stream_id, wait=60))) for _ in range(5)]
            await wait_until(lambda: subscribers(service) == 5)
            for task in left:
                task.cancel()
            await asyncio.wait(left)
        await wait_until(lambda: subscribers(service) == 0 and open_streams(gateway) == 0)


async def test_a_subscriber_that_does_not_read_uses_bounded_memory_and_blocks_nobody() -> None:
    sent = [delta(number, "x" * 50_000) for number in range(600)]
    async with service_and_gateway() as (_, gateway, url, client), httpx.AsyncClient(base_url=url, timeout=60) as http:
        await publish(client, "s", sent)
        stopped = [await connect_without_reading(url, "s", receive_buffer=4096) for _ in range(3)]
        await wait_until(lambda: open_streams(gateway) == 3)
        size = len((await http.get(path("s"))).content)
        assert size > 28 * MIB
        sent_bytes = gateway.metrics.registry.get_sample_value("openresponses_gateway_sent_bytes_total")
        assert sent_bytes is not None
        # Each connection holds at most its system buffers and one write of the gateway.
        assert sent_bytes - size < 3 * 6 * MIB
        assert open_streams(gateway) == 3
        # A stopped subscriber that reads again gets the rest.
        received = await asyncio.to_thread(_read_to_end, stopped[0])
        assert received.count(b"\nevent: response.output_text.delta\n") == len(sent)
        assert b"data: [DONE]" in received[-100:]
        for connection in stopped:
            connection.close()


def _read_to_end(connection: socket.socket) -> bytes:
    received = bytearray()
    while b"data: [DONE]" not in received[-100:]:
        received += connection.recv(MIB)
    return bytes(received)


async def test_a_subscriber_that_does_not_read_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.2)
    async with service_and_gateway() as (service, gateway, url, client):
        await publish(client, "s", [delta(number, "x" * 50_000) for number in range(1000)])
        with await connect_without_reading(url, "s", receive_buffer=4096):
            await wait_until(lambda: open_streams(gateway) == 1)
            await wait_until(lambda: open_streams(gateway) == 0 and subscribers(service) == 0)


@pytest.mark.parametrize("tls", [False, True], ids=["plain", "TLS"])
async def test_a_slow_subscriber_keeps_its_connection(
    tls: bool, monkeypatch: pytest.MonkeyPatch, certificates: Certificates
) -> None:
    monkeypatch.setattr(server, "WRITE_SECONDS", 0.5)
    size = 12 * MIB
    files = ServerFiles(certificates.cert, certificates.key) if tls else None
    async with (
        running_server(StreamService(MemoryStore()), "127.0.0.1:0") as address,
        AsyncEventStreamClient(address) as client,
        running_gateway(Gateway(client), "127.0.0.1:0", files=files) as url,
    ):
        await publish(client, "s", [delta(0, "x" * size)])
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
        host, _, port = url.rpartition("/")[2].partition(":")
        connection.connect((host, int(port)))
        context = ssl.create_default_context(cafile=certificates.ca) if tls else None
        reader, writer = await asyncio.open_connection(
            sock=connection, ssl=context, server_hostname="localhost" if tls else None, limit=1 << 16
        )
        writer.write(f"GET {path('s')} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        received = bytearray()
        while b"data: [DONE]" not in received[-100:]:
            part = await reader.read(MIB)
            assert part, "the connection was closed"
            received += part
            await asyncio.sleep(0.02 if len(received) < size else 0)  # 100 parts or more
        assert len(received) > size
        writer.close()


async def test_a_connection_without_a_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.1)
    async with service_and_gateway() as (_, _, url, _):
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            assert await reader.read() == b""
            raise ConnectionError
        writer.close()


async def test_a_connection_with_a_partial_later_request_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "REQUEST_SECONDS", 0.1)
    async with service_and_gateway() as (_, gateway, url, client), client.publish("live") as publisher:
        await publish(client, "s", deltas(1))
        await publisher.flush()
        host, _, port = url.removeprefix("http://").partition(":")
        reader, writer = await asyncio.open_connection(host, int(port))
        for _ in range(2):
            writer.write(f"GET {path('s')} HTTP/1.1\r\nHost: {host}\r\n\r\n".encode())
            await reader.readuntil(b"\r\n0\r\n\r\n")
        writer.write(b"GET / HTTP/1.1\r\n")
        with pytest.raises(ConnectionError):
            assert await reader.read() == b""
            raise ConnectionError
        writer.close()
        # The timeout applies to requests and not to responses.
        with await connect_without_reading(url, "live"):
            await wait_until(lambda: open_streams(gateway) == 1)
            await asyncio.sleep(0.3)
            assert open_streams(gateway) == 1


async def test_subscribers_of_a_stopping_gateway_resume_at_another_one() -> None:
    sent = deltas(4)
    async with service_and_gateway() as (_, other, url, client), client.publish("s") as publisher:
        stopping = Gateway(client)
        async with AsyncExitStack() as stack:
            first = await stack.enter_async_context(running_gateway(stopping, "127.0.0.1:0"))
            http = await stack.enter_async_context(httpx.AsyncClient(base_url=first))
            for event in sent[:2]:
                await publisher.send(json_to_protobuf(json.dumps(event)))
            await publisher.flush()
            waiting = asyncio.create_task(http.get(path("missing", wait=60)))
            async with reading(http, "s") as blocks:
                assert await events(blocks, 1) == sent[:1]
                position = None
                while position is None:
                    block = await anext(blocks)
                    position = block.id if not isinstance(block, str) else None
                await wait_until(lambda: open_streams(stopping) == 2)
                stopping.drain()
                # Neither the response nor the stream ends normally.
                with pytest.raises(httpx.RemoteProtocolError):
                    await anext(blocks)
            assert error_of(await waiting) == (503, "SHUTTING_DOWN", None)
            assert error_of(await http.get(path("s"))) == (503, "SHUTTING_DOWN", None)
        async with httpx.AsyncClient(base_url=url) as http:
            rest = asyncio.create_task(data(http, "s", position=position))
            for event in sent[2:]:
                await publisher.send(json_to_protobuf(json.dumps(event)))
            await publisher.__aexit__(None, None, None)
            assert await rest == [*sent[2:], "[DONE]"]
        assert other.metrics.registry.get_sample_value("openresponses_gateway_events_sent_total") == 2


async def test_a_stream_continues_after_a_restart_of_the_server() -> None:
    store = MemoryStore()
    sent = deltas(4)
    async with AsyncExitStack() as outer:
        stack = await outer.enter_async_context(AsyncExitStack())
        address = await stack.enter_async_context(running_server(StreamService(store), "127.0.0.1:0", grace=0))
        client = await outer.enter_async_context(AsyncEventStreamClient(address))
        url = await outer.enter_async_context(running_gateway(Gateway(client), "127.0.0.1:0"))
        http = await outer.enter_async_context(httpx.AsyncClient(base_url=url, timeout=60))
        async with client.publish("s") as publisher:
            await publisher.send(json_to_protobuf(json.dumps(sent[0])))
            await publisher.flush()
            async with reading(http, "s") as blocks:
                assert await events(blocks, 1) == sent[:1]
                await stack.aclose()
                await outer.enter_async_context(running_server(StreamService(store), address))
                for event in sent[1:]:
                    await publisher.send(json_to_protobuf(json.dumps(event)))
                assert await events(blocks, 3) == sent[1:]


async def test_a_subscriber_is_disconnected_if_the_server_stops_before_the_first_event() -> None:
    store = MemoryStore()
    async with AsyncExitStack() as stack:
        server_stack = await stack.enter_async_context(AsyncExitStack())
        address = await server_stack.enter_async_context(running_server(StreamService(store), "127.0.0.1:0"))
        client = await stack.enter_async_context(AsyncEventStreamClient(address))
        url = await stack.enter_async_context(running_gateway(Gateway(client, keep_alive=0.1), "127.0.0.1:0"))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=url, timeout=30))
        publisher = await stack.enter_async_context(client.publish("s"))
        for event in deltas(3):
            await publisher.send(json_to_protobuf(json.dumps(event)))
        await publisher.flush()
        async with reading(http, "s", starting_after=100) as blocks:
            assert isinstance(await anext(blocks), str)  # the search waits at offset 100
            stopping = asyncio.create_task(server_stack.aclose())
            with pytest.raises(httpx.RemoteProtocolError):
                while True:
                    assert isinstance(await anext(blocks), str)
            await stopping
        await server_stack.enter_async_context(
            running_server(StreamService(store), address)
        )  # so that the publisher can end the stream


async def test_a_failure_of_uvicorn_ends_the_gateway(monkeypatch: pytest.MonkeyPatch) -> None:
    async def broken(_: uvicorn.Server) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(uvicorn.Server, "main_loop", broken)
    async with AsyncEventStreamClient("127.0.0.1:1") as client:
        with pytest.raises(ZeroDivisionError):
            async with running_gateway(Gateway(client), "127.0.0.1:0"):
                await asyncio.Event().wait()
