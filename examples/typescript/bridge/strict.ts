// Rejects what the SDK's parser rejects, as described by the contract's options, so that its types hold at run time.

import type { DescMessage } from "@bufbuild/protobuf";
import { JsonText } from "openresponses-grpc/v1/annotations_pb.js";
import { scalarKind, shapeOf, type Property, type Shape } from "./contract.js";
import type { JsonKind } from "./json.js";

type Properties = Record<string, unknown>;

/** Throws a TypeError with the path of the first value that the SDK's type does not allow. */
export function checkMessage(message: DescMessage, value: unknown, path: string): void {
  const shape = shapeOf(message);
  switch (shape.kind) {
    case "object":
      expect(value, "object", path);
      return checkObject(shape, value as Properties, path);
    case "union":
      return checkUnion(shape, value, path);
    case "list":
      expect(value, "array", path);
      return (value as unknown[]).forEach((element, index) => checkValue(shape.element, element, `${path}[${index}]`));
    case "map":
      expect(value, "object", path);
      for (const [name, member] of Object.entries(value as Properties)) {
        checkValue(shape.value, member, `${path}.${name}`);
      }
  }
}

function checkObject({ properties }: Shape & { kind: "object" }, value: Properties, path: string): void {
  for (const property of properties) {
    const { beyondSdk, nullable, required, unchecked } = property.options;
    if (beyondSdk || unchecked) continue;
    const { camelCase, snake_case } = property.names;
    const place = `${path}.${camelCase}`;
    if (camelCase !== snake_case && Object.hasOwn(value, snake_case)) {
      throw new TypeError(`${place} is present in both spellings`);
    }
    if (!Object.hasOwn(value, camelCase)) {
      if (required) throw new TypeError(`${place} is missing`);
    } else if (value[camelCase] !== null || !nullable) {
      checkValue(property, value[camelCase], place);
    }
  }
}

function checkUnion({ byType, byKind }: Shape & { kind: "union" }, value: unknown, path: string): void {
  const kind = kindOf(value);
  const typed = kind === "object" && Object.hasOwn(value as Properties, "type");
  const member = typed ? byType.get((value as Properties).type as string) : byKind.get(kind);
  if (!member || member.options.beyondSdk) throw new TypeError(`${path} has a type that the SDK does not define`);
  checkValue(member, value, path);
}

function checkValue({ field, options }: Property, value: unknown, path: string): void {
  if (field.message) return checkMessage(field.message, value, path);
  if (options.jsonText === JsonText.VALUE) return;
  expect(value, options.jsonText ? "object" : scalarKind(field)!, path);
  if (typeof value === "number" && !Number.isFinite(value)) throw new TypeError(`${path} is out of range`);
  if (options.allowed.length && !options.allowed.includes(value as string)) {
    throw new TypeError(`${path} is ${JSON.stringify(value)}; expected ${options.allowed.join(" or ")}`);
  }
}

function expect(value: unknown, kind: JsonKind, path: string): void {
  if (kindOf(value) !== kind) throw new TypeError(`${path} is of type ${kindOf(value)}; expected ${kind}`);
}

function kindOf(value: unknown): JsonKind {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : (typeof value as JsonKind);
}
