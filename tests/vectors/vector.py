"""The parts of a vector: JSON in the naming of the SDK and of the API, and protobuf's text format."""

from __future__ import annotations

import re
from typing import NamedTuple


class Vector(NamedTuple):
    """A vector without its binary message.

    Attributes:
        about: the edge case that the vector covers, in one sentence.
        snake: the input JSON in snake_case.
        text: the message in protobuf's text format.
        camel: the input JSON in camelCase, if it differs from `to_camel_case(snake)`.
        written: the output JSON in snake_case, if it differs from the input.
        written_camel: the output JSON in camelCase, if it differs from `to_camel_case(written)`.

    """

    about: str
    snake: str
    text: str
    camel: str | None = None
    written: str | None = None
    written_camel: str | None = None

    def properties(self) -> dict[str, str]:
        """The properties of the vector's file, without the binary message."""
        properties = {
            "about": self.about,
            "camelCase": self.camel or to_camel_case(self.snake),
            "snake_case": self.snake,
        }
        if self.written is not None:
            properties["camelCaseWritten"] = self.written_camel or to_camel_case(self.written)
            properties["snake_caseWritten"] = self.written
        return properties | {"text": self.text}


def to_camel_case(json: str) -> str:
    """Converts each name to camelCase. Names with `_` must be names of the contract."""
    return re.sub(r'"[a-z0-9_]+":', lambda name: re.sub("_([a-z0-9])", lambda end: end[1].upper(), name[0]), json)
