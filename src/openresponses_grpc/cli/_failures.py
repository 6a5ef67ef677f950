"""The errors of a server: their exit statuses, and one line for each."""

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
"""The exit statuses by gRPC status; every other one means that the server cannot serve the call now."""

_CONNECTING: Final = re.compile(
    r"failed to connect to all addresses; last error: \w+: .*?: "
    r"(Failed to connect to remote host: |connect failed: addr: \S+ error: )?"
)
"""What gRPC says before the cause of a connection that failed."""


def status_of(error: StreamError) -> Status:
    """The exit status for an error."""
    if isinstance(error, StreamFailedError) or error.reason == "STREAM_FULL":
        return Status.STREAM
    if error.code.name == "RESOURCE_EXHAUSTED" and not error.reason:
        return Status.BAD_INPUT  # the request is too large
    return _STATUSES.get(error.code.name, Status.SERVER)


def line_of(error: StreamError) -> str:
    """An error and its notes, on one line and in the terms of the command."""
    problem = str(error).removeprefix(f"{error.code.name}: ")
    if error.code.name == "DEADLINE_EXCEEDED":
        return f"stream {error.stream_id!r} at {error.server} has not ended within the time of --timeout"
    problem = _CONNECTING.sub("cannot connect: ", problem).replace("with wait_for_ready", "with --wait")
    return " ".join("; ".join([problem, *getattr(error, "__notes__", ())]).split())
