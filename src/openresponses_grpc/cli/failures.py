"""The errors of a server, in plain words: what went wrong where, and what to do."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

from ..client import StreamError, StreamFailedError
from .statuses import Status

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

ADVICE: Final[Mapping[str, str]] = {
    "STREAM_FINISHED": "use another id, or delete it: openresponses streams delete",
    "STREAM_NOT_FOUND": "it expired, was deleted, or never existed; openresponses streams list shows those that exist",
    "STREAM_ABANDONED": "its publisher is gone; openresponses publish --resume continues it",
    "STREAM_DIVERGED": "the server lost acknowledged events; delete the stream or use another id, and publish it again",
    "STREAM_FULL": "openresponses serve --max-stream-bytes sets the limit",
    "EPOCH_MISMATCH": "its id is used again for another stream; start again at the beginning of that one",
    "PUBLISHER_FENCED": "stop one of the publishers; publish --resume continues the stream in this one",
    "OFFSET_TRIMMED": "its oldest events are gone; --start-offset skips them",
    "OFFSET_OUT_OF_RANGE": "use a smaller --start-offset",
    "DATA_LOSS": "its log is damaged on the server; read the events before with --start-offset, or delete it",
    "STORE_FULL": "delete streams, or try again later; openresponses serve --max-bytes sets the limit",
    "TOO_MANY_CALLS": "try again later; openresponses serve --max-calls sets the limit",
    "TOKEN_MISSING": "--token-file or OPENRESPONSES_TOKEN gives one",
}
"""What to do about an error, by its reason."""

_CAUSES: Final = (
    # What gRPC says, what it means, and what to do.
    ("WRONG_VERSION_NUMBER", "it does not speak TLS", "leave out the --tls options"),
    ("CERTIFICATE_VERIFY_FAILED", "its certificate is not trusted", "give its roots with --tls-ca"),
    ("Hostname Verification|does not match", "its certificate is for another name", "use that name in --server"),
    ("Socket closed|Connection reset|GOAWAY", "it closed the connection", "if it speaks TLS, give --tls or --tls-ca"),
    ("HTTP/2|SETTINGS frame", "it does not speak gRPC", "check the port in --server"),
    ("Connection refused|No such file", "nothing listens there", "start it, or wait for it with --wait"),
    ("hostname lookup|resolv", "there is no such host", "check the name in --server"),
    ("[Tt]imed? ?out|[Uu]nreachable", "it does not answer", "check the address in --server and the network"),
)
_PROXY_VARIABLES: Final = ("grpc_proxy", "https_proxy", "http_proxy")


def status_of(error: StreamError) -> Status:
    """The exit status for an error."""
    if isinstance(error, StreamFailedError) or error.reason == "STREAM_FULL":
        return Status.STREAM
    if error.code.name == "RESOURCE_EXHAUSTED" and not error.reason:
        return Status.BAD_INPUT  # the request is too large
    return _STATUSES.get(error.code.name, Status.SERVER)


def explained(error: StreamError, server: str, stream: str | None) -> str:
    """An error in one line: the stream and the server, what is wrong, and what to do.

    A note of the exception replaces the usual advice.

    Args:
        error: the error.
        server: the server, as the user named it.
        stream: the stream's id; None where there is no one stream.

    """
    if error.code.name == "UNAVAILABLE" and not error.reason:
        return _unreachable(str(error), server)
    notes: list[str] = getattr(error, "__notes__", [])
    advice = notes[0] if notes else ADVICE.get(error.reason)
    if error.code.name == "UNIMPLEMENTED":
        advice = "the server is another one or an older version: check --server"
    subject = f"stream {stream!r} at {server}" if stream else server
    problem = str(error).removeprefix(f"{error.code.name}: ")
    return " ".join(f"{subject}: {problem}{f'; {advice}' if advice else ''}".split())


def _unreachable(details: str, server: str) -> str:
    for pattern, cause, advice in _CAUSES:
        if re.search(pattern, details):
            break
    else:
        cause, advice = details.removeprefix("UNAVAILABLE: "), "check --server"
    if "://" in server:
        advice = "give --server as HOST:PORT, without a scheme"
    elif not (server.startswith("unix") or re.search(r":\d+$", server)):
        advice = "give the port: --server HOST:PORT"
    elif proxy := next((name for name in _PROXY_VARIABLES if os.environ.get(name)), None):
        advice += f"; gRPC uses the proxy of ${proxy}, unless $no_proxy lists the host"
    return " ".join(f"cannot reach the server {server}: {cause}; {advice}".split())
