// Publishes NDJSON as a stream: node build/publish.js 127.0.0.1:50051 resp_1 < events.ndjson
// To publish SDK objects instead, pass the result of `fromSdk` to `send`.

import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import { connect, fail } from "./client.js";
import { fromJson } from "./event.js";
import { lines } from "./lines.js";
import { Publisher } from "./publisher.js";

async function publishInput(publisher: Publisher): Promise<void> {
  for await (const [number, line] of lines(process.stdin)) await publisher.send(read(line, number));
  publisher.end();
}

function read(line: string, number: number): OpenResponsesStreamEvent {
  try {
    return fromJson(line);
  } catch (cause) {
    throw new Error(`line ${number} is not an event`, { cause });
  }
}

const [server = "127.0.0.1:50051", streamId = "resp_1"] = process.argv.slice(2);
const publisher = new Publisher(connect(server), streamId);
try {
  await Promise.all([publisher.run(), publishInput(publisher)]);
} catch (error) {
  fail(error);
  process.exit(); // the other promise may still be pending
}
