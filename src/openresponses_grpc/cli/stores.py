"""Where `serve` keeps its streams: the options, and the limits that they make."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click

from ..store import StoreLimits
from .common import options

_OPTIONS = [
    click.option(
        "--store",
        metavar="URL",
        default="memory:",
        show_default=True,
        help="Where the streams are kept: memory:, sqlite:PATH or redis://HOST:PORT, see above.",
    ),
    click.option(
        "--max-bytes",
        metavar="BYTES",
        type=click.IntRange(min=1),
        default=StoreLimits.max_bytes,
        show_default=True,
        help="Room for all streams. When it is full, finished streams go, the oldest first, then abandoned ones; when"
        " there are none, publishers are refused with RESOURCE_EXHAUSTED. Redis has its own maxmemory instead.",
    ),
    click.option(
        "--max-streams",
        metavar="N",
        type=click.IntRange(min=1),
        default=StoreLimits.max_streams,
        show_default=True,
        help="Streams at one time; beyond it as with --max-bytes. Not with Redis.",
    ),
    click.option(
        "--max-stream-bytes",
        metavar="BYTES",
        type=click.IntRange(min=1),
        default=StoreLimits.max_stream_bytes,
        show_default=True,
        help="Bytes of the events of one stream; a publisher that goes beyond is refused with RESOURCE_EXHAUSTED.",
    ),
    click.option(
        "--keep-finished",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=StoreLimits.keep_finished,
        show_default=True,
        help="How long a finished stream, or one that is abandoned, can be replayed.",
    ),
    click.option(
        "--abandon-after",
        metavar="SECONDS",
        type=click.FloatRange(min=0),
        default=StoreLimits.abandon_after,
        show_default=True,
        help="How long an unfinished stream may be without a publisher before its readers are told that it is"
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
        keep_finished: float,
        abandon_after: float,
        **arguments: Any,
    ) -> None:
        limits = StoreLimits(
            max_bytes=max_bytes,
            max_streams=max_streams,
            max_stream_bytes=max_stream_bytes,
            keep_finished=keep_finished,
            abandon_after=abandon_after,
        )
        command(limits=limits, **arguments)

    return options(_OPTIONS, storing)
