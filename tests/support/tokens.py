"""Entries of token files."""

import hashlib


def entry(
    name: str, token: str, may: str = '["publish", "subscribe"]', streams: str = "*", expires: str | None = None
) -> str:
    digest = hashlib.sha256(token.encode()).hexdigest()
    expiry = f"expires = {expires}\n" if expires else ""
    return f'[[token]]\nname = "{name}"\nsha256 = "{digest}"\nmay = {may}\nstreams = "{streams}"\n{expiry}'
