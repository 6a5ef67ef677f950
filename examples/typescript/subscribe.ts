// Prints the events of a stream as the SDK's JSON: node build/subscribe.js 127.0.0.1:50051 resp_1

import { Code, ConnectError } from "@connectrpc/connect";
import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import { connect, recover, type StreamClient } from "./client.js";
import { toJson } from "./event.js";

/** Yields every event of a stream once and in order, over as many connections as it takes. */
async function* subscribe(client: StreamClient, streamId: string): AsyncGenerator<OpenResponsesStreamEvent> {
  let startOffset = 0n;
  let epoch: bigint | undefined;
  for (;;) {
    try {
      for await (const response of client.subscribe({ streamId, startOffset, epoch })) {
        if (response.firstOffset !== startOffset) {
          throw new ConnectError(`offset ${response.firstOffset} instead of ${startOffset}`, Code.DataLoss);
        }
        epoch = response.epoch || epoch; // 0: nobody has published yet
        for (const event of response.events) {
          startOffset++;
          yield event;
        }
        if (response.endOfStream) return;
      }
    } catch (error) {
      await recover(error);
    }
  }
}

const [server = "127.0.0.1:50051", streamId = "resp_1"] = process.argv.slice(2);
for await (const event of subscribe(connect(server), streamId)) {
  console.log(toJson(event));
}
