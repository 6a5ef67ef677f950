"""Access control: authenticates callers, and ends open calls whose token is revoked or expires."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from ._auth import Permission, Token, Tokens
from ._calls import Call
from ._errors import AccessError, TokenRepeatedError, TokenUnknownError

_logger = logging.getLogger(__package__)

PERMISSIONS: Final[Mapping[str, Permission]] = {
    "Publish": "publish",
    "Subscribe": "subscribe",
    "GetStream": "inspect",
    "ListStreams": "inspect",
    "DeleteStream": "delete",
}
"""The permission that each method requires."""


class Access:
    """Authenticates callers, and ends calls that their token no longer permits.

    Args:
        tokens: the accepted tokens; None turns authentication off.
        open_calls: returns the open calls.
        clock: returns the Unix time.

    """

    def __init__(
        self,
        tokens: Tokens | None,
        open_calls: Callable[[], Collection[Call]],
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._tokens = tokens
        self._open_calls = open_calls
        self._clock = clock
        self._expired_at = clock()
        self._warned: set[str] = set()

    def identify(self, metadata: Iterable[tuple[str, str | bytes]]) -> Token | None:
        """Returns the token in a call's metadata; None if authentication is off.

        Raises:
            AccessError: the metadata does not have exactly one token, or the token is unknown or expired.

        """
        if self._tokens is None:
            return None
        headers = [str(value) for name, value in metadata if name == "authorization"]
        if len(headers) > 1:
            raise TokenRepeatedError(f"the call has {len(headers)} authorization headers: send one")
        authorization = headers[0] if headers else None
        try:
            return self._tokens.identify(authorization, self._clock())
        except TokenUnknownError:
            if token := self._tokens.with_newline(authorization):
                self._warn_of_newline(token)
            raise

    def replace(self, tokens: Tokens) -> None:
        """Replaces the tokens, and ends the open calls that the new ones do not permit."""
        self._tokens = tokens
        self._warned.clear()
        self._review(tokens)

    async def expire(self) -> None:
        """Ends the calls whose token has expired. Call it periodically."""
        since, self._expired_at = self._expired_at, self._clock()
        if self._tokens and self._tokens.expires_between(since, self._expired_at):
            self._review(self._tokens)

    def _review(self, tokens: Tokens) -> None:
        """Ends the calls whose token was revoked, has expired, or no longer permits them."""
        now = self._clock()
        for call in self._open_calls():
            if call.token is None:
                continue
            try:
                call.token = tokens.latest(call.token)
                call.token.check_expiry(now)
                if call.stream_id:
                    call.token.check(PERMISSIONS[call.method], call.stream_id)
            except AccessError as error:
                call.waiting.interrupt(error)

    def _warn_of_newline(self, token: Token) -> None:
        if token.name not in self._warned:
            self._warned.add(token.name)
            _logger.warning(
                "the sha256 of token %r includes a trailing newline, so the token is refused: hash it without the"
                " newline, as in tr -d '\\n' < FILE | sha256sum",
                token.name,
            )
