import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { setTimeout } from "node:timers/promises";
import { OpenResponsesStreamService } from "openresponses-grpc/v1/stream_service_pb.js";
import "./utf8.js";

export type StreamClient = Client<typeof OpenResponsesStreamService>;

export function connect(server: string): StreamClient {
  // The pings notice a server that is gone without a word.
  const transport = createGrpcTransport({ baseUrl: `http://${server}`, pingIntervalMs: 20_000, pingTimeoutMs: 10_000 });
  return createClient(OpenResponsesStreamService, transport);
}

/** Waits for the next attempt after a call that broke; throws an error that another attempt does not heal. */
export async function recover(reason: unknown): Promise<void> {
  const error = ConnectError.from(reason);
  const asked = error.details.some((detail) => "type" in detail && detail.type === "google.rpc.RetryInfo");
  // What the connection says has a cause; what the server says has none.
  if (error.code !== Code.Unavailable && error.code !== Code.Canceled && !asked && !error.cause) throw error;
  console.error(`trying again after: ${error.message}`);
  await setTimeout(500);
}
