"""The events of the sample stream, and its final response."""

import json
from pathlib import Path

from openresponses_grpc import from_json

LINES = (Path(__file__).parents[2] / "examples/response.ndjson").read_bytes().splitlines()
EVENTS = [from_json(line) for line in LINES]
FINAL = json.loads(LINES[-1])["response"]
