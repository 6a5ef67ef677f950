"""The server's logs: one line per call, and one per problem."""

from __future__ import annotations

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Final, Literal, get_args

from pythonjsonlogger.json import JsonFormatter

from ._calls import Call, CallObserver

LogFormat = Literal["text", "json"]
"""The format of a log line: plain text, or a JSON object."""

LOG_FORMATS: Final[tuple[LogFormat, ...]] = get_args(LogFormat)

_logger = logging.getLogger(__package__)


class _NotUTF8:
    """Counts non-UTF-8 headers, and drops the log record that gRPC makes of each: its traceback shows the value."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, record: logging.LogRecord) -> bool:
        if not str(record.msg).startswith("Invalid encoding on"):
            return True
        self.count += 1
        return False


def _is_error(record: logging.LogRecord) -> bool:
    """Returns False for two tracebacks that gRPC logs for normal ends of calls.

    One is for a call cancelled before it started, as when a server stops. The other is for a call whose client
    disappeared just before the server sent its status.
    """
    cancelled = record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not (cancelled or str(record.msg).startswith("ExecuteBatchError raised in core"))


_not_utf8 = _NotUTF8()
_grpc_logger = logging.getLogger("grpc._cython.cygrpc")
_grpc_logger.addFilter(_not_utf8)
_grpc_logger.addFilter(_is_error)


def set_up_logs(log_format: LogFormat, level: str) -> None:
    """Logs everything at or above a level to standard error."""
    formatter: logging.Formatter
    if log_format == "json":
        formatter = JsonFormatter(
            "{levelname}{name}{message}", style="{", rename_fields={"levelname": "level"}, timestamp=True
        )
    else:
        formatter = logging.Formatter("%(asctime)s %(levelname)s: %(message)s")
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(formatter)
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


def metadata_of(call: Call) -> list[tuple[str, str | bytes]]:
    """Returns the metadata of a call. Non-UTF-8 headers are decoded as Latin-1, and logged without their values."""
    before = _not_utf8.count
    metadata = call.metadata()
    if count := _not_utf8.count - before:
        _logger.warning("non-UTF-8 headers: %d, method %r, peer %r", count, call.method, call.peer)
    return metadata


class CallLog(CallObserver):
    """Logs every call when it has ended."""

    def ended(self, call: Call) -> None:
        if not _logger.isEnabledFor(logging.INFO):
            return
        fields = {
            "method": call.method,
            "stream_id": call.stream_id,
            "code": call.code.name,
            "reason": call.reason,
            "peer": call.peer,
            "token": call.token.name if call.token else None,
            "seconds": round(call.seconds, 6),
            "events": call.events,
            "bytes": call.bytes,
        }
        log_ended("call", fields)


def log_ended(what: str, fields: Mapping[str, object]) -> None:
    """Logs the end of a call or request, with its fields in the text and as properties of the JSON object."""
    text = ", ".join(f"{name} {value!r}" for name, value in fields.items())
    _logger.info("%s ended: %s", what, text, extra=dict(fields))
