"""Explains why a message cannot be written as JSON. Runs only after the compiled functions have failed."""

from __future__ import annotations

from math import isfinite
from typing import Any

from google.protobuf.unknown_fields import UnknownFieldSet

from ..errors import EventError, IncompleteEventError
from ._extras import checked_value, text_members
from ._scalars import MAX_DEPTH, too_deep
from ._scan import child_path
from ._schema import TYPE, Field, Kind, Message, Naming, Shape


def check_message(value: Any, message: Message, naming: Naming, path: str = "$", depth: int = 0) -> None:
    """Raises IncompleteEventError for the first fault in a protobuf message.

    Args:
        value: the message.
        message: its schema.
        naming: spelling of the path.
        path: path of its JSON.
        depth: number of objects and arrays around its JSON.

    """
    _check_known(value, message.name, path)
    match message.shape:
        case Shape.UNION:
            _check_union(value, message, naming, path, depth)
        case Shape.OBJECT:
            _check_object(value, message, naming, path, depth + 1)
        case Shape.LIST:
            for index, element in enumerate(value.items):
                _check_field(element, message.element, naming, f"{path}[{index}]", depth + 1)
        case Shape.MAP:
            names = set()
            for entry in value.entries:
                _check_known(entry, f"an entry of {message.name}", path)
                if not entry.HasField("name") or not entry.HasField("value"):
                    raise IncompleteEventError(path, f"an entry of {message.name} has no name or no value")
                if entry.name in names:
                    raise IncompleteEventError(path, f"{message.name} has two entries named {entry.name!r}")
                names.add(entry.name)
                _check_field(entry.value, message.element, naming, child_path(path, entry.name), depth + 1)


def _check_known(value: Any, name: str, path: str) -> None:
    for unknown in UnknownFieldSet(value):  # type: ignore[attr-defined]
        raise IncompleteEventError(
            path,
            f"{name} contains field {unknown.field_number}, which this version does not know: "
            "upgrade openresponses-grpc to the version that wrote it",
        )


def _check_union(value: Any, message: Message, naming: Naming, path: str, depth: int) -> None:
    member = value.WhichOneof("kind")
    if member is None:
        raise IncompleteEventError(path, f"no member of {message.name} is set")
    if member == "unrecognized":
        _check_known(value.unrecognized, "Unrecognized", path)
        if not value.unrecognized.json:
            raise IncompleteEventError(path, "`json` of the unrecognized value is empty")
        _check_text(value.unrecognized.json, "`json` of the unrecognized value", path, depth)
    else:
        field = next(field for field in message.fields if field.name == member)
        _check_field(getattr(value, member), field, naming, path, depth)


def _check_object(value: Any, message: Message, naming: Naming, path: str, depth: int) -> None:
    for field in message.fields:
        if value.HasField(field.name):
            _check_field(getattr(value, field.name), field, naming, child_path(path, field.names[naming]), depth)
    if not value.HasField("extra_json"):
        return
    text = _check_text(value.extra_json, "`extra_json`", path, depth - 1)
    if not text.startswith(b"{"):
        raise IncompleteEventError(path, "`extra_json` is not a JSON object")
    names = text_members(text, deep=True).keys()
    if message.type and TYPE in names:
        raise IncompleteEventError(
            child_path(path, TYPE), f"`extra_json` contains `type`, which is implied to be {message.type!r}"
        )
    for field in message.fields:
        if field.names["snake_case"] in names and value.HasField(field.name):
            property_path = child_path(path, field.names[naming])
            raise IncompleteEventError(
                property_path, f"`extra_json` contains a property whose field `{field.name}` is set"
            )


def _check_field(value: Any, field: Field, naming: Naming, path: str, depth: int) -> None:
    match field.kind:
        case Kind.MESSAGE:
            check_message(value, field.message, naming, path, depth)
        case Kind.NUMBER if not isfinite(value):
            raise IncompleteEventError(path, f"JSON cannot represent the number {value}")
        case Kind.TEXT:
            text = _check_text(value, f"`{field.name}`", path, depth)
            if not text.startswith(b"{") if field.object_only else text == b"null":
                expected = "a JSON object" if field.object_only else "a JSON value other than null"
                raise IncompleteEventError(path, f"`{field.name}` is not {expected}")


def _check_text(text: str, what: str, path: str, depth: int) -> bytes:
    if too_deep(text, MAX_DEPTH - depth):
        raise IncompleteEventError(path, f"{what} nests the event more than {MAX_DEPTH} levels deep")
    try:
        return checked_value(text.encode(), deep=True)
    except ValueError as error:
        problem = error.problem.removeprefix("not JSON: ") if isinstance(error, EventError) else str(error)
        raise IncompleteEventError(path, f"{what} is not JSON: {problem}") from None
