"""Guesses the format of an input, and detects what an invalid input looks like, for error messages."""

from __future__ import annotations

import codecs
import json
import re
from typing import Any, Final

BOM: Final = b"\xef\xbb\xbf"
JOINED: Final = "a byte order mark within the input: it looks like two files joined; remove the mark"
NDJSON: Final = "it looks like NDJSON (--from ndjson)"
PROTOBUF: Final = "it looks like binary data; --from protobuf reads length-delimited protobuf"

_SSE_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:")
_MAX_EXCERPT: Final = 200  # characters
_MAX_BODY: Final = 1 << 14
_MAX_PAGE: Final = 1 << 12  # bytes of HTML to search for text: the search may take quadratic time
_TAGS: Final = re.compile(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>")

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


def detect_non_text(data: bytes) -> str | None:
    """Detects input that is not UTF-8 text.

    Args:
        data: the first four bytes of the input, or those before its first line end.

    """
    if data.startswith(b"\x1f\x8b"):
        return "it looks like gzip: decompress it first, with gzip -dc or curl --compressed"
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return "it looks like zstd: decompress it first, with zstd -dc"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(data) > 1 and (data[0] == 0) != (data[1] == 0)):
        return "it looks like UTF-16: convert it to UTF-8 first, with iconv -f UTF-16 -t UTF-8"
    return PROTOBUF if b"\0" in data else None


def detect_in_ndjson(line: bytes) -> str | None:
    """Detects what an invalid line of NDJSON looks like."""
    line = line.strip()
    if line.startswith(BOM):
        return JOINED
    if is_sse(line) or line.startswith(b":"):
        return "it looks like server-sent events (--from sse)"
    if line == b"[DONE]":
        return "it looks like the end of server-sent events without its field name: data: [DONE]"
    if line.startswith(b"["):
        return "it looks like a JSON array: convert it with jq -c '.[]'"
    if line.startswith(b"<"):
        return "it looks like HTML"
    if not line.startswith(b"{"):
        return PROTOBUF if _is_binary(line) else None
    if _after_object(line).startswith("{"):
        return "it looks like concatenated JSON: convert it with jq -c ."
    if line.endswith((b"{", b"[", b",", b":")):
        return "it looks like pretty-printed JSON: convert it with jq -c ."
    return None


def detect_in_sse_data(data: bytes) -> str | None:
    """Detects what the invalid data of a server-sent event looks like."""
    after = _after_object(data)
    if after.startswith("{"):
        return "it looks like several events without blank lines between them"
    if after.startswith(("data:", "event:", "\\n", "\\r")):
        return "it looks like several lines without line ends"
    return None


def detect_in_protobuf(data: bytes) -> str | None:
    """Detects what an input looks like that is not length-delimited protobuf, from its first bytes."""
    start = data.removeprefix(BOM).lstrip()
    if is_sse(start) or start.startswith(b": "):
        return "it looks like server-sent events (--from sse)"
    if start.startswith((b'{"', b"{\n", b"{\r")):
        return NDJSON
    if start.startswith((b"<!", b"<html", b"<HTML")):
        return "it looks like HTML"
    has_signature = data.startswith((b"\x1f\x8b", b"\x28\xb5", b"\xff\xfe", b"\xfe\xff"))
    return detect_non_text(data[:4]) if has_signature else None


def is_sse(line: bytes) -> bool:
    """Returns whether a line is a field of server-sent events."""
    return line.startswith(_SSE_FIELDS)


def excerpt(text: str) -> str:
    """Returns the beginning of a text, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= _MAX_EXCERPT else text[:_MAX_EXCERPT] + "…"


class Body:
    """Collects the lines of an input that is not an event stream, such as an error body.

    Attributes:
        complete: whether the body is complete, or has reached the size limit.

    """

    def __init__(self, line: bytes) -> None:
        self._text = line
        self._html = line.lstrip().startswith(b"<")
        self._json: Any = None
        self.complete = self._is_complete(line)

    def add(self, line: bytes) -> None:
        """Adds the next line."""
        self._text += b"\n" + line
        self.complete = len(self._text) > _MAX_BODY or self._is_complete(line)

    def error(self) -> str | None:
        """Returns the message of an error body in HTML or JSON, or None if the body is neither."""
        if self._html:
            page = self._text[:_MAX_PAGE].decode(errors="replace")
            return f"it looks like HTML: {excerpt(_TAGS.sub(' ', page))}"
        message = _message(self._json[0] if isinstance(self._json, list) and len(self._json) == 1 else self._json)
        return f"it looks like a JSON error body: {excerpt(message)}" if message else None

    def problem(self) -> str:
        """Describes the body, with an excerpt."""
        if error := self.error():
            return error
        value = self._json
        text = excerpt(self._text.decode(errors="replace"))
        if isinstance(value, dict) and isinstance(value.get("type"), str) and b"\n" not in self._text:
            return f"{NDJSON}: {text}"
        return f"it looks like {'a JSON array' if text.startswith('[') else 'JSON'}: {text}"

    def _is_complete(self, line: bytes) -> bool:
        if self._html:
            return b"</html>" in line.lower()
        if line.rstrip().endswith((b"}", b"]")):
            self._json = _parsed(self._text)
        return self._json is not None


def _message(value: Any) -> str | None:
    """Returns the message of an error body in one of the common forms, or None."""
    if not isinstance(value, dict) or str(value.get("type", "error")).startswith("response."):
        return None
    error = value.get("error")
    found = error.get("message", error) if isinstance(error, dict) else error
    found = next((text for text in (found, value.get("message"), value.get("detail")) if text), None)
    return found if isinstance(found, str) or found is None else json.dumps(found)


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _after_object(text: bytes) -> str:
    """Returns the text after a leading JSON object; empty without one."""
    try:
        decoded = text.decode()
        value, end = json.JSONDecoder().raw_decode(decoded)
    except (ValueError, RecursionError):
        return ""
    return decoded[end:].lstrip() if isinstance(value, dict) else ""


def _is_binary(line: bytes) -> bool:
    try:
        return any(character < " " and character != "\t" for character in line.decode())
    except UnicodeDecodeError:
        return True


def _is_text(data: bytes) -> bool:
    try:
        text = _UTF8().decode(data)  # incremental: the data may end within a multi-byte character
    except UnicodeDecodeError:
        return False
    return all(character >= " " or character in "\t\r\n" for character in text)


def _text(start: bytes) -> bytes:
    return start.removeprefix(BOM).lstrip()
