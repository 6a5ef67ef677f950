// Microseconds for each event of protobuf-es and of the SDK's own parser, round by round, as one JSON object.
// Usage: node parse.mjs EVENTS.ndjson DESCRIPTORS.binpb ROUNDS (the events in snake_case)

import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

const [eventsPath, descriptorsPath, rounds] = process.argv.slice(2);
const lines = readFileSync(eventsPath, "utf8").trimEnd().split("\n");
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync(descriptorsPath)));

const parsers = {};
for (const name of ["InProgress", "Generating", "PartialImage", "Completed"]) {
  const message = `OpenResponsesImageGenCall${name}`;
  const sdk = await import(`@openrouter/sdk/models/${message.toLowerCase()}.js`);
  const type = `response.image_generation_call.${name.replace(/(?!^)[A-Z]/g, "_$&").toLowerCase()}`;
  parsers[type] = {
    schema: registry.getMessage(`openresponses.v1.${message}`),
    sdk: sdk[`${message[0].toLowerCase()}${message.slice(1)}FromJSON`],
  };
}

// Each gets the event's type for nothing, and protobuf-es its JSON without the property that it has no field for.
const inputs = lines.map((text) => {
  const { type, ...properties } = JSON.parse(text);
  return { ...parsers[type], text, inner: JSON.stringify(properties) };
});

const contenders = {
  "protobuf-es fromJsonString": () => inputs.forEach(({ schema, inner }) => fromJsonString(schema, inner)),
  "the SDK's parser (zod)": () =>
    inputs.forEach(({ sdk, text }) => {
      if (!sdk(text).ok) throw new Error(text);
    }),
};

const times = {};
for (const run of Object.values(contenders)) for (let warmup = 0; warmup < 10; warmup++) run();
for (let round = 0; round < Number(rounds); round++) {
  for (const [name, run] of Object.entries(contenders)) {
    const start = process.hrtime.bigint();
    run();
    (times[name] ??= []).push(Number(process.hrtime.bigint() - start) / 1e3 / inputs.length);
  }
}
console.log(JSON.stringify(times));
