"""What an input looks like that is not what it should be. Only errors come here: the usual path does not."""

from __future__ import annotations

import json
import re
from typing import Any, Final

BOM: Final = b"\xef\xbb\xbf"
JOINED: Final = "a byte order mark within the input, which looks like two files joined: remove it"
NDJSON: Final = "it looks like NDJSON (--from ndjson)"
PROTOBUF: Final = "it looks like binary data; --from protobuf reads length-delimited protobuf"

_SSE_FIELDS: Final = (b"data:", b"event:", b"id:", b"retry:")
_SHOWN: Final = 200  # characters of an input that an error shows
_MAX_BODY: Final = 1 << 14
_MAX_PAGE: Final = 1 << 12  # bytes of HTML that are searched for text: the search may take their square
_TAGS: Final = re.compile(r"(?is)<(script|style)\b.*?</\1>|<[^>]*>")


def of_opening(data: bytes) -> str | None:
    """What the first four bytes of a text tell, or those before its first line end."""
    if data.startswith(b"\x1f\x8b"):
        return "it looks like gzip: decompress it first, as gzip -dc does, or curl --compressed"
    if data.startswith(b"\x28\xb5\x2f\xfd"):
        return "it looks like zstd: decompress it first, as zstd -dc does"
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or (len(data) > 1 and (data[0] == 0) != (data[1] == 0)):
        return "it looks like UTF-16: make UTF-8 of it first, as iconv -f UTF-16 -t UTF-8 does"
    return PROTOBUF if b"\0" in data else None


def of_ndjson(line: bytes) -> str | None:
    """What a line looks like that is not the JSON of one event."""
    line = line.strip()
    if line.startswith(BOM):
        return JOINED
    if is_sse(line) or line.startswith(b":"):
        return "it looks like server-sent events (--from sse)"
    if line == b"[DONE]":
        return "it looks like the end of server-sent events without its field: data: [DONE]"
    if line.startswith(b"["):
        return "it looks like a JSON array: jq -c '.[]' makes NDJSON of it"
    if line.startswith(b"<"):
        return "it looks like HTML"
    if not line.startswith(b"{"):
        return PROTOBUF if _is_binary(line) else None
    if _after_object(line).startswith("{"):
        return "it looks like concatenated JSON: jq -c . makes NDJSON of it"
    if line.endswith((b"{", b"[", b",", b":")):
        return "it looks like pretty-printed JSON: jq -c . makes NDJSON of it"
    return None


def of_sse_data(data: bytes) -> str | None:
    """What the data of a server-sent event looks like that is not the JSON of one event."""
    after = _after_object(data)
    if after.startswith("{"):
        return "it looks like several events without an empty line between them"
    if after.startswith(("data:", "event:", "\\n", "\\r")):
        return "it looks like several lines without their line ends"
    return None


def of_protobuf(data: bytes) -> str | None:
    """What the first bytes of an input look like that are not length-delimited protobuf."""
    start = data.removeprefix(BOM).lstrip()
    if is_sse(start) or start.startswith(b": "):
        return "it looks like server-sent events (--from sse)"
    if start.startswith((b'{"', b"{\n", b"{\r")):
        return NDJSON
    if start.startswith((b"<!", b"<html", b"<HTML")):
        return "it looks like HTML"
    return of_opening(data[:4]) if data.startswith((b"\x1f\x8b", b"\x28\xb5", b"\xff\xfe", b"\xfe\xff")) else None


def is_sse(line: bytes) -> bool:
    """Whether a line has a field of server-sent events."""
    return line.startswith(_SSE_FIELDS)


def shown(text: str) -> str:
    """The beginning of a text, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= _SHOWN else text[:_SHOWN] + "…"


class Body:
    """The lines of an error body or another input that is not a stream, until they are complete or too many."""

    def __init__(self, line: bytes) -> None:
        self._text = line
        self._html = line.lstrip().startswith(b"<")
        self._json: Any = None
        self.whole = self._is_whole(line)

    def add(self, line: bytes) -> None:
        """Takes a line that follows."""
        self._text += b"\n" + line
        self.whole = len(self._text) > _MAX_BODY or self._is_whole(line)

    def error(self) -> str | None:
        """The message of an error body in HTML or JSON; None if the lines are none."""
        if self._html:
            page = self._text[:_MAX_PAGE].decode(errors="replace")
            return f"it looks like HTML: {shown(_TAGS.sub(' ', page))}"
        message = _message(self._json[0] if isinstance(self._json, list) and len(self._json) == 1 else self._json)
        return f"it looks like a JSON error body: {shown(message)}" if message else None

    def problem(self) -> str:
        """What the lines look like, with what is in them."""
        if error := self.error():
            return error
        value = self._json
        text = shown(self._text.decode(errors="replace"))
        if isinstance(value, dict) and isinstance(value.get("type"), str) and b"\n" not in self._text:
            return f"{NDJSON}: {text}"
        return f"it looks like {'a JSON array' if text.startswith('[') else 'JSON'}: {text}"

    def _is_whole(self, line: bytes) -> bool:
        if self._html:
            return b"</html>" in line.lower()
        if line.rstrip().endswith((b"}", b"]")):
            self._json = _parsed(self._text)
        return self._json is not None


def _message(value: Any) -> str | None:
    """The message of an error body in one of the usual forms; None for other values."""
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
    """What follows the JSON object at the beginning, if there is one."""
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
