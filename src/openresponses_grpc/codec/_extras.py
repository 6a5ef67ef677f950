"""JSON text that a message holds: it is checked before it is written, and known names get the spelling asked for."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..errors import InvalidJSONError
from ._scalars import CR, LF, MAX_DEPTH, OddError, check_shallow, encode_value, one_line, too_deep
from ._scan import check_value, object_members
from ._schema import TYPE, Message, Naming

Extras = Callable[[bytes, list[bytes]], None]
"""Adds the members of `extra_json` to the pieces of an object's JSON."""

_MAX_KEPT: Final = 64

_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_value: Final = msgspec.json.Decoder(msgspec.Raw).decode


def compile_extras(message: Message, naming: Naming, deep: bool) -> Extras:
    """The function for a message in a naming; it raises OddError where a name is that of a set field.

    Args:
        message: the object's message.
        naming: how its names are spelled.
        deep: as that of `text_members`.

    """
    places = {field.names["snake_case"]: place for place, field in enumerate(message.fields, 1)}
    keys = {field.names["snake_case"]: piece_of(field.names[naming]) for field in message.fields}
    # Names that are written in camelCase, and are not known in snake_case.
    not_snake = {field.names["camelCase"]: field.names["snake_case"] for field in message.fields}
    not_snake = {name: snake for name, snake in not_snake.items() if name not in places and naming == "camelCase"}
    taken = message.type and TYPE
    # Objects of known properties that are `null`: APIs send the same ones with every response.
    nulls: dict[bytes, list[tuple[int, bytes]]] = {}

    # Names of unknown properties, each with the comma before it and the colon after it.
    unknown: dict[str, bytes] = {}

    def extras(extra: bytes, pieces: list[bytes]) -> None:
        if extra in nulls:
            for place, piece in nulls[extra]:
                if pieces[place]:
                    raise OddError
                pieces[place] = piece
            return
        try:
            # Most extras are short ASCII on one line: they need no call.
            if len(extra) <= MAX_DEPTH and extra.isascii() and LF not in extra and CR not in extra:
                members: dict[str, Any] = _decode_members(extra)
            else:
                members = text_members(extra, deep)
        except (msgspec.DecodeError, RecursionError):
            members = text_members(extra, deep)
        usual = True
        for name, raw in members.items():
            if name in unknown:
                pieces.append(unknown[name] + bytes(raw))
                continue
            usual = False
            if name in places:
                if pieces[places[name]]:
                    raise OddError
                pieces[places[name]] = keys[name] + bytes(raw)
            elif name == taken:
                raise OddError
            else:
                pieces.append(piece_of(name) + bytes(raw))
                if len(unknown) < _MAX_KEPT and len(name) < _MAX_KEPT and name not in not_snake:
                    unknown[name] = piece_of(name)
        if usual:
            return
        known = len(nulls) < _MAX_KEPT and len(extra) < 1024 and members.keys() <= places.keys()
        if known and all(bytes(raw) == b"null" for raw in members.values()):
            nulls[extra] = [(places[name], keys[name] + b"null") for name in members]
        for name in not_snake.keys() & members.keys():
            # A property that came in camelCase keeps its name, and so does the one in snake_case beside it.
            place = places[not_snake[name]]
            pieces[place] = pieces[place].replace(keys[not_snake[name]], piece_of(not_snake[name]), 1)

    return extras


def text_members(text: bytes, deep: bool = False) -> dict[str, bytes]:
    """The members of a JSON object, each on one line.

    Args:
        text: the JSON.
        deep: whether it may be nested deeply; OddError is raised if it may be and must not.

    Raises:
        InvalidJSONError, UnicodeDecodeError: `text` is not a JSON object in UTF-8.

    """
    if not deep:
        check_shallow(text)
    try:
        text.decode()
        return {name: one_line(bytes(raw)) for name, raw in _decode_members(text).items()}
    except (msgspec.DecodeError, RecursionError):
        # Python's scanner takes half surrogates.
        members = object_members(shallow(text.decode()), "$")
        return {name: one_line(member.encode()) for name, member in members.items()}


def checked_value(text: bytes, deep: bool = False) -> bytes:
    """Any JSON value on one line, without space around it; the arguments and errors are those of `text_members`."""
    if not deep:
        check_shallow(text)
    try:
        _decode_value(text)
        text.decode()
    except (msgspec.DecodeError, RecursionError):
        check_value(shallow(text.decode()), "$")
    return one_line(text).strip()


def shallow(text: str) -> str:
    """The text; raises InvalidJSONError where it is nested too deeply."""
    if too_deep(text):
        raise InvalidJSONError("$", "nested more than 100 levels deep")
    return text


def piece_of(name: str) -> bytes:
    """A property's name, with the comma before it and the colon after it."""
    return b"," + name_text(name) + b":"


def name_text(name: str) -> bytes:
    """A property's name as JSON; half surrogates are escaped."""
    try:
        return encode_value(name)
    except UnicodeEncodeError:
        return json.dumps(name).encode()
