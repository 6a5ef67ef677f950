// Prints what the TypeScript example reads from NDJSON: `node lines.mjs`. Each input line is a JSON list of the chunks of an
// NDJSON text, in hexadecimal; each output line is the JSON list of its events, or the error.

import { readFileSync } from "node:fs";
import { fromJson, toJson } from "./event.js";
import { lines } from "./lines.js";

async function* bytes(chunks) {
  for (const chunk of chunks) yield Buffer.from(chunk, "hex");
}

for (const input of readFileSync(0, "utf8").split("\n").filter(Boolean)) {
  const events = [];
  for await (const [, line] of lines(bytes(JSON.parse(input)))) events.push(toJson(fromJson(line)));
  console.log(JSON.stringify(events));
}
