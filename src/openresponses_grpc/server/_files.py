"""The limit on open files, which also limits connections."""

from __future__ import annotations

import resource
from typing import Final

RESERVED: Final = 128
"""Files reserved for other uses than connections: the store, logs, metrics, gRPC itself."""


def raise_file_limit() -> int:
    """Raises the soft limit on open files to the hard limit, and returns the resulting limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems allow less than they report
            return soft
    return hard


def connections(wanted: int | None, most: int, files: int) -> int:
    """Returns the maximum number of connections for a limit on open files.

    Args:
        wanted: the number wanted; None for as many as possible, up to `most`.
        most: see `wanted`.
        files: the limit on open files; negative means unlimited.

    Raises:
        ValueError: the limit is too low for `wanted`, or for a single connection.

    """
    possible = files - RESERVED if files >= 0 else max(wanted or 0, most)
    if possible < (wanted or 1):
        raise ValueError(
            f"{wanted or 1} connections and {RESERVED} other files exceed the system's limit of {files} open files:"
            " raise its hard limit (ulimit -Hn, LimitNOFILE=), or allow fewer connections"
        )
    return wanted or min(most, possible)
