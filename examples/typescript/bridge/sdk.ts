// Maps messages to the SDK's types, at compile time only.

import type * as models from "@openrouter/sdk/models";
import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";

export type SdkEvent = models.OpenResponsesStreamEvent;

/** The SDK's types, by the names of its parsers, such as `urlCitationFromJSON`. */
type Models = {
  [Name in keyof typeof models as Lowercase<Name>]: (typeof models)[Name] extends (json: string) => infer Result
    ? Extract<Result, { ok: true }> extends { value: infer Model }
      ? Model
      : never
    : never;
};

/** The SDK's type for a message, which has the same name. */
export type SdkType<Message> = Message extends { $typeName: `openresponses_grpc.v1.${infer Name}` }
  ? Models[`${Lowercase<Name>}fromjson` & keyof Models]
  : never;

type Kind = OpenResponsesStreamEvent["kind"];

/** The members of an event that the SDK defines. */
export type SdkMember = Kind extends infer Member
  ? Member extends { case: string; value: infer Message }
    ? [SdkType<Message>] extends [never]
      ? never
      : Member
    : never
  : never;

/** The JSON of a message with all fields set. */
export type Held<Message> = Message extends { kind: infer Members }
  ? Members extends { case: "unrecognized" | undefined }
    ? never
    : Members extends { value: infer Value }
      ? Held<Value>
      : never
  : Message extends { extraJson?: string }
    ? { type: TypeOf<SdkType<Message>> } & {
        [Name in keyof Message as PropertyName<Name>]-?: Name extends `${string}Json`
          ? unknown
          : Held<NonNullable<Message[Name]>>;
      }
    : Message extends { items: (infer Item)[] }
      ? Held<Item>[]
      : Message extends { entries: { value?: infer Value }[] }
        ? { [name: string]: Held<Value> }
        : Message;

/** The literal `type` of an SDK type; any string if the SDK does not define the type. */
type TypeOf<Sdk> = [Sdk] extends [never] ? string : Sdk extends { type: infer Type } ? Type : string;

type PropertyName<Name> = Name extends "$typeName" | "$unknown" | "extraJson"
  ? never
  : Name extends `${infer Property}Json`
    ? Property
    : Name;

/** The paths of SDK properties for which a message has no field, or a field of another kind. */
export type Gaps<Sdk, Json, Path extends string = "$"> = 0 extends 1 & Sdk
  ? never // any
  : unknown extends Json
    ? never
    : Sdk extends null | undefined
      ? never
      : Sdk extends string | number | boolean
        ? Sdk extends Json
          ? never
          : Path
        : Sdk extends readonly (infer Element)[]
          ? Gaps<Element, Extract<Json, readonly unknown[]>[number], `${Path}[]`>
          : GapsOfObject<Sdk, Exclude<Json, readonly unknown[] | string | number | boolean>, Path>;

type GapsOfObject<Sdk, Json, Path extends string> = [MemberOf<Sdk, Json>] extends [never]
  ? Path
  : {
      [Name in keyof Sdk & string]-?: Name extends keyof MemberOf<Sdk, Json>
        ? Gaps<Sdk[Name], MemberOf<Sdk, Json>[Name], `${Path}.${Name}`>
        : `${Path}.${Name}`;
    }[keyof Sdk & string];

/** The member of a union for an SDK object, by the literal `type`. Objects without a type are not in a union. */
type MemberOf<Sdk, Json> = Sdk extends { type: infer Type }
  ? [OfType<Json, Type>] extends [never]
    ? Extract<Json, { type: string }>
    : OfType<Json, Type>
  : Json;
type OfType<Json, Type> = Json extends { type: infer Own } ? ([Own] extends [Type] ? Json : never) : never;

/** Compiles only if the messages have fields for all properties of the SDK's event types. */
type None<Found extends never> = Found;
export type Missing = None<Gaps<SdkEvent, Held<OpenResponsesStreamEvent>>>;
