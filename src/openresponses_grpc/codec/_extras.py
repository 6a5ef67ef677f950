"""JSON text in messages: validated before it is written, with known property names in the requested spelling."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, Final

import msgspec

from ..errors import InvalidJSONError
from ._scalars import CR, LF, MAX_DEPTH, FallbackError, check_shallow, encode_value, one_line, too_deep
from ._scan import check_value, object_members
from ._schema import TYPE, Message, Naming

Extras = Callable[[bytes, list[bytes]], None]
"""Adds the members of `extra_json` to the pieces of an object's JSON."""

_MAX_CACHED: Final = 64

_decode_members: Final = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_decode_value: Final = msgspec.json.Decoder(msgspec.Raw).decode


def compile_extras(message: Message, naming: Naming, deep: bool) -> Extras:
    """Returns the function for a message; it raises FallbackError if `extra_json` contains the name of a set field.

    Args:
        message: message of the object.
        naming: spelling of properties.
        deep: as for `text_members`.

    """
    places = {field.names["snake_case"]: place for place, field in enumerate(message.fields, 1)}
    keys = {field.names["snake_case"]: piece_of(field.names[naming]) for field in message.fields}
    # camelCase names that are not also snake_case names.
    not_snake = {field.names["camelCase"]: field.names["snake_case"] for field in message.fields}
    not_snake = {name: snake for name, snake in not_snake.items() if name not in places and naming == "camelCase"}
    taken = message.type and TYPE
    # Cache of `extra_json` texts with only `null` properties: APIs send the same ones with every response.
    nulls: dict[bytes, list[tuple[int, bytes]]] = {}

    # Cache of unknown property names, each with its comma and colon.
    unknown: dict[str, bytes] = {}

    def extras(extra: bytes, pieces: list[bytes]) -> None:
        if extra in nulls:
            for place, piece in nulls[extra]:
                if pieces[place]:
                    raise FallbackError
                pieces[place] = piece
            return
        try:
            # Most extras are short ASCII on one line, which needs no further checks.
            if len(extra) <= MAX_DEPTH and extra.isascii() and LF not in extra and CR not in extra:
                members: dict[str, Any] = _decode_members(extra)
            else:
                members = text_members(extra, deep)
        except (msgspec.DecodeError, RecursionError):
            members = text_members(extra, deep)
        all_cached = True
        for name, raw in members.items():
            if name in unknown:
                pieces.append(unknown[name] + bytes(raw))
                continue
            all_cached = False
            if name in places:
                if pieces[places[name]]:
                    raise FallbackError
                pieces[places[name]] = keys[name] + bytes(raw)
            elif name == taken:
                raise FallbackError
            else:
                pieces.append(piece_of(name) + bytes(raw))
                if len(unknown) < _MAX_CACHED and len(name) < _MAX_CACHED and name not in not_snake:
                    unknown[name] = piece_of(name)
        if all_cached:
            return
        cacheable = len(nulls) < _MAX_CACHED and len(extra) < 1024 and members.keys() <= places.keys()
        if cacheable and all(bytes(raw) == b"null" for raw in members.values()):
            nulls[extra] = [(places[name], keys[name] + b"null") for name in members]
        for name in not_snake.keys() & members.keys():
            # An object that has both spellings keeps both.
            place = places[not_snake[name]]
            pieces[place] = pieces[place].replace(keys[not_snake[name]], piece_of(not_snake[name]), 1)

    return extras


def text_members(text: bytes, deep: bool = False) -> dict[str, bytes]:
    """Returns the members of a JSON object, each on one line.

    Args:
        text: the JSON.
        deep: whether to accept deeply nested JSON. If not, JSON that may be too deep raises FallbackError.

    Raises:
        InvalidJSONError: `text` is not a JSON object.
        UnicodeDecodeError: `text` is not UTF-8.

    """
    if not deep:
        check_shallow(text)
    try:
        text.decode()
        return {name: one_line(bytes(raw)) for name, raw in _decode_members(text).items()}
    except (msgspec.DecodeError, RecursionError):
        # Unlike msgspec, Python's scanner accepts lone surrogates.
        members = object_members(check_depth(text.decode()), "$")
        return {name: one_line(member.encode()) for name, member in members.items()}


def checked_value(text: bytes, deep: bool = False) -> bytes:
    """Returns a JSON value on one line without surrounding white space. Arguments and errors as for `text_members`."""
    if not deep:
        check_shallow(text)
    try:
        _decode_value(text)
        text.decode()
    except (msgspec.DecodeError, RecursionError):
        check_value(check_depth(text.decode()), "$")
    return one_line(text).strip()


def check_depth(text: str) -> str:
    """Returns the text, or raises InvalidJSONError if it is nested too deeply."""
    if too_deep(text):
        raise InvalidJSONError("$", "nested more than 100 levels deep")
    return text


def piece_of(name: str) -> bytes:
    """Returns a property's name with the comma before it and the colon after it."""
    return b"," + name_text(name) + b":"


def name_text(name: str) -> bytes:
    """Returns a property's name as JSON, with lone surrogates escaped."""
    try:
        return encode_value(name)
    except UnicodeEncodeError:
        return json.dumps(name).encode()
