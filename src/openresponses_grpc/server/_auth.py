"""Bearer tokens: authentication and permissions. Pure: no I/O."""

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

from ..store._shares import Shares
from ._errors import NotPermittedError, TokenExpiredError, TokenMissingError, TokenRevokedError, TokenUnknownError
from ._sizes import parse_size

Permission = Literal["publish", "subscribe", "inspect", "delete"]
"""A permission; `inspect` covers describing and listing streams."""


class InvalidTokensError(Exception):
    """The tokens are invalid; the message says where and why."""


class Expiry(datetime):
    """The time at which a token expires. In TOML: a date, meaning midnight UTC, or a date-time with an offset."""

    @classmethod
    def parse(cls, value: object) -> Expiry:
        """Converts a TOML value; raises ValueError."""
        if not isinstance(value, date):
            raise ValueError("Expected a date without quotes, such as 2027-01-31 or 2027-01-31T12:00:00Z")
        moment = value if isinstance(value, datetime) else datetime(value.year, value.month, value.day, tzinfo=UTC)
        if moment.tzinfo is None:
            raise ValueError(f"Expected a time with an offset, such as {moment.isoformat()}Z")
        return cls.fromisoformat(moment.isoformat())


Count = Annotated[int, msgspec.Meta(ge=0)]


class TokenShare(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a token can always use, regardless of other tokens; None for a fair share.

    Attributes:
        bytes: the bytes of its streams: a number, or a size such as `64MiB`.
        streams: the number of its streams.
        calls: the number of its open calls.

    """

    bytes: Count | str | None = None
    streams: Count | None = None
    calls: Count | None = None

    def __post_init__(self) -> None:
        self.size()

    def size(self) -> int | None:
        """Returns `bytes` as a number."""
        return parse_size(self.bytes) if isinstance(self.bytes, str) else self.bytes


class Token(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A bearer token, of which the server knows only the digest.

    Attributes:
        name: its name in logs and errors.
        sha256: the SHA-256 digest of the token in lower-case hexadecimal.
        may: its permissions.
        streams: the ids of the streams that the permissions apply to: a glob of `*`, `?` and `[...]`.
        expires: the time from which it is refused; None for never.
        share: its share of the server.

    """

    name: Annotated[str, msgspec.Meta(min_length=1)]
    sha256: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
    may: Annotated[frozenset[Permission], msgspec.Meta(min_length=1)]
    streams: Annotated[str, msgspec.Meta(min_length=1)]
    expires: Expiry | None = None
    share: TokenShare = TokenShare()

    def covers(self, stream_id: str) -> bool:
        """Whether the permissions apply to a stream."""
        return fnmatchcase(stream_id, self.streams)

    def shares(self) -> Shares:
        """Returns its shares. Without the permission to publish, its fair share of the store is nothing."""
        fair = None if "publish" in self.may else 0
        size, streams = self.share.size(), self.share.streams
        return Shares(fair if size is None else size, fair if streams is None else streams, self.share.calls)

    def check(self, permission: Permission, stream_id: str | None = None) -> None:
        """Raises NotPermittedError if the token lacks the permission, for this stream if one is given."""
        if permission not in self.may or not (stream_id is None or self.covers(stream_id)):
            where = "" if stream_id is None else f" for stream {stream_id!r}"
            raise NotPermittedError(f"token {self.name!r} lacks the permission {permission!r}{where}")

    def check_expiry(self, now: float) -> None:
        """Raises TokenExpiredError if the token has expired at the Unix time `now`."""
        if self.expires and self.expires.timestamp() <= now:
            raise TokenExpiredError(f"token {self.name!r} expired at {self.expires.isoformat()}")


class _File(msgspec.Struct, forbid_unknown_fields=True):
    token: Annotated[list[Token], msgspec.Meta(min_length=1)]


class Tokens:
    """The tokens that a server accepts."""

    def __init__(self, tokens: Iterable[Token]) -> None:
        self._tokens = {bytes.fromhex(token.sha256): token for token in tokens}

    def __len__(self) -> int:
        return len(self._tokens)

    def shares(self) -> Mapping[str, Shares]:
        """Returns the shares of each token by its name."""
        return {token.name: token.shares() for token in self._tokens.values()}

    def identify(self, authorization: str | None, now: float) -> Token:
        """Returns the token of a caller.

        Args:
            authorization: the caller's `authorization` header, `Bearer TOKEN`; None if it is missing.
            now: the Unix time.

        Raises:
            TokenMissingError: the header has no bearer token.
            TokenUnknownError: the token is unknown.
            TokenExpiredError: the token has expired.

        """
        scheme, _, secret = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not secret:
            raise TokenMissingError("a bearer token is required: authorization: Bearer TOKEN")
        token = self._find(secret)
        if token is None:
            raise TokenUnknownError("unknown bearer token")
        token.check_expiry(now)
        return token

    def latest(self, token: Token) -> Token:
        """Returns the current entry of a token that an earlier version of the tokens accepted.

        Raises:
            TokenRevokedError: the tokens no longer contain it.

        """
        found = self._tokens.get(bytes.fromhex(token.sha256))
        if found is None:
            raise TokenRevokedError(f"token {token.name!r} was revoked")
        return found

    def expires_between(self, start: float, end: float) -> bool:
        """Whether a token expires after the Unix time `start`, up to and including `end`."""
        return any(start < token.expires.timestamp() <= end for token in self._tokens.values() if token.expires)

    def with_newline(self, authorization: str | None) -> Token | None:
        """Returns the token whose digest includes a trailing newline, as that of `sha256sum FILE` often does."""
        return self._find((authorization or "").partition(" ")[2] + "\n")

    def _find(self, secret: str) -> Token | None:
        digest = hashlib.sha256(secret.encode()).digest()
        found = None
        # Compare all digests, each in constant time, so that the timing reveals nothing about them.
        for known, token in self._tokens.items():
            if hmac.compare_digest(known, digest):
                found = token
        return found


def parse_tokens(text: str) -> Tokens:
    """Parses tokens from TOML: one `[[token]]` table each, with the attributes of `Token`.

    Raises:
        InvalidTokensError: the text is not TOML, a table is invalid, or two tokens share a name or a digest.

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
