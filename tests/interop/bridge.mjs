// Converts input lines, each a JSON string, with the TypeScript bridge, and prints the result of each as a JSON line.
// `node bridge.mjs read` converts the JSON of events, `write` messages in hexadecimal, and `sdk` the JSON of events after
// the SDK's parser.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { openResponsesStreamEventFromJSON } from "@openrouter/sdk/models/openresponsesstreamevent.js";
import { readFileSync } from "node:fs";
import { OpenResponsesStreamEventSchema as schema } from "openresponses-grpc/v1/events_pb.js";
import { fromJson, fromSdk, toJson, toSdk } from "./event.js";

const reserialized = (event) => fromBinary(schema, toBinary(schema, event));
const written = (event) => ({ camelCase: toJson(event), snake_case: toJson(event, "snake_case") });

const modes = {
  read(text) {
    const event = reserialized(fromJson(text));
    return { hex: Buffer.from(toBinary(schema, event)).toString("hex"), ...written(event) };
  },
  write(hex) {
    return written(fromBinary(schema, Buffer.from(hex, "hex")));
  },
  sdk(text) {
    const { ok, value } = openResponsesStreamEventFromJSON(text);
    const event = () => toSdk(reserialized(ok ? fromSdk(value) : fromJson(text)).kind);
    return { accepted: ok, object: value, ...attempt(() => ({ event: event() })) };
  },
};

function attempt(run) {
  try {
    return run();
  } catch (error) {
    return { error: `${error.name}: ${error.message}` };
  }
}

const convert = modes[process.argv[2]];
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line) console.log(JSON.stringify(attempt(() => convert(JSON.parse(line)))));
}
