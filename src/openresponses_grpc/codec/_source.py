"""Compiles generated functions. Like `attrs`, it registers their source for tracebacks, debuggers and coverage.

Functions are compiled on first use, by one thread at a time.
"""

from __future__ import annotations

import linecache
from collections.abc import Callable, Hashable
from threading import RLock
from typing import Any, Final, Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")

COMPILING: Final = RLock()
"""Held while types and functions are built: threads share them, and msgspec would read incomplete types."""


def define(name: str, lines: list[str], names: dict[str, object]) -> Callable[..., Any]:
    """Compiles the source of one function.

    Args:
        name: name of the source in tracebacks, such as `encode OpenResponsesUsage`.
        lines: source lines of the function; the first one starts with `def`.
        names: globals of the function.

    Returns:
        The function.

    """
    source = "\n".join(lines) + "\n"
    filename = f"<openresponses_grpc {name}>"
    # linecache never evicts an entry without a modification time.
    linecache.cache[filename] = (len(source), None, source.splitlines(keepends=True), filename)
    exec(compile(source, filename, "exec"), names)  # noqa: S102 - names in it are identifiers and literals by repr()
    return names[lines[0].removeprefix("def ").partition("(")[0]]  # type: ignore[return-value]


class Lazy(dict[Key, Value], Generic[Key, Value]):
    """A dict whose values are created on first access.

    If `make` looks up its own key, as for a recursive message, it gets a function that looks up the value when called.

    Args:
        make: creates the value of a key.

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
