"""Publish and Subscribe over plain gRPC: requests, responses and statuses."""

import asyncio
import re
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, End, MemoryStore, StoreLimits
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent
from openresponses_grpc.v1.stream_service_pb2 import (
    GetStreamRequest,
    PublishRequest,
    SubscribeRequest,
    SubscribeResponse,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event
from ..support.rpc import Channel, publish, status, status_of, subscribe


async def test_acknowledgements_are_cumulative_and_carry_the_epoch(channel: Channel) -> None:
    acknowledgements = await publish(
        channel,
        PublishRequest(stream_id="s"),
        PublishRequest(events=[event(0), event(1)]),
        PublishRequest(stream_id="s", events=[event(2)], end_of_stream=True),
    )
    assert [offset for offset, _ in acknowledgements] == [0, 2, 3]
    assert len({epoch for _, epoch in acknowledgements}) == 1
    assert await subscribe(channel) == [event(0), event(1), event(2)]


async def test_a_retry_with_the_same_offsets_stores_nothing_twice(channel: Channel) -> None:
    ((_, epoch),) = await publish(channel, PublishRequest(stream_id="s", first_offset=0, events=[event(0), event(1)]))
    retry = PublishRequest(stream_id="s", first_offset=0, events=[event(0), event(1), event(2)], epoch=epoch)
    assert await publish(channel, retry) == [(3, epoch)]
    retry.end_of_stream = True
    assert await publish(channel, retry, retry) == [(3, epoch)] * 2
    assert await subscribe(channel) == [event(0), event(1), event(2)]


async def test_one_of_several_publishers_at_one_offset_succeeds_and_the_others_get_an_error(channel: Channel) -> None:
    outcomes = await asyncio.gather(
        *(publish(channel, PublishRequest(stream_id="s", first_offset=0, events=[event(n)])) for n in range(5)),
        return_exceptions=True,
    )
    refused = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    assert len(refused) == 4
    for error in refused:
        code, details = status_of(error)
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.FAILED_PRECONDITION, "STREAM_DIVERGED")
    await publish(channel, PublishRequest(stream_id="s", end_of_stream=True))
    assert len(await subscribe(channel)) == 1


async def test_a_gap_is_aborted_with_the_expected_offset(channel: Channel) -> None:
    await publish(channel, PublishRequest(stream_id="s", events=[event(0)]))
    code, details = await status(publish(channel, PublishRequest(stream_id="s", first_offset=2, events=[event(2)])))
    assert code == grpc.StatusCode.ABORTED
    info = details["ErrorInfo"]
    assert (info.reason, dict(info.metadata)) == ("OFFSET_GAP", {"next_offset": "1"})


async def test_another_epoch_is_a_failed_precondition(channel: Channel) -> None:
    ((_, epoch),) = await publish(channel, PublishRequest(stream_id="s", events=[event(0)]))
    for call in (
        publish(channel, PublishRequest(stream_id="s", epoch=epoch + 1, events=[event(1)])),
        subscribe(channel, epoch=epoch + 1),
    ):
        code, details = await status(call)
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.FAILED_PRECONDITION, "EPOCH_MISMATCH")


async def test_with_an_epoch_an_unknown_stream_is_not_found(channel: Channel) -> None:
    for call in (publish(channel, PublishRequest(stream_id="s", epoch=1)), subscribe(channel, epoch=1)):
        code, details = await status(call)
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.NOT_FOUND, "STREAM_NOT_FOUND")


async def test_an_append_to_an_ended_stream_is_refused(channel: Channel) -> None:
    await publish(channel, PublishRequest(stream_id="s", end_of_stream=True))
    code, details = await status(publish(channel, PublishRequest(stream_id="s", events=[event(0)])))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.FAILED_PRECONDITION, "STREAM_FINISHED")


async def test_an_offset_beyond_an_ended_stream_is_out_of_range(channel: Channel) -> None:
    await publish(channel, PublishRequest(stream_id="s", events=[event(0)], end_of_stream=True))
    assert await subscribe(channel, start_offset=1) == []
    code, details = await status(subscribe(channel, start_offset=2))
    assert code == grpc.StatusCode.OUT_OF_RANGE
    assert dict(details["ErrorInfo"].metadata) == {"next_offset": "1"}


async def test_a_full_store_is_resource_exhausted_with_a_retry_delay(channel: Channel) -> None:
    big = event(0, padding=15 << 20)
    code, details = await status(publish(channel, *[PublishRequest(stream_id="s", events=[big])] * 5))
    assert code == grpc.StatusCode.RESOURCE_EXHAUSTED
    assert details["ErrorInfo"].reason == "STORE_FULL"
    assert details["RetryInfo"].retry_delay.seconds > 0


@pytest.mark.parametrize(
    "requests, field",
    [
        ([], "stream_id"),
        ([PublishRequest(events=[event(0)])], "stream_id"),
        ([PublishRequest(stream_id="s"), PublishRequest(stream_id="t")], "stream_id"),
        ([PublishRequest(stream_id="x" * 257)], "stream_id"),
        ([PublishRequest(stream_id="s", events=[event(0), OpenResponsesStreamEvent()])], "events[1]"),
    ],
)
async def test_a_bad_request_names_its_field(channel: Channel, requests: list[PublishRequest], field: str) -> None:
    async def call() -> None:
        call = OpenResponsesStreamServiceStub(channel).Publish(iter(requests))
        async for _ in call:
            pass

    code, details = await status(call())
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert [violation.field for violation in details["BadRequest"].field_violations] == [field]


async def test_a_subscription_requires_a_stream_id(channel: Channel) -> None:
    code, details = await status(subscribe(channel, stream_id=""))
    assert code == grpc.StatusCode.INVALID_ARGUMENT
    assert details["BadRequest"].field_violations[0].field == "stream_id"


@pytest.mark.parametrize("data", [b"\xff", b"\x1a\x02\xff\xff", b"\x0a\x01\xff"])
async def test_a_malformed_request_is_an_invalid_argument(channel: Channel, data: bytes) -> None:
    async def call(method: str) -> None:
        stream: Any = channel.stream_stream(method)()
        await stream.write(data)
        await stream.done_writing()
        await stream.read()

    for method in (raw_messages.PUBLISH, raw_messages.SUBSCRIBE):
        code, details = await status(call(method))
        assert code == grpc.StatusCode.INVALID_ARGUMENT
        assert "BadRequest" in details


async def test_an_event_of_a_newer_contract_passes_through(channel: Channel) -> None:
    newer = b"\xa2\x06\x03abc"  # field 100 of OpenResponsesStreamEvent
    request = raw_messages.PublishRequest(stream_id="s", events=[newer], end_of_stream=True)
    await publish(channel, PublishRequest.FromString(request.SerializeToString()))
    (received,) = await subscribe(channel)
    assert received.SerializeToString() == newer


async def test_an_idle_subscriber_gets_keepalives_with_its_next_offset(channel: Channel) -> None:
    call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s"))

    async def response() -> SubscribeResponse:
        read = await call.read()
        assert isinstance(read, SubscribeResponse)
        return read

    before = await response()
    assert (before.first_offset, list(before.events), before.epoch) == (0, [], 0)
    publisher = OpenResponsesStreamServiceStub(channel).Publish()
    await publisher.write(PublishRequest(stream_id="s", events=[event(0)]))
    responses = [await response() for _ in range(5)]
    with_events = [response for response in responses if response.events]
    assert [list(response.events) for response in with_events] == [[event(0)]]
    assert (responses[-1].first_offset, responses[-1].epoch > 0) == (1, True)
    call.cancel()
    publisher.cancel()


async def test_an_abandoned_stream_is_aborted_and_stays_readable(channel: Channel) -> None:
    ((_, epoch),) = await publish(channel, PublishRequest(stream_id="s", events=[event(0)]))
    code, details = await status(subscribe(channel))
    assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.ABORTED, "STREAM_ABANDONED")
    await publish(channel, PublishRequest(stream_id="s", epoch=epoch, end_of_stream=True))
    assert await subscribe(channel) == [event(0)]


async def test_events_are_batched_into_responses_of_limited_size(channel: Channel) -> None:
    count, size = 100, 20_000
    events = [event(n, padding=size) for n in range(count)]
    await publish(channel, *(PublishRequest(stream_id="s", events=[made]) for made in events))
    await publish(channel, PublishRequest(stream_id="s", end_of_stream=True))
    responses = [
        response
        async for response in OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s"))
    ]
    assert [made for response in responses for made in response.events] == events
    assert len(responses) < count / 5
    assert max(response.ByteSize() for response in responses) < 1.1 * raw_messages.RESPONSE_BYTES


async def test_health_is_serving(channel: Channel) -> None:
    stub = health_pb2_grpc.HealthStub(channel)
    for name in ("", "openresponses_grpc.v1.OpenResponsesStreamService"):
        response = await stub.Check(health_pb2.HealthCheckRequest(service=name))
        assert response.status == health_pb2.HealthCheckResponse.SERVING


class BrokenStore(MemoryStore):
    """A store with a bug."""

    async def append(self, append: Append) -> End:
        raise ZeroDivisionError("the secret of the operator")


async def test_an_internal_error_is_logged_and_the_client_gets_only_its_id(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with (
        running_server(StreamService(BrokenStore()), "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await publish(channel, PublishRequest(stream_id="s"))
    assert caught.value.code() == grpc.StatusCode.INTERNAL
    assert re.fullmatch("internal error [0-9a-f]{16}", caught.value.details() or "")
    assert str(caught.value.details()) in caplog.text
    assert "the secret of the operator" in caplog.text


async def test_without_retention_subscribers_still_get_every_event_and_the_end() -> None:
    count, padding = 40, raw_messages.RESPONSE_BYTES
    service = StreamService(MemoryStore(StoreLimits(retention=0)))
    async with running_server(service, "127.0.0.1:0") as address, grpc.aio.insecure_channel(address) as channel:
        stub = OpenResponsesStreamServiceStub(channel)
        reads, waits = (stub.Subscribe(SubscribeRequest(stream_id="s", start_offset=offset)) for offset in (0, count))
        for call in (reads, waits):
            await call.initial_metadata()
        requests = [PublishRequest(stream_id="s", events=[event(n, padding=padding)]) for n in range(count)]
        await publish(channel, *requests, PublishRequest(end_of_stream=True))
        # `reads` has not read anything yet, and the server does not write that far ahead.
        assert [len(response.events) async for response in waits][-1] == 0
        assert sum([len(response.events) async for response in reads]) == count
        assert (await status(stub.GetStream(GetStreamRequest(stream_id="s"))))[0] == grpc.StatusCode.NOT_FOUND


async def test_without_retention_a_publisher_still_gets_its_acknowledgement() -> None:
    service = StreamService(MemoryStore(StoreLimits(retention=0)))
    async with running_server(service, "127.0.0.1:0") as address, grpc.aio.insecure_channel(address) as channel:
        request = PublishRequest(stream_id="s", events=[event(0)], end_of_stream=True)
        ((next_offset, _),) = await publish(channel, request)
        assert next_offset == 1
