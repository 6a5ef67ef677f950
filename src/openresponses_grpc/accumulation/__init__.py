"""Builds a response from its stream events. Pure: no I/O."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Iterable
from typing import Any, overload

from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

from ._accumulator import Accumulator

__all__ = ["Accumulator", "accumulate"]


@overload
def accumulate(events: Iterable[OpenResponsesStreamEvent | bytes]) -> Accumulator: ...


@overload
def accumulate(events: AsyncIterable[OpenResponsesStreamEvent | bytes]) -> Awaitable[Accumulator]: ...


def accumulate(events: Any) -> Accumulator | Awaitable[Accumulator]:
    """Builds the response, the text, the tool calls and the usage from the events of a stream.

    Args:
        events: messages, or serialized events. May be an async iterable, such as a subscription.

    Returns:
        The accumulator with the result; an awaitable of it for an async iterable.

    Raises:
        InvalidProtobufError: bytes are not a serialized event.

    """
    return _accumulate_async(events) if isinstance(events, AsyncIterable) else _accumulate(events)


def _accumulate(events: Iterable[OpenResponsesStreamEvent | bytes]) -> Accumulator:
    accumulator = Accumulator()
    for event in events:
        accumulator.add(event)
    return accumulator


async def _accumulate_async(events: AsyncIterable[OpenResponsesStreamEvent | bytes]) -> Accumulator:
    accumulator = Accumulator()
    async for event in events:
        accumulator.add(event)
    return accumulator
