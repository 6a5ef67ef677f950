"""Stream positions: a client saves one to resume later, also in another process. Pure: no I/O."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

_FORM: Final = re.compile(r"v1\.([0-9a-f]{1,16})\.(\d{1,20})(?:\.(\d{1,20})\.([0-9a-f]{8}))?", re.ASCII)

_MAX_OFFSET: Final = 2**64 - 1


class Position(NamedTuple):
    """A position in a stream. `str(position)` and `Position.parse` convert it to a string and back.

    Attributes:
        epoch: epoch of the stream.
        offset: offset of the next event.
        checked_offset: offset at which the server computed `checksum`, before or after `offset`. None if unknown.
        checksum: CRC-32 of all events before `checked_offset`, as computed by the server. None if unknown.

    """

    epoch: int
    offset: int
    checked_offset: int | None = None
    checksum: int | None = None

    def __str__(self) -> str:
        (text,) = self.texts((self.offset,))
        return text

    def texts(self, offsets: Iterable[int]) -> Iterator[str]:
        """Yields the string form of this position at each of the given offsets."""
        check = ""
        if self.checked_offset is not None and self.checksum is not None:
            check = f".{self.checked_offset}.{self.checksum:08x}"
        return (f"v1.{self.epoch:x}.{offset}{check}" for offset in offsets)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parses the string form of a position.

        Args:
            text: the string, as `str(position)` returns it.

        Returns:
            The position.

        Raises:
            ValueError: `text` is not a position, or has the format of a newer version.

        """
        match = _FORM.fullmatch(text)
        epoch, offset, checked_offset, checksum = match.groups() if match else ("", "", "", "")
        if not match or max(int(offset), int(checked_offset or 0)) > _MAX_OFFSET:
            raise ValueError(f"not a stream position: {text!r}; expected the form v1.5d0c8e0a1b2c3d4e.42.42.cbf43926")
        if checked_offset is None:
            return cls(int(epoch, 16), int(offset))
        return cls(int(epoch, 16), int(offset), int(checked_offset), int(checksum, 16))
