"""The TypeScript bridge maps each event to its SDK type: the compiler accepts this type and rejects all others."""

import subprocess
from collections.abc import Iterable
from itertools import product

import pytest

from ..codec.shapes import EVENT, camel, inner, members, options
from .languages import built

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

TYPES = {camel(member): inner(member).name for member in members(EVENT) if not options(member).beyond_sdk}
BEYOND = [camel(member) for member in members(EVENT) if options(member).beyond_sdk]
OTHERS = set(product(TYPES, TYPES.values())) - TYPES.items()

IMPORTS = """
import type * as sdk from "@openrouter/sdk/models";
import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { ResponsesOutputItem } from "openresponses-grpc/v1/items_pb.js";
import type { OpenResponsesNonStreamingResponse, OpenResponsesUsage } from "openresponses-grpc/v1/response_pb.js";
import type { Gaps, Held } from "../bridge/sdk.js";
import { fromSdk, toSdk } from "../event.js";
declare const { kind }: OpenResponsesStreamEvent;
type Usage<Cost> = Omit<OpenResponsesUsage, "cost"> & Cost;
type Response<Cost> = Omit<OpenResponsesNonStreamingResponse, "usage"> & { usage?: Usage<Cost> };
type Item = { kind: Exclude<ResponsesOutputItem["kind"], { case: "functionCall" }> };
"""
TO_SDK = 'if (kind.case === "{}") {{ const sdkEvent: sdk.{} = toSdk(kind); }}'
FROM_SDK = "fromSdk({{}} as sdk.{});"
GAP = 'const gap: Gaps<sdk.{}, Held<{}>> = "{}";'


def errors(lines: Iterable[str]) -> list[str]:
    """The compiler errors of lines of TypeScript."""
    folder = built("typescript").folder
    (folder / "build" / "types.ts").write_text(IMPORTS + "".join(f"{{ {line} }}\n" for line in lines))
    command = "node_modules/.bin/tsc --strict --noEmit --ignoreConfig --module nodenext --target es2024 build/types.ts"
    compiled = subprocess.run(command.split(), cwd=folder, capture_output=True, text=True, check=False)
    found = [line for line in compiled.stdout.splitlines() if not line.startswith(" ")]
    assert all(line.startswith("build/types.ts(") and "error TS2" in line for line in found), found
    return found


def test_event_has_its_sdk_type() -> None:
    assert errors(TO_SDK.format(*pair) for pair in TYPES.items()) == []
    assert len(TYPES) == 27


def test_event_does_not_have_another_sdk_type() -> None:
    assert len(errors(TO_SDK.format(*pair) for pair in OTHERS)) == len(OTHERS) == 27 * 26


def test_event_outside_the_sdk_is_not_accepted() -> None:
    lines = [f'if (kind.case === "{case}") toSdk(kind);' for case in [*BEYOND, "unrecognized"]]
    assert len(errors(lines)) == len(lines) > 30


def test_only_sdk_events_are_accepted() -> None:
    assert errors(FROM_SDK.format(name) for name in TYPES.values()) == []
    others = ["OpenResponsesUsage", "OpenResponsesNonStreamingResponse", "URLCitation"]
    assert len(errors(FROM_SDK.format(name) for name in others)) == len(others)


def test_gaps_finds_missing_properties_at_any_depth() -> None:
    lines = [
        GAP.format("OpenResponsesUsage", "Usage<{}>", "$.cost"),
        GAP.format("OpenResponsesUsage", "Usage<{ cost?: string }>", "$.cost"),
        GAP.format("OpenResponsesNonStreamingResponse", "Response<{}>", "$.usage.cost"),
        GAP.format("ResponsesOutputItem", "Item", "$.callId"),
    ]
    assert errors(lines) == []


def test_gaps_finds_nothing_in_complete_types() -> None:
    lines = [
        GAP.format("OpenResponsesUsage", "Usage<{ cost?: number }>", "$.cost"),
        GAP.format("OpenResponsesNonStreamingResponse", "Response<{ cost?: number }>", "$.usage.cost"),
        GAP.format("ResponsesOutputItem", "ResponsesOutputItem", "$.callId"),
    ]
    found = errors(lines)
    assert len(found) == len(lines)
    assert all("'never'" in error for error in found)
