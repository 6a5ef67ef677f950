// Converts JSON to messages. A field is set if and only if its property has a value that the field can hold. Everything
// else in an object is kept as unchanged JSON text in `extra_json` of the same message.

import { create, type DescMessage, type Message, type MessageInitShape } from "@bufbuild/protobuf";
import { JsonText } from "openresponses-grpc/v1/annotations_pb.js";
import { scalarKind, shapeOf, type Property, type Shape } from "./contract.js";
import { stringValue, type Json } from "./json.js";

/** Converts a value to a message. Returns undefined if the message cannot hold it. A union can hold any value. */
export function readMessage(message: DescMessage, json: Json): Message | undefined {
  const shape = shapeOf(message);
  switch (shape.kind) {
    case "object":
      return json.kind === "object" ? make(message, readObject(shape, json.members)) : undefined;
    case "union":
      return make(message, { kind: readUnion(shape, json) });
    case "list": {
      if (json.kind !== "array") return undefined;
      const items = json.elements.map((element) => readValue(shape.element, element));
      return items.includes(undefined) ? undefined : make(message, { items });
    }
    case "map": {
      if (json.kind !== "object") return undefined;
      const entries = [...json.members].map(([name, member]) => ({ name, value: readValue(shape.value, member) }));
      const fits = entries.every(({ name, value }) => name.isWellFormed() && value !== undefined);
      return fits ? make(message, { entries: entries.map((entry) => make(shape.entry, entry)) }) : undefined;
    }
  }
}

function readObject({ type, properties }: Shape & { kind: "object" }, members: ReadonlyMap<string, Json>): object {
  const fields: Record<string, unknown> = {};
  const extra = new Map(members);
  if (type) extra.delete("type");
  const unfit: [string, Json][] = [];
  for (const property of properties) {
    const { camelCase, snake_case } = property.names;
    // If both spellings are present, the camelCase one is kept in `extra_json`.
    const name = members.has(snake_case) ? snake_case : camelCase;
    const json = members.get(name);
    if (!json) continue;
    extra.delete(name);
    const value = json.kind === "null" ? undefined : readValue(property, json);
    if (value === undefined) unfit.push([snake_case, json]);
    else fields[property.field.localName] = value;
  }
  const texts = [...unfit, ...extra].map(([name, { text }]) => `${JSON.stringify(name)}:${text}`);
  if (texts.length) fields.extraJson = `{${texts.join(",")}}`;
  return fields;
}

function readUnion({ byType, byKind }: Shape & { kind: "union" }, json: Json): object {
  const type = json.members.get("type");
  const name = type?.kind === "string" ? stringValue(type.text) : undefined;
  const member = type ? byType.get(name ?? "") : byKind.get(json.kind);
  const value = member && readValue(member, json);
  if (value !== undefined) return { case: member!.field.localName, value };
  return { case: "unrecognized", value: { type: name?.isWellFormed() ? name : undefined, json: json.text } };
}

/** Converts JSON to the value of a field. Returns undefined if the field cannot hold it. */
function readValue({ field, options }: Property, json: Json): unknown {
  if (field.message) return readMessage(field.message, json);
  if (options.jsonText) return json.kind === "object" || options.jsonText === JsonText.VALUE ? json.text : undefined;
  if (json.kind !== scalarKind(field)) return undefined;
  switch (json.kind) {
    case "string": {
      const value = stringValue(json.text);
      return value.isWellFormed() ? value : undefined;
    }
    case "number":
      return readNumber(json.text);
    default:
      return json.text === "true";
  }
}

/** Converts a number. Returns undefined for integers beyond 2^53, which a double may not represent exactly. */
function readNumber(token: string): number | undefined {
  const value = Number(token);
  if (/[.eE]/.test(token)) return Number.isFinite(value) ? value : undefined;
  return Number.isSafeInteger(value) || /^-?9007199254740992$/.test(token) ? value : undefined;
}

function make(message: DescMessage, fields: object): Message {
  return create(message, fields as MessageInitShape<DescMessage>);
}
