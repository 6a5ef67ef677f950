"""The expiry of certificates: read from their PEM files, and logged in advance."""

from __future__ import annotations

import binascii
import logging
import re
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final

_logger = logging.getLogger(__package__)

SOON_SECONDS: Final = 30 * 86400.0
"""The time before the expiry of a certificate at which a warning is logged."""

_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END", re.DOTALL)

# Tags of ASN.1 in DER.
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17


def expires_at(pem: bytes) -> float:
    """Returns the Unix time at which the first of some PEM certificates expires.

    Raises:
        ValueError: the data contains no certificate, or one violates RFC 5280.

    """
    return min(_not_after(binascii.a2b_base64(text)) for text in _PEM.findall(pem))


class ExpiryWatch:
    """Warns about certificates that expire soon or have expired, once per change.

    Args:
        expires: returns the Unix time at which the first certificate of each file expires.
        report: called with each file and this time at every check.
        clock: returns the Unix time.

    """

    def __init__(
        self,
        expires: Callable[[], Mapping[str, float]],
        report: Callable[[str, float], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._expires = expires
        self._report = report
        self._clock = clock
        self._warned: dict[str, tuple[float, str]] = {}

    async def check(self) -> None:
        """Checks the time. Call it periodically."""
        now = self._clock()
        for name, expires in self._expires().items():
            self._report(name, expires)
            state = "has expired" if expires <= now else "expires soon" if expires <= now + SOON_SECONDS else ""
            if state and self._warned.get(name) != (expires, state):
                self._warned[name] = expires, state
                level = logging.ERROR if expires <= now else logging.WARNING
                at = datetime.fromtimestamp(expires, UTC).isoformat()
                _logger.log(level, "a certificate in %s %s: notAfter is %s", name, state, at)


def _not_after(certificate: bytes) -> float:
    """Parses the notAfter of a certificate in DER (RFC 5280, section 4.1); raises ValueError."""
    try:
        (_, content), *_ = _values(certificate)
        (_, signed), *_ = _values(content)
        _, _, _, (_, validity), *_ = (field for field in _values(signed) if field[0] != _VERSION)
        _, (tag, value) = _values(validity)
    except IndexError:
        raise ValueError("truncated") from None
    text = value.decode("ascii").removesuffix("Z")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yields consecutive DER values with their tags."""
    position = 0
    while position < len(data):
        tag, length = data[position], data[position + 1]
        position += 2
        if length & 0x80:
            size = length & 0x7F
            length = int.from_bytes(data[position : position + size])
            position += size
        yield tag, data[position : position + length]
        position += length
