"""When certificates expire: read from their PEM files, told to the operator before it happens."""

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
"""How long before a certificate expires the operator is warned."""

_PEM: Final = re.compile(rb"-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----(.+?)-----END", re.DOTALL)

# Tags of ASN.1 in DER.
_VERSION: Final = 0xA0
_UTC_TIME: Final = 0x17


def expires_at(pem: bytes) -> float:
    """When the first of the certificates in PEM expires, in seconds since 1970.

    Raises:
        ValueError: there is no certificate, or one that is not as RFC 5280 says.

    """
    return min(_not_after(binascii.a2b_base64(text)) for text in _PEM.findall(pem))


class ExpiryWatch:
    """Warns of certificates that expire soon or have expired, once for each change.

    Args:
        expires: gives when the first certificate of each file expires, in seconds since 1970.
        tell: is told so after each check.
        clock: the time in seconds since 1970.

    """

    def __init__(
        self,
        expires: Callable[[], Mapping[str, float]],
        tell: Callable[[str, float], None],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._expires = expires
        self._tell = tell
        self._clock = clock
        self._warned: dict[str, tuple[float, str]] = {}

    async def check(self) -> None:
        """Looks at the time; to be called again and again."""
        now = self._clock()
        for name, expires in self._expires().items():
            self._tell(name, expires)
            state = "has expired" if expires <= now else "expires soon" if expires <= now + SOON_SECONDS else ""
            if state and self._warned.get(name) != (expires, state):
                self._warned[name] = expires, state
                level = logging.ERROR if expires <= now else logging.WARNING
                at = datetime.fromtimestamp(expires, UTC).isoformat()
                _logger.log(level, "a certificate of %s %s: its last moment is %s", name, state, at)


def _not_after(certificate: bytes) -> float:
    """The end of a certificate's validity, in DER (RFC 5280, section 4.1); raises ValueError."""
    try:
        (_, whole), *_ = _values(certificate)
        (_, signed), *_ = _values(whole)
        _, _, _, (_, validity), *_ = (field for field in _values(signed) if field[0] != _VERSION)
        _, (tag, value) = _values(validity)
    except IndexError:
        raise ValueError("truncated") from None
    text = value.decode("ascii").removesuffix("Z")
    if tag == _UTC_TIME:
        text = ("19" if text >= "50" else "20") + text
    return datetime.strptime(text, "%Y%m%d%H%M%S").replace(tzinfo=UTC).timestamp()


def _values(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The values that follow each other, each with its tag."""
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
