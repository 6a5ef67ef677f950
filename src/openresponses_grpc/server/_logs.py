"""What a server logs: a line for each call that has ended, and what goes wrong."""

from __future__ import annotations

import logging
import sys
from collections.abc import Mapping
from typing import Any, Final, Literal, get_args

from pythonjsonlogger.json import JsonFormatter

from ._calls import Call

LogFormat = Literal["text", "json"]
"""Lines for people, or JSON objects for machines."""

LOG_FORMATS: Final[tuple[LogFormat, ...]] = get_args(LogFormat)

_logger = logging.getLogger(__package__)


class _NotUTF8:
    """Counts the headers that are not UTF-8, and drops what gRPC logs of each: a traceback, and the value."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, record: logging.LogRecord) -> bool:
        if not str(record.msg).startswith("Invalid encoding on"):
            return True
        self.count += 1
        return False


_not_utf8 = _NotUTF8()
logging.getLogger("grpc._cython.cygrpc").addFilter(_not_utf8)


def set_up_logs(log_format: LogFormat, level: str) -> None:
    """Lets everything from a level on go to standard error."""
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


def metadata_of(call: Call, context: Any) -> list[tuple[str, str | bytes]]:
    """The metadata of a call. Headers that are not UTF-8 are read as Latin-1, and logged without their values."""
    before = _not_utf8.count
    metadata = [*context.invocation_metadata()]
    if count := _not_utf8.count - before:
        _logger.warning("headers that are not UTF-8: %d, method %r, peer %r", count, call.method, call.peer)
    return metadata


def log_call(call: Call, code: str, reason: str) -> None:
    """Logs that a call has ended, with the name of its status code and the reason of its error."""
    if not _logger.isEnabledFor(logging.INFO):
        return
    fields = {
        "method": call.method,
        "stream_id": call.stream_id,
        "code": code,
        "reason": reason,
        "peer": call.peer,
        "token": call.token.name if call.token else None,
        "seconds": round(call.seconds, 6),
        "events": call.events,
        "bytes": call.bytes,
    }
    log_ended("call", fields)


def log_ended(what: str, fields: Mapping[str, object]) -> None:
    """Logs that something has ended, with its fields in the text and, as JSON, by themselves."""
    text = ", ".join(f"{name} {value!r}" for name, value in fields.items())
    _logger.info("%s ended: %s", what, text, extra=dict(fields))
