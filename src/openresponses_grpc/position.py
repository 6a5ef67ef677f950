"""A position in a stream: what a client saves to resume later, in another process too. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, Self

_FORM: Final = re.compile(r"v1\.([0-9a-f]{1,16})\.(\d{1,20})(?:\.(\d{1,20})\.([0-9a-f]{8}))?", re.ASCII)

_MAX_OFFSET: Final = 2**64 - 1


class Position(NamedTuple):
    """A position in a stream. `str(position)` and `Position.parse` convert it to text and back.

    Attributes:
        epoch: the stream's epoch.
        offset: the offset of the next event.
        checked_offset: the offset that `checksum` belongs to, before or after `offset`; None if it is not known.
        checksum: the checksum of all events before `checked_offset`, from the server; None if it is not known.

    """

    epoch: int
    offset: int
    checked_offset: int | None = None
    checksum: int | None = None

    def __str__(self) -> str:
        (text,) = self.texts((self.offset,))
        return text

    def texts(self, offsets: Iterable[int]) -> Iterator[str]:
        """The texts of the positions that differ from this one in their offsets."""
        check = ""
        if self.checked_offset is not None and self.checksum is not None:
            check = f".{self.checked_offset}.{self.checksum:08x}"
        return (f"v1.{self.epoch:x}.{offset}{check}" for offset in offsets)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Reads the text of a position.

        Raises:
            ValueError: it is not one, or one of a newer version.

        """
        match = _FORM.fullmatch(text)
        epoch, offset, checked_offset, checksum = match.groups() if match else ("", "", "", "")
        if not match or max(int(offset), int(checked_offset or 0)) > _MAX_OFFSET:
            raise ValueError(f"not a position in a stream: {text!r}; one looks like v1.5d0c8e0a1b2c3d4e.42.42.cbf43926")
        if checked_offset is None:
            return cls(int(epoch, 16), int(offset))
        return cls(int(epoch, 16), int(offset), int(checked_offset), int(checksum, 16))
