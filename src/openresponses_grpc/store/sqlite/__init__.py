"""The store that keeps its logs in a file: they survive the server."""

from ._store import SQLiteStore, open_sqlite

__all__ = ["SQLiteStore", "open_sqlite"]
