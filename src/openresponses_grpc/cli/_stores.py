"""The store of `serve`: the options, and the limits that they make."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from ..store import StoreLimits
from ._common import options
from ._option import option
from ._units import duration, duration_text, size, size_text

_OPTIONS = [
    option(
        "--store",
        metavar="URL",
        default="memory:",
        show_default=True,
        help="Where the server keeps the streams: memory:, sqlite:PATH or redis://HOST:PORT, see above.",
    ),
    option(
        "--max-bytes",
        metavar="SIZE",
        type=size,
        default=size_text(StoreLimits.max_bytes),
        show_default=True,
        help="Room for all streams, such as 2GiB. When it is full, the server drops finished streams, the oldest first,"
        " then abandoned ones; without any, it refuses publishers with RESOURCE_EXHAUSTED. With --tokens, the token"
        " furthest over its share gives way. Redis has its own maxmemory instead.",
    ),
    option(
        "--max-streams",
        metavar="N",
        type=click.IntRange(min=1),
        default=StoreLimits.max_streams,
        show_default=True,
        help="Streams at one time; beyond it as with --max-bytes. Not with Redis.",
    ),
    option(
        "--max-stream-bytes",
        metavar="SIZE",
        type=size,
        default=size_text(StoreLimits.max_stream_bytes),
        show_default=True,
        help="Room for the events of one stream. A publisher that exceeds it is refused with RESOURCE_EXHAUSTED.",
    ),
    option(
        "--retention",
        metavar="DURATION",
        type=duration,
        default=duration_text(StoreLimits.retention),
        show_default=True,
        help="How long the server keeps a finished or abandoned stream, such as 1h30m.",
    ),
    option(
        "--abandon-after",
        metavar="DURATION",
        type=duration,
        default=duration_text(StoreLimits.abandon_after),
        show_default=True,
        help="How long an open stream may be without a publisher. After that its subscribers are told that it is"
        " abandoned.",
    ),
]


def stores(command: Callable[..., None]) -> Callable[..., None]:
    """Gives a command the options for its store; they reach it as the arguments `store`, a URL, and `limits`."""

    @functools.wraps(command)
    def storing(
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

    return options(_OPTIONS, storing)
