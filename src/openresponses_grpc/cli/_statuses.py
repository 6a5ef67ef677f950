"""Exit statuses, and the help section that lists them."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final

import click


class Status(IntEnum):
    """An exit status."""

    DONE = 0
    BAD_INPUT = 1
    USAGE = 2
    STREAM = 3
    SERVER = 4
    INTERRUPTED = 130


MEANINGS: Final[Mapping[Status, str]] = {
    Status.DONE: "Success, or the output pipe was closed.",
    Status.BAD_INPUT: "Invalid or truncated input, a file that cannot be read or written, or a request or token that"
    " the server rejected.",
    Status.USAGE: "Unknown option or invalid option value.",
    Status.STREAM: "The stream failed, does not exist, has ended or diverged, or another publisher claimed it.",
    Status.SERVER: "The server is unavailable or overloaded, or --timeout has passed. Retry later.",
    Status.INTERRUPTED: "Interrupted by Ctrl-C.",
}


class ExitStatusHelp(click.Command):
    """A command whose help lists the exit statuses at the end."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the statuses."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit status"):
            formatter.write_dl([(str(int(status)), meaning) for status, meaning in MEANINGS.items()])
