"""GET without `stream=true`: the current state of a response."""

import json

import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf
from openresponses_grpc.gateway import Gateway, running_gateway
from openresponses_grpc.gateway import _snapshot as snapshot
from openresponses_grpc.server._auth import parse_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore, StoreLimits
from openresponses_grpc.v1.stream_service_pb2 import StreamInfo

from ..support.tokens import entry
from .streams import deltas, error_of, lifecycle, path, publish

EXACT = {"metadata": {"b": "1", "a": "2"}, "vendor": {"n": 12345678901234567890, "f": 1.50}, "usage": None}


@pytest.mark.parametrize("rest", [0, 10, 500], ids=lambda rest: f"{rest} events later")
@pytest.mark.parametrize("name", ["created", "queued", "in_progress", "completed", "failed", "incomplete"])
async def test_the_snapshot_is_the_response_of_the_last_lifecycle_event(
    name: str, rest: int, client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    last = lifecycle(name, **EXACT)
    log = [lifecycle("created"), *deltas(3), last, *deltas(rest)]
    await publish(client, "s", log)
    response = await http.get("/v1/responses/s")
    assert response.status_code == 200
    assert (response.headers["content-type"], response.headers["cache-control"]) == ("application/json", "no-store")
    assert response.json() == last["response"]
    assert "12345678901234567890" in response.text


async def test_the_snapshot_follows_a_growing_stream_without_waiting(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    async with client.publish("s") as publisher:
        for name in ("created", "in_progress", "completed"):
            for event in (lifecycle(name), *deltas(2)):
                await publisher.send(json_to_protobuf(json.dumps(event)))
            await publisher.flush()
            assert (await http.get("/v1/responses/s")).json()["status"] == name


async def test_a_stream_without_a_response_is_not_found(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(3))
    await publish(client, "empty", [])
    for stream_id in ("s", "empty"):
        assert error_of(await http.get(f"/v1/responses/{stream_id}")) == (404, "RESPONSE_NOT_FOUND", None)


@pytest.mark.parametrize("token", ["viewer", "all"])
async def test_the_snapshot_of_an_abandoned_stream_is_unchanged(token: str) -> None:
    tokens = (
        entry("relay", "relay", may='["publish"]')
        + entry("viewer", "viewer", may='["subscribe"]')
        + entry("all", "all", may='["subscribe", "inspect"]')
    )
    service = StreamService(MemoryStore(StoreLimits(abandon_after=0.1)), tokens=parse_tokens(tokens))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        AsyncEventStreamClient(address, token="relay") as relay,
        AsyncEventStreamClient(address, token=token) as client,
        running_gateway(Gateway(client, token=token), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url, timeout=30) as http,
    ):
        with pytest.raises(ZeroDivisionError):
            async with relay.publish("s") as publisher:
                await publisher.send(json_to_protobuf(json.dumps(lifecycle("in_progress"))))
                await publisher.flush()
                raise ZeroDivisionError
        assert "STREAM_ABANDONED" in (await http.get(path("s"))).text
        assert (await http.get("/v1/responses/s")).json()["status"] == "in_progress"


class _RecreatingClient(AsyncEventStreamClient):
    """A client whose stream is deleted and recreated between two of its calls."""

    async def get_stream(self, stream_id: str) -> StreamInfo:
        info = await super().get_stream(stream_id)
        if info.next_offset > 1:
            await self.delete_stream(stream_id)
            await publish(self, stream_id, [lifecycle("queued")])
        return info


async def test_a_stream_recreated_during_the_request_is_not_waited_for(server: str) -> None:
    async with (
        _RecreatingClient(server) as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        await publish(client, "s", [lifecycle("created"), *deltas(100)])
        assert (await http.get("/v1/responses/s")).json()["status"] == "queued"


async def test_the_snapshot_of_a_failed_stream_has_failed(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "open", [lifecycle("in_progress", **EXACT)], failure="UPSTREAM_TIMEOUT")
    response = (await http.get("/v1/responses/open")).json()
    error = {"code": "UPSTREAM_TIMEOUT", "message": "the upstream is gone"}
    assert response == lifecycle("in_progress", **EXACT)["response"] | {"status": "failed", "error": error}
    await publish(client, "ended", [lifecycle("completed")], failure="LATE")
    assert (await http.get("/v1/responses/ended")).json() == lifecycle("completed")["response"]


async def test_a_snapshot_request_with_wait_returns_at_once_if_the_stream_exists(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", [lifecycle("created")])
    assert (await http.get("/v1/responses/s?wait=60")).json()["status"] == "created"


async def test_a_server_that_does_not_start_in_time_is_504(
    monkeypatch: pytest.MonkeyPatch, unused_tcp_port: int
) -> None:
    monkeypatch.setattr(snapshot, "_TIMEOUT", 0.1)
    async with (
        AsyncEventStreamClient(f"127.0.0.1:{unused_tcp_port}", wait_for_ready=True) as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        assert error_of(await http.get("/v1/responses/s")) == (504, "DEADLINE_EXCEEDED", None)
