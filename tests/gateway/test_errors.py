"""Errors: a status with the JSON of the API before a stream starts, and an `error` event afterwards."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import grpc
import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient, StreamError, json_to_protobuf
from openresponses_grpc.gateway import Gateway, running_gateway
from openresponses_grpc.gateway._errors import HTTP_STATUSES, to_problem
from openresponses_grpc.position import Position
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.store._errors import OffsetTrimmedError, StoreUnavailableError
from openresponses_grpc.v1.common_pb2 import Unrecognized
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from .streams import Sent, data, delta, deltas, error_of, events, path, publish, read, reading


@pytest.mark.parametrize("code", grpc.StatusCode)
def test_every_grpc_status_maps_to_an_http_status_and_an_api_error(code: grpc.StatusCode) -> None:
    assert 200 <= HTTP_STATUSES[code] < 600
    problem = to_problem(StreamError(code, "text", details="text"))
    assert problem is not None
    assert problem.status == HTTP_STATUSES[code]
    assert problem.body["error"].keys() == {"message", "type", "code", "param"}


INVALID = {
    "stream=maybe": "stream",
    "stream=true&starting_after=-1": "starting_after",
    "stream=true&starting_after=x": "starting_after",
    "stream=true&starting_after=1.5": "starting_after",
    "stream=true&starting_after=": "starting_after",
    "wait=x": "wait",
    "wait=-1": "wait",
    "wait=nan": "wait",
    "stream=true&wait=61": "wait",
}


@pytest.mark.parametrize("query, param", INVALID.items(), ids=INVALID)
async def test_an_invalid_parameter_is_named_in_the_error(query: str, param: str, http: httpx.AsyncClient) -> None:
    assert error_of(await http.get(f"/v1/responses/s?{query}")) == (400, "INVALID_REQUEST", param)


async def test_unknown_paths_and_methods_are_api_errors(http: httpx.AsyncClient) -> None:
    for response in (await http.get("/v1/models"), await http.post("/v1/responses"), await http.get("/v1/responses")):
        assert error_of(response) == (404, "NOT_FOUND", None)
    assert error_of(await http.get("/v1/responses/?stream=true")) == (400, "INVALID_ARGUMENT", None)
    response = await http.post("/v1/responses/s")
    assert error_of(response) == (405, "METHOD_NOT_ALLOWED", None)
    assert "GET" in response.headers["allow"]


POSITIONS: dict[str, tuple[Callable[[Position], Position | str], tuple[int, str, str | None]]] = {
    "other epoch": (lambda it: it._replace(epoch=it.epoch ^ 1), (400, "EPOCH_MISMATCH", None)),
    "other checksum": (lambda it: it._replace(checksum=(it.checksum or 0) ^ 1), (400, "STREAM_DIVERGED", None)),
    "longer log": (lambda it: it._replace(offset=9, checked_offset=9), (400, "STREAM_DIVERGED", None)),
    "beyond the end": (lambda it: Position(it.epoch, 9), (400, "OFFSET_OUT_OF_RANGE", None)),
    "not a position": (lambda _: "17", (400, "INVALID_REQUEST", "Last-Event-ID")),
}


@pytest.mark.parametrize("change, expected", POSITIONS.values(), ids=POSITIONS)
async def test_a_position_that_does_not_match_the_log_is_an_error(
    change: Callable[[Position], Position | str],
    expected: tuple[int, str, str | None],
    client: AsyncEventStreamClient,
    http: httpx.AsyncClient,
) -> None:
    await publish(client, "s", deltas(5))
    position = Position.parse(str((await read(http, "s"))[2].id))
    for wait in (0, 30):
        response = await http.get(path("s", wait=wait), headers={"last-event-id": str(change(position))})
        assert error_of(response) == expected


async def test_a_position_of_a_deleted_stream_is_404_without_a_wait(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(5))
    position = str((await read(http, "s"))[2].id)
    await client.delete_stream("s")
    response = await http.get(path("s", wait=60), headers={"last-event-id": position})
    assert error_of(response) == (404, "STREAM_NOT_FOUND", None)


async def test_starting_after_the_end_of_a_complete_stream_is_an_error(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(5))
    assert error_of(await http.get(path("s", starting_after=5))) == (400, "OUT_OF_RANGE", "starting_after")
    assert error_of(await http.get(path("s", starting_after=10**15))) == (400, "OUT_OF_RANGE", "starting_after")
    assert await data(http, "s", starting_after=4) == ["[DONE]"]


class _Trimmed(MemoryStore):
    """A store whose logs were trimmed at the start."""

    OLDEST = 3

    async def read(self, stream_id: str, start_offset: int, **arguments: Any) -> Any:
        if start_offset < self.OLDEST:
            raise OffsetTrimmedError("the log was trimmed", oldest_offset=self.OLDEST)
        return await super().read(stream_id, start_offset, **arguments)


async def test_trimmed_events_are_an_error_and_never_skipped() -> None:
    async with (
        running_server(StreamService(_Trimmed()), "127.0.0.1:0") as address,
        AsyncEventStreamClient(address) as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        sent = [delta(number) for number in range(0, 100, 10)]
        await publish(client, "s", sent)
        trimmed = (400, "OFFSET_TRIMMED", None)
        assert error_of(await http.get(path("s"))) == trimmed
        for after in (0, 20, 29):
            assert error_of(await http.get(path("s", starting_after=after))) == trimmed
        for after in (30, 35, 80):
            assert await data(http, "s", starting_after=after) == [*sent[after // 10 + 1 :], "[DONE]"]
        position = Position((await client.get_stream("s")).epoch, 2)
        response = await http.get(path("s"), headers={"last-event-id": str(position)})
        assert error_of(response) == trimmed
        assert await data(http, "s", position=str(position._replace(offset=5))) == [*sent[5:], "[DONE]"]


async def test_a_failed_stream_ends_with_an_error_event_and_without_done(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    await publish(client, "s", deltas(3), failure="UPSTREAM_TIMEOUT")
    error = {
        "type": "error",
        "code": "UPSTREAM_TIMEOUT",
        "message": "the upstream is gone",
        "param": None,
        "sequence_number": 3,
    }
    sent = await read(http, "s")
    assert [entry.data for entry in sent] == [*deltas(3), error]
    assert sent[-1] == Sent(None, "error", error)
    # A subscriber that resumes before the error event gets it too.
    last = str(sent[-2].id)
    assert await data(http, "s", starting_after=2) == await data(http, "s", position=last) == [error]


@pytest.mark.parametrize("reason", ["OFFSET_TRIMMED", "OFFSET_OUT_OF_RANGE", "STREAM_NOT_FOUND"])
async def test_a_failure_reason_of_a_publisher_is_not_taken_for_a_server_error(
    reason: str, client: AsyncEventStreamClient
) -> None:
    gateway = Gateway(client)
    async with running_gateway(gateway, "127.0.0.1:0") as url, httpx.AsyncClient(base_url=url, timeout=30) as http:
        await publish(client, "s", deltas(3), failure=reason)
        for after in (1, 9):
            assert (await data(http, "s", starting_after=after, wait=1))[-1]["code"] == reason
    labels = {"kind": "stream", "status": "200", "reason": "STREAM_FAILED"}
    assert gateway.metrics.registry.get_sample_value("openresponses_gateway_requests_total", labels) == 2


async def test_a_stream_deleted_while_it_is_read_ends_with_an_error_event(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    with pytest.raises(StreamError, match="NOT_FOUND"):
        async with client.publish("s") as publisher:
            await publisher.send(json_to_protobuf(json.dumps(delta(0))))
            await publisher.flush()
            async with reading(http, "s") as blocks:
                assert await events(blocks, 1) == [delta(0)]
                await client.delete_stream("s")
                (error,) = await events(blocks, 1)
                assert [block async for block in blocks] == []
    assert (error["type"], error["code"], error["sequence_number"]) == ("error", "STREAM_NOT_FOUND", 1)


async def test_an_abandoned_stream_ends_with_an_error_event(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    with pytest.raises(ZeroDivisionError):
        async with client.publish("s") as publisher:
            await publisher.send(json_to_protobuf(json.dumps(delta(0))))
            await publisher.flush()
            raise ZeroDivisionError
    sent, error = await data(http, "s")
    assert (sent, error["code"]) == (delta(0), "STREAM_ABANDONED")


async def test_an_event_without_json_is_an_error_event_after_the_earlier_events(
    client: AsyncEventStreamClient, http: httpx.AsyncClient, caplog: pytest.LogCaptureFixture
) -> None:
    async with client.publish("s") as publisher:
        await publisher.send(json_to_protobuf(json.dumps(delta(0))))
        await publisher.send(OpenResponsesStreamEvent(unrecognized=Unrecognized()).SerializeToString())
    sent, error = await data(http, "s")
    assert (sent, error["code"]) == (delta(0), "INVALID_EVENT")
    assert "offset 1" in error["message"]
    assert "offset 1" in caplog.text


async def test_an_unreachable_server_is_503_and_its_address_is_only_logged(
    unused_tcp_port: int, caplog: pytest.LogCaptureFixture
) -> None:
    async with (
        AsyncEventStreamClient(f"127.0.0.1:{unused_tcp_port}") as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        for request in (path("s"), "/v1/responses/s"):
            response = await http.get(request)
            assert error_of(response) == (503, "UNAVAILABLE", None)
            assert response.headers["retry-after"] == "1"
            assert str(unused_tcp_port) not in response.text
            assert str(unused_tcp_port) in caplog.text


class _Unavailable(MemoryStore):
    async def read(self, *arguments: Any, **options: Any) -> Any:
        raise StoreUnavailableError("down")

    async def info(self, *arguments: Any, **options: Any) -> Any:
        raise StoreUnavailableError("down")


OVERLOADED: dict[str, tuple[Callable[[], StreamService], int]] = {
    "too many calls": (lambda: StreamService(MemoryStore(), max_calls=0), 429),
    "store down": (lambda: StreamService(_Unavailable()), 503),
}


@pytest.mark.parametrize("service, status", OVERLOADED.values(), ids=OVERLOADED)
@pytest.mark.parametrize("wait_for_ready", [False, True])
async def test_a_temporary_server_error_has_a_retry_after_header(
    service: Callable[[], StreamService], status: int, wait_for_ready: bool
) -> None:
    async with (
        running_server(service(), "127.0.0.1:0") as address,
        AsyncEventStreamClient(address, wait_for_ready=wait_for_ready) as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        for request in (path("s"), path("s", starting_after=3), path("s", wait=0.1), "/v1/responses/s"):
            response = await http.get(request)
            assert error_of(response)[0] == status
            assert int(response.headers["retry-after"]) >= 1


class _Broken(MemoryStore):
    async def read(self, *arguments: Any, **options: Any) -> Any:
        raise ZeroDivisionError("secret")


async def test_an_unexpected_error_is_500_without_its_text() -> None:
    async with (
        running_server(StreamService(_Broken()), "127.0.0.1:0") as address,
        AsyncEventStreamClient(address) as client,
        running_gateway(Gateway(client), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        response = await http.get(path("s"))
        assert error_of(response) == (500, "INTERNAL", None)
        assert "secret" not in response.text


async def test_an_unknown_stream_is_404_after_a_bounded_wait(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    for query in ("stream=true", "stream=true&wait=0.2", "", "wait=0.2"):
        assert error_of(await http.get(f"/v1/responses/s?{query}")) == (404, "STREAM_NOT_FOUND", None)


async def test_a_stream_created_during_the_wait_is_read(
    client: AsyncEventStreamClient, http: httpx.AsyncClient
) -> None:
    waiting = [asyncio.create_task(data(http, "s", wait=60)) for _ in range(3)]
    waiting.append(asyncio.create_task(data(http, "s", wait=60, starting_after=0)))
    await asyncio.wait(waiting, timeout=0.1)
    await publish(client, "s", deltas(3))
    *whole, rest = await asyncio.gather(*waiting)
    assert whole == [[*deltas(3), "[DONE]"]] * 3
    assert rest == [*deltas(3)[1:], "[DONE]"]
