"""The end of a stream, in every store."""

import asyncio

import pytest

from openresponses_grpc.store import Append, Failure, Store, StreamFinishedError

from .reading import read

TIMEOUT = Failure("UPSTREAM_TIMEOUT", "no event for 30 seconds, \u20ac")
ENDINGS = [None, TIMEOUT, Failure("UPSTREAM_TIMEOUT", ""), Failure("OTHER", "no event for 30 seconds, \u20ac")]


@pytest.mark.parametrize("failure", [None, TIMEOUT])
async def test_readers_get_every_event_and_then_the_ending(store: Store, failure: Failure | None) -> None:
    waiting = asyncio.create_task(store.read("s", 2, epoch=None, max_bytes=1000, timeout=60))
    await asyncio.wait((waiting,), timeout=0)
    end = await store.append(Append("s", [b"a", b"b"], end_of_stream=True, failure=failure))
    assert (end.next_offset, end.end_of_stream, end.failure) == (2, True, failure)
    first = await read(store, 0, max_bytes=1)
    assert (list(first.events), first.end_of_stream, first.failure) == ([b"a"], False, None)
    last = await read(store, 1)
    assert (list(last.events), last.end_of_stream, last.failure) == ([b"b"], True, failure)
    at_end = await waiting
    assert (list(at_end.events), at_end.end_of_stream, at_end.failure) == ([], True, failure)


@pytest.mark.parametrize("stored", ENDINGS)
@pytest.mark.parametrize("sent", ENDINGS)
async def test_a_retry_of_the_ending_succeeds_only_with_the_same_ending(
    store: Store, stored: Failure | None, sent: Failure | None
) -> None:
    end = await store.append(Append("s", [b"a"], end_of_stream=True, failure=stored))
    retry = Append("s", [b"a"], first_offset=0, end_of_stream=True, failure=sent)
    if stored == sent:
        assert await store.append(retry) == end
    else:
        with pytest.raises(StreamFinishedError) as caught:
            await store.append(retry)
        assert caught.value.metadata == {"next_offset": "1"}
    assert await store.append(Append("s")) == end
