"""The exit statuses of the command, and the help that lists them."""

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
    Status.DONE: "Done, or nobody reads the output any more.",
    Status.BAD_INPUT: "Invalid or truncated input, a file that cannot be read or written, or a request or a token that"
    " the server rejects.",
    Status.USAGE: "Unknown options, or values that an option does not accept.",
    Status.STREAM: "The stream failed, is gone, has ended or diverged, or another publisher claimed it.",
    Status.SERVER: "The server cannot be reached or refuses for now, or --timeout has passed. Try again later.",
    Status.INTERRUPTED: "Interrupted by Ctrl-C.",
}


class ListsStatuses(click.Command):
    """A command with the exit statuses at the end of its help."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Writes the statuses."""
        super().format_epilog(ctx, formatter)
        with formatter.section("Exit status"):
            formatter.write_dl([(str(int(status)), meaning) for status, meaning in MEANINGS.items()])
