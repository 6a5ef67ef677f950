"""Metrics, call logs and reflection."""

import asyncio
import logging
import re
import urllib.request

import grpc
import pytest
from grpc_reflection.v1alpha.proto_reflection_descriptor_database import ProtoReflectionDescriptorDatabase
from prometheus_client.parser import text_string_to_metric_families

from openresponses_grpc import AsyncEventStreamClient, StreamError
from openresponses_grpc.codec import _raw_messages as raw_messages
from openresponses_grpc.server._metrics import exposed_metrics
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, StreamFailure, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event
from ..support.rpc import publish


def fetch(url: str) -> dict[str, float]:
    """Returns every sample by its name and labels."""
    with urllib.request.urlopen(url) as response:
        text = response.read().decode()
    return {
        f"{sample.name}{sorted(filter(None, sample.labels.values())) or ''}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


async def test_events_bytes_and_calls_are_counted() -> None:
    service = StreamService(MemoryStore())
    events = [event(n) for n in range(100)]
    size = sum(made.ByteSize() for made in events)
    with exposed_metrics(service.metrics.registry, "127.0.0.1:0") as url:
        async with running_server(service, "127.0.0.1:0") as address, AsyncEventStreamClient(address) as client:
            async with client.publish("s") as publisher:
                for made in events:
                    await publisher.send(made)
                await publisher.flush()
                during = await asyncio.to_thread(fetch, url)
            for _ in range(2):
                assert [made async for made in client.subscribe("s")] == events
            with pytest.raises(StreamError):
                async for _ in client.subscribe("s", start_offset=101):
                    pass
        after = await asyncio.to_thread(fetch, url)

    assert during["openresponses_open_publishers"] == 1
    assert after["openresponses_open_publishers"] == after["openresponses_open_subscribers"] == 0
    assert after["openresponses_events_received_total"] == 100
    assert after["openresponses_received_bytes_total"] >= size
    assert after["openresponses_events_sent_total"] == 200
    assert after["openresponses_sent_bytes_total"] >= 2 * size
    assert after["openresponses_calls_total['OK', 'Publish']"] == 1
    assert after["openresponses_calls_total['OK', 'Subscribe']"] == 2
    assert after["openresponses_calls_total['OFFSET_OUT_OF_RANGE', 'OUT_OF_RANGE', 'Subscribe']"] == 1
    assert after["openresponses_store_seconds_count['append']"] >= 2
    assert after["openresponses_finished_streams_total['complete']"] == 1


async def test_failed_streams_are_counted_separately() -> None:
    service = StreamService(MemoryStore())
    with exposed_metrics(service.metrics.registry, "127.0.0.1:0") as url:
        async with running_server(service, "127.0.0.1:0") as address, grpc.aio.insecure_channel(address) as channel:
            await publish(
                channel, PublishRequest(stream_id="s", end_of_stream=True, failure=StreamFailure(reason="REASON"))
            )
        samples = await asyncio.to_thread(fetch, url)
    assert samples["openresponses_finished_streams_total['failed']"] == 1
    assert "openresponses_finished_streams_total['complete']" not in samples


async def test_the_lag_metric_reports_the_slowest_subscriber() -> None:
    service = StreamService(MemoryStore())
    count = 100
    with exposed_metrics(service.metrics.registry, "127.0.0.1:0") as url:
        async with (
            running_server(service, "127.0.0.1:0") as address,
            AsyncEventStreamClient(address) as client,
            grpc.aio.insecure_channel(address) as channel,
        ):
            async with client.publish("s") as publisher:
                for n in range(count):
                    await publisher.send(event(n, padding=raw_messages.RESPONSE_BYTES))
            does_not_read = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="s"))
            await does_not_read.initial_metadata()
            assert len([made async for made in client.subscribe("s")]) == count
            behind = await asyncio.to_thread(fetch, url)
            assert behind["openresponses_open_subscribers"] == 1
            assert 0 < behind["openresponses_slowest_subscriber_lag_events"] <= count
            received = 0
            async for response in does_not_read:
                received += len(response.events)
            assert received == count
        assert (await asyncio.to_thread(fetch, url))["openresponses_slowest_subscriber_lag_events"] == 0


async def test_each_call_is_logged_in_one_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "openresponses_grpc.server")
    async with (
        running_server(StreamService(MemoryStore()), "127.0.0.1:0") as address,
        AsyncEventStreamClient(address) as client,
    ):
        async with client.publish("s") as publisher:
            for n in range(3):
                await publisher.send(event(n))
        assert len([made async for made in client.subscribe("s")]) == 3
    lines = [record for record in caplog.records if record.name == "openresponses_grpc.server"]
    assert sorted((line.method, line.stream_id, line.code, line.events) for line in lines) == [  # type: ignore[attr-defined]
        ("Publish", "s", "OK", 3),
        ("Subscribe", "s", "OK", 3),
    ]
    for line in lines:
        assert re.search(r"peer 'ipv4:127\.0\.0\.1:\d+', token None, seconds [0-9.e-]+, events 3", line.getMessage())


def describe(address: str) -> tuple[list[str], list[str]]:
    """Queries reflection; returns the services, and the methods of the stream service."""
    with grpc.insecure_channel(address) as channel:
        database = ProtoReflectionDescriptorDatabase(channel)
        files = [
            database.FindFileContainingSymbol(f"{raw_messages.SERVICE_NAME}{of}")
            for of in ("", ".Publish", ".Subscribe")
        ]
        assert files == [files[0]] * 3  # a symbol can be a service or a method
        assert [field.json_name for field in files[0].message_type[0].field][:2] == ["streamId", "firstOffset"]
        return list(database.get_services()), [method.name for method in files[0].service[0].method]


@pytest.mark.parametrize("reflect", [True, False])
async def test_reflection_is_optional(reflect: bool) -> None:
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", reflect=reflect) as address:
        if reflect:
            services, methods = await asyncio.to_thread(describe, address)
            assert {raw_messages.SERVICE_NAME, "grpc.health.v1.Health"} <= set(services)
            assert methods == ["Publish", "Subscribe", "GetStream", "ListStreams", "DeleteStream"]
        else:
            with pytest.raises(grpc.RpcError) as caught:
                await asyncio.to_thread(describe, address)
            assert caught.value.code() == grpc.StatusCode.UNIMPLEMENTED


def test_normal_ends_of_calls_log_no_traceback(caplog: pytest.LogCaptureFixture) -> None:
    logger = logging.getLogger("grpc._cython.cygrpc")
    for error, message in (
        (asyncio.CancelledError(), "Exception not handled"),
        (Exception(), "ExecuteBatchError raised in core by servicer method [/service/method]"),
        (ZeroDivisionError(), "Exception not handled"),
    ):
        try:
            raise error
        except BaseException:
            logger.exception(message)
    assert [type(record.exc_info and record.exc_info[1]) for record in caplog.records] == [ZeroDivisionError]
