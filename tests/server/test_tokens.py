"""Bearer tokens: the token file, permissions, expiry and refusals."""

import asyncio
import hashlib
import logging
import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_status import rpc_status

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient, StreamError
from openresponses_grpc.codec._raw_messages import PUBLISH, SUBSCRIBE
from openresponses_grpc.server._access import Access
from openresponses_grpc.server._auth import InvalidTokensError, parse_tokens
from openresponses_grpc.server._errors import TokenExpiredError
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore
from openresponses_grpc.v1.stream_service_pb2 import (
    DeleteStreamRequest,
    GetStreamRequest,
    ListStreamsRequest,
    PublishRequest,
    SubscribeRequest,
)
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..faults.peers import connected
from ..support.events import event, number
from ..support.rpc import reason as reason_of
from ..support.rpc import status
from ..support.tokens import entry

FILE = (
    entry("relay", "r-token", may='["publish"]', streams="resp_*")
    + entry("reader", "s-token", may='["subscribe"]', streams="resp_[ab]")
    + entry("both", "b-token")
    + entry("lasting", "l-token", expires="9999-12-31")
    + entry("expired", "e-token", expires="2020-01-31")
)


@pytest.fixture
async def guarded() -> AsyncIterator[str]:
    """The address of a server that requires a token."""
    async with running_server(StreamService(MemoryStore(), tokens=parse_tokens(FILE)), "127.0.0.1:0") as address:
        yield address


async def publish(address: str, token: str | None, stream_id: str) -> None:
    async with AsyncEventStreamClient(address, token=token) as client, client.publish(stream_id) as publisher:
        await publisher.send(event(7))


async def subscribe(address: str, token: str | None, stream_id: str) -> None:
    async with AsyncEventStreamClient(address, token=token) as client:
        assert [number(made) async for made in client.subscribe(stream_id)] == [7]


UNAUTHENTICATED, DENIED = grpc.StatusCode.UNAUTHENTICATED, grpc.StatusCode.PERMISSION_DENIED


@pytest.mark.parametrize(
    "call, token, stream_id, code, reason",
    [
        (publish, "r-token", "resp_c", None, ""),
        (publish, "b-token", "s", None, ""),
        (publish, "l-token", "s", None, ""),
        (publish, "e-token", "s", UNAUTHENTICATED, "TOKEN_EXPIRED"),
        (publish, "r-token", "s", DENIED, "NOT_PERMITTED"),
        (publish, "r-token", "Resp_c", DENIED, "NOT_PERMITTED"),
        (publish, "s-token", "resp_a", DENIED, "NOT_PERMITTED"),
        (publish, None, "resp_a", UNAUTHENTICATED, "TOKEN_MISSING"),
        (publish, "t-token", "resp_a", UNAUTHENTICATED, "TOKEN_UNKNOWN"),
        (subscribe, "s-token", "resp_a", None, ""),
        (subscribe, "b-token", "resp_a", None, ""),
        (subscribe, "l-token", "resp_a", None, ""),
        (subscribe, "e-token", "resp_a", UNAUTHENTICATED, "TOKEN_EXPIRED"),
        (subscribe, "s-token", "resp_c", DENIED, "NOT_PERMITTED"),
        (subscribe, "r-token", "resp_a", DENIED, "NOT_PERMITTED"),
        (subscribe, None, "resp_a", UNAUTHENTICATED, "TOKEN_MISSING"),
        (subscribe, "r-token2", "resp_a", UNAUTHENTICATED, "TOKEN_UNKNOWN"),
    ],
)
async def test_a_token_has_the_permissions_of_its_entry(
    guarded: str, call: Any, token: str | None, stream_id: str, code: grpc.StatusCode | None, reason: str
) -> None:
    await publish(guarded, "b-token", "resp_a")
    if code is None:
        await call(guarded, token, stream_id)
        return
    with pytest.raises(StreamError) as caught:
        await call(guarded, token, stream_id)
    assert (caught.value.code, caught.value.reason) == (code, reason)


@pytest.mark.parametrize(
    "permissions, streams, listed, deletes",
    [
        ('["inspect"]', "resp_*", ["resp_a", "resp_b"], False),
        ('["inspect", "delete"]', "resp_a", ["resp_a"], True),
        ('["delete"]', "*", None, True),
        ('["publish", "subscribe"]', "*", None, False),
    ],
)
async def test_a_token_can_inspect_and_delete_only_the_streams_of_its_entry(
    permissions: str, streams: str, listed: list[str] | None, deletes: bool
) -> None:
    tokens = parse_tokens(entry("all", "all", '["publish"]') + entry("one", "one", permissions, streams))
    metadata = (("authorization", "Bearer one"),)
    async with (
        running_server(StreamService(MemoryStore(), tokens=tokens), "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        for stream_id in ("resp_a", "s", "resp_b"):
            await publish(address, "all", stream_id)
        stub = OpenResponsesStreamServiceStub(channel)

        def page(token: str) -> Any:
            return stub.ListStreams(ListStreamsRequest(page_size=1, page_token=token), metadata=metadata)

        def get(stream_id: str) -> Any:
            return stub.GetStream(GetStreamRequest(stream_id=stream_id), metadata=metadata)

        if listed is None:
            for call in (page(""), get("resp_a")):
                code, details = await status(call)
                assert (code, reason_of(details)) == (DENIED, "NOT_PERMITTED")
        else:
            found: list[str] = []
            token = ""
            while not found or token:
                response = await page(token)
                found += [info.stream_id for info in response.streams]
                token = response.next_page_token
                assert token != "s"  # neither a page nor its page token names a stream outside the token's pattern
            assert found == listed
            assert (await get("resp_a")).stream.next_offset == 1
            assert (await status(get("s")))[0] == DENIED
        deletion = stub.DeleteStream(DeleteStreamRequest(stream_id="resp_a"), metadata=metadata)
        if deletes:
            await deletion
        else:
            assert (await status(deletion))[0] == DENIED


async def test_the_sync_client_sends_its_token(guarded: str) -> None:
    await publish(guarded, "b-token", "s")

    def read(token: str | None) -> list[int]:
        with EventStreamClient(guarded, token=token) as client:
            return [number(made) for made in client.subscribe("s")]

    assert await asyncio.to_thread(read, "b-token") == [7]
    with pytest.raises(StreamError, match="UNAUTHENTICATED"):
        await asyncio.to_thread(read, None)


@pytest.mark.parametrize(
    "expires, last",
    [
        ("2027-01-31", datetime(2027, 1, 30, 23, 59, 59, tzinfo=UTC)),
        ("2027-01-31T12:00:00Z", datetime(2027, 1, 31, 11, 59, 59, tzinfo=UTC)),
        ("2027-01-31 12:00:00+02:00", datetime(2027, 1, 31, 9, 59, 59, tzinfo=UTC)),
    ],
)
def test_a_token_expires_at_the_given_time(expires: str, last: datetime) -> None:
    tokens = parse_tokens(entry("a", "a", expires=expires) + entry("b", "b"))
    assert tokens.identify("Bearer a", last.timestamp()).name == "a"
    with pytest.raises(TokenExpiredError, match="token 'a' expired at 2027-01-31T"):
        tokens.identify("Bearer a", last.timestamp() + 1)
    assert tokens.identify("Bearer b", last.timestamp() + 1).name == "b"


async def test_an_open_call_ends_when_its_token_expires() -> None:
    tokens = parse_tokens(entry("a", "a", expires="2027-01-31") + entry("b", "b"))
    service = StreamService(MemoryStore(), tokens=tokens)
    now = datetime(2027, 1, 30, tzinfo=UTC).timestamp()
    service.access = Access(tokens, service.access._open_calls, clock=lambda: now)
    async with (
        running_server(service, "127.0.0.1:0") as address,
        grpc.aio.insecure_channel(address) as channel,
    ):
        stub = OpenResponsesStreamServiceStub(channel)
        await publish(address, "b", "s")
        calls: list[Any] = [
            stub.Subscribe(SubscribeRequest(stream_id="t"), metadata=(("authorization", f"Bearer {token}"),))
            for token in ("a", "b")
        ]
        subscription, other = calls
        publisher: Any = stub.Publish(metadata=(("authorization", "Bearer a"),))
        await publisher.write(PublishRequest(stream_id="t", events=[event(7)]))
        assert (await publisher.read()).next_offset == 1
        for call in (subscription, other):
            assert len((await call.read()).events) == 1
        now += 86400
        for call in (subscription, publisher):
            code, details = await status(call.read())
            assert (code, reason_of(details)) == (UNAUTHENTICATED, "TOKEN_EXPIRED")
        await publish(address, "b", "t")
        assert len((await other.read()).events) == 1


async def test_a_repeated_token_is_refused(guarded: str) -> None:
    async with grpc.aio.insecure_channel(guarded) as channel:
        call: Any = channel.stream_stream(SUBSCRIBE)(metadata=(("authorization", "Bearer b-token"),) * 2)
        code, details = await status(call.read())
    assert (code, reason_of(details)) == (UNAUTHENTICATED, "TOKEN_REPEATED")


async def test_a_digest_with_a_trailing_newline_is_reported_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    service = StreamService(MemoryStore(), tokens=parse_tokens(entry("relay", "r-token\n") + entry("both", "b-token")))
    async with running_server(service, "127.0.0.1:0") as address:
        for token in ("r-token", "r-token", "unknown"):
            with pytest.raises(StreamError) as caught:
                await publish(address, token, "s")
            assert caught.value.reason == "TOKEN_UNKNOWN"
        await publish(address, "b-token", "s")
    [line] = [record.getMessage() for record in caplog.records if record.levelno >= logging.WARNING]
    assert line == (
        "the sha256 of token 'relay' includes a trailing newline, so the token is refused: hash it without the newline,"
        " as in tr -d '\\n' < FILE | sha256sum"
    )


@pytest.mark.parametrize("headers", [1, 3])
async def test_non_utf_8_headers_are_logged_in_one_line_without_their_values(
    guarded: str, headers: int, caplog: pytest.LogCaptureFixture
) -> None:
    odd = [("authorization", b"Bearer \xffsecret"), ("x-odd", b"\xffsecret"), ("x-odd", b"\xfesecret")][:headers]
    async with connected(int(guarded.rpartition(":")[2])) as peer:
        peer.subscribe("s", *odd)
        await peer.wait_for_end()
    lines = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert re.fullmatch(rf"non-UTF-8 headers: {headers}, method 'Subscribe', peer '.*'", lines[0].getMessage())
    assert len(lines) == 1
    assert lines[0].exc_info is None
    assert "secret" not in caplog.text


@pytest.mark.parametrize("method", [PUBLISH, SUBSCRIBE])
@pytest.mark.parametrize(
    "authorization, reason",
    [
        (None, "TOKEN_MISSING"),
        ("", "TOKEN_MISSING"),
        ("Bearer", "TOKEN_MISSING"),
        ("Bearer ", "TOKEN_MISSING"),
        ("Basic Yjp0b2tlbg==", "TOKEN_MISSING"),
        ("b-token", "TOKEN_MISSING"),
        ("Bearer b-token ", "TOKEN_UNKNOWN"),
        ("bearer  b-token", "TOKEN_UNKNOWN"),
        ("Bearer B-TOKEN", "TOKEN_UNKNOWN"),
    ],
)
async def test_a_caller_without_a_known_token_is_refused_before_its_first_request(
    guarded: str, method: str, authorization: str | None, reason: str
) -> None:
    async with grpc.aio.insecure_channel(guarded) as channel:
        call: Any = channel.stream_stream(method)(
            metadata=() if authorization is None else (("authorization", authorization),)
        )
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await call.read()
    assert caught.value.code() == grpc.StatusCode.UNAUTHENTICATED
    info = error_details_pb2.ErrorInfo()
    rpc_status.from_call(caught.value).details[0].Unpack(info)
    assert info.reason == reason


async def test_health_requires_no_token(guarded: str) -> None:
    async with grpc.aio.insecure_channel(guarded) as channel:
        response = await health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest())
    assert response.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("token", ["", "two words", "line\n", "übel"])
@pytest.mark.parametrize("client", [AsyncEventStreamClient, EventStreamClient])
def test_an_invalid_token_is_rejected_and_not_shown_in_the_error(client: Any, token: str) -> None:
    with pytest.raises(ValueError, match="printable ASCII") as caught:
        client(token=token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "text, problem",
    [
        ("", "missing required field `token`"),
        ("token = []", "length >= 1 - at `$.token`"),
        ("relay", "not TOML: Expected"),
        ("[[tokens]]", "unknown field `tokens`"),
        ("[[token]]", "missing required field `name` - at `$.token[0]`"),
        (FILE + "read = true", "unknown field `read` - at `$.token[4]`"),
        (FILE.replace("publish", "write", 1), "Invalid enum value 'write' - at `$.token[0].may[0]`"),
        (entry("a", "a", may="[]"), "length >= 1 - at `$.token[0].may`"),
        (entry("a", "a", may='"publish"'), "Expected `array`, got `str` - at `$.token[0].may`"),
        (entry("a", "a", streams=""), "length >= 1 - at `$.token[0].streams`"),
        (entry("", "a"), "length >= 1 - at `$.token[0].name`"),
        (FILE + '[[token]]\nname="d"\nsha256 = "secret"\nmay = ["publish"]\nstreams = "*"', "$.token[5].sha256`"),
        (
            entry("a", "a", expires='"2027-01-31"'),
            "a date without quotes, such as 2027-01-31 or 2027-01-31T12:00:00Z - at",
        ),
        (entry("a", "a", expires="'soon'"), "a date without quotes, such as 2027-01-31 or 2027-01-31T12:00:00Z - at"),
        (entry("a", "a", expires="2027"), "a date without quotes"),
        (entry("a", "a", expires="12:00:00"), "a date without quotes"),
        (entry("a", "a", expires="false"), "a date without quotes"),
        (
            entry("a", "a", expires="2027-01-31T12:00:00"),
            "an offset, such as 2027-01-31T12:00:00Z - at `$.token[0].exp",
        ),
        (entry("a", "a", expires="2027-02-30"), "not TOML: Invalid date"),
        (entry("a", "a") + entry("a", "b"), "2 tokens have the name 'a'"),
        (entry("a", "a") + entry("b", "a"), f"2 tokens have the sha256 {hashlib.sha256(b'a').hexdigest()!r}"),
    ],
)
def test_an_invalid_token_file_is_rejected_with_its_path(text: str, problem: str) -> None:
    with pytest.raises(InvalidTokensError) as caught:
        parse_tokens(text)
    assert problem in str(caught.value)
    assert "secret" not in str(caught.value)
