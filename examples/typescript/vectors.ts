// Converts each test vector of a folder and prints the result: node build/vectors.js ../../tests/vectors

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import { readdirSync, readFileSync } from "node:fs";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import { fromJson, toJson } from "./event.js";

interface Vector {
  camelCase: string;
  hex: string;
}

function hex(event: OpenResponsesStreamEvent): string {
  return Buffer.from(toBinary(OpenResponsesStreamEventSchema, event)).toString("hex");
}

const folder = process.argv[2] ?? "../../tests/vectors";
for (const file of readdirSync(folder).filter((name) => name.endsWith(".json"))) {
  const vector = JSON.parse(readFileSync(`${folder}/${file}`, "utf8")) as Vector;
  const event = fromBinary(OpenResponsesStreamEventSchema, Buffer.from(vector.hex, "hex"));
  const name = file.slice(0, -".json".length);
  console.log(JSON.stringify({ name, hex: hex(event), json: toJson(event), read: hex(fromJson(vector.camelCase)) }));
}
