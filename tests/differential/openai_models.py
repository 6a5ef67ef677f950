"""`schema` prints the JSON Schema of openai-python's events; otherwise this follows the protocol of npm.mjs.

The client of openai-python does not validate events. Its models can.
"""

import importlib
import json
import sys
from typing import Annotated, Any

responses: Any = importlib.import_module("openai.types.responses")
pydantic: Any = importlib.import_module("pydantic")
# With `type` as discriminator, as in the client, pydantic accepts the same inputs eight times as fast.
adapter: Any = pydantic.TypeAdapter(Annotated[responses.ResponseStreamEvent, pydantic.Field(discriminator="type")])


def answer(text: str) -> str | None:
    """The text itself if the models accept it, otherwise None."""
    try:
        adapter.validate_json(text)
    except ValueError:
        return None
    return text


if __name__ == "__main__":
    if sys.argv[1:] == ["schema"]:
        print(json.dumps(adapter.json_schema()))
    else:
        for line in sys.stdin:
            print(json.dumps([answer(json.loads(line)), False]))
