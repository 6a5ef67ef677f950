"""The stream service: Publish and Subscribe over a store."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any, Final

import grpc
from google.protobuf.message import DecodeError

from openresponses_grpc.v1 import stream_service_pb2

from . import wire
from .auth import Permission, Tokens
from .calls import Call, Calls
from .logs import log_call
from .metrics import Metrics
from .status import InvalidRequestError, internal_status, status_of
from .store import Store, StoreUnavailableError

_logger = logging.getLogger(__name__)


class StreamService:
    """`openresponses_grpc.v1.OpenResponsesStreamService` over a store.

    Args:
        store: keeps the logs.
        tokens: those that callers must show one of; None serves everyone.
        max_calls: the calls that may be open at one time.
        idle_interval: seconds after which a subscriber who waits gets a response without events.
        write_timeout: seconds after which a call ends whose peer does not read what is written to it.

    Attributes:
        metrics: what is counted.

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
        write_timeout: float = 60.0,
    ) -> None:
        self._store = store
        self._tokens = tokens
        self._calls = Calls(max_calls)
        self.metrics = Metrics(self._calls.open)
        self._idle_interval = idle_interval
        self._write_timeout = write_timeout

    def handler(self) -> grpc.GenericRpcHandler:
        """The service's methods, to be added to a `grpc.aio` server.

        Requests come and responses go as bytes, so that a request that is no message gets INVALID_ARGUMENT here. Both
        methods are handled from their headers on: a caller without a token need not send a request to be refused.
        """
        return grpc.method_handlers_generic_handler(
            wire.SERVICE_NAME,
            {
                "Publish": grpc.stream_stream_rpc_method_handler(self._publish),
                "Subscribe": grpc.stream_stream_rpc_method_handler(self._subscribe),
            },
        )

    async def drain(self, grace: float) -> None:
        """Ends every call with UNAVAILABLE and answers new ones so; returns after `grace` seconds at the latest."""
        await self._calls.drain(grace)

    async def _publish(self, _: object, context: Any) -> None:
        async with self._call("Publish", context) as call, AsyncExitStack() as publishing:
            epoch: int | None = None
            while (data := await call.read()) is not None:
                request = _parse_publish(data)
                if not call.stream_id:
                    await self._begin(call, "publish", request.stream_id)
                elif request.stream_id not in ("", call.stream_id):
                    raise InvalidRequestError("stream_id", f"is constant within a call: it was {call.stream_id!r}")
                started = time.perf_counter()
                position = await self._store.append(
                    call.stream_id,
                    request.events,
                    first_offset=request.first_offset if request.HasField("first_offset") else None,
                    end_of_stream=request.end_of_stream,
                    epoch=request.epoch if request.HasField("epoch") else epoch,
                )
                self.metrics.appended(time.perf_counter() - started)
                self.metrics.moved(call, len(request.events), len(data))
                call.end = position.next_offset
                if epoch is None:
                    # From here on the call speaks of this very stream, even if another is created under its id.
                    epoch = position.epoch
                    await publishing.enter_async_context(self._store.publishing(call.stream_id))
                await call.write(
                    stream_service_pb2.PublishResponse(
                        next_offset=position.next_offset, epoch=position.epoch
                    ).SerializeToString()
                )
            if not call.stream_id:
                raise InvalidRequestError("stream_id", "the call ended without a request that names a stream")

    async def _subscribe(self, _: object, context: Any) -> None:
        async with self._call("Subscribe", context) as call:
            request = _parse_subscribe(await call.read())
            await self._begin(call, "subscribe", request.stream_id)
            call.offset = request.start_offset
            epoch = request.epoch if request.HasField("epoch") else None
            while True:
                started, waits = time.perf_counter(), call.offset >= call.end
                with call.waiting:
                    batch = await self._store.read(
                        call.stream_id,
                        call.offset,
                        epoch=epoch,
                        max_bytes=wire.RESPONSE_BYTES,
                        timeout=self._idle_interval,
                    )
                if not waits:
                    self.metrics.read(time.perf_counter() - started)
                call.end = batch.end
                # The message is put together where it is sent: a peer that does not read holds its bytes alone.
                size = await call.write(
                    wire.SubscribeResponse(
                        first_offset=batch.first_offset,
                        events=batch.events,
                        end_of_stream=batch.end_of_stream,
                        epoch=batch.epoch,
                    ).SerializeToString()
                )
                self.metrics.moved(call, len(batch.events), size)
                call.offset = batch.first_offset + len(batch.events)
                if batch.end_of_stream:
                    return
                epoch = batch.epoch or epoch

    @asynccontextmanager
    async def _call(self, method: str, context: Any) -> AsyncIterator[Call]:
        """One call: let in, and with a status for whatever ends it."""
        call = Call(method, context, self._write_timeout)
        code = grpc.StatusCode.CANCELLED
        try:
            if self._tokens:
                call.token = self._tokens.identify(dict(context.invocation_metadata()).get("authorization"))
            self._calls.add(call)
            yield call
            code = grpc.StatusCode.OK
        except grpc.aio.AbortError:
            raise
        except Exception as error:
            if isinstance(error, StoreUnavailableError):
                _logger.error("the store is unavailable: %s", error)
            status = status_of(error)
            if status is None:
                error_id = secrets.token_hex(8)
                _logger.exception("internal error %s", error_id)
                status = internal_status(error_id)
            code = status.code
            await call.abort(status)
        finally:
            self._calls.remove(call)
            call.close()
            self.metrics.ended(call, code.name)
            log_call(call, code.name)

    async def _begin(self, call: Call, permission: Permission, stream_id: str) -> None:
        """Checks what a call's first request asks for."""
        call.stream_id = _check_stream_id(stream_id)
        if call.token:
            call.token.check(permission, stream_id)
        await call.accept()


def _parse_publish(data: bytes) -> Any:
    try:
        # The generated class checks what the twin leaves alone: that each event is one.
        stream_service_pb2.PublishRequest.FromString(data)
        request = wire.PublishRequest.FromString(data)
    except DecodeError:
        raise InvalidRequestError("", "the request is no PublishRequest") from None
    for index, event in enumerate(request.events):
        if not event:
            raise InvalidRequestError(f"events[{index}]", "no event is set")
    return request


def _parse_subscribe(data: bytes | None) -> stream_service_pb2.SubscribeRequest:
    if data is None:
        raise InvalidRequestError("", "the call ended without a request")
    try:
        return stream_service_pb2.SubscribeRequest.FromString(data)
    except DecodeError:
        raise InvalidRequestError("", "the request is no SubscribeRequest") from None


def _check_stream_id(stream_id: str) -> str:
    if not stream_id:
        raise InvalidRequestError("stream_id", "is required")
    if len(stream_id.encode()) > wire.MAX_STREAM_ID_BYTES:
        raise InvalidRequestError("stream_id", f"is longer than {wire.MAX_STREAM_ID_BYTES} bytes")
    return stream_id
