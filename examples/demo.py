"""Streams one response, from JSON through a gRPC server, to a subscriber that reads typed fields.

Run it with `make demo`.
"""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf, to_json
from openresponses_grpc.v1.events_pb2 import OpenResponsesStreamEvent

SAMPLE = Path(__file__).with_name("response.ndjson")
STREAM = "resp_demo"
PACE = 0.01  # seconds between events, like a fast model


@contextlib.asynccontextmanager
async def server() -> AsyncIterator[str]:
    """Runs `openresponses serve` on a free port of this machine and yields its address."""
    command = Path(sys.executable).with_name("openresponses")
    process = await asyncio.create_subprocess_exec(
        command, "serve", "--listen", "127.0.0.1:0", "--log-level", "warning", stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        line = (await process.stdout.readline()).decode()
        yield line.removeprefix("listening on ").strip()
    finally:
        process.terminate()
        await process.wait()


async def publish(client: AsyncEventStreamClient, events: list[bytes]) -> None:
    """Publishes serialized events at the pace of a model."""
    async with client.publish(STREAM) as publisher:
        for event in events:
            await publisher.send(event)
            await asyncio.sleep(PACE)


def describe(event: OpenResponsesStreamEvent) -> tuple[str, str]:
    """Returns what to print for an event: a label, and text to append to that of the same label."""
    match event.WhichOneof("kind"):
        case "reasoning_summary_text_delta":
            return "reasoning", event.reasoning_summary_text_delta.delta
        case "output_text_delta":
            return "text", event.output_text_delta.delta
        case "output_item_added" if event.output_item_added.item.HasField("function_call"):
            return "tool call", event.output_item_added.item.function_call.name + " "
        case "function_call_arguments_delta":
            return "tool call", event.function_call_arguments_delta.delta
        case "output_item_done" if event.output_item_done.item.HasField("web_search_call"):
            return "web search", event.output_item_done.item.web_search_call.action.search.query
        case "image_generation_call_generating":
            return "image", f"generating, output index {event.image_generation_call_generating.output_index}; "
        case "image_generation_call_partial_image":
            return "image", f"preview, {len(event.image_generation_call_partial_image.partial_image_b64)} characters; "
        case "image_generation_call_completed":
            return "image", f"completed, output index {event.image_generation_call_completed.output_index}"
        case "completed":
            usage = event.completed.response.usage
            return "usage", f"{usage.input_tokens:.0f} tokens in, {usage.output_tokens:.0f} out, ${usage.cost:.4f}"
        case _:
            return "", ""


async def subscribe(client: AsyncEventStreamClient) -> list[OpenResponsesStreamEvent]:
    """Reads the stream to its end and prints it as it arrives."""
    received, current = [], ""
    async for event in client.subscribe(STREAM):
        received.append(event)
        label, text = describe(event)
        if label and label != current:
            print(f"\n\n[{label}] ", end="")
            current = label
        print(text, end="", flush=True)
    return received


async def main() -> None:
    """Publishes the sample while a subscriber reads it, and compares the received events with the sent ones."""
    lines = SAMPLE.read_bytes().splitlines()
    async with server() as address, AsyncEventStreamClient(address) as client:
        print(f"Streaming {len(lines)} events of examples/{SAMPLE.name} through a server on {address}.", end="")
        received, _ = await asyncio.gather(subscribe(client), publish(client, [*map(json_to_protobuf, lines)]))
    if [json.loads(to_json(event)) for event in received] != [json.loads(line) for line in lines]:
        sys.exit("\n\nThe received events differ from the sent events.")
    typed = sum(event.WhichOneof("kind") != "unrecognized" for event in received)
    json_size, protobuf_size = sum(map(len, lines)), sum(event.ByteSize() for event in received)
    print(f"\n\nReceived {len(received)} events, in order and unchanged; {typed} of them are typed.")
    print(f"{json_size:,} bytes as JSON, {protobuf_size:,} bytes as protobuf ({protobuf_size / json_size:.0%}).")


if __name__ == "__main__":
    asyncio.run(main())
