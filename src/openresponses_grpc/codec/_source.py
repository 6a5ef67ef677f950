"""Compiles generated functions, as `attrs` does: with source that tracebacks, debuggers and coverage can show.

Functions are compiled when they are first asked for, by one thread at a time.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

COMPILING: Final = RLock()
"""Held while types and functions are made: threads share them, and msgspec reads types that are half made."""


def define(name: str, lines: list[str], names: dict[str, object]) -> Callable[..., Any]:
    """Compiles the source of one function.

    Args:
        name: names the source in tracebacks, such as `encode OpenResponsesUsage`.
        lines: the function, which begins with `def`.
        names: its globals.

    """
    source = "\n".join(lines) + "\n"
    filename = f"<openresponses_grpc {name}>"
    # Without a modification time, linecache keeps the entry.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)  # noqa: S102 - names in it are identifiers and literals by repr()
    return names[lines[0].removeprefix("def ").partition("(")[0]]  # type: ignore[return-value]


class Lazy(dict[Key, Value], Generic[Key, Value]):
    """Functions, or what holds them, by their keys; each is made when it is first looked up.

    A function that looks itself up while it is made, as that of a message that contains itself, gets one that looks it
    up when it is called.

    Args:
        make: makes the value of a key.

    """

    def __init__(self, make: Callable[[Key], Value]) -> None:
        super().__init__()
        self._make = make
        self._making: set[Key] = set()

    def __missing__(self, key: Key) -> Value:
        with COMPILING:
            if key in self._making:
                return lambda *arguments: self[key](*arguments)  # type: ignore[operator, return-value]
            if key not in self:
                self._making.add(key)
                try:
                    self[key] = self._make(key)
                finally:
                    self._making.remove(key)
            return self[key]
