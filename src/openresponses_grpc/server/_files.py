"""The files that the process may have open, of which each connection is one."""

from __future__ import annotations

import resource
from typing import Final

RESERVED: Final = 128
"""Files that are not for connections: the store's, the logs, the metrics, what gRPC itself needs."""


def raise_file_limit() -> int:
    """Raises the number of files that this process may have open as far as the system lets it, and returns it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        except (OSError, ValueError):  # some systems allow fewer than they say
            return soft
    return hard


def connections(wanted: int | None, most: int, files: int) -> int:
    """The connections that a process may have.

    Args:
        wanted: how many are wanted; None for as many as there can be, up to `most`.
        most: see `wanted`.
        files: how many files it may have open; a negative number is any number.

    Raises:
        ValueError: more are wanted than there can be; or there can be none.

    """
    possible = files - RESERVED if files >= 0 else max(wanted or 0, most)
    if possible < (wanted or 1):
        raise ValueError(
            f"{wanted or 1} connections and {RESERVED} other files are more than the {files} that the system allows:"
            " raise its hard limit (ulimit -Hn, LimitNOFILE=), or allow fewer connections"
        )
    return wanted or min(most, possible)
