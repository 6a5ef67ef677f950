"""Advice on failed calls. The only I/O is reading the proxy environment variables."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Final

import grpc

BY_REASON: Final[Mapping[str, str]] = {
    "STREAM_FINISHED": "publish to another stream id, or delete the stream first",
    "PUBLISHER_FENCED": "a newer publisher owns the stream: stop this one",
    "STREAM_DIVERGED": "the server lost acknowledged events: start over at offset 0 or with another stream id",
    "EPOCH_MISMATCH": "the stream was deleted and created again: start over at offset 0",
    "STREAM_NOT_FOUND": "check the stream id; the stream may have expired or been deleted",
    "STREAM_ABANDONED": "resume at this offset once the stream has a publisher again",
    "OFFSET_TRIMMED": "`oldest_offset` in the error's metadata is the first offset still available",
    "OFFSET_OUT_OF_RANGE": "check the offset: it may belong to another stream, or to an earlier stream with this id",
    "TOKEN_MISSING": "pass a token to the client",
    "TOKEN_REPEATED": "send the token once: pass it to the client or set it in the metadata",
    "TOKEN_UNKNOWN": "check the client's token",
    "TOKEN_EXPIRED": "ask the server's operator for a new token",
    "TOKEN_REVOKED": "ask the server's operator for a new token",
    "STORE_FULL": "delete streams, or raise the limits of the server's store",
    "SHARE_EXCEEDED": "delete streams or end calls of this token, or ask the server's operator for a larger share",
    "STREAM_FULL": "publish the remaining events to another stream id, or raise the server's limit per stream",
}

_BY_CODE: Final[Mapping[grpc.StatusCode, str]] = {
    grpc.StatusCode.DATA_LOSS: "the events from this offset on are damaged: publish them again to another stream id",
    grpc.StatusCode.UNIMPLEMENTED: "the server runs another service, or is older than this client",
}

_BY_DETAILS: Final = (
    ("WRONG_VERSION_NUMBER", "the server does not use TLS: connect without TLS"),
    (
        "CERTIFICATE_VERIFY_FAILED",
        "the client does not trust the server's certificate: pass its root certificate to the client",
    ),
    ("HTTP status", "this port does not serve gRPC: check the port"),
    ("hostname lookup", "check the host name"),
    ("refused", "start the server, check the port, or wait for the server with wait_for_ready"),
    ("connect failed", "start the server, check the path, or wait for the server with wait_for_ready"),
)
"""Substrings of gRPC's connection errors, each with advice."""

_TOO_LARGE: Final = "SERVER: Received message larger than max"

_PROXIES: Final = ("grpc_proxy", "https_proxy", "http_proxy")
_NO_PROXIES: Final = ("no_grpc_proxy", "no_proxy")
_PORT: Final = re.compile(r":\d+$")


def advice(code: grpc.StatusCode, reason: str, details: str, *, server: str, secure: bool) -> str:
    """Returns advice on a failed call, or an empty string.

    Args:
        code: status code of the call.
        reason: reason from the server; empty if it sent none.
        details: text of the status.
        server: server address.
        secure: whether the client uses TLS.

    """
    if code is grpc.StatusCode.UNAVAILABLE and not reason:
        return _connection_advice(details, server, secure) if _failed_to_connect(details) else ""
    if details.startswith(_TOO_LARGE):
        return "send smaller events, or raise the server's --max-message-bytes"
    return BY_REASON.get(reason) or _BY_CODE.get(code, "")


def _failed_to_connect(details: str) -> bool:
    return details.startswith(("failed to connect", "errors resolving"))


def _connection_advice(details: str, server: str, secure: bool) -> str:
    if server.startswith(("http:", "https:")):
        return "the address is a URL: use HOST:PORT"
    if proxy := _proxy(server):
        return f"gRPC connects through the proxy in {proxy}: unset it, or add the server's host to no_proxy"
    if not _PORT.search(server) and not server.startswith("unix"):
        return "the address has no port, so gRPC uses 443: use HOST:PORT"
    if details.endswith("Socket closed"):
        return "the server may require a client certificate" if secure else "the server may require TLS"
    return next((hint for part, hint in _BY_DETAILS if part in details), "")


def _proxy(server: str) -> str | None:
    """Returns the variable that makes gRPC use a proxy for this server, or None."""
    if server.startswith("unix"):
        return None
    host = _PORT.sub("", server.rpartition("/")[2])
    excluded = next((value for name in _NO_PROXIES if (value := os.environ.get(name))), "")
    if any(host.endswith(suffix.strip()) for suffix in excluded.split(",") if suffix.strip()):
        return None
    return next((name for name in _PROXIES if os.environ.get(name)), None)
