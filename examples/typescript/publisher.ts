// Publishes a stream as its only publisher. Reconnects and resumes.

import { toBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { EventEmitter, once } from "node:events";
import { OpenResponsesStreamEventSchema, type OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { PublishRequestSchema, PublishResponse } from "openresponses-grpc/v1/stream_service_pb.js";
import { recover, type StreamClient } from "./client.js";

type PublishRequest = MessageInitShape<typeof PublishRequestSchema>;

const REQUEST_BYTES = 1 << 20; // large requests increase the throughput
const WINDOW_BYTES = 8 << 20;

/** Publishes each event exactly once. Reconnects and resumes until a newer publisher claims the stream. */
export class Publisher {
  readonly #client: StreamClient;
  // The first request of a call. With publisher 0, it draws a publisher number. With a number and an epoch, it claims
  // the stream and verifies that the server still has all acknowledged events.
  #claim: PublishRequest & { publisher: bigint };
  #claimed = false; // in this call
  #unacknowledged: { event: OpenResponsesStreamEvent; size: number }[] = [];
  #bytes = 0;
  #offset: bigint | undefined; // of #unacknowledged[0]; unknown before the first claim
  #sent = 0n; // the offset after the last event that any call has sent
  #ended = false;
  #stored = false; // whether all events and the end of the stream are stored
  #changes = new EventEmitter();

  constructor(client: StreamClient, streamId: string) {
    this.#client = client;
    this.#claim = { streamId, publisher: 0n };
  }

  /** Queues an event. Waits while the window of unacknowledged events is full. */
  async send(event: OpenResponsesStreamEvent): Promise<void> {
    await this.#until(() => this.#bytes < WINDOW_BYTES);
    const size = toBinary(OpenResponsesStreamEventSchema, event).length;
    this.#unacknowledged.push({ event, size });
    this.#bytes += size;
    this.#changes.emit("change");
  }

  /** Ends the stream after the queued events. */
  end(): void {
    this.#ended = true;
    this.#changes.emit("change");
  }

  /** Publishes until every event is stored and the stream has ended. */
  async run(): Promise<void> {
    for (;;) {
      const call = new AbortController();
      this.#claimed = false;
      try {
        for await (const response of this.#client.publish(this.#requests(call.signal))) this.#acknowledge(response);
        if (this.#stored) return;
        throw new ConnectError("the call ended early", Code.Unavailable);
      } catch (error) {
        call.abort();
        await recover(error);
      }
    }
  }

  /** Yields the requests of one call: the claim, the unacknowledged events, and the end of the stream. */
  async *#requests(signal: AbortSignal): AsyncGenerator<PublishRequest> {
    if (!this.#claim.publisher) {
      yield this.#claim;
      await this.#until(() => this.#claim.publisher !== 0n, signal);
    }
    yield this.#claim;
    await this.#until(() => this.#claimed, signal);
    const { publisher, epoch } = this.#claim;
    for (let nextOffset = this.#offset!; ; ) {
      await this.#until(() => nextOffset < this.#end() || this.#ended, signal);
      // The server may have stored events from an earlier call in the meantime.
      const firstOffset = nextOffset > this.#offset! ? nextOffset : this.#offset!;
      const events = this.#batch(firstOffset);
      nextOffset = firstOffset + BigInt(events.length);
      if (nextOffset > this.#sent) this.#sent = nextOffset;
      const endOfStream = this.#ended && nextOffset === this.#end();
      yield { publisher, epoch, firstOffset, events, endOfStream };
      if (endOfStream) return;
    }
  }

  /** Returns as many events as fit into one request, from an offset on. */
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

  #acknowledge({ publisher, epoch, nextOffset, endOfStream, checkedOffset, checksum }: PublishResponse): void {
    this.#claim = { ...this.#claim, publisher: publisher ?? this.#claim.publisher, epoch, checkedOffset, checksum };
    if (publisher === undefined) {
      this.#offset ??= this.#sent = nextOffset;
      if (nextOffset < this.#offset || nextOffset > this.#sent) {
        const expected = `${this.#offset} to ${this.#sent}`;
        throw new ConnectError(`the server acknowledged offset ${nextOffset}; expected ${expected}`, Code.DataLoss);
      }
      const stored = this.#unacknowledged.splice(0, Number(nextOffset - this.#offset));
      for (const { size } of stored) this.#bytes -= size;
      this.#offset = nextOffset;
      this.#claimed = true;
      this.#stored = this.#ended && endOfStream && this.#unacknowledged.length === 0;
    }
    this.#changes.emit("change");
  }

  /** Returns the offset after all events. */
  #end(): bigint {
    return this.#offset! + BigInt(this.#unacknowledged.length);
  }

  async #until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    while (!condition()) await once(this.#changes, "change", { signal });
  }
}
