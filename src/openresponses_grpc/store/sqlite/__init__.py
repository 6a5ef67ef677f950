"""The SQLite store, whose logs survive the server process."""

from ._store import SQLiteStore, open_sqlite

__all__ = ["SQLiteStore", "open_sqlite"]
