"""Options: environment variables, and sizes and durations with units."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import partial
from typing import Any, Final

import click

from ..server._sizes import SIZES, listed, parse_size

PREFIX: Final = "OPENRESPONSES_"

_DURATIONS: Final[Mapping[str, float]] = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
_NUMBER: Final = r"\d+(?:\.\d+)?"
_PART: Final = re.compile(rf"({_NUMBER})\s*({'|'.join(_DURATIONS)})\s*", re.ASCII)
_DURATION: Final = re.compile(rf"(?:{_PART.pattern})+", re.ASCII)


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


def size(text: str) -> int:
    """Parses a size such as `256MiB` or `1.5GB` to bytes, at least 1. A number without a unit is bytes."""
    try:
        return parse_size(text)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None


def duration(text: str) -> float:
    """Parses a duration such as `5m`, `1h30m` or `250ms` to seconds. A number without a unit is seconds."""
    text = text.strip()
    if re.fullmatch(_NUMBER, text, re.ASCII):
        return float(text)
    if not _DURATION.fullmatch(text):
        units = listed(_DURATIONS)
        raise click.BadParameter(f"{text!r} is not a duration: use seconds, or numbers with {units}, such as 1h30m")
    return sum(float(number) * _DURATIONS[unit] for number, unit in _PART.findall(text))


def size_text(value: int) -> str:
    """Formats bytes with the largest binary unit that divides them: `256MiB`."""
    unit = next((unit for unit in ("TiB", "GiB", "MiB", "KiB") if value and value % SIZES[unit] == 0), "B")
    return f"{value // SIZES[unit]}{unit}"


def duration_text(seconds: float) -> str:
    """Formats seconds with the largest unit that divides them: `5m`."""
    unit = next((unit for unit in ("d", "h", "m") if seconds and seconds % _DURATIONS[unit] == 0), "s")
    return f"{seconds / _DURATIONS[unit]:.15g}{unit}"
