"""OPENRESPONSES_EXAMPLES=10000 tries as many examples for each property: python -m pytest tests/codec."""

import os

from hypothesis import settings

if count := os.environ.get("OPENRESPONSES_EXAMPLES"):
    settings.register_profile("longer", settings.default, max_examples=int(count))
    settings.load_profile("longer")
