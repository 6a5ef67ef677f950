// `node npm.mjs schema` prints the JSON Schema of npm @openrouter/sdk's events, as its parser, zod, has it.
// `node npm.mjs` answers lines with an input each, a JSON string: a line with `[ANSWER, CANONICAL]`. ANSWER is the text of
// what the SDK makes of the input, `null` where it rejects the input; CANONICAL says whether JavaScript would write the
// input as it is.
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
