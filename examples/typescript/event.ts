// Turns messages into the SDK's JSON and back, led by the descriptors: no event is named here.

import { create, getOption, hasOption, isFieldSet, ScalarType } from "@bufbuild/protobuf";
import type { DescField, DescMessage } from "@bufbuild/protobuf";
import { configureTextEncoding, getTextEncoding } from "@bufbuild/protobuf/wire";
import type * as models from "@openrouter/sdk/models";
import { parse, stringify } from "lossless-json";
import { event_type } from "openresponses-grpc/v1/annotations_pb.js";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";

// Else a string loses U+FEFF at its start, which is a character there and no byte order mark.
const utf8 = new TextDecoder("utf-8", { ignoreBOM: true, fatal: true });
configureTextEncoding({ ...getTextEncoding(), decodeUtf8: (bytes) => utf8.decode(bytes) });

type Arm = Exclude<OpenResponsesStreamEvent["event"], { case: undefined } | { case: "unrecognized" }>;

/** A message's properties, all of them there. */
type Properties<Message> = {
  [P in Exclude<keyof Message, "$typeName" | "$unknown">]-?: NonNullable<Message[P]>;
};

/** The SDK's type of the event that a message models: they have one name, as has the SDK's parser, `…FromJSON`. */
type SdkType<Message extends Arm["value"]> =
  Message["$typeName"] extends `openresponses.v1.${infer Name}`
    ? (typeof models)[`${Uncapitalize<Name>}FromJSON` & keyof typeof models] extends (json: string) => infer Result
      ? Extract<Result, { ok: true }> extends { value: infer Model }
        ? Model
        : never
      : { type: string } & Properties<Message> // an event that came after this SDK
    : never;
export type SdkEvent = { [A in Arm as A["case"]]: SdkType<A["value"]> }[Arm["case"]];

/** What a message holds, as an object: the compiler holds it against the SDK's type in `toSdk`. */
type Held = {
  [A in Arm as A["case"]]: { type: SdkType<A["value"]>["type"] } & Properties<A["value"]>;
}[Arm["case"]];

interface Modelled {
  arm: DescField;
  message: DescMessage;
  type: string;
}
const modelled: Modelled[] = OpenResponsesStreamEventSchema.fields.flatMap((arm) =>
  arm.message && hasOption(arm.message, event_type)
    ? [{ arm, message: arm.message, type: getOption(arm.message, event_type) }]
    : [],
);
const byArm = new Map(modelled.map((event) => [event.arm.localName, event]));
const byType = new Map(modelled.map((event) => [event.type, event]));

/** The event as the SDK hands it out, with the SDK's type. */
export function toSdk<A extends Arm>(event: A): SdkType<A["value"]>;
export function toSdk({ case: arm, value }: Arm): SdkEvent {
  const { message, type } = byArm.get(arm)!;
  const missing = message.fields.find((field) => !isFieldSet(value, field));
  if (missing) throw new TypeError(`${type}: ${missing.localName} is missing`);
  const { $typeName, $unknown, ...properties } = value;
  return { type, ...properties } as Held;
}

/** The event as JSON text: the SDK's properties, and behind them those that the contract does not name. */
export function toJson({ event, extraJson = "" }: OpenResponsesStreamEvent): string {
  if (event.case === undefined) throw new TypeError("an event of a newer contract");
  if (event.case === "unrecognized") return event.value.json;
  const json = JSON.stringify(toSdk(event));
  // As text: to parse it would round large numbers.
  const extra = extraJson.trim().slice(1, -1).trim();
  return extra ? `${json.slice(0, -1)},${extra}}` : json;
}

/** The event that a text of the SDK's JSON describes; one that fits no message is carried as it is. */
export function fromJson(json: string): OpenResponsesStreamEvent {
  const { type, ...properties } = JSON.parse(json) as Record<string, unknown>;
  if (typeof type !== "string") throw new TypeError(`no event: ${json}`);
  const known = byType.get(type);
  if (!known?.message.fields.every((field) => fits(field, properties))) {
    return create(OpenResponsesStreamEventSchema, { event: { case: "unrecognized", value: { type, json } } });
  }
  const named = new Set(known.message.fields.map((field) => field.localName));
  const entries = Object.entries(properties);
  const value = Object.fromEntries(entries.filter(([name]) => named.has(name)));
  return create(OpenResponsesStreamEventSchema, {
    event: { case: known.arm.localName, value } as Arm,
    extraJson: entries.length > named.size ? extraJson(json, named) : undefined,
  });
}

/** The properties that a message does not name, with every digit: `JSON.parse` would round large numbers. */
function extraJson(json: string, named: Set<string>): string | undefined {
  const exact = parse(json, null, { onDuplicateKey: ({ newValue }) => newValue }) as Record<string, unknown>;
  const extra = Object.entries(exact).filter(([name]) => name !== "type" && !named.has(name));
  return stringify(Object.fromEntries(extra));
}

/** Whether a property is there, in one spelling, with a value that its field holds. */
function fits(field: DescField, properties: Record<string, unknown>): boolean {
  if (field.name !== field.localName && field.name in properties) return false;
  const value = properties[field.localName];
  if (field.scalar === ScalarType.DOUBLE) return Number.isFinite(value);
  return typeof value === (field.scalar === ScalarType.BOOL ? "boolean" : "string");
}
