// Converts events between messages, JSON text, and objects of the SDK's own types.

import { create } from "@bufbuild/protobuf";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { Naming } from "./bridge/contract.js";
import { parse } from "./bridge/json.js";
import { readMessage } from "./bridge/read.js";
import type { SdkEvent, SdkMember, SdkType } from "./bridge/sdk.js";
import { checkMessage } from "./bridge/strict.js";
import { writeMessage } from "./bridge/write.js";
import "./utf8.js";

/**
 * Parses an event from JSON, in either spelling. Nothing is lost: values that no field can hold are kept as JSON text.
 * Throws a SyntaxError if the text is not a single JSON object.
 */
export function fromJson(text: string): OpenResponsesStreamEvent {
  const json = parse(text);
  if (json.kind !== "object") throw new SyntaxError(`expected a JSON object, got ${json.text.slice(0, 20)}`);
  return readMessage(OpenResponsesStreamEventSchema, json) as OpenResponsesStreamEvent;
}

/** Writes an event as one line of JSON. Throws a TypeError if the message has no JSON form. */
export function toJson(event: OpenResponsesStreamEvent, naming: Naming = "camelCase"): string {
  const json = writeMessage(OpenResponsesStreamEventSchema, event, naming, "$");
  if (!json.trimStart().startsWith("{")) throw new TypeError(`expected a JSON object, got ${json.slice(0, 20)}`);
  return json;
}

/** Converts an SDK object, from its event stream or `openResponsesStreamEventFromJSON`, to a message. */
export function fromSdk(event: SdkEvent): OpenResponsesStreamEvent {
  return fromJson(JSON.stringify(event, finite));
}

/**
 * Converts the member of an event to the SDK's type, with all of its properties. Throws a TypeError with the path of
 * the fault if the SDK's type does not allow the event. Real APIs send such events: read them from the message or as
 * JSON.
 */
export function toSdk<Member extends SdkMember>(member: Member): SdkType<Member["value"]>;
export function toSdk(kind: OpenResponsesStreamEvent["kind"]): unknown {
  const value: unknown = JSON.parse(toJson(create(OpenResponsesStreamEventSchema, { kind })));
  checkMessage(OpenResponsesStreamEventSchema, value, "$");
  return value;
}

function finite(name: string, value: unknown): unknown {
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${name}: JSON cannot represent the number ${value}`);
  }
  return value;
}
