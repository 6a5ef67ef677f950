// Prints the events that the TypeScript example reads from NDJSON: `node lines.mjs`. Each input line is a JSON array of
// chunks of NDJSON in hexadecimal; each output line is the JSON array of their events.

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
