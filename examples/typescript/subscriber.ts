// Subscribes to a stream. Reconnects and resumes.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { SubscribeRequestSchema, SubscribeResponse } from "openresponses-grpc/v1/stream_service_pb.js";
import { recover, StreamFailedError, type StreamClient } from "./client.js";

type SubscribeRequest = MessageInitShape<typeof SubscribeRequestSchema> & { startOffset: bigint };

/** Yields each event of a stream exactly once and in order. Throws StreamFailedError after those of a failed stream. */
export async function* subscribe(client: StreamClient, streamId: string): AsyncGenerator<OpenResponsesStreamEvent> {
  let failure: SubscribeResponse["failure"];
  for await (const response of responses(client, streamId)) {
    yield* response.events;
    failure = response.failure;
  }
  if (failure) throw new StreamFailedError(failure);
}

/** Yields the responses up to the end of the stream. Reconnects and resumes. */
async function* responses(client: StreamClient, streamId: string): AsyncGenerator<SubscribeResponse> {
  const request: SubscribeRequest = { streamId, startOffset: 0n };
  let ended = false;
  while (!ended) {
    try {
      for await (const response of client.subscribe(request)) {
        advance(request, response);
        ended = response.endOfStream; // the loop then waits for the status of the call
        yield response;
      }
    } catch (error) {
      if (!ended) await recover(error);
    }
  }
}

/** Makes the request resume after a response. Only the server computes checksums; a client sends them back. */
function advance(request: SubscribeRequest, response: SubscribeResponse): void {
  const { firstOffset, events, epoch, checkedOffset, checksum } = response;
  if (firstOffset !== request.startOffset) {
    throw new ConnectError(`received offset ${firstOffset}; expected ${request.startOffset}`, Code.DataLoss);
  }
  request.startOffset += BigInt(events.length);
  if (epoch) request.epoch = epoch; // 0: the stream does not exist yet
  if (checksum !== undefined) Object.assign(request, { checkedOffset, checksum });
}
