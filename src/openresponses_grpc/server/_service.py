"""The stream service over a store."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

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
from ..store import Append, Check, End, InvalidRequestError, ServiceError, Store, StreamNotFoundError
from ..store._shares import SharesError, divide
from . import _requests as requests
from . import _responses as responses
from ._access import PERMISSIONS, Access
from ._auth import InvalidTokensError, Tokens
from ._calls import TIMEOUTS, Call, Calls, Timeouts
from ._logs import log_call, metadata_of
from ._metrics import Metrics
from ._statuses import ending


class StreamService:
    """`openresponses_grpc.v1.OpenResponsesStreamService` over a store.

    Args:
        store: keeps the logs.
        tokens: those that callers must show one of; None serves everyone.
        max_calls: the calls that may be open at one time.
        idle_interval: seconds after which a subscriber who waits gets a response without events.
        timeouts: what ends a call whose peer is silent, or does not read.

    Attributes:
        store: the store.
        access: who is served.
        metrics: what is counted.

    Raises:
        InvalidTokensError: the shares of the tokens are more than there is.

    """

    MAX_CALLS: Final = 10_000
    """The calls that may be open at one time, unless it is said."""

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
        self._calls = Calls(max_calls)
        self.access = Access(None, self._calls.open)
        if tokens:
            self.admit(tokens)
        self.metrics = Metrics(self._calls.open)
        self._idle_interval = idle_interval
        self._timeouts = timeouts

    def admit(self, tokens: Tokens) -> None:
        """Asks callers for one of these tokens from now on, and divides the store and the open calls among them.

        Raises:
            InvalidTokensError: their shares are more than there is; nothing has changed.

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
        """The service's methods, to be added to a `grpc.aio` server.

        Requests and responses are bytes here, so that a malformed request gets INVALID_ARGUMENT. Every method is
        handled from its headers on, as a streaming one: a caller without a token is refused before its request.
        """
        methods: dict[str, Callable[[object, Any], Awaitable[None]]] = {
            "Publish": self._publish,
            "Subscribe": self._subscribe,
            "GetStream": self._get_stream,
            "ListStreams": self._list_streams,
            "DeleteStream": self._delete_stream,
        }
        handlers: dict[str, grpc.RpcMethodHandler[bytes, bytes]] = {
            name: grpc.stream_stream_rpc_method_handler(method) for name, method in methods.items()
        }
        return grpc.method_handlers_generic_handler(raw_messages.SERVICE_NAME, handlers)

    async def drain(self, grace: float) -> None:
        """Ends every call with UNAVAILABLE and answers new ones so; returns after `grace` seconds at the latest."""
        await self._calls.drain(grace)

    async def _publish(self, _: object, context: Any) -> None:
        async with self._call("Publish", context) as call, AsyncExitStack() as publishing:
            end: End | None = None
            while (data := await call.read()) is not None:
                size = len(data)
                append = await _in_turns(requests.parse_publish(data))
                del data  # it may be large, and is not needed while the store takes the events
                if not call.stream_id:
                    await self._begin(call, append.stream_id)
                elif append.stream_id not in ("", call.stream_id):
                    raise InvalidRequestError("stream_id", f"is constant within a call: it was {call.stream_id!r}")
                started, first = time.perf_counter(), end is None
                end = await self.store.append(_continued(append, call, end))
                self.metrics.appended(time.perf_counter() - started)
                self.metrics.moved(call, len(append.events), size)
                if append.end_of_stream:
                    self.metrics.finished(failed=append.failure is not None)
                if first and not end.end_of_stream:
                    await publishing.enter_async_context(self.store.publishing(call.stream_id, end.epoch))
                call.end = end.next_offset
                await call.write(responses.publish(end).SerializeToString())
            if not call.stream_id:
                raise InvalidRequestError("stream_id", "the call ended without a request that names a stream")

    async def _subscribe(self, _: object, context: Any) -> None:
        async with self._call("Subscribe", context) as call, AsyncExitStack() as reading:
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
                # The message is put together where it is sent: a peer that does not read holds its bytes alone.
                size = await call.write(responses.subscribe(batch).SerializeToString())
                self.metrics.moved(call, len(batch.events), size)
                call.offset = batch.first_offset + len(batch.events)
                if batch.end_of_stream:
                    return
                epoch = batch.epoch or epoch
                if batch.checksum is not None:
                    check = Check(call.offset, batch.checksum)

    async def _get_stream(self, _: object, context: Any) -> None:
        async with self._call("GetStream", context) as call:
            request = requests.parse(GetStreamRequest, await call.read())
            await self._begin(call, request.stream_id)
            info = await self.store.info(call.stream_id)
            await call.write(GetStreamResponse(stream=responses.stream_info(info)).SerializeToString())

    async def _list_streams(self, _: object, context: Any) -> None:
        async with self._call("ListStreams", context) as call:
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

    async def _delete_stream(self, _: object, context: Any) -> None:
        async with self._call("DeleteStream", context) as call:
            request = requests.parse(DeleteStreamRequest, await call.read())
            await self._begin(call, request.stream_id)
            try:
                await self.store.delete(call.stream_id, request.epoch if request.HasField("epoch") else None)
            except StreamNotFoundError:
                if not request.allow_missing:
                    raise
            await call.write(DeleteStreamResponse().SerializeToString())

    @asynccontextmanager
    async def _call(self, method: str, context: Any) -> AsyncIterator[Call]:
        """One call: let in, and with a status for whatever ends it."""
        call = Call(method, context, self._timeouts)
        code, reason = grpc.StatusCode.CANCELLED, ""
        try:
            call.token = self.access.identify(metadata_of(call, context))
            self._calls.add(call)
            yield call
            code = grpc.StatusCode.OK
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            status = ending(error)
            code, reason = status.code, error.reason if isinstance(error, ServiceError) else ""
            await call.abort(status)
        finally:
            self._calls.remove(call)
            call.close()
            self.metrics.ended(call, code.name, reason)
            log_call(call, code.name, reason)

    async def _begin(self, call: Call, stream_id: str) -> None:
        """Checks what a call's first request asks for."""
        call.stream_id = requests.check_stream_id(stream_id)
        if call.token:
            call.token.check(PERMISSIONS[call.method], stream_id)
        await call.accept()


async def _in_turns(steps: Generator[None, None, Append]) -> Append:
    """Runs steps to their result, and lets others have a turn after each."""
    while True:
        try:
            next(steps)
        except StopIteration as result:
            return result.value  # type: ignore[no-any-return]
        await asyncio.sleep(0)


def _continued(append: Append, call: Call, end: End | None) -> Append:
    """An append as its call means it: after the first one, of the same stream, and behind what was acknowledged."""
    if end is None:
        return append._replace(tenant=call.tenant) if call.token else append
    epoch = end.epoch if append.epoch is None else append.epoch
    check = append.check or Check(end.next_offset, end.checksum)
    return append._replace(stream_id=call.stream_id, epoch=epoch, check=check, tenant=call.tenant)
