"""Guesses the format of an input from its first bytes."""

from __future__ import annotations

import codecs
import re
from typing import Final

from ._detect import BOM, PROTOBUF, detect_non_text, is_sse

_JSON: Final = re.compile(rb"""[{\[]\s*(["{}\[\]]|$)|<""")
_UTF8: Final = codecs.getincrementaldecoder("utf-8")
_ENOUGH: Final = 8  # bytes


def is_enough(start: bytes) -> bool:
    """Returns whether the first bytes of an input suffice to guess its format."""
    text = _text(start)
    return len(text) >= _ENOUGH or b"\n" in text


def guess_format(start: bytes) -> str:
    """Guesses the format of an input from its first bytes. Text in no known format counts as `ndjson`."""
    text = _text(start)
    if is_sse(text) or text.startswith(b":"):
        return "sse"
    if not text or _JSON.match(text):
        return "ndjson"
    if (detect_non_text(start[:4]) or PROTOBUF) != PROTOBUF or _is_text(text[:64]):
        return "ndjson"
    return "protobuf"


def _is_text(data: bytes) -> bool:
    try:
        text = _UTF8().decode(data)  # incremental: the data may end within a multi-byte character
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\r\n" for character in text)


def _text(start: bytes) -> bytes:
    return start.removeprefix(BOM).lstrip()
