"""The command `openresponses`."""

from __future__ import annotations

import logging
import sys
from importlib import import_module
from typing import Final

import click

__all__ = ["main"]

_MODULES: Final = {"convert": "convert", "publish": "stream", "serve": "serve", "subscribe": "stream"}


class _Commands(click.Group):
    """The commands, each imported when it is needed: `--version` does not load gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_MODULES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _MODULES:
            return None
        command: click.Command = getattr(import_module(f".{_MODULES[cmd_name]}", __name__), cmd_name)
        return command


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="openresponses-grpc")
def main() -> None:
    """Streamed response events as Protocol Buffers: convert them, and stream them over gRPC.

    \b
    Formats of event streams:
      ndjson    one JSON event a line, as the SDK describes it
      sse       server-sent events, as the API streams them
      protobuf  OpenResponsesStreamEvent messages, each after its length as a varint
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
