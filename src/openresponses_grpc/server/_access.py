"""Who may come in: tokens that can be replaced, revoked and expire while calls are open."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Final

from ._auth import AccessError, Permission, Token, TokenRepeatedError, Tokens, TokenUnknownError
from ._calls import Call

_logger = logging.getLogger(__package__)

PERMISSIONS: Final[Mapping[str, Permission]] = {
    "Publish": "publish",
    "Subscribe": "subscribe",
    "GetStream": "inspect",
    "ListStreams": "inspect",
    "DeleteStream": "delete",
}
"""What a token must allow for each method."""


class Access:
    """Admits calls, and ends those whose token loses its right to them.

    Args:
        tokens: those that callers must show one of; None admits everyone.
        open_calls: gives the calls that are open.
        clock: the time in seconds since 1970.

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
        self._pointed_out: set[str] = set()

    def identify(self, metadata: Iterable[tuple[str, str | bytes]]) -> Token | None:
        """The token that a caller shows in its metadata; None if everyone is admitted.

        Raises:
            AccessError: the caller does not show exactly one token, or one that is not known or has expired.

        """
        if self._tokens is None:
            return None
        shown = [str(value) for name, value in metadata if name == "authorization"]
        if len(shown) > 1:
            raise TokenRepeatedError(f"the call has {len(shown)} authorization headers; send one")
        authorization = shown[0] if shown else None
        try:
            return self._tokens.identify(authorization, self._clock())
        except TokenUnknownError:
            if token := self._tokens.with_newline(authorization):
                self._point_out(token)
            raise

    def replace(self, tokens: Tokens) -> None:
        """Replaces the tokens, and ends the calls that these do not allow."""
        self._tokens = tokens
        self._pointed_out.clear()
        self._review(tokens)

    async def expire(self) -> None:
        """Ends the calls whose token has expired; to be called again and again."""
        since, self._expired_at = self._expired_at, self._clock()
        if self._tokens and self._tokens.expires_between(since, self._expired_at):
            self._review(self._tokens)

    def _review(self, tokens: Tokens) -> None:
        """Ends the calls whose token was revoked, has expired, or does not allow them any more."""
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
                call.waiting.end(error)

    def _point_out(self, token: Token) -> None:
        if token.name not in self._pointed_out:
            self._pointed_out.add(token.name)
            _logger.warning(
                "the sha256 of the token %r is that of the token and a newline, so that it is refused: make the digest"
                " without the newline, as in tr -d '\\n' < FILE | sha256sum",
                token.name,
            )
