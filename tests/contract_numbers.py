"""The numbers and types of all fields. `contract_numbers.txt` records them permanently: it only grows.

As a command, this module records new fields and rejects any other change.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from google.protobuf.descriptor_pb2 import FieldDescriptorProto

from openresponses_grpc.v1 import stream_service_pb2

FILE = Path(__file__).with_suffix(".txt")
HEADER = "# The fields of each message with their numbers and types, in the order of the contract."

Table = dict[str, dict[str, str]]
"""Numbers and types of fields by message name and field name."""


def files(file: Any = stream_service_pb2.DESCRIPTOR) -> list[Any]:
    """The files of the contract, dependencies first."""
    found = [one for import_ in file.dependencies if import_.package == file.package for one in files(import_)]
    return list(dict.fromkeys([*found, file]))


def messages() -> list[Any]:
    return [message for file in files() for message in file.message_types_by_name.values()]


def numbers() -> Table:
    """The fields in the contract."""
    table = {message.name: {field.name: _text(field) for field in message.fields} for message in messages()}
    for file in files():
        for enum in file.enum_types_by_name.values():
            table[enum.name] = {value.name: str(value.number) for value in enum.values}
        for extension in file.extensions_by_name.values():
            table.setdefault("extensions", {})[extension.name] = _text(extension)
    return table


def recorded() -> Table:
    """The recorded fields."""
    lines = FILE.read_text().splitlines()[1:] if FILE.exists() else []
    return {name: dict(field.split("=") for field in fields) for name, *fields in map(str.split, lines)}


def changed() -> list[str]:
    """The recorded fields that the contract changed or removed."""
    now = numbers()
    return [
        f"{message}.{name}={text}"
        for message, fields in recorded().items()
        for name, text in fields.items()
        if now.get(message, {}).get(name) != text
    ]


def _text(field: Any) -> str:
    of = field.message_type or field.enum_type
    type = of.name if of else FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
    return f"{field.number}:{'repeated:' if field.is_repeated else ''}{type}"


def main() -> None:
    if changed():
        raise SystemExit(f"the number and type of a field never change: {', '.join(changed())}")
    lines = [" ".join([name, *map("=".join, fields.items())]) for name, fields in numbers().items()]
    FILE.write_text("\n".join([HEADER, *sorted(lines)]) + "\n")


if __name__ == "__main__":
    main()
