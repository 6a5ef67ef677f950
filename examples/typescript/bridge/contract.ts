// The contract as the bridge needs it, built from the descriptors. No event, object or property is hard-coded here.

import { getOption, ScalarType, type DescField, type DescMessage } from "@bufbuild/protobuf";
import { object$, property, type PropertyOptions } from "openresponses-grpc/v1/annotations_pb.js";
import type { JsonKind } from "./json.js";

/** Spelling of properties: `camelCase` as in the SDK, or `snake_case` as in the API. */
export type Naming = "camelCase" | "snake_case";

/** A property of an object, a member of a union, or the element of a list or a map. */
export interface Property {
  field: DescField;
  names: Record<Naming, string>;
  options: PropertyOptions;
}

/** The JSON that a message represents, apart from `extra_json` and `unrecognized`. */
export type Shape =
  | { kind: "object"; type: string; properties: Property[] }
  | { kind: "union"; byCase: Map<string, Property>; byType: Map<string, Property>; byKind: Map<JsonKind, Property> }
  | { kind: "list"; element: Property }
  | { kind: "map"; entry: DescMessage; value: Property };

/** Field number of `extra_json` in objects and of `unrecognized` in unions. */
const FALLBACK = 15;

const SCALARS = new Map<ScalarType | undefined, JsonKind>([
  [ScalarType.STRING, "string"],
  [ScalarType.DOUBLE, "number"],
  [ScalarType.BOOL, "boolean"],
]);

const shapes = new Map<DescMessage, Shape>();

export function shapeOf(message: DescMessage): Shape {
  let shape = shapes.get(message);
  if (!shape) shapes.set(message, (shape = makeShape(message)));
  return shape;
}

/** Returns the kind of JSON that a scalar field holds; undefined for a message. */
export function scalarKind(field: DescField): JsonKind | undefined {
  return SCALARS.get(field.scalar);
}

function makeShape(message: DescMessage): Shape {
  const { items, entries } = message.field;
  if (items?.fieldKind === "list") return { kind: "list", element: propertyOf(items) };
  if (entries?.fieldKind === "list") {
    const entry = entries.message!;
    return { kind: "map", entry, value: propertyOf(entry.field.value!) };
  }
  const fields = message.fields.filter((field) => field.number !== FALLBACK);
  const properties = fields.sort((one, other) => one.number - other.number).map(propertyOf);
  if (message.oneofs.length) return unionOf(properties);
  return { kind: "object", type: typeOf(message), properties };
}

function unionOf(members: Property[]): Shape {
  const byCase = new Map(members.map((member) => [member.field.localName, member]));
  const byType = new Map<string, Property>();
  const byKind = new Map<JsonKind, Property>();
  for (const member of members) {
    const { message } = member.field;
    const type = message && typeOf(message);
    if (type) byType.set(type, member);
    else if (message) byKind.set(shapeOf(message).kind === "list" ? "array" : "object", member);
    else byKind.set(scalarKind(member.field)!, member);
  }
  return { kind: "union", byCase, byType, byKind };
}

function propertyOf(field: DescField): Property {
  const options = getOption(field, property);
  const snake = options.name ?? field.name;
  const camel = snake.replaceAll(/_(.?)/g, (_, letter: string) => letter.toUpperCase());
  return { field, names: { camelCase: camel, snake_case: snake }, options };
}

/** Returns the literal `type` that a message implies, or an empty string. */
function typeOf(message: DescMessage): string {
  return getOption(message, object$).type ?? "";
}
