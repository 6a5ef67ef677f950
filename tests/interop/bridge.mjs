// What the TypeScript bridge makes of lines, each a JSON string: `node bridge.mjs read` of events' JSON, `write` of
// messages in hexadecimal, `sdk` of events' JSON that the SDK's parser has turned into objects.

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { openResponsesStreamEventFromJSON } from "@openrouter/sdk/models/openresponsesstreamevent.js";
import { readFileSync } from "node:fs";
import { OpenResponsesStreamEventSchema as schema } from "openresponses-grpc/v1/events_pb.js";
import { fromJson, fromSdk, toJson, toSdk } from "./event.js";

const sent = (event) => fromBinary(schema, toBinary(schema, event));
const written = (event) => ({ camelCase: toJson(event), snake_case: toJson(event, "snake_case") });

const answers = {
  read(text) {
    const event = sent(fromJson(text));
    return { hex: Buffer.from(toBinary(schema, event)).toString("hex"), ...written(event) };
  },
  write(hex) {
    return written(fromBinary(schema, Buffer.from(hex, "hex")));
  },
  sdk(text) {
    const { ok, value } = openResponsesStreamEventFromJSON(text);
    const event = () => toSdk(sent(ok ? fromSdk(value) : fromJson(text)).kind);
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

const answer = answers[process.argv[2]];
for (const line of readFileSync(0, "utf8").split("\n")) {
  if (line) console.log(JSON.stringify(attempt(() => answer(JSON.parse(line)))));
}
