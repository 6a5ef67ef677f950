"""`schema` prints the JSON Schema of openai-python's events; else this answers as npm.mjs does.

openai-python's client does not validate what it reads. Its models do, when they are asked.
"""

import importlib
import json
import sys
from typing import Annotated, Any

responses: Any = importlib.import_module("openai.types.responses")
pydantic: Any = importlib.import_module("pydantic")
# Told to look at `type` first, as the client does, pydantic accepts the same and takes an eighth of the time.
adapter: Any = pydantic.TypeAdapter(Annotated[responses.ResponseStreamEvent, pydantic.Field(discriminator="type")])


def answer(text: str) -> str | None:
    """The text itself where the models accept it, else None."""
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
