// `node npm.mjs schema` prints the JSON Schema of npm @openrouter/sdk's events, generated from its zod schema.
// `node npm.mjs` reads an input per line, a JSON string, and replies with a line of `[ANSWER, CANONICAL]`. ANSWER is the
// text that the SDK writes for the input, or `null` if it rejects the input. CANONICAL is whether JavaScript would write
// the input unchanged.
import { once } from "node:events";
import { createInterface } from "node:readline";
import {
  OpenResponsesStreamEvent$inboundSchema as schema,
  openResponsesStreamEventFromJSON as fromJSON,
} from "@openrouter/sdk/models/openresponsesstreamevent.js";
import { toJSONSchema } from "zod/v4";

function isCanonical(input) {
  try {
    return JSON.stringify(JSON.parse(input)) === input;
  } catch {
    return false;
  }
}

function answer(input) {
  const result = fromJSON(input);
  return [result.ok ? JSON.stringify(result.value) : null, isCanonical(input)];
}

if (process.argv[2] === "schema") {
  process.stdout.write(JSON.stringify(toJSONSchema(schema, { io: "input", reused: "ref" })));
} else {
  for await (const line of createInterface({ input: process.stdin })) {
    if (!process.stdout.write(`${JSON.stringify(answer(JSON.parse(line)))}\n`)) {
      await once(process.stdout, "drain");
    }
  }
}
