"""Whole numbers as protobuf writes them."""

from __future__ import annotations

from typing import Final


class _Varints(dict[int, bytes]):
    """Numbers as varints, seven bits a byte, the lowest first, the top bit while more follow; the usual ones ready."""

    def __missing__(self, number: int) -> bytes:
        data = bytearray()
        while number > 0x7F:
            data.append(number & 0x7F | 0x80)
            number >>= 7
        data.append(number)
        return bytes(data)


VARINTS: Final = _Varints()
VARINTS.update((number, VARINTS[number]) for number in range(1 << 10))
