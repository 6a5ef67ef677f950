"""Options with environment variables."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

import click

PREFIX: Final = "OPENRESPONSES_"


class Option(click.Option):
    """An option that an environment variable can set. Its help names the variable.

    The variable is `OPENRESPONSES_` and the option's name: `OPENRESPONSES_TOKEN_FILE` for `--token-file`. If an option
    has another meaning in another command, `envvar` sets a separate variable.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.show_envvar = True
        if self.envvar is None:
            name = next(name for name in self.opts if name.startswith("--"))
            self.envvar = PREFIX + name[2:].replace("-", "_").upper()


option: Final = partial(click.option, cls=Option)
