// Prints a response as it streams: node build/subscribe.js 127.0.0.1:50051 resp_1
// With --events before the address, it prints each event as a line of the SDK's JSON instead.

import type { OpenResponsesStreamEvent } from "openresponses-grpc/v1/events_pb.js";
import type { ResponsesOutputItem } from "openresponses-grpc/v1/items_pb.js";
import type { OpenResponsesNonStreamingResponse } from "openresponses-grpc/v1/response_pb.js";
import { connect, fail } from "./client.js";
import { toJson } from "./event.js";
import { subscribe } from "./subscriber.js";

function show({ kind }: OpenResponsesStreamEvent): void {
  switch (kind.case) {
    case "outputTextDelta":
    case "refusalDelta":
      process.stdout.write(kind.value.delta ?? "");
      break;
    case "outputTextDone":
    case "refusalDone":
      console.log();
      break;
    case "outputItemDone":
      showToolCall(kind.value.item?.kind);
      break;
    case "completed":
    case "incomplete":
    case "failed":
      showEnd(kind.value.response);
      break;
    case "error":
      console.log(`error: ${kind.value.message ?? kind.value.error?.message}`);
  }
}

function showToolCall(item: ResponsesOutputItem["kind"] | undefined): void {
  switch (item?.case) {
    case "functionCall":
    case "mcpCall":
      console.log(`tool call: ${item.value.name} ${item.value.arguments}`);
      break;
    case "customToolCall":
      console.log(`tool call: ${item.value.name} ${item.value.input}`);
  }
}

function showEnd(response: OpenResponsesNonStreamingResponse | undefined): void {
  const reason = response?.error?.message ?? response?.incompleteDetails?.reason;
  if (reason) console.log(`${response?.status}: ${reason}`);
  const usage = response?.usage;
  if (usage) console.log(`usage: ${usage.inputTokens} input tokens, ${usage.outputTokens} output tokens`);
}

const asJson = process.argv[2] === "--events";
const [server = "127.0.0.1:50051", streamId = "resp_1"] = process.argv.slice(asJson ? 3 : 2);
try {
  for await (const event of subscribe(connect(server), streamId)) {
    if (asJson) console.log(toJson(event));
    else show(event);
  }
} catch (error) {
  fail(error);
}
