"""What a vector is made of: JSON as the SDK and the API spell it, and protobuf's text format."""

from __future__ import annotations

import re
from typing import NamedTuple


class Vector(NamedTuple):
    """A vector without its binary message.

    Attributes:
        about: the edge that it is there for, in a sentence.
        snake: the JSON that is read, as the API spells it.
        text: the message in protobuf's text format.
        camel: the same JSON as the SDK spells it, where `spelled_as_the_sdk` does not make it of `snake`.
        written: the JSON that is written, as the API spells it, where it is not what is read.
        written_camel: the same as the SDK spells it, where `spelled_as_the_sdk` does not make it of `written`.

    """

    about: str
    snake: str
    text: str
    camel: str | None = None
    written: str | None = None
    written_camel: str | None = None

    def properties(self) -> dict[str, str]:
        """The vector as its file has it, without the binary message."""
        properties = {
            "about": self.about,
            "camelCase": self.camel or spelled_as_the_sdk(self.snake),
            "snake_case": self.snake,
        }
        if self.written is not None:
            properties["camelCaseWritten"] = self.written_camel or spelled_as_the_sdk(self.written)
            properties["snake_caseWritten"] = self.written
        return properties | {"text": self.text}


def spelled_as_the_sdk(json: str) -> str:
    """JSON with each name in camelCase: for inputs in which all names with `_` are those of the contract."""
    return re.sub(r'"[a-z0-9_]+":', lambda name: re.sub("_([a-z0-9])", lambda end: end[1].upper(), name[0]), json)
