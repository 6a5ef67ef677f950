"""The response from the events of its stream. Pure: no I/O."""

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
    """The response, the text, the tool calls and the usage of a stream, from its events.

    Args:
        events: messages or their bytes. If the iterable is asynchronous, such as a subscription, the result is to be
            awaited.

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
