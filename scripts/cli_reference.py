"""Prints docs/cli.md: what the command says of itself, whatever the terminal and the environment are."""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Iterator

import click

from openresponses_grpc.cli import main
from openresponses_grpc.cli._statuses import MEANINGS


def page() -> Iterator[str]:
    """The paragraphs of the page."""
    yield from _command(main, click.Context(main, info_name="openresponses", **main.context_settings))
    yield "## Exit statuses"
    rows = [f"| {status:d} | {_prose(meaning)} |" for status, meaning in MEANINGS.items()]
    yield "\n".join(["| status | meaning |", "| --- | --- |", *rows])


def _command(command: click.Command, context: click.Context) -> Iterator[str]:
    """The section of a command, and those of the commands in it."""
    path = context.command_path
    yield f"{'#' * len(path.split())} {path}"
    yield _code(" ".join([path, *command.collect_usage_pieces(context)]))
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        yield from _paragraph(paragraph)
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    if context.parent:  # the first section has --help for all
        options = [each for each in options if "--help" not in each.opts]
    if options:
        yield "Options:"
        yield "\n".join(_option(each, context) for each in options)
    if isinstance(command, click.Group):
        named = [(name, command.get_command(context, name)) for name in command.list_commands(context)]
        contexts = [click.Context(each, context, name) for name, each in named if each]
        yield "Commands:"
        yield "\n".join(f"- {_link(each)}: {each.command.get_short_help_str(limit=200)}" for each in contexts)
        for each in contexts:
            yield from _command(each.command, each)


def _paragraph(text: str) -> Iterator[str]:
    r"""A paragraph of help. After \b its lines stay as they are, below the first one."""
    if text.startswith("\b\n"):
        text, lines = text.removeprefix("\b\n").split("\n", 1)
        yield _prose(text)
        yield _code(textwrap.dedent(lines))
    else:
        yield _prose(text)


def _option(option: click.Option, context: click.Context) -> str:
    record, extra = option.get_help_record(context), option.get_help_extra(context)
    assert record, f"{option.name} is hidden"
    meaning, _, default = (option.help or "").partition("  [default: ")  # a default in words
    parts = [_prose(meaning)]
    if default:
        parts.append(f"Default: {_prose(default.removesuffix(']'))}.")
    if "default" in extra:
        parts.append(f"Default: `{extra['default']}`.")
    if "range" in extra:
        parts.append(f"Range: `{extra['range']}`.")
    parts += [f"Environment variable: `{name}`." for name in extra.get("envvars", ())]
    return f"- `{record[0]}`<br>\n  {' '.join(parts)}"


def _link(context: click.Context) -> str:
    return f"[`{context.command_path}`](#{context.command_path.replace(' ', '-')})"


def _prose(text: str) -> str:
    text = " ".join(text.split()).replace("*", r"\*").replace("<", "&lt;")
    return re.sub(r"(?<![\w-])--[a-z][a-z-]*|\$?OPENRESPONSES_\w+", r"`\g<0>`", text)


def _code(text: str) -> str:
    return f"```\n{text}\n```"


print("\n\n".join(page()))
