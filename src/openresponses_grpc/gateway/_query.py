"""What a request asks for. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from ..position import Position
from ._errors import RequestError

LONGEST_WAIT: Final = 60.0
"""The seconds that a request may wait for a stream that does not exist yet."""

_STREAM: Final = {"true": True, "1": True, "false": False, "0": False}
_NUMBER: Final = re.compile(r"\d{1,16}", re.ASCII)


class Query(NamedTuple):
    """The parameters of `GET /v1/responses/ID`.

    Attributes:
        stream: whether the events are wanted, and not the response.
        starting_after: the sequence number after which the events start; None for all.
        position: where to resume, in the place of `starting_after`; None for no position.
        wait: seconds to wait for a stream that does not exist.

    """

    stream: bool
    starting_after: int | None
    position: Position | None
    wait: float


def parse_query(parameters: Mapping[str, str], headers: Mapping[str, str]) -> Query:
    """Reads the parameters; others than these are ignored, as the API has more of them.

    `Last-Event-ID` counts more than `starting_after`: a browser that reconnects sends both.

    Raises:
        RequestError: a parameter has an invalid value.

    """
    stream = _STREAM.get(parameters.get("stream", "false"))
    if stream is None:
        raise RequestError(f"stream is true or false, not {parameters['stream']!r}", "stream")
    after = parameters.get("starting_after")
    if after is not None and not _NUMBER.fullmatch(after):
        raise RequestError(f"starting_after is a sequence number, 0 or more, not {after!r}", "starting_after")
    position = None
    if last_event_id := headers.get("last-event-id"):
        try:
            position = Position.parse(last_event_id)
        except ValueError as error:
            raise RequestError(str(error), "Last-Event-ID") from None
    return Query(stream, None if after is None else int(after), position, _wait(parameters.get("wait", "0")))


def bearer_token(headers: Mapping[str, str]) -> str | None:
    """The token in `Authorization: Bearer TOKEN`; None without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def names_loopback(host: str) -> bool:
    """Whether a Host header is `localhost` or an address of the loopback, with a port or without one."""
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
    if not 0 <= seconds <= LONGEST_WAIT:
        raise RequestError(f"wait is a number of seconds from 0 to {LONGEST_WAIT:g}, not {text!r}", "wait")
    return seconds
