"""Writes the vectors that are in `inputs` and in no file yet: run by hand, and reviewed as a diff.

The bridge has no part in them, and neither have the stubs: protoc itself turns the text format into the binary message.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from .inputs import VECTORS
from .vector import Vector

FOLDER = Path(__file__).parent
PROTOC = (sys.executable, "-m", "grpc_tools.protoc", "--proto_path=proto")
ENCODE = ("--encode=openresponses_grpc.v1.OpenResponsesStreamEvent", "openresponses_grpc/v1/events.proto")


def encode(text: str) -> bytes:
    """The binary message of a text format; raises CalledProcessError where the contract has no such message."""
    root = FOLDER.parents[1]
    return subprocess.run([*PROTOC, *ENCODE], input=text.encode(), stdout=subprocess.PIPE, check=True, cwd=root).stdout


def content(vector: Vector) -> str:
    """The file of a vector."""
    properties = vector.properties() | {"hex": encode(vector.text).hex()}
    return json.dumps(properties, indent=2) + "\n"


def main() -> None:
    """Overwrites nothing, as what was released stays: ends with status 1 where a file is not what the inputs make."""
    files = {FOLDER / f"{name}.json": vector for name, vector in VECTORS.items()}
    wrong = [path.name for path in FOLDER.glob("*.json") if path not in files]
    for path, vector in files.items():
        made = content(vector)
        if not path.exists():
            path.write_text(made)
        elif path.read_text() != made:
            wrong.append(path.name)
    if wrong:
        sys.exit(f"not what inputs.py makes: {', '.join(wrong)}\nRemove a file that no release has; keep the others.")


if __name__ == "__main__":
    main()
