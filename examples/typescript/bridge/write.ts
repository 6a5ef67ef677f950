// Converts messages to JSON, on one line. Throws a TypeError with the path of the fault if a message has no JSON form.

import { isFieldSet, type DescMessage, type Message } from "@bufbuild/protobuf";
import { JsonText } from "openresponses-grpc/v1/annotations_pb.js";
import type { Unrecognized } from "openresponses-grpc/v1/common_pb.js";
import { shapeOf, type Naming, type Property, type Shape } from "./contract.js";
import { parse, type Json, type JsonKind } from "./json.js";

/** A message of any type, by the names of its fields. */
type Fields = Message & Record<string, any>;

/** Converts a message to JSON, with the contract's properties in the given spelling. */
export function writeMessage(message: DescMessage, value: Message, naming: Naming, path: string): string {
  checkKnown(value, path);
  const fields: Fields = value;
  const shape = shapeOf(message);
  switch (shape.kind) {
    case "object":
      return writeObject(shape, fields, naming, path);
    case "union":
      return writeUnion(shape, fields.kind, naming, path);
    case "list": {
      const items: unknown[] = fields.items;
      return `[${items.map((item, index) => writeValue(shape.element, item, naming, `${path}[${index}]`)).join(",")}]`;
    }
    case "map": {
      const members = new Map<string, string>();
      for (const entry of fields.entries as Fields[]) {
        checkKnown(entry, path);
        const { name, value } = entry;
        if (name === undefined || value === undefined) throw new TypeError(`${path}: an entry has no name or no value`);
        if (members.has(name)) throw new TypeError(`${path}: two entries have the name ${JSON.stringify(name)}`);
        members.set(name, writeValue(shape.value, value, naming, `${path}.${name}`));
      }
      return braced(members);
    }
  }
}

function writeObject(shape: Shape & { kind: "object" }, fields: Fields, naming: Naming, path: string): string {
  const extra = new Map(jsonOf(fields.extraJson ?? "{}", `${path}: extra_json`, "object").members);
  const members = new Map<string, string>();
  if (shape.type) {
    if (extra.has("type")) throw new TypeError(`${path}.type is also in extra_json`);
    members.set("type", JSON.stringify(shape.type));
  }
  for (const property of shape.properties) {
    const { camelCase, snake_case } = property.names;
    const rest = extra.get(snake_case);
    // A property keeps its snake_case name if `extra_json` contains its camelCase name.
    const name = extra.has(camelCase) ? snake_case : property.names[naming];
    if (isFieldSet(fields, property.field)) {
      if (rest) throw new TypeError(`${path}.${name} is also in extra_json`);
      members.set(name, writeValue(property, fields[property.field.localName], naming, `${path}.${name}`));
    } else if (rest) {
      members.set(name, rest.text);
      extra.delete(snake_case);
    }
  }
  for (const [name, { text }] of extra) members.set(name, text);
  return braced(members);
}

function writeUnion({ byCase }: Shape & { kind: "union" }, kind: Fields, naming: Naming, path: string): string {
  if (kind.case === undefined) throw new TypeError(`${path}: no member of the union is set`);
  const member = byCase.get(kind.case);
  if (member) return writeValue(member, kind.value, naming, path);
  const unrecognized = kind.value as Unrecognized;
  checkKnown(unrecognized, path);
  return jsonOf(unrecognized.json, `${path}: json`).text;
}

function writeValue({ field, options }: Property, value: unknown, naming: Naming, path: string): string {
  if (field.message) return writeMessage(field.message, value as Message, naming, path);
  if (options.jsonText) {
    const json = jsonOf(value as string, path, options.jsonText === JsonText.OBJECT ? "object" : undefined);
    if (json.kind === "null") throw new TypeError(`${path} is null`);
    return json.text;
  }
  if (typeof value === "number" && !Number.isFinite(value)) {
    throw new TypeError(`${path}: JSON cannot represent the number ${value}`);
  }
  return JSON.stringify(value);
}

/** Throws for a field of a newer version of the contract, which would be lost. */
function checkKnown(value: Message, path: string): void {
  const [field] = value.$unknown ?? [];
  if (field) throw new TypeError(`${path}: field ${field.no} of ${value.$typeName} needs a newer openresponses-grpc`);
}

function jsonOf(text: string, path: string, kind?: JsonKind): Json {
  let json;
  try {
    json = parse(text);
  } catch (error) {
    throw new TypeError(`${path} is not JSON: ${(error as Error).message}`);
  }
  if (kind && json.kind !== kind) throw new TypeError(`${path} is not a JSON ${kind}`);
  return json;
}

function braced(members: Map<string, string>): string {
  return `{${Array.from(members, ([name, text]) => `${JSON.stringify(name)}:${text}`).join(",")}}`;
}
