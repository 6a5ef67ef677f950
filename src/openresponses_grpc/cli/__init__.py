"""The command `openresponses`."""

from __future__ import annotations

import logging
import sys
from importlib.metadata import version

import click

from .convert import convert
from .serve import serve
from .stream import publish, subscribe

__all__ = ["main"]


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(version("openresponses-grpc"))
def main() -> None:
    """Streamed response events as Protocol Buffers: convert them, and stream them over gRPC.

    \b
    Formats of event streams:
      ndjson    one JSON event a line, as the SDK describes it
      sse       server-sent events, as the API streams them
      protobuf  OpenResponsesStreamEvent messages, each after its length as a varint
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)


for command in (convert, serve, publish, subscribe):
    main.add_command(command)
