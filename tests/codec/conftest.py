"""OPENRESPONSES_EXAMPLES=10000 python -m pytest tests/codec runs 10,000 examples for each property."""

import os

from hypothesis import settings

if count := os.environ.get("OPENRESPONSES_EXAMPLES"):
    settings.register_profile("longer", settings.default, max_examples=int(count))
    settings.load_profile("longer")
