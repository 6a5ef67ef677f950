"""What a user can do about a failed call. No I/O but the environment's proxy variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

import grpc

BY_REASON: Final[Mapping[str, str]] = {
    "STREAM_FINISHED": "publish with another id, or delete the stream first",
    "PUBLISHER_FENCED": "only the latest publisher of a stream can append to it: stop this one",
    "STREAM_DIVERGED": "the server has lost acknowledged events: start over, at offset 0 or with another id",
    "EPOCH_MISMATCH": "the id was used again for another stream: start over, at offset 0",
    "STREAM_NOT_FOUND": "check the id; the stream may have expired or been deleted",
    "STREAM_ABANDONED": "resume at this offset when the stream has a publisher again",
    "OFFSET_TRIMMED": "the first offset that can be read is in the error's metadata, `oldest_offset`",
    "OFFSET_OUT_OF_RANGE": "check the offset: it belongs to another stream, or to an earlier one with this id",
    "TOKEN_MISSING": "give the client the token that the server asks for",
    "TOKEN_REPEATED": "give the token to the client library only, or in the metadata only",
    "TOKEN_UNKNOWN": "check the client's token",
    "TOKEN_EXPIRED": "ask the server's operator for a new token",
    "TOKEN_REVOKED": "ask the server's operator for a new token",
    "STORE_FULL": "delete streams, or give the server's store more room",
    "SHARE_EXCEEDED": "delete streams or end calls of this token, or ask the server's operator for a larger share",
    "STREAM_FULL": "publish the rest with another id, or raise the server's limit for one stream",
}

_BY_CODE: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.DATA_LOSS: "the events from there on are damaged: publish them again, with another id",
    grpc.StatusCode.UNIMPLEMENTED: "the server is another service, or older than this client",
}

_BY_DETAILS: Final = (
    ("WRONG_VERSION_NUMBER", "the server does not use TLS: connect without TLS"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the server's certificate has no trusted root: give the client the root's certificate",
    ),
    ("HTTP status", "no gRPC server listens there: check the port"),
    ("hostname lookup", "check the host name"),
    ("refused", "start the server, check the port, or wait for the server with wait_for_ready"),
    ("connect failed", "start the server, check the path, or wait for the server with wait_for_ready"),
)
"""What gRPC says where it cannot connect, and what to do then."""

_PROXIES: Final = ("grpc_proxy", "https_proxy", "http_proxy")
_NO_PROXIES: Final = ("no_grpc_proxy", "no_proxy")
_PORT: Final = re.compile(r":\d+$")


def advice(code: grpc.StatusCode, reason: str, details: str, *, server: str, secure: bool) -> str:
    """What to do about a call that failed; empty where nothing is known.

    Args:
        code: its status code.
        reason: the reason that the server gave; empty for none.
        details: the status's text.
        server: the server.
        secure: whether the client uses TLS.

    """
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        return _about_connection(details, server, secure) if _is_connecting(details) else ""
    return BY_REASON.get(reason) or _BY_CODE.get(code, "")


def _is_connecting(details: str) -> bool:
    return details.startswith(("failed to connect", "errors resolving"))


def _about_connection(details: str, server: str, secure: bool) -> str:
    if server.startswith(("http:", "https:")):
        return "the address is a URL: give HOST:PORT"
    if proxy := _proxy(server):
        return f"gRPC connects through the proxy in {proxy}: unset it, or add the server's host to no_proxy"
    if not _PORT.search(server) and not server.startswith("unix"):
        return "the address has no port, and gRPC uses 443: give HOST:PORT"
    if details.endswith("Socket closed"):
        return (
            "check whether the server asks for a client certificate" if secure else "the server may use TLS: use it too"
        )
    return next((hint for part, hint in _BY_DETAILS if part in details), "")


def _proxy(server: str) -> str | None:
    """The variable that makes gRPC connect through a proxy; None where there is none or the host is left out."""
    if server.startswith("unix"):
        return None
    host = _PORT.sub("", server.rpartition("/")[2])
    excluded = next((value for name in _NO_PROXIES if (value := os.environ.get(name))), "")
    if any(host.endswith(suffix.strip()) for suffix in excluded.split(",") if suffix.strip()):
        return None
    return next((name for name in _PROXIES if os.environ.get(name)), None)
