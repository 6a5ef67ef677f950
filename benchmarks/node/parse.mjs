// node parse.mjs accepted: prints the indexes of the events that the SDK's parser accepts.
// node parse.mjs times ROUNDS: prints the microseconds per event in each round, by contender.
// Both print JSON. The input files are written by benchmarks/node.py.

import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary, fromJsonString } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { openResponsesStreamEventFromJSON } from "@openrouter/sdk/models";

const [task, rounds] = process.argv.slice(2);
const linesOf = (path) => readFileSync(path, "utf8").split("\n");
const events = linesOf("events.ndjson");
const accepted = events.filter((text) => openResponsesStreamEventFromJSON(text).ok);

const contenders = () => {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, readFileSync("descriptors.binpb")));
  const schema = registry.getMessage("openresponses_grpc.v1.OpenResponsesStreamEvent");
  return {
    "JSON.parse": [events, JSON.parse],
    "protobuf-es fromJsonString of MessageToJson": [linesOf("messages.ndjson"), (text) => fromJsonString(schema, text)],
    "protobuf-es fromBinary of the serialized events": [
      linesOf("messages.hex").map((text) => new Uint8Array(Buffer.from(text, "hex"))),
      (bytes) => fromBinary(schema, bytes),
    ],
    "@openrouter/sdk (npm), zod, events that it accepts": [accepted, openResponsesStreamEventFromJSON],
    "@openrouter/sdk (npm), zod, all events": [events, openResponsesStreamEventFromJSON],
  };
};

const measure = () => {
  const times = {};
  const run = (inputs, parse) => {
    for (const input of inputs) parse(input);
  };
  const all = Object.entries(contenders());
  for (const [, [inputs, parse]] of all) for (let warmup = 0; warmup < 20; warmup++) run(inputs, parse);
  for (let round = 0; round < Number(rounds); round++) {
    for (const [name, [inputs, parse]] of all) {
      const start = process.hrtime.bigint();
      run(inputs, parse);
      (times[name] ??= []).push(Number(process.hrtime.bigint() - start) / 1e3 / inputs.length);
    }
  }
  return times;
};

const indexes = () => [...events.keys()].filter((index) => openResponsesStreamEventFromJSON(events[index]).ok);
console.log(JSON.stringify(task === "accepted" ? indexes() : measure()));
