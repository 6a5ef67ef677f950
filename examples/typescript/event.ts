// Converts events between messages, JSON text, and objects of the SDK's own types.

import { create } from "@bufbuild/protobuf";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { Naming } from "./bridge/contract.js";
import { parse } from "./bridge/json.js";
import { readMessage } from "./bridge/read.js";
import type { SdkArm, SdkEvent, SdkType } from "./bridge/sdk.js";
import { checkMessage } from "./bridge/strict.js";
import { writeMessage } from "./bridge/write.js";
import "./utf8.js";

/**
 * Reads an event from its JSON, in either spelling. Nothing is lost: what the contract does not have, or has no room
 * for, stays text. Throws a SyntaxError for a text that is not one JSON object.
 */
export function fromJson(text: string): OpenResponsesStreamEvent {
  const json = parse(text);
  if (json.kind !== "object") throw new SyntaxError(`expected a JSON object, got ${json.text.slice(0, 20)}`);
  return readMessage(OpenResponsesStreamEventSchema, json) as OpenResponsesStreamEvent;
}

/** Writes an event as one line of JSON. Throws a TypeError for a message that has no JSON. */
export function toJson(event: OpenResponsesStreamEvent, naming: Naming = "camelCase"): string {
  const json = writeMessage(OpenResponsesStreamEventSchema, event, naming, "$");
  if (!json.trimStart().startsWith("{")) throw new TypeError(`expected a JSON object, got ${json.slice(0, 20)}`);
  return json;
}

/** Reads an event from an object of the SDK, such as its event stream and `openResponsesStreamEventFromJSON` yield. */
export function fromSdk(event: SdkEvent): OpenResponsesStreamEvent {
  return fromJson(JSON.stringify(event, finite));
}

/**
 * Makes an object of the SDK's type of an event's arm, with all that the event has. Throws a TypeError with the path if
 * the SDK's type does not allow it. Real APIs send such events: read those from the message, or as JSON.
 */
export function toSdk<Arm extends SdkArm>(arm: Arm): SdkType<Arm["value"]>;
export function toSdk(kind: OpenResponsesStreamEvent["kind"]): unknown {
  const value: unknown = JSON.parse(toJson(create(OpenResponsesStreamEventSchema, { kind })));
  checkMessage(OpenResponsesStreamEventSchema, value, "$");
  return value;
}

function finite(name: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${name}: JSON has no number ${value}`);
  return value;
}
