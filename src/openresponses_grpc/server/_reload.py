"""Files that a server reloads when they change or on request."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Generic, TypeVar

from ._auth import InvalidTokensError, Tokens, parse_tokens
from ._tls import CredentialsError

T = TypeVar("T")

_logger = logging.getLogger(__package__)

_Stamp = tuple[tuple[int, ...] | None, ...]
"""Identifies the contents of files by their metadata; None for a missing file."""

_FAULTS: Final = (OSError, InvalidTokensError, CredentialsError)


class Reloaded(Generic[T]):
    """A value read from related files, reloaded when they change.

    A change takes effect once two consecutive checks find the same files: one may be half written, or a certificate may
    have arrived before its key. Invalid files are logged, and the previous value stays in use.

    Args:
        files: the files.
        read: reads them; raises OSError, InvalidTokensError or CredentialsError.

    Attributes:
        value: the initial value.
        use: called with each later value.

    """

    def __init__(self, files: Sequence[Path], read: Callable[[], T]) -> None:
        self._files = files
        self._read = read
        self._asked = False
        self._problem = ""
        self._seen = self._stamp()
        self._read_at: _Stamp | None = self._seen
        self.value = read()
        self.use: Callable[[T], None] = lambda _: None

    def ask(self) -> None:
        """Makes the next check reload the files, changed or not."""
        self._asked = True

    async def check(self) -> None:
        """Reloads the files if they have changed. Call it periodically."""
        before, self._seen = self._seen, await asyncio.to_thread(self._stamp)
        settled = self._seen == before
        if self._asked or (settled and self._seen != self._read_at):
            self._asked = False
            self._read_at = self._seen
            await self._reload()

    async def _reload(self) -> None:
        names = ", ".join(map(str, self._files))
        try:
            self.use(await asyncio.to_thread(self._read))
        except _FAULTS as error:
            if isinstance(error, OSError):
                self._read_at = None  # retry at the next check
            if str(error) != self._problem:
                _logger.error("cannot reload %s, the previous contents stay in use: %s", names, error)
            self._problem = str(error)
        else:
            self._problem = ""
            _logger.info("reloaded %s", names)

    def _stamp(self) -> _Stamp:
        return tuple(map(_stamp, self._files))


def read_tokens(file: Path) -> Tokens:
    """Reads a tokens file; raises OSError or InvalidTokensError, which names the file."""
    try:
        return parse_tokens(file.read_text(encoding="utf-8"))
    except (InvalidTokensError, UnicodeDecodeError) as error:
        raise InvalidTokensError(f"{file}: {error}") from None


def _stamp(file: Path) -> tuple[int, ...] | None:
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns
