"""Store options of `serve`."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from ..store import StoreLimits
from ._common import options
from ._options import duration, duration_text, option, size, size_text

_OPTIONS = [
    option(
        "--store",
        metavar="URL",
        default="memory:",
        show_default=True,
        help="Where to store streams: memory:, sqlite:PATH or redis://HOST:PORT, see above.",
    ),
    option(
        "--max-bytes",
        metavar="SIZE",
        type=size,
        default=size_text(StoreLimits.max_bytes),
        show_default=True,
        help="Size limit of the store, such as 2GiB. When the store is full, the server evicts ended streams, oldest"
        " first, then abandoned ones. If there are none, it rejects publishers with RESOURCE_EXHAUSTED. With --tokens,"
        " streams of the token furthest over its share go first. Redis uses its own maxmemory instead.",
    ),
    option(
        "--max-streams",
        metavar="N",
        type=click.IntRange(min=1),
        default=StoreLimits.max_streams,
        show_default=True,
        help="Maximum number of streams. At the limit, the server evicts as for --max-bytes. Not available with Redis.",
    ),
    option(
        "--max-stream-bytes",
        metavar="SIZE",
        type=size,
        default=size_text(StoreLimits.max_stream_bytes),
        show_default=True,
        help="Size limit of one stream's events. The server rejects further events with RESOURCE_EXHAUSTED.",
    ),
    option(
        "--retention",
        metavar="DURATION",
        type=duration,
        default=duration_text(StoreLimits.retention),
        show_default=True,
        help="How long to keep an ended or abandoned stream, such as 1h30m.",
    ),
    option(
        "--abandon-after",
        metavar="DURATION",
        type=duration,
        default=duration_text(StoreLimits.abandon_after),
        show_default=True,
        help="How long an open stream may be without a publisher. Then its subscribers get the error STREAM_ABANDONED.",
    ),
]


def with_store_options(command: Callable[..., None]) -> Callable[..., None]:
    """Adds the store options to a command, which gets them as the arguments `store`, a URL, and `limits`."""

    @functools.wraps(command)
    def wrapper(
        max_bytes: int,
        max_streams: int,
        max_stream_bytes: int,
        retention: float,
        abandon_after: float,
        **arguments: Any,
    ) -> None:
        limits = StoreLimits(
            max_bytes=max_bytes,
            max_streams=max_streams,
            max_stream_bytes=max_stream_bytes,
            retention=retention,
            abandon_after=abandon_after,
        )
        command(limits=limits, **arguments)

    return options(_OPTIONS, wrapper)
