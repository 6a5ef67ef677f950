"""Helpers that read and inspect the file of an SQLite store."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from openresponses_grpc.store import Batch, Check, Store, StoreLimits

LIMITS = StoreLimits(retention=100, abandon_after=10)


async def read(
    store: Store,
    start: int = 0,
    *,
    stream_id: str = "s",
    epoch: int | None = None,
    check: Check | None = None,
    max_bytes: int = 1 << 30,
) -> Batch:
    return await store.read(stream_id, start, epoch=epoch, check=check, max_bytes=max_bytes, timeout=0)


async def read_all(store: Store, start: int, max_bytes: int) -> list[bytes]:
    """Reads an ended stream to its end."""
    events: list[bytes] = []
    while True:
        batch = await read(store, start + len(events), max_bytes=max_bytes)
        assert batch.first_offset == start + len(events)
        assert sum(map(len, batch.events)) <= max_bytes or len(batch.events) == 1
        events += batch.events
        if batch.end_of_stream:
            return events


@contextmanager
def connected(path: Path) -> Iterator[sqlite3.Connection]:
    """Opens a separate connection to the file."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        yield connection


@contextmanager
def writer_blocked(path: Path) -> Iterator[None]:
    """Prevents the store from starting a transaction."""
    with connected(path) as connection:
        connection.execute("BEGIN IMMEDIATE")
        yield
        connection.execute("ROLLBACK")


def size(path: Path) -> int:
    return path.stat().st_size


def commits(path: Path) -> int:
    """Counts the transactions in the write-ahead log: the last frame of each contains the database size."""
    log = path.with_name(f"{path.name}-wal").read_bytes()
    page_size = int.from_bytes(log[8:12])
    frames = range(32, len(log), 24 + page_size)
    return sum(log[frame + 4 : frame + 8] != bytes(4) for frame in frames)


def row_count(path: Path) -> int:
    """Counts the rows in the file."""
    with connected(path) as connection:
        (rows,) = connection.execute(
            "SELECT (SELECT count(*) FROM streams) + (SELECT count(*) FROM batches)"
        ).fetchone()
        assert isinstance(rows, int)
        return rows
