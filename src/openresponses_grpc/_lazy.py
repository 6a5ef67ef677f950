"""Lazy imports: a package's public names are imported on first use."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any


def lazy_names(package: str, modules: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """Returns a `__getattr__` for a package.

    Args:
        package: the package's `__name__`.
        modules: the public names of each module of the package.

    """

    def get(name: str) -> Any:
        for module, names in modules.items():
            if name in names:
                return getattr(import_module(f".{module}", package), name)
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return get
