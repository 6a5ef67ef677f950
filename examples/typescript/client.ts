// Connects to a server and classifies its errors as temporary or permanent.

import { BinaryReader } from "@bufbuild/protobuf/wire";
import { Code, ConnectError, createClient, type Client } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { setTimeout } from "node:timers/promises";
import { OpenResponsesStreamService, type StreamFailure } from "openresponses-grpc/v1/stream_service_pb.js";
import "./utf8.js";

export type StreamClient = Client<typeof OpenResponsesStreamService>;

/** The stream ended in failure. */
export class StreamFailedError extends Error {
  constructor({ reason, message }: StreamFailure) {
    super(`the stream failed: ${reason}: ${message}`);
  }
}

export function connect(server: string): StreamClient {
  // Pings detect a server that disappeared without closing the connection.
  const transport = createGrpcTransport({ baseUrl: `http://${server}`, pingIntervalMs: 20_000, pingTimeoutMs: 10_000 });
  return createClient(OpenResponsesStreamService, transport);
}

/** Sleeps before a retry if the error is temporary. Otherwise throws the error. */
export async function recover(reason: unknown): Promise<void> {
  const error = ConnectError.from(reason);
  // A connection error has a cause; a status from the server has none.
  const temporary = error.code === Code.Unavailable || error.code === Code.Canceled || error.cause;
  if (!temporary && !detail(error, "google.rpc.RetryInfo")) throw error;
  console.error(`retrying after error: ${error.message}`);
  await setTimeout(500);
}

/** Prints an error and sets the exit status: 3 if the server returned the error or the stream failed, otherwise 1. */
export function fail(error: unknown): void {
  const fromCall = error instanceof ConnectError;
  if (fromCall) console.error(`${reasonOf(error) ?? Code[error.code]}: ${error.rawMessage}`);
  else if (error instanceof StreamFailedError) console.error(error.message);
  else console.error(error);
  process.exitCode = fromCall || error instanceof StreamFailedError ? 3 : 1;
}

/** Returns the reason of an error, such as `STREAM_DIVERGED`: the first field of its `google.rpc.ErrorInfo`. */
export function reasonOf(error: ConnectError): string | undefined {
  const info = detail(error, "google.rpc.ErrorInfo");
  if (!info) return undefined;
  const reader = new BinaryReader(info);
  return reader.tag()[0] === 1 ? reader.string() : undefined;
}

function detail(error: ConnectError, type: string): Uint8Array | undefined {
  for (const detail of error.details) if ("type" in detail && detail.type === type) return detail.value;
  return undefined;
}
