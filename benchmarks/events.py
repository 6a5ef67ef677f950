"""The events that benchmarks work on."""

from __future__ import annotations

import json

STREAM = 100
PREFIX = "response.image_generation_call."


def lines(count: int) -> list[bytes]:
    """Events of all modelled types in turn, as SDK JSON, in streams of 100.

    The ids are as long as the API's, and one index in five is a fraction, which the SDK allows.
    """
    made = []
    for number in range(count):
        name = ("in_progress", "generating", "partial_image", "completed")[number % 4]
        properties = {
            "type": PREFIX + name,
            "itemId": f"ig_{number:050x}",
            "outputIndex": number % 7 if number % 5 else number + 0.54,
            "sequenceNumber": number % STREAM,
        }
        if name == "partial_image":
            properties |= {"partialImageB64": "iVBORw0KGgo" * 10, "partialImageIndex": number % 3}
        made.append(json.dumps(properties, separators=(",", ":")).encode())
    return made
