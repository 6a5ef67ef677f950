"""Bearer tokens: who a caller is, and what it may do. Pure: no I/O."""

from __future__ import annotations

import hashlib
import hmac
import tomllib
from collections import Counter
from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal

import msgspec

from ..store import ServiceError
from ..store._shares import Shares
from ._sizes import parse_size

Permission = Literal["publish", "subscribe", "inspect", "delete"]
"""`inspect` is to describe and list streams."""


class AccessError(ServiceError):
    """The caller is not authenticated, or lacks a permission."""


class TokenMissingError(AccessError):
    """The call has no bearer token."""

    reason = "TOKEN_MISSING"


class TokenRepeatedError(AccessError):
    """The call has several `authorization` headers."""

    reason = "TOKEN_REPEATED"


class TokenUnknownError(AccessError):
    """The server does not know the call's token."""

    reason = "TOKEN_UNKNOWN"


class TokenExpiredError(AccessError):
    """The call's token has expired, before the call or while it was open."""

    reason = "TOKEN_EXPIRED"


class TokenRevokedError(AccessError):
    """The call's token was removed from the server's tokens while the call was open."""

    reason = "TOKEN_REVOKED"


class NotPermittedError(AccessError):
    """The call's token may not do this on this stream."""

    reason = "NOT_PERMITTED"


class InvalidTokensError(Exception):
    """A text does not describe tokens; the message says where and why."""


class Expiry(datetime):
    """When a token expires. In TOML it is a date, which is its first moment in UTC, or a date-time with an offset."""

    @classmethod
    def parse(cls, value: object) -> Expiry:
        """Reads what TOML has; raises ValueError."""
        if not isinstance(value, date):
            raise ValueError("Expected a date without quotes, such as 2027-01-31 or 2027-01-31T12:00:00Z")
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        if moment.tzinfo is None:
            raise ValueError(f"Expected a time with an offset, such as {moment.isoformat()}Z")
        return cls.fromisoformat(moment.isoformat())


Count = Annotated[int, msgspec.Meta(ge=0)]


class TokenShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token can have at any time, whatever the others do; None for a fair share.

    Attributes:
        bytes: of its streams; a number, or a text such as `64MiB`.
        streams: how many.
        calls: open ones.

    """

    bytes: Count | str | None = None
    streams: Count | None = None
    calls: Count | None = None

    def __post_init__(self) -> None:
        self.size()

    def size(self) -> int | None:
        """The number of bytes."""
        return parse_size(self.bytes) if isinstance(self.bytes, str) else self.bytes


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One token, of which nothing is known but its digest.

    Attributes:
        name: what logs call it.
        sha256: the SHA-256 digest of the token's characters, in lower-case hexadecimal.
        may: what it may do.
        streams: the ids of the streams that it may do it on: a glob of `*`, `?` and `[...]`.
        expires: from when on it is refused; None for never.
        share: what it can have at any time.

    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    may: Annotated[frozenset[Permission], msgspec.Meta(min_length=1)]
    streams: Annotated[str, msgspec.Meta(min_length=1)]
    expires: Expiry | None = None
    share: TokenShare = TokenShare()

    def covers(self, stream_id: str) -> bool:
        """Whether its `streams` has this one."""
        return fnmatchcase(stream_id, self.streams)

    def shares(self) -> Shares:
        """What it can have at any time. A token that may not publish has no fair share of the store."""
        fair = None if "publish" in self.may else 0
        size, streams = self.share.size(), self.share.streams
        return Shares(fair if size is None else size, fair if streams is None else streams, self.share.calls)

    def check(self, permission: Permission, stream_id: str | None = None) -> None:
        """Raises NotPermittedError unless the token may do this, on this stream if one is named."""
        if permission not in self.may or not (stream_id is None or self.covers(stream_id)):
            where = "streams" if stream_id is None else f"stream {stream_id!r}"
            raise NotPermittedError(f"the token {self.name!r} does not have the permission to {permission} {where}")

    def check_expiry(self, now: float) -> None:
        """Raises TokenExpiredError if the token has expired; `now` is in seconds since 1970."""
        if self.expires and self.expires.timestamp() <= now:
            raise TokenExpiredError(f"the token {self.name!r} expired at {self.expires.isoformat()}")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    token: Annotated[list[Token], msgspec.Meta(min_length=1)]


class Tokens:
    """The tokens that a server knows."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = {bytes.fromhex(token.sha256): token for token in tokens}

    def __len__(self) -> int:
        return len(self._tokens)

    def shares(self) -> Mapping[str, Shares]:
        """The share of each, by its name."""
        return {token.name: token.shares() for token in self._tokens.values()}

    def identify(self, authorization: str | None, now: float) -> Token:
        """The token that a caller shows.

        Args:
            authorization: the value of its `authorization`, `Bearer TOKEN`; None where it has none.
            now: the time in seconds since 1970.

        Raises:
            TokenMissingError: there is no bearer token in it.
            TokenUnknownError: the token is none of these.
            TokenExpiredError: the token is one of these, and has expired.

        """
        scheme, _, shown = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not shown:
            raise TokenMissingError("a bearer token is needed: authorization: Bearer TOKEN")
        token = self._find(shown)
        if token is None:
            raise TokenUnknownError("the bearer token is not known")
        token.check_expiry(now)
        return token

    def latest(self, token: Token) -> Token:
        """The entry that a token has here.

        Args:
            token: a token of this or earlier tokens.

        Raises:
            TokenRevokedError: it has none.

        """
        found = self._tokens.get(bytes.fromhex(token.sha256))
        if found is None:
            raise TokenRevokedError(f"the token {token.name!r} was revoked")
        return found

    def expires_between(self, start: float, end: float) -> bool:
        """Whether one of the tokens expires after one time and not after another, in seconds since 1970."""
        return any(start < token.expires.timestamp() <= end for token in self._tokens.values() if token.expires)

    def with_newline(self, authorization: str | None) -> Token | None:
        """The token whose digest is that of the shown token and a newline, as `sha256sum` of a file makes it."""
        return self._find((authorization or "").partition(" ")[2] + "\n")

    def _find(self, shown: str) -> Token | None:
        digest = hashlib.sha256(shown.encode()).digest()
        found = None
        # Every digest is compared, and each in constant time, so that the time tells nothing about any.
        for known, token in self._tokens.items():
            if hmac.compare_digest(known, digest):
                found = token
        return found


def parse_tokens(text: str) -> Tokens:
    """Reads tokens from TOML: a table `[[token]]` for each, with the attributes of `Token`.

    Raises:
        InvalidTokensError: the text is no TOML, a table is not as it must be, or two have a name or a digest in common.

    """
    try:
        tokens = msgspec.convert(tomllib.loads(text), _File, dec_hook=_convert).token
    except tomllib.TOMLDecodeError as error:
        raise InvalidTokensError(f"not TOML: {error}") from None
    except msgspec.ValidationError as error:
        raise InvalidTokensError(str(error)) from None
    for attribute in ("name", "sha256"):
        ((value, count),) = Counter(getattr(token, attribute) for token in tokens).most_common(1)
        if count > 1:
            raise InvalidTokensError(f"{count} tokens have the {attribute} {value!r}")
    return Tokens(tokens)


def _convert(kind: type, value: object) -> Any:
    assert kind is Expiry
    return Expiry.parse(value)
