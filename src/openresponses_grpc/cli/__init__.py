"""The `openresponses` command."""

from __future__ import annotations

import errno
import logging
import os
import signal
import sys
from importlib import import_module
from typing import Any, Final

import click

from ._statuses import ExitStatusHelp, Status

__all__ = ["main"]

_COMMANDS: Final = ("convert", "gateway", "publish", "serve", "streams", "subscribe")


class _Commands(ExitStatusHelp, click.Group):
    """A group that imports each command on first use, so that `--version` does not load gRPC."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        if cmd_name != "serve":
            # Clients raise the errors that gRPC would also log. gRPC reads this variable once.
            os.environ.setdefault("GRPC_VERBOSITY", "NONE")
        command: click.Command = getattr(import_module(f"._{cmd_name}", __name__), cmd_name)
        return command

    def invoke(self, ctx: click.Context) -> Any:
        """Runs a command. Exits without an error message on Ctrl-C and on a closed output pipe."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt:
            signal.signal(signal.SIGINT, signal.SIG_DFL)  # a second Ctrl-C kills the process immediately
            sys.exit(Status.INTERRUPTED)
        except OSError as error:
            if error.errno != errno.EPIPE:
                raise
            # Python flushes standard output at exit, which would fail again.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            sys.exit(Status.DONE)


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="openresponses-grpc")
def main() -> None:
    """Convert the stream events of the Responses API to Protocol Buffers, and stream them over gRPC.

    \b
    Event stream formats:
      ndjson    one JSON event per line, as in OpenRouter's SDK
      sse       server-sent events, as the API streams them
      protobuf  OpenResponsesStreamEvent messages, each with its length as a varint prefix

    Each option can also be set by an environment variable, which its help names: OPENRESPONSES_SERVER sets --server.
    The command line takes precedence.
    """
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s: %(message)s", stream=sys.stderr)
