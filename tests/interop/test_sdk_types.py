"""The TypeScript example hands out objects of the SDK's own types: the compiler says so, and refuses any other."""

import subprocess
from collections.abc import Iterable
from itertools import product

import pytest

from .languages import built

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

TYPES = {
    "imageGenerationCallGenerating": "OpenResponsesImageGenCallGenerating",
    "imageGenerationCallCompleted": "OpenResponsesImageGenCallCompleted",
    "imageGenerationCallInProgress": "OpenResponsesImageGenCallInProgress",
    "imageGenerationCallPartialImage": "OpenResponsesImageGenCallPartialImage",
}
OTHERS = set(product(TYPES, TYPES.values())) - TYPES.items()

IMPORTS = """
import type * as sdk from "@openrouter/sdk/models";
import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import { toSdk } from "../event.js";
declare const { event }: OpenResponsesStreamEvent;
"""
HAND_OUT = 'if (event.case === "{}") {{ const handedOut: sdk.{} = toSdk(event); }}\n'


def errors(pairs: Iterable[tuple[str, str]]) -> list[str]:
    """What the compiler says to events of these arms being handed out as objects of these types."""
    folder = built("typescript").folder
    (folder / "build" / "types.ts").write_text(IMPORTS + "".join(HAND_OUT.format(*pair) for pair in pairs))
    command = "node_modules/.bin/tsc --strict --noEmit --ignoreConfig --module nodenext --target es2022 build/types.ts"
    compiled = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    return [line for line in compiled.stdout.splitlines() if not line.startswith(" ")]


def test_an_event_has_the_sdk_s_type() -> None:
    assert errors(TYPES.items()) == []


def test_an_event_has_no_other_type() -> None:
    found = errors(OTHERS)
    assert len(found) == len(OTHERS) == 12
    assert all(line.startswith("build/types.ts(") and "error TS2" in line for line in found)
