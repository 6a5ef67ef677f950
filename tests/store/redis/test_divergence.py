"""Redis logs that differ from what clients know: after a failover, with damaged entries, or trimmed."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from redis.asyncio import Redis

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.client import StreamError
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import (
    Append,
    Check,
    DataLossError,
    End,
    OffsetTrimmedError,
    StreamDivergedError,
    StreamNotFoundError,
)
from openresponses_grpc.store.redis import RedisStore, open_redis
from openresponses_grpc.store.redis._client import stream_keys

from ...support.events import event
from ...support.redis_server import RedisServer, running
from .streams import LIMITS, read, wait_until_subscribed, waiting_read

# A failover


class Address:
    """A proxy to the current primary."""

    def __init__(self, port: int) -> None:
        self.port = port
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def served(self) -> AsyncIterator[str]:
        """Runs the proxy and yields its URL."""
        server = await asyncio.start_server(self._carry, "127.0.0.1", 0)
        try:
            yield f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:
            server.close()
            self.fail_over(self.port)
            await server.wait_closed()

    def fail_over(self, port: int) -> None:
        """Makes another server the primary and closes the connections to the previous one."""
        self.port = port
        for writer in self._writers:
            writer.close()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        to_reader, to_writer = await asyncio.open_connection("127.0.0.1", self.port)
        self._writers |= {writer, to_writer}
        await asyncio.gather(self._copy(reader, to_writer), self._copy(to_reader, writer))
        self._writers -= {writer, to_writer}

    async def _copy(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
        while data := await source.read(1 << 16):
            sink.write(data)
        sink.close()


@pytest.fixture
def pair(tmp_path: Path, unused_tcp_port_factory: Callable[[], int]) -> Iterator[list[RedisServer]]:
    """Two Redis servers for one test."""
    folders = [tmp_path / name for name in ("primary", "replica")]
    for folder in folders:
        folder.mkdir()
    at_once = ("--repl-diskless-sync-delay", "0")
    primary, replica = (RedisServer(folder, unused_tcp_port_factory(), *at_once) for folder in folders)
    with running(primary), running(replica):
        yield [primary, replica]


@asynccontextmanager
async def replicated(pair: list[RedisServer]) -> AsyncIterator[tuple[Address, Any, Any]]:
    """Yields a proxy to a primary with a replica, and clients of both."""
    primary: Any
    replica: Any
    async with Redis(port=pair[0].port) as primary, Redis(port=pair[1].port) as replica:
        await replica.execute_command("REPLICAOF", "127.0.0.1", pair[0].port)
        yield Address(pair[0].port), primary, replica


async def promote(primary: Any, replica: Any) -> None:
    """Promotes the replica once it is in sync; it misses everything that the old primary stores afterwards."""
    while await primary.wait(1, 1000) < 1:
        pass
    await replica.execute_command("REPLICAOF NO ONE")


NEW_ENDS = [5, 8, 12]
"""End offsets of the promoted log: before the lost events, among them, and after them."""


@pytest.mark.parametrize("new_end", NEW_ENDS)
async def test_a_failover_that_lost_acknowledged_events_is_detected_at_once(
    pair: list[RedisServer], new_end: int
) -> None:
    async with (
        replicated(pair) as (address, primary, replica),
        address.served() as url,
        open_redis(url, LIMITS) as store,
    ):
        kept = await store.append(Append("s", [b"%d" % n for n in range(5)]))
        await promote(primary, replica)
        lost = await store.append(Append("s", [b"%d" % n for n in range(5, 10)], epoch=kept.epoch))
        known = Check(lost.next_offset, lost.checksum)
        reader = waiting_read(store, 10, epoch=kept.epoch, check=known)
        await wait_until_subscribed(primary, 1)
        async with open_redis(pair[1].url, LIMITS) as other:
            await other.append(Append("s", [b"new"] * (new_end - 5)))
        address.fail_over(pair[1].port)

        async def refused(call: Any) -> None:
            with pytest.raises(StreamDivergedError) as caught:
                await call
            assert caught.value.metadata == {"next_offset": str(new_end)}

        await refused(reader)
        for start in (0, 7, 10, 11, 13):
            await refused(waiting_read(store, start, epoch=kept.epoch, check=known))
        for request in (
            Append("s", [b"10"], first_offset=10),
            Append("s", [b"9", b"10"], first_offset=9),
            Append("s", end_of_stream=True),
        ):
            await refused(store.append(request._replace(epoch=kept.epoch, check=known)))
        # A position before the lost events remains valid.
        at_5 = Check(5, kept.checksum)
        assert (await read(store, 3, epoch=kept.epoch, check=at_5)).end == new_end
        end = await store.append(Append("s", [b"x"], epoch=kept.epoch, check=at_5))
        assert end.next_offset == new_end + 1


@pytest.mark.parametrize("new_end", NEW_ENDS)
async def test_a_subscriber_gets_diverged_when_a_failover_replaces_its_log(
    pair: list[RedisServer], new_end: int
) -> None:
    async with (
        replicated(pair) as (address, primary, replica),
        address.served() as url,
        open_redis(url, LIMITS) as store,
        running_server(StreamService(store), "127.0.0.1:0") as server,
        AsyncEventStreamClient(server) as client,
    ):
        made = [event(n) for n in range(10)]
        serialized = [one.SerializeToString() for one in made]
        await store.append(Append("s", serialized[:5]))
        await promote(primary, replica)
        await store.append(Append("s", serialized[5:]))
        received = []
        with pytest.raises(StreamError) as caught:
            async for one in client.subscribe("s"):
                received.append(one)
                if len(received) == 10:
                    await wait_until_subscribed(primary, 1)
                    async with open_redis(pair[1].url, LIMITS) as other:
                        new = [event(100 + n).SerializeToString() for n in range(new_end - 5)]
                        await other.append(Append("s", new))
                    address.fail_over(pair[1].port)
        assert caught.value.reason == "STREAM_DIVERGED"
        assert received == made


async def test_a_publisher_number_lost_in_a_failover_is_not_drawn_again(pair: list[RedisServer]) -> None:
    async with (
        replicated(pair) as (address, primary, replica),
        address.served() as url,
        open_redis(url, LIMITS) as store,
    ):
        kept = await store.append(Append("s", publisher=0))
        await promote(primary, replica)
        lost = await store.append(Append("s", publisher=0))
        async with open_redis(pair[1].url, LIMITS) as other:
            drawn = await other.append(Append("s", publisher=0))
        assert (kept.publisher or 0) < (lost.publisher or 0) < (drawn.publisher or 0)


# Damage

EVENTS = [b"a0", b"b1b", b"c2", b"", b"d4" * 20, b"e5", b"f6", b"g7"]
DAMAGED = 4
"""The first offset of the damaged entry. Each entry contains two events."""


async def rewrite(redis: Any, change: Callable[[dict[bytes, bytes]], None]) -> None:
    """Changes the entry at `DAMAGED`."""
    log = stream_keys("s").log
    entries = await redis.xrange(log)
    async with redis.pipeline() as transaction:
        transaction.delete(log)
        for offset, fields in entries:
            if offset == b"%d-0" % (DAMAGED + 2):
                change(fields)
            transaction.xadd(log, fields, offset)
        await transaction.execute()


def flipped(field: bytes, byte: int, bit: int) -> Callable[[dict[bytes, bytes]], None]:
    def flip(fields: dict[bytes, bytes]) -> None:
        value = bytearray(fields[field])
        value[byte] ^= 1 << bit
        fields[field] = bytes(value)

    return flip


async def filled(store: RedisStore) -> End:
    for start in range(0, len(EVENTS), 2):
        end = await store.append(Append("s", EVENTS[start : start + 2]))
    return end


async def test_a_flipped_bit_in_an_event_is_data_loss_after_the_intact_events(store: RedisStore, redis: Any) -> None:
    await filled(store)
    (fields,) = (fields for _, fields in await redis.xrange(stream_keys("s").log, "6-0", "6-0"))
    flips = [flipped(b"e", byte, bit) for byte in range(len(fields[b"e"])) for bit in range(8)]
    for flip in flips:
        await rewrite(redis, flip)
        for start in range(DAMAGED):
            assert list((await read(store, start)).events) == EVENTS[start:DAMAGED]
        for start in (DAMAGED, DAMAGED + 1):
            with pytest.raises(DataLossError) as caught:
                await read(store, start)
            assert caught.value.metadata == {"offset": str(DAMAGED)}
        assert list((await read(store, DAMAGED + 2)).events) == EVENTS[DAMAGED + 2 :]
        await rewrite(redis, flip)


@pytest.mark.parametrize("field", [b"n", b"before", b"after"])
async def test_a_flipped_bit_in_an_entry_s_metadata_never_changes_its_events(
    store: RedisStore, redis: Any, field: bytes
) -> None:
    await filled(store)
    (fields,) = (fields for _, fields in await redis.xrange(stream_keys("s").log, "6-0", "6-0"))
    damaged = 0
    for flip in (flipped(field, byte, bit) for byte in range(len(fields[field])) for bit in range(8)):
        await rewrite(redis, flip)
        for start in range(len(EVENTS)):
            try:
                events = list((await read(store, start)).events)
            except DataLossError:
                assert start in (DAMAGED, DAMAGED + 1)
                damaged += 1
            else:
                assert events
                assert events == EVENTS[start : start + len(events)]
        await rewrite(redis, flip)
    assert damaged


async def test_a_swapped_entry_is_damaged(store: RedisStore, redis: Any) -> None:
    await filled(store)
    entries = [fields for _, fields in await redis.xrange(stream_keys("s").log)]
    await rewrite(redis, lambda fields: fields.update(entries[1]))
    assert list((await read(store)).events) == EVENTS[:DAMAGED]
    with pytest.raises(StreamDivergedError):
        epoch = (await read(store)).epoch
        known = await read(store)
        assert known.checksum is not None
        await read(store, DAMAGED, epoch=epoch, check=Check(DAMAGED, known.checksum))


async def test_a_damaged_entry_verifies_neither_positions_nor_retries(store: RedisStore, redis: Any) -> None:
    end = await filled(store)
    await rewrite(redis, flipped(b"e", 2, 0))
    for check in (Check(DAMAGED + 1, 1), Check(DAMAGED + 1, 2)):
        with pytest.raises(DataLossError):
            await read(store, 0, epoch=end.epoch, check=check)
        with pytest.raises(DataLossError):
            await store.append(Append("s", [b"x"], epoch=end.epoch, check=check))
    with pytest.raises(DataLossError):
        await store.append(Append("s", EVENTS, first_offset=0))
    assert (await store.append(Append("s", [b"x"]))).next_offset == len(EVENTS) + 1


# A trimmed log


async def test_a_position_in_the_trimmed_part_of_a_log_cannot_be_verified(store: RedisStore, redis: Any) -> None:
    end = await filled(store)
    kept = await read(store, 2)
    assert kept.checksum is not None
    await redis.xtrim(stream_keys("s").log, maxlen=2, approximate=False)
    for offset in (0, 3):
        for start in (DAMAGED, len(EVENTS)):
            with pytest.raises(OffsetTrimmedError) as caught:
                await read(store, start, epoch=end.epoch, check=Check(offset, 0))
            assert caught.value.metadata == {"oldest_offset": str(DAMAGED)}
        with pytest.raises(OffsetTrimmedError):
            await store.append(Append("s", [b"x"], epoch=end.epoch, check=Check(offset, 0)))
    assert (await store.info("s")).first_offset == DAMAGED
    known = await read(store, DAMAGED, epoch=end.epoch, check=Check(len(EVENTS), kept.checksum))
    assert list(known.events) == EVENTS[DAMAGED:]


async def test_a_stream_whose_state_was_dropped_is_not_found(store: RedisStore, redis: Any) -> None:
    end = await filled(store)
    await redis.delete(stream_keys("s").state)
    with pytest.raises(StreamNotFoundError):
        await read(store, len(EVENTS), epoch=end.epoch, check=Check(end.next_offset, end.checksum))
