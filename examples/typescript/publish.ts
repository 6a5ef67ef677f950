// Publishes lines of JSON as a stream: node build/publish.js 127.0.0.1:50051 resp_1 < events.ndjson
// To publish objects of the SDK instead, give `send` what `fromSdk` makes of them.

import { toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EventEmitter, once } from "node:events";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { PublishRequestSchema, PublishResponse } from "openresponses-grpc/v1/stream_service_pb.js";
import { connect, recover, type StreamClient } from "./client.js";
import { fromJson } from "./event.js";

type PublishRequest = MessageInitShape<typeof PublishRequestSchema>;

const REQUEST_BYTES = 1 << 20;
const WINDOW_BYTES = 8 << 20;

/** Sends events to a stream, each stored once, over as many connections as it takes. */
class Publisher {
  #unacknowledged: { event: OpenResponsesStreamEvent; size: number }[] = [];
  #bytes = 0;
  #offset: bigint | undefined; // of #unacknowledged[0]; unknown before the first answer
  #sent = 0n; // the offset after all that was ever sent
  #epoch: bigint | undefined;
  #greeted = false; // the first request of this call is answered
  #ended = false;
  #changes = new EventEmitter();

  /** Takes an event to be sent; waits while too much is unacknowledged. */
  async send(event: OpenResponsesStreamEvent): Promise<void> {
    while (this.#bytes >= WINDOW_BYTES) await once(this.#changes, "change");
    const size = toBinary(OpenResponsesStreamEventSchema, event).length;
    this.#unacknowledged.push({ event, size });
    this.#bytes += size;
    this.#changes.emit("change");
  }

  /** Lets the stream end after what was sent. */
  end(): void {
    this.#ended = true;
    this.#changes.emit("change");
  }

  /** Publishes until the stream has ended and everything is stored. */
  async run(client: StreamClient, streamId: string): Promise<void> {
    for (;;) {
      const call = new AbortController();
      this.#greeted = false;
      try {
        for await (const response of client.publish(this.#requests(streamId, call.signal))) this.#acknowledge(response);
        return;
      } catch (error) {
        call.abort();
        await recover(error);
      }
    }
  }

  /** The requests of one call: an empty one that asks where the stream stands, then what is unacknowledged. */
  async *#requests(streamId: string, signal: AbortSignal): AsyncGenerator<PublishRequest> {
    yield { streamId, epoch: this.#epoch };
    while (!this.#greeted) await once(this.#changes, "change", { signal });
    let nextOffset = this.#offset!;
    for (;;) {
      // What a call that broke had sent may be stored only now.
      const firstOffset = nextOffset > this.#offset! ? nextOffset : this.#offset!;
      const events = this.#batch(firstOffset);
      if (events.length) {
        nextOffset = firstOffset + BigInt(events.length);
        if (nextOffset > this.#sent) this.#sent = nextOffset;
        yield { firstOffset, events };
      } else if (this.#ended) {
        yield { endOfStream: true };
        return;
      } else {
        await once(this.#changes, "change", { signal });
      }
    }
  }

  /** As many events as one request holds, from an offset on: large requests are what makes a stream fast. */
  #batch(firstOffset: bigint): OpenResponsesStreamEvent[] {
    const events = [];
    let bytes = 0;
    for (const { event, size } of this.#unacknowledged.slice(Number(firstOffset - this.#offset!))) {
      bytes += size;
      if (events.length && bytes > REQUEST_BYTES) break;
      events.push(event);
    }
    return events;
  }

  #acknowledge({ nextOffset, epoch }: PublishResponse): void {
    if (this.#offset === undefined) this.#offset = this.#sent = nextOffset;
    this.#epoch = epoch;
    if (nextOffset > this.#sent) throw new ConnectError("another publisher writes to the stream", Code.Aborted);
    if (nextOffset < this.#offset) throw new ConnectError("the stream has lost events", Code.DataLoss);
    const stored = this.#unacknowledged.splice(0, Number(nextOffset - this.#offset));
    for (const { size } of stored) this.#bytes -= size;
    this.#offset = nextOffset;
    this.#greeted = true;
    this.#changes.emit("change");
  }
}

/** The lines of a text. Only LF ends a line: `readline` would cut an event at U+2028, too. */
async function* lines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const utf8 = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  for await (const chunk of chunks) {
    const [end, ...more] = utf8.decode(chunk, { stream: true }).split("\n");
    const cut = [rest + end, ...more];
    rest = cut.pop()!;
    yield* cut;
  }
  yield rest + utf8.decode();
}

function read(line: string, number: number): OpenResponsesStreamEvent {
  try {
    return fromJson(line);
  } catch (cause) {
    throw new Error(`line ${number} is not an event`, { cause });
  }
}

const [server = "127.0.0.1:50051", streamId = "resp_1"] = process.argv.slice(2);
const publisher = new Publisher();
const published = publisher.run(connect(server), streamId);
let number = 0;
for await (const line of lines(process.stdin)) {
  number++;
  if (/[^ \t\r]/.test(line)) await publisher.send(read(line, number));
}
publisher.end();
await published;
