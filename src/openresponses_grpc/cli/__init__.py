"""The command `openresponses`."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from importlib import import_module
from typing import Any, Final

import click

from ._statuses import ListsStatuses, Status

__all__ = ["main"]

_COMMANDS: Final = ("convert", "gateway", "publish", "serve", "streams", "subscribe")


class _Commands(ListsStatuses, click.Group):
    """The commands, each imported when it is needed: `--version` does not load gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name != "serve":
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")  # clients raise what gRPC would log, which reads this once
        command: click.Command = getattr(import_module(f"._{cmd_name}", __name__), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. Ctrl-C and a closed output pipe end it quietly."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second one does not wait for anything
            sys.exit(Status.INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            # Python would fail again at its exit: it flushes standard output.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Status.DONE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="openresponses-grpc")
def main() -> None:
    """Streamed response events as Protocol Buffers: convert them, and stream them over gRPC.

    \b
    Formats of event streams:
      ndjson    one JSON event a line, as the SDK describes it
      sse       server-sent events, as the API streams them
      protobuf  OpenResponsesStreamEvent messages, each after its length as a varint

    An environment variable can set each option. Its name is in the option's help, such as OPENRESPONSES_SERVER for
    --server. Options on the command line come first.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
