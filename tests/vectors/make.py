"""Writes the vectors in `inputs` that do not have a file yet. Run it by hand and review the diff.

Neither the codec nor the stubs are involved: protoc encodes the text format as the binary message.
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
    """Encodes a message in text format; raises CalledProcessError if the contract does not allow it."""
    root = FOLDER.parents[1]
    return subprocess.run([*PROTOC, *ENCODE], input=text.encode(), stdout=subprocess.PIPE, check=True, cwd=root).stdout


def content(vector: Vector) -> str:
    """The content of a vector's file."""
    properties = vector.properties() | {"hex": encode(vector.text).hex()}
    return json.dumps(properties, indent=2) + "\n"


def main() -> None:
    """Writes missing files and never overwrites one; exits with status 1 if a file differs from the inputs."""
    files = {FOLDER / f"{name}.json": vector for name, vector in VECTORS.items()}
    wrong = [path.name for path in FOLDER.glob("*.json") if path not in files]
    for path, vector in files.items():
        made = content(vector)
        if not path.exists():
            path.write_text(made)
        elif path.read_text() != made:
            wrong.append(path.name)
    if wrong:
        sys.exit(f"differs from inputs.py: {', '.join(wrong)}\nRemove unreleased files; never change released ones.")


if __name__ == "__main__":
    main()
