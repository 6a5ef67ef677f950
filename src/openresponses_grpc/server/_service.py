"""The stream service."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator
from contextlib import AsyncExitStack
from typing import Final

import grpc

from openresponses_grpc.v1.stream_service_pb2 import (
    DeleteStreamRequest,
    DeleteStreamResponse,
    GetStreamRequest,
    GetStreamResponse,
    ListStreamsRequest,
    ListStreamsResponse,
)

from ..codec import _raw_messages as raw_messages
from ..store import Append, Check, End, InvalidRequestError, Store, StreamNotFoundError
from ..store._shares import SharesError, divide
from . import _requests as requests
from . import _responses as responses
from ._access import PERMISSIONS, Access
from ._auth import InvalidTokensError, Token, Tokens
from ._calls import TIMEOUTS, Call, Calls, Timeouts
from ._logs import CallLog, metadata_of
from ._metrics import Metrics


class StreamService:
    """`openresponses_grpc.v1.OpenResponsesStreamService` over a store.

    Args:
        store: keeps the logs.
        tokens: the accepted tokens; None turns authentication off.
        max_calls: the maximum number of open calls.
        idle_interval: seconds after which a waiting subscriber gets a heartbeat, a response without events.
        timeouts: the timeouts of each call.

    Attributes:
        store: the store.
        access: the access control.
        metrics: the metrics.

    Raises:
        InvalidTokensError: the shares of the tokens exceed a limit.

    """

    MAX_CALLS: Final = 10_000
    """The default maximum number of open calls."""

    def __init__(
        self,
        store: Store,
        *,
        tokens: Tokens | None = None,
        max_calls: int = MAX_CALLS,
        idle_interval: float = 15.0,
        timeouts: Timeouts = TIMEOUTS,
    ) -> None:
        self.store = store
        self.metrics = Metrics(lambda: self._calls.open())
        observers = self.metrics, CallLog()
        self._calls = Calls(max_calls, timeouts, authenticate=self._authenticate, observers=observers)
        self.access = Access(None, self._calls.open)
        if tokens:
            self.admit(tokens)
        self._idle_interval = idle_interval

    def admit(self, tokens: Tokens) -> None:
        """Accepts only these tokens from now on, and divides the store and the open calls among them.

        Raises:
            InvalidTokensError: their shares exceed a limit; nothing has changed.

        """
        shares = tokens.shares()
        try:
            calls = divide(self._calls.limit, {tenant: share.calls for tenant, share in shares.items()}, "calls")
            self.store.divide(shares)
        except SharesError as error:
            raise InvalidTokensError(f"{error}: lower the shares, or raise the server's limit") from None
        self._calls.set_shares(calls)
        self.access.replace(tokens)

    def handler(self) -> grpc.GenericRpcHandler:
        """Returns the service's handler, for a `grpc.aio` server."""
        methods: dict[str, Callable[[Call], Awaitable[None]]] = {
            "Publish": self._publish,
            "Subscribe": self._subscribe,
            "GetStream": self._get_stream,
            "ListStreams": self._list_streams,
            "DeleteStream": self._delete_stream,
        }
        handlers = {name: self._calls.handler(name, method) for name, method in methods.items()}
        return grpc.method_handlers_generic_handler(raw_messages.SERVICE_NAME, handlers)

    async def drain(self, grace: float) -> None:
        """Ends every call with UNAVAILABLE, and refuses new ones; returns after `grace` seconds at the latest."""
        await self._calls.drain(grace)

    async def _publish(self, call: Call) -> None:
        async with AsyncExitStack() as publishing:
            end: End | None = None
            while (data := await call.read()) is not None:
                size = len(data)
                append = await _in_turns(requests.parse_publish(data))
                del data  # it may be large, and is not needed during the append
                if not call.stream_id:
                    await self._begin(call, append.stream_id)
                elif append.stream_id not in ("", call.stream_id):
                    raise InvalidRequestError("stream_id", f"must not change within a call: it was {call.stream_id!r}")
                started, first = time.perf_counter(), end is None
                end = await self.store.append(_in_call(append, call, end))
                self.metrics.appended(time.perf_counter() - started)
                call.transferred(len(append.events), size)
                if append.end_of_stream:
                    self.metrics.finished(failed=append.failure is not None)
                if first and not end.end_of_stream:
                    await publishing.enter_async_context(self.store.publishing(call.stream_id, end.epoch))
                call.end = end.next_offset
                await call.write(responses.publish(end).SerializeToString())
            if not call.stream_id:
                raise InvalidRequestError("stream_id", "the call ended without a request that names a stream")

    async def _subscribe(self, call: Call) -> None:
        async with AsyncExitStack() as reading:
            request = requests.parse_subscribe(await call.read())
            await self._begin(call, request.stream_id)
            reading.enter_context(self.store.reading(call.stream_id))
            call.offset, epoch, check = request.start_offset, request.epoch, request.check
            while True:
                started, waits = time.perf_counter(), call.offset >= call.end
                with call.waiting:
                    batch = await self.store.read(
                        call.stream_id,
                        call.offset,
                        epoch=epoch,
                        check=check,
                        must_exist=request.must_exist,
                        max_bytes=raw_messages.RESPONSE_BYTES,
                        timeout=self._idle_interval,
                    )
                if not waits:
                    self.metrics.read(time.perf_counter() - started)
                call.end = batch.end
                # No variable keeps the message: a slow peer should hold only its serialized bytes.
                size = await call.write(responses.subscribe(batch).SerializeToString())
                call.transferred(len(batch.events), size)
                call.offset = batch.first_offset + len(batch.events)
                if batch.end_of_stream:
                    return
                epoch = batch.epoch or epoch
                if batch.checksum is not None:
                    check = Check(call.offset, batch.checksum)

    async def _get_stream(self, call: Call) -> None:
        request = requests.parse(GetStreamRequest, await call.read())
        await self._begin(call, request.stream_id)
        info = await self.store.info(call.stream_id)
        await call.write(GetStreamResponse(stream=responses.stream_info(info)).SerializeToString())

    async def _list_streams(self, call: Call) -> None:
        request = requests.parse(ListStreamsRequest, await call.read())
        size = requests.page_size(request)
        if call.token:
            call.token.check(PERMISSIONS[call.method])
        await call.accept()
        visible = call.token.covers if call.token else lambda _: True
        page = await self.store.list(size, request.page_token, visible)
        response = ListStreamsResponse(next_page_token=page.next_page_token)
        response.streams.extend(map(responses.stream_info, page.streams))
        await call.write(response.SerializeToString())

    async def _delete_stream(self, call: Call) -> None:
        request = requests.parse(DeleteStreamRequest, await call.read())
        await self._begin(call, request.stream_id)
        try:
            await self.store.delete(call.stream_id, request.epoch if request.HasField("epoch") else None)
        except StreamNotFoundError:
            if not request.allow_missing:
                raise
        await call.write(DeleteStreamResponse().SerializeToString())

    def _authenticate(self, call: Call) -> Token | None:
        return self.access.identify(metadata_of(call))

    async def _begin(self, call: Call, stream_id: str) -> None:
        """Authorizes the first request of a call, and accepts the call."""
        call.stream_id = requests.check_stream_id(stream_id)
        if call.token:
            call.token.check(PERMISSIONS[call.method], stream_id)
        await call.accept()


async def _in_turns(steps: Generator[None, None, Append]) -> Append:
    """Runs steps to their result, and yields to other tasks after each."""
    while True:
        try:
            next(steps)
        except StopIteration as result:
            return result.value  # type: ignore[no-any-return]
        await asyncio.sleep(0)


def _in_call(append: Append, call: Call, end: End | None) -> Append:
    """Completes an append with the tenant and, after the first one, with the stream and the position of its call."""
    if end is None:
        return append._replace(tenant=call.tenant) if call.token else append
    epoch = end.epoch if append.epoch is None else append.epoch
    check = append.check or Check(end.next_offset, end.checksum)
    return append._replace(stream_id=call.stream_id, epoch=epoch, check=check, tenant=call.tenant)
