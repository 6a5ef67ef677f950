"""Parses requests. Pure: no I/O."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..position import Position
from ._errors import RequestError

MAX_WAIT: Final = 60.0
"""Maximum seconds that a request may wait for a stream that does not exist yet."""

_STREAM: Final = {"true": True, "1": True, "false": False, "0": False}
_NUMBER: Final = re.compile(r"\d{1,16}", re.ASCII)


class Query(NamedTuple):
    """The parameters of `GET /v1/responses/ID`.

    Attributes:
        stream: whether to send the events rather than the response.
        starting_after: send only events after this sequence number; None sends all.
        position: position to resume at, instead of `starting_after`; None without `Last-Event-ID`.
        wait: seconds to wait for a stream that does not exist yet.

    """

    stream: bool
    starting_after: int | None
    position: Position | None
    wait: float


def parse_query(parameters: Mapping[str, str], headers: Mapping[str, str]) -> Query:
    """Parses the query parameters and headers of a request. Ignores other parameters: the API has more of them.

    `Last-Event-ID` takes precedence over `starting_after`: a browser that reconnects sends both.

    Raises:
        RequestError: a parameter or header has an invalid value.

    """
    stream = _STREAM.get(parameters.get("stream", "false"))
    if stream is None:
        raise RequestError(f"stream must be true or false, not {parameters['stream']!r}", "stream")
    after = parameters.get("starting_after")
    if after is not None and not _NUMBER.fullmatch(after):
        raise RequestError(f"starting_after must be a sequence number of 0 or more, not {after!r}", "starting_after")
    position = None
    if last_event_id := headers.get("last-event-id"):
        try:
            position = Position.parse(last_event_id)
        except ValueError as error:
            raise RequestError(str(error), "Last-Event-ID") from None
    return Query(stream, None if after is None else int(after), position, _wait(parameters.get("wait", "0")))


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """Returns the token of `Authorization: Bearer TOKEN`, or None."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def is_loopback(host: str) -> bool:
    """Returns whether a Host header is `localhost` or a loopback address, with or without a port."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return name == "localhost" or ip_address(name).is_loopback
    except ValueError:
        return False


def _wait(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds <= MAX_WAIT:
        raise RequestError(f"wait must be a number of seconds from 0 to {MAX_WAIT:g}, not {text!r}", "wait")
    return seconds
