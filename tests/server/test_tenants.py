"""Shares of tokens: the token file, and enforcement by the server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import grpc
import pytest

from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.server._auth import InvalidTokensError, parse_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import Append, MemoryStore, ShareExceededError, StoreLimits
from openresponses_grpc.store._shares import Shares
from openresponses_grpc.store.sqlite import open_sqlite
from openresponses_grpc.v1.stream_service_pb2 import (
    PublishRequest,
    PublishResponse,
    SubscribeRequest,
    SubscribeResponse,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import event
from ..support.rpc import status
from ..support.tokens import entry

PUBLISHER, READER = '["publish", "subscribe"]', '["subscribe", "inspect", "delete"]'


@pytest.mark.parametrize(
    "may, share, shares",
    [
        (PUBLISHER, "", Shares(None, None, None)),
        (PUBLISHER, "share = {}", Shares(None, None, None)),
        (PUBLISHER, 'share = { bytes = "64MiB", streams = 10, calls = 3 }', Shares(64 << 20, 10, 3)),
        (PUBLISHER, "share.bytes = 1_000_000", Shares(1_000_000, None, None)),
        (PUBLISHER, "[token.share]\nbytes = 0\nstreams = 0\ncalls = 0", Shares(0, 0, 0)),
        # By default, a token that may not publish has no share of the store.
        (READER, "", Shares(0, 0, None)),
        (READER, "share.calls = 7", Shares(0, 0, 7)),
        (READER, "share.streams = 7", Shares(0, 7, None)),
    ],
)
def test_an_entry_can_have_a_share(may: str, share: str, shares: Shares) -> None:
    text = entry("one", "one", may=may) + share + "\n" + entry("two", "two")
    assert parse_tokens(text).shares() == {"one": shares, "two": Shares()}


@pytest.mark.parametrize(
    "share, problem",
    [
        ("share = 5", "Expected `object`, got `int` - at `$.token[0].share`"),
        ("share.bits = 5", "unknown field `bits` - at `$.token[0].share`"),
        ("share.bytes = -1", ">= 0 - at `$.token[0].share.bytes`"),
        ("share.streams = -1", ">= 0 - at `$.token[0].share.streams`"),
        ("share.calls = 1.5", "got `float` - at `$.token[0].share.calls`"),
        ('share.calls = "5"', "got `str` - at `$.token[0].share.calls`"),
        ('share.bytes = "five"', "'five' is not a size: give a number of bytes, or a number with B, kB,"),
        ('share.bytes = "0"', "'0' is less than 1 byte - at `$.token[0].share`"),
    ],
)
def test_an_invalid_share_is_rejected_with_its_path(share: str, problem: str) -> None:
    with pytest.raises(InvalidTokensError) as caught:
        parse_tokens(entry("one", "one") + share)
    assert problem in str(caught.value)


@pytest.mark.parametrize(
    "share, problem",
    [
        ("share.bytes = 1001", "bytes add up to 1001, more than the limit of 1000"),
        ("share.streams = 11", "streams add up to 11, more than the limit of 10"),
        ("share.calls = 6", "calls add up to 6, more than the limit of 5"),
    ],
)
def test_shares_that_exceed_the_limits_are_rejected(share: str, problem: str) -> None:
    store = MemoryStore(StoreLimits(max_bytes=1000, max_streams=10))
    with pytest.raises(InvalidTokensError, match=problem):
        StreamService(store, tokens=parse_tokens(entry("one", "one") + share), max_calls=5)


@asynccontextmanager
async def serving(service: StreamService) -> AsyncIterator[Any]:
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address, options=OPTIONS) as channel,
    ):
        yield OpenResponsesStreamServiceStub(channel)


def bearer(token: str) -> Any:
    return (("authorization", f"Bearer {token}"),)


async def publish(stub: Any, token: str, stream_id: str, **request: Any) -> None:
    call = stub.Publish(metadata=bearer(token))
    await call.write(PublishRequest(stream_id=stream_id, events=[event(0)], **request))
    assert isinstance(await call.read(), PublishResponse)
    await call.done_writing()
    assert await call.read() is grpc.aio.EOF


FAIR = entry("hog", "h") + entry("other", "o") + entry("reader", "r", may=READER)


async def wait_for_open_calls(service: StreamService, count: int) -> None:
    """Waits until the server has this number of open calls."""
    names = ("openresponses_open_publishers", "openresponses_open_subscribers")
    while sum(service.metrics.registry.get_sample_value(name) or 0 for name in names) != count:  # noqa: ASYNC110
        await asyncio.sleep(0)


@pytest.mark.parametrize("kind", ["silent publishers", "subscribers"])
async def test_one_token_cannot_occupy_all_calls(kind: str) -> None:
    service = StreamService(MemoryStore(), tokens=parse_tokens(FAIR), max_calls=12)
    async with serving(service) as stub:

        def opened(token: str) -> Any:
            if kind == "silent publishers":
                return stub.Publish(metadata=bearer(token))
            return stub.Subscribe(SubscribeRequest(stream_id="s"), metadata=bearer(token))

        # Each of the three tokens has a share of 2; the other 6 calls are first come, first served.
        calls = [opened("h") for _ in range(8)]
        await wait_for_open_calls(service, 8)
        refused = stub.Subscribe(SubscribeRequest(stream_id="s"), metadata=bearer("h"))
        code, details = await status(refused.read())
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SHARE_EXCEEDED")
        assert details["RetryInfo"].retry_delay.seconds > 0
        (violation,) = details["QuotaFailure"].violations
        assert violation.subject == "token:hog"
        assert violation.description.startswith("token 'hog' has 8 open calls and a share of 2; ")
        calls += [opened("o"), opened("r"), opened("r")]
        await wait_for_open_calls(service, 11)
        await publish(stub, "o", "s")
        for call in calls:
            call.cancel()


async def test_one_token_cannot_occupy_all_streams() -> None:
    store = MemoryStore(StoreLimits(max_streams=8))
    async with serving(StreamService(store, tokens=parse_tokens(FAIR))) as stub:
        await publish(stub, "o", "other 0", end_of_stream=True)
        for number in range(6):
            await publish(stub, "h", f"hog {number}")
        code, details = await status(publish(stub, "h", "hog 6"))
        assert (code, details["ErrorInfo"].reason) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "SHARE_EXCEEDED")
        assert dict(details["ErrorInfo"].metadata)["share_streams"] == "2"
        assert details["RetryInfo"].retry_delay.seconds > 0
        (violation,) = details["QuotaFailure"].violations
        assert violation.subject == "token:hog"
        assert "a share of 2 streams" in violation.description
        await publish(stub, "o", "other 1")
        for stream_id in ("other 0", "other 1"):
            call = stub.Subscribe(SubscribeRequest(stream_id=stream_id), metadata=bearer("r"))
            response = await call.read()
            assert isinstance(response, SubscribeResponse)
            assert len(response.events) == 1
            call.cancel()


async def test_reloaded_tokens_change_the_shares() -> None:
    store = MemoryStore(StoreLimits(max_streams=4))
    service = StreamService(store, tokens=parse_tokens(entry("hog", "h") + entry("other", "o")))
    async with serving(service) as stub:
        for number in range(3):
            await publish(stub, "h", f"hog {number}")
        assert (await status(publish(stub, "h", "hog 3")))[0] == grpc.StatusCode.RESOURCE_EXHAUSTED
        service.admit(parse_tokens(entry("hog", "h") + entry("other", "o") + "share.streams = 0"))
        await publish(stub, "h", "hog 3")


async def test_a_reopened_file_knows_the_owners_of_its_streams(tmp_path: Path) -> None:
    limits = StoreLimits(max_streams=8)
    shares = {"hog": Shares(), "other": Shares()}
    for times in range(2):
        async with open_sqlite(tmp_path / "store.db", limits) as store:
            store.divide(shares)
            if not times:
                for number in range(6):
                    await store.append(Append(str(number), tenant="hog"))
            with pytest.raises(ShareExceededError, match="token 'hog' has 6 open streams"):
                await store.append(Append("6", tenant="hog"))
