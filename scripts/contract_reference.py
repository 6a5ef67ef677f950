"""The reference of the contract as Markdown, from its descriptor set and the comments in it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.descriptor_pb2 import (
    DescriptorProto,
    EnumDescriptorProto,
    FieldDescriptorProto,
    FileDescriptorProto,
    FileDescriptorSet,
    ServiceDescriptorProto,
)

from openresponses_grpc.v1 import annotations_pb2

PACKAGE = "openresponses_grpc.v1"
FIRST = ("stream_service", "events")  # the others come after them, in the order of their names


def pages(data: bytes) -> dict[str, str]:
    """The pages by their names, `index` first, from a serialized `FileDescriptorSet` with source information."""
    files = {_stem(file.name): file for file in FileDescriptorSet.FromString(data).file if file.package == PACKAGE}
    names = sorted(files, key=lambda name: (FIRST.index(name) if name in FIRST else len(FIRST), name))
    places = {element.name: name for name in names for element in files[name].message_type}
    places |= {element.name: name for name in names for element in files[name].enum_type}
    written = {name: _File(files[name], places) for name in names}
    summaries = {name: _line(file.about.partition("\n\n")[0]) for name, file in written.items()}
    rows = [f"| [`{name}.proto`]({name}.md) | {summary} |" for name, summary in summaries.items()]
    index = "\n".join([f"# {PACKAGE}\n", "| file | content |", "| --- | --- |", *rows, ""])
    return {"index": index, **{name: file.page() for name, file in written.items()}}


class _File:
    """One file of the contract; `about` is the comment at its top."""

    def __init__(self, file: FileDescriptorProto, places: Mapping[str, str]) -> None:
        self._file = file
        self._places = places  # the pages of messages and enums
        locations = {tuple(location.path): location for location in file.source_code_info.location}
        self._comments = {path: location.leading_comments for path, location in locations.items()}
        self.about = locations[FileDescriptorProto.SYNTAX_FIELD_NUMBER,].leading_detached_comments[0]

    def page(self) -> str:
        return "\n\n".join([f"# {_stem(self._file.name)}.proto", _markdown(self.about), *self._sections()]) + "\n"

    def _sections(self) -> Iterator[str]:
        for index, service in enumerate(self._file.service):
            yield from self._service((FileDescriptorProto.SERVICE_FIELD_NUMBER, index), service)
        for index, message in enumerate(self._file.message_type):
            yield from self._message((FileDescriptorProto.MESSAGE_TYPE_FIELD_NUMBER, index), message)
        for index, enum in enumerate(self._file.enum_type):
            yield from self._enum((FileDescriptorProto.ENUM_TYPE_FIELD_NUMBER, index), enum)
        if self._file.extension:
            yield "## Extensions"
            yield self._fields((FileDescriptorProto.EXTENSION_FIELD_NUMBER,), self._file.extension)

    def _service(self, path: tuple[int, ...], service: ServiceDescriptorProto) -> Iterator[str]:
        yield from (_heading(2, service.name), _markdown(self._comments[path]))
        for index, method in enumerate(service.method):
            takes, returns = self._link(method.input_type), self._link(method.output_type)
            yield _heading(3, method.name)
            yield (
                f"Takes {'a stream of ' if method.client_streaming else ''}{takes},"
                f" returns {'a stream of ' if method.server_streaming else ''}{returns}."
            )
            yield _markdown(self._comments[*path, ServiceDescriptorProto.METHOD_FIELD_NUMBER, index])

    def _message(self, path: tuple[int, ...], message: DescriptorProto) -> Iterator[str]:
        assert not message.nested_type, f"{message.name} has messages inside, which would need sections"
        yield from (_heading(2, message.name), _markdown(self._comments[path]))
        if literal := message.options.Extensions[annotations_pb2.object].type:
            yield f"JSON `type`: `{literal}`"
        for index, oneof in enumerate(message.oneof_decl):
            if comment := self._comments.get((*path, DescriptorProto.ONEOF_DECL_FIELD_NUMBER, index)):
                yield f"At most one of the fields of the oneof `{oneof.name}` is set. {_line(comment)}"
        if message.field:
            yield self._fields((*path, DescriptorProto.FIELD_FIELD_NUMBER), message.field)
        if message.reserved_range:
            ranges = ((each.start, each.end - 1) for each in message.reserved_range)
            texts = (f"{first} to {last}" if first < last else str(first) for first, last in ranges)
            yield f"Reserved numbers: {', '.join(texts)}."

    def _fields(self, path: tuple[int, ...], fields: Sequence[FieldDescriptorProto]) -> str:
        """A table of fields, with their options if any field has one."""
        head = ["field", "number", "type", "meaning"]
        rows = [
            [f"`{field.name}`", str(field.number), self._type(field), _line(self._comments[*path, index])]
            for index, field in enumerate(fields)
        ]
        if any(map(_options, fields)):
            head.append(f"[options]({self._places['PropertyOptions']}.md#PropertyOptions)")
            rows = [[*row, _options(field)] for row, field in zip(rows, fields, strict=True)]
        return "\n".join(f"| {' | '.join(row)} |" for row in [head, ["---"] * len(head), *rows])

    def _type(self, field: FieldDescriptorProto) -> str:
        label = "repeated " if field.label == field.LABEL_REPEATED else "optional " if field.proto3_optional else ""
        name = FieldDescriptorProto.Type.Name(field.type).removeprefix("TYPE_").lower()
        extends = f", extends `{field.extendee.removeprefix('.')}`" if field.extendee else ""
        return label + (self._link(field.type_name) if field.type_name else f"`{name}`") + extends

    def _link(self, name: str) -> str:
        short = name.removeprefix(f".{PACKAGE}.")
        return f"[`{short}`]({self._places[short]}.md#{short})" if short in self._places else f"`{name[1:]}`"

    def _enum(self, path: tuple[int, ...], enum: EnumDescriptorProto) -> Iterator[str]:
        yield from (_heading(2, enum.name), _markdown(self._comments[path]))
        rows = ["| value | number | meaning |", "| --- | --- | --- |"]
        for index, value in enumerate(enum.value):
            comment = self._comments[*path, EnumDescriptorProto.VALUE_FIELD_NUMBER, index]
            rows.append(f"| `{value.name}` | {value.number} | {_line(comment)} |")
        yield "\n".join(rows)


def _options(field: FieldDescriptorProto) -> str:
    options = field.options.Extensions[annotations_pb2.property].ListFields()
    return "<br>".join(f"`{option.name}`{_value(option, value)}" for option, value in options)


def _value(option: FieldDescriptor, value: Any) -> str:
    if option.enum_type:
        value = option.enum_type.values_by_number[value].name
    values = value if not isinstance(value, str) and isinstance(value, Sequence) else [value]
    return "" if value is True else f": {', '.join(f'`{each}`' for each in values)}"


def _heading(level: int, name: str) -> str:
    return f"{'#' * level} {name} {{ #{name} }}"


def _markdown(comment: str) -> str:
    """The paragraphs of a comment. A list needs an empty line before it, and a file that is named is a link."""
    text = re.sub(r"(?m)^ |\n+\Z", "", comment)
    return re.sub(r"(?<![`\w])(\w+)\.proto\b", r"[\g<0>](\1.md)", re.sub(r":\n(?=- )", ":\n\n", text))


def _line(comment: str) -> str:
    """A comment for a cell of a table."""
    return " ".join(_markdown(comment).split()).replace("|", "\\|")


def _stem(path: str) -> str:
    return path.rpartition("/")[2].removesuffix(".proto")
