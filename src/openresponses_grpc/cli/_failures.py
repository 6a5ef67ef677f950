"""Exit statuses and one-line messages for the errors of calls."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

from ..client import StreamError, StreamFailedError
from ._statuses import Status

_STATUSES: Final[Mapping[str, Status]] = {
    "INVALID_ARGUMENT": Status.BAD_INPUT,
    "UNAUTHENTICATED": Status.BAD_INPUT,
    "PERMISSION_DENIED": Status.BAD_INPUT,
    "NOT_FOUND": Status.STREAM,
    "FAILED_PRECONDITION": Status.STREAM,
    "ABORTED": Status.STREAM,
    "OUT_OF_RANGE": Status.STREAM,
    "DATA_LOSS": Status.STREAM,
}
"""Exit statuses by gRPC status. All others mean that the server cannot serve the call at the moment."""

_CONNECTING: Final = re.compile(
    r"failed to connect to all addresses; last error: \w+: .*?: "
    r"(Failed to connect to remote host: |connect failed: addr: \S+ error: )?"
)
"""The text that gRPC prints before the cause of a failed connection."""


def exit_status(error: StreamError) -> Status:
    """Returns the exit status for an error."""
    if isinstance(error, StreamFailedError) or error.reason == "STREAM_FULL":
        return Status.STREAM
    if error.code.name == "RESOURCE_EXHAUSTED" and not error.reason:
        return Status.BAD_INPUT  # the request is too large
    return _STATUSES.get(error.code.name, Status.SERVER)


def error_line(error: StreamError) -> str:
    """Returns the message of an error and its notes, on one line and in terms of the command line."""
    problem = str(error).removeprefix(f"{error.code.name}: ")
    if error.code.name == "DEADLINE_EXCEEDED":
        return f"stream {error.stream_id!r} at {error.server} did not end within --timeout"
    problem = _CONNECTING.sub("cannot connect: ", problem).replace("with wait_for_ready", "with --wait")
    return " ".join("; ".join([problem, *getattr(error, "__notes__", ())]).split())
