"""The stream service: Publish and Subscribe over a store."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import grpc
from google.protobuf.message import DecodeError

from openresponses.v1 import stream_service_pb2

from . import wire
from .status import InvalidRequestError, abort_for_request, abort_for_state, abort_unavailable
from .store import Store, StoreUnavailableError, StreamStateError

_logger = logging.getLogger(__name__)


class _ShuttingDownError(Exception):
    """The server is to stop, and the call with it."""


class StreamService:
    """`openresponses.v1.OpenResponsesStreamService` over a store.

    Args:
        store: keeps the logs.
        idle_interval: seconds after which a subscriber who waits gets a response without events.

    """

    def __init__(self, store: Store, *, idle_interval: float = 15.0) -> None:
        self._store = store
        self._idle_interval = idle_interval
        self._draining = False
        self._calls: set[asyncio.Task[Any]] = set()
        self._waiting: set[asyncio.Task[Any]] = set()

    def handler(self) -> grpc.GenericRpcHandler:
        """The service's methods, to be added to a `grpc.aio` server.

        Requests come and responses go as bytes, so that a request that is no message gets INVALID_ARGUMENT here.
        """
        return grpc.method_handlers_generic_handler(
            wire.SERVICE_NAME,
            {
                "Publish": grpc.stream_stream_rpc_method_handler(self._publish),
                "Subscribe": grpc.unary_stream_rpc_method_handler(self._subscribe),
            },
        )

    async def drain(self, grace: float) -> None:
        """Ends every call with UNAVAILABLE and answers new ones so.

        Returns when the last call has ended, at the latest after `grace` seconds: a peer that does not read what is
        written to it holds its call up.
        """
        self._draining = True
        for call in self._waiting:
            call.cancel()
        if self._calls:
            await asyncio.wait(self._calls, timeout=grace)

    async def _publish(self, requests: AsyncIterator[bytes], context: Any) -> AsyncIterator[bytes]:
        async with self._call(context), AsyncExitStack() as publishing:
            stream_id = ""
            epoch: int | None = None
            while True:
                with self._interruptible():
                    data = await anext(requests, None)
                if data is None:
                    break
                request = _parse_publish(data)
                if not stream_id:
                    stream_id = _check_stream_id(request.stream_id)
                elif request.stream_id not in ("", stream_id):
                    raise InvalidRequestError("stream_id", f"is constant within a call: it was {stream_id!r}")
                position = await self._store.append(
                    stream_id,
                    request.events,
                    first_offset=request.first_offset if request.HasField("first_offset") else None,
                    end_of_stream=request.end_of_stream,
                    epoch=request.epoch if request.HasField("epoch") else epoch,
                )
                if epoch is None:
                    # From here on the call speaks of this very stream, even if another is created under its id.
                    epoch = position.epoch
                    await publishing.enter_async_context(self._store.publishing(stream_id))
                yield stream_service_pb2.PublishResponse(
                    next_offset=position.next_offset, epoch=position.epoch
                ).SerializeToString()
            if not stream_id:
                raise InvalidRequestError("stream_id", "the call ended without a request that names a stream")

    async def _subscribe(self, data: bytes, context: Any) -> AsyncIterator[bytes]:
        async with self._call(context):
            request = _parse_subscribe(data)
            stream_id = _check_stream_id(request.stream_id)
            offset = request.start_offset
            epoch = request.epoch if request.HasField("epoch") else None
            # The headers tell a subscriber whose stream has no events yet that it is subscribed.
            await context.send_initial_metadata(())
            while True:
                with self._interruptible():
                    batch = await self._store.read(
                        stream_id, offset, epoch=epoch, max_bytes=wire.RESPONSE_BYTES, timeout=self._idle_interval
                    )
                yield wire.SubscribeResponse(
                    first_offset=batch.first_offset,
                    events=batch.events,
                    end_of_stream=batch.end_of_stream,
                    epoch=batch.epoch,
                ).SerializeToString()
                if batch.end_of_stream:
                    return
                offset = batch.first_offset + len(batch.events)
                epoch = batch.epoch or epoch

    @asynccontextmanager
    async def _call(self, context: Any) -> AsyncIterator[None]:
        """One call: in the list of those to drain, and with a status for whatever ends it."""
        task = asyncio.current_task()
        assert task is not None
        self._calls.add(task)
        try:
            yield
        except StreamStateError as error:
            await abort_for_state(context, error)
        except InvalidRequestError as error:
            await abort_for_request(context, error)
        except _ShuttingDownError:
            await abort_unavailable(context, "the server is shutting down")
        except StoreUnavailableError as error:
            _logger.error("the store is unavailable: %s", error)
            await abort_unavailable(context, "the store is unavailable")
        except grpc.aio.AbortError:
            raise
        except Exception:
            # The text of an unforeseen exception is for the operator; the client gets its id.
            error_id = secrets.token_hex(8)
            _logger.exception("internal error %s", error_id)
            await context.abort(grpc.StatusCode.INTERNAL, f"internal error {error_id}")
        finally:
            self._calls.discard(task)

    @contextmanager
    def _interruptible(self) -> Iterator[None]:
        """Marks where a call waits for others. Draining interrupts it here and nowhere else.

        A call that is interrupted while it sends something can send no status after it, and its client would wait.
        """
        task = asyncio.current_task()
        assert task is not None
        self._waiting.add(task)
        try:
            if self._draining:
                raise _ShuttingDownError
            yield
        except asyncio.CancelledError:
            if self._draining:
                raise _ShuttingDownError from None
            raise
        finally:
            self._waiting.discard(task)


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


def _parse_subscribe(data: bytes) -> stream_service_pb2.SubscribeRequest:
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
