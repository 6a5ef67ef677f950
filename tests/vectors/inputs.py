"""The inputs of all vectors, written by hand, independently of the codec.

A released vector is never changed or removed: see README.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from .delta_events import DELTA_EVENTS
from .image_events import IMAGE_EVENTS
from .item_events import ITEM_EVENTS
from .odd_values import EXTRAS, ODD_VALUES, UNRECOGNIZED
from .response_events import RESPONSE_EVENTS
from .scalars import SCALARS
from .vector import Vector

VECTORS: Final[Mapping[str, Vector]] = {
    **IMAGE_EVENTS,
    **DELTA_EVENTS,
    **ITEM_EVENTS,
    **RESPONSE_EVENTS,
    **SCALARS,
    **EXTRAS,
    **ODD_VALUES,
    **UNRECOGNIZED,
}
