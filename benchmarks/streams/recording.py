"""Builds the events of a response, item by item, in the form in which APIs send them."""

from __future__ import annotations

import base64
import re
import string
from collections.abc import Iterable, Iterator, Sequence
from random import Random
from typing import Any

from .api import Api

Event = dict[str, Any]
Source = tuple[str, str]
"""URL and title of a page."""

TOKEN = re.compile(r" ?[^\W\d_]{1,7}|\d{1,3}|\s+|.")
PADDING = string.ascii_letters + string.digits


class Recording:
    """The events of one response. Each method appends the events of an output item, from `added` to `done`."""

    def __init__(self, api: Api, random: Random, *, grain: int = 1, **response: Any) -> None:
        self.events: list[Event] = []
        self._api = api
        self._random = random
        self._grain = grain
        self._family = self._hex(24)
        self._tokens = 0
        self._output: list[Event] = []
        created = 1_764_000_000 + random.randrange(30_000_000)
        self._response = {**api.response, "id": self.id("resp"), "created_at": created, "model": api.model, **response}
        for kind in ("created", "in_progress"):
            self.emit(f"response.{kind}", response=self._response)

    def emit(self, type: str, **properties: Any) -> None:
        """Adds an event."""
        number = {"sequence_number": len(self.events)}
        rest = number | properties if self._api.sequence_first else properties | number
        self.events.append({"type": type} | rest)

    def id(self, prefix: str) -> str:
        return f"{prefix}_{self._family}{self._hex(26)}"

    def text(self, text: str, sources: Sequence[Source] = ()) -> None:
        """An assistant message that cites its sources at the ends of its first lines."""
        logprobs: Event = {"logprobs": []} if self._api.logprobs else {}
        empty = {"type": "output_text", "annotations": [], **logprobs, "text": ""}
        item = {"id": self.id("msg"), "type": "message", "status": "in_progress", "content": [], "role": "assistant"}
        place = self._add(item) | {"content_index": 0}
        self.emit("response.content_part.added", **place, part=empty)
        written, annotations = "", list[Event]()
        for piece, source in _with_sources(text, sources):
            for delta in [piece] if source else self._deltas(piece):
                self.emit("response.output_text.delta", **place, delta=delta, **logprobs, **self._padding(delta))
            if source:
                cited = {"end_index": len(written + piece), "start_index": len(written) + 1}
                annotation = {"type": "url_citation", **cited, "title": source[1], "url": source[0]}
                index = len(annotations)
                annotations.append(annotation)
                self.emit(
                    "response.output_text.annotation.added", **place, annotation_index=index, annotation=annotation
                )
            written += piece
        self.emit("response.output_text.done", **place, text=written, **logprobs)
        part = empty | {"annotations": annotations, "text": written}
        self.emit("response.content_part.done", **place, part=part)
        self._done(item | {"status": "completed", "content": [part]})

    def reasoning(self, summaries: Iterable[str] = (), *, encrypted: int = 0) -> None:
        """Reasoning with optional summaries, and optionally its encrypted content."""

        def item() -> Event:
            secret = {"encrypted_content": "gAAAAAB" + self._base64(encrypted)} if encrypted else {}
            return {"id": name, "type": "reasoning", **secret, "summary": parts}

        name, parts = self.id("rs"), list[Event]()
        place = self._add(item())
        for index, text in enumerate(summaries):
            place |= {"summary_index": index}
            empty = {"type": "summary_text", "text": ""}
            self.emit("response.reasoning_summary_part.added", **place, part=empty)
            for delta in self._deltas(text):
                self.emit("response.reasoning_summary_text.delta", **place, delta=delta, **self._padding(delta))
            self.emit("response.reasoning_summary_text.done", **place, text=text)
            parts = [*parts, empty | {"text": text}]
            self.emit("response.reasoning_summary_part.done", **place, part=parts[-1])
        self._done(item())

    def open_reasoning(self, text: str) -> None:
        """Reasoning as plain text, as open models send it."""
        item = {"id": self.id("rs"), "type": "reasoning", "status": "in_progress", "summary": [], "content": []}
        place = self._add(item) | {"content_index": 0}
        for delta in self._deltas(text):
            self.emit("response.reasoning_text.delta", **place, delta=delta, **self._padding(delta))
        self.emit("response.reasoning_text.done", **place, text=text)
        self._done(item | {"status": "completed", "content": [{"type": "reasoning_text", "text": text}]})

    def function_call(self, name: str, arguments: str) -> None:
        item = {"id": self.id("fc"), "type": "function_call", "status": "in_progress", "arguments": ""}
        item |= {"call_id": "call_" + self._letters(24), "name": name}
        place = self._add(item)
        for delta in self._deltas(arguments):
            self.emit("response.function_call_arguments.delta", **place, delta=delta, **self._padding(delta))
        names = {"name": name} if self._api.arguments_name else {}
        self.emit("response.function_call_arguments.done", **place, **names, arguments=arguments)
        self._done(item | {"status": "completed", "arguments": arguments})

    def web_search(self, action: Event) -> None:
        item = {"id": self.id("ws"), "type": "web_search_call", "status": "in_progress"}
        self._steps("web_search_call", self._add(item), "in_progress", "searching", "completed")
        self._done(item | {"status": "completed", "action": action})

    def image(self, prompt: str, image: bytes, *previews: bytes, **details: Any) -> None:
        """An image, with partial images and the properties that the API sends with them and with the result."""
        item = {"id": self.id("ig"), "type": "image_generation_call", "status": "in_progress"}
        place = self._add(item)
        self._steps("image_generation_call", place, "in_progress", "generating")
        for index, preview in enumerate(previews):
            data = {"partial_image_index": index, "partial_image_b64": base64.b64encode(preview).decode()}
            self.emit("response.image_generation_call.partial_image", **place, **data, **details)
        self._steps("image_generation_call", place, "completed")
        result = base64.b64encode(image).decode()
        self._done(item | {"status": "completed", **details, "result": result, "revised_prompt": prompt})

    def code(self, code: str, logs: str) -> None:
        """A call of the code interpreter."""
        item: Event = {"id": self.id("ci"), "type": "code_interpreter_call", "status": "in_progress", "code": ""}
        item |= {"container_id": self.id("cntr"), "outputs": None}
        place = self._add(item)
        self._steps("code_interpreter_call", place, "in_progress")
        for delta in self._deltas(code):
            self.emit("response.code_interpreter_call_code.delta", **place, delta=delta, **self._padding(delta))
        self.emit("response.code_interpreter_call_code.done", **place, code=code)
        self._steps("code_interpreter_call", place, "interpreting", "completed")
        self._done(item | {"status": "completed", "code": code, "outputs": [{"type": "logs", "logs": logs}]})

    def custom_tool(self, name: str, text: str) -> None:
        """A call of a custom tool with plain-text input."""
        item = {"id": self.id("ctc"), "type": "custom_tool_call", "status": "in_progress", "input": ""}
        item |= {"call_id": "call_" + self._letters(24), "name": name}
        place = self._add(item)
        for delta in self._deltas(text):
            self.emit("response.custom_tool_call_input.delta", **place, delta=delta, **self._padding(delta))
        self.emit("response.custom_tool_call_input.done", **place, input=text)
        self._done(item | {"status": "completed", "input": text})

    def mcp(self, server: str, tools: list[Event], name: str, arguments: str, output: str) -> None:
        """The tool list of an MCP server, and a call of one of its tools."""
        listing = {"id": self.id("mcpl"), "type": "mcp_list_tools", "server_label": server, "tools": []}
        self._steps("mcp_list_tools", self._add(listing), "in_progress", "completed")
        self._done(listing | {"tools": tools})
        call: Event = {"id": self.id("mcp"), "type": "mcp_call", "status": "in_progress", "approval_request_id": None}
        call |= {"arguments": "", "error": None, "name": name, "output": None, "server_label": server}
        place = self._add(call)
        self._steps("mcp_call", place, "in_progress")
        self.emit("response.mcp_call_arguments.delta", **place, delta=arguments, **self._padding(arguments))
        self.emit("response.mcp_call_arguments.done", **place, arguments=arguments)
        self._steps("mcp_call", place, "completed")
        self._done(call | {"status": "completed", "arguments": arguments, "output": output})

    def complete(self, *, question: int, **response: Any) -> list[Event]:
        """Completes the response, with the given number of input tokens, and returns the events."""
        reasoning = sum("reasoning" in event["type"] for event in self.events if "delta" in event)
        usage = {
            "input_tokens": question,
            "input_tokens_details": {"cached_tokens": question // 256 * 128},
            "output_tokens": self._tokens,
            "output_tokens_details": {"reasoning_tokens": reasoning},
            "total_tokens": question + self._tokens,
            **self._api.usage,
        }
        ended = {"status": "completed", "output": self._output, "usage": usage, **response}
        if "completed_at" in self._response:
            ended |= {"completed_at": self._response["created_at"] + len(self.events) // 40}
        self.emit("response.completed", response=self._response | ended)
        return self.events

    def fail(self, code: str, message: str) -> list[Event]:
        """Ends the response with an error and returns the events."""
        self.emit("error", error={"type": code, "code": code, "message": message, "param": None})
        failed = {"status": "failed", "error": {"code": code, "message": message}}
        self.emit("response.failed", response=self._response | failed)
        return self.events

    def _add(self, item: Event) -> Event:
        self.emit("response.output_item.added", output_index=len(self._output), item=item)
        return {"item_id": item["id"], "output_index": len(self._output)}

    def _done(self, item: Event) -> None:
        self.emit("response.output_item.done", output_index=len(self._output), item=item)
        self._output.append(item)

    def _steps(self, kind: str, place: Event, *steps: str) -> None:
        for step in steps:
            self.emit(f"response.{kind}.{step}", **place)

    def _deltas(self, text: str) -> Iterator[str]:
        """Yields the text in pieces of one to `grain` tokens."""
        tokens = TOKEN.findall(text)
        self._tokens += len(tokens)
        start = 0
        while start < len(tokens):
            end = start + self._random.randint(1, self._grain)
            yield "".join(tokens[start:end])
            start = end

    def _padding(self, delta: str) -> Event:
        """Returns padding that extends the delta to a multiple of 16 characters."""
        return {"obfuscation": self._letters(16 - len(delta) % 16)} if self._api.obfuscation else {}

    def _hex(self, length: int) -> str:
        return f"{self._random.getrandbits(4 * length):0{length}x}"

    def _letters(self, length: int) -> str:
        return "".join(self._random.choices(PADDING, k=length))

    def _base64(self, length: int) -> str:
        return base64.urlsafe_b64encode(self._random.randbytes(length * 3 // 4)).decode()


def _with_sources(text: str, sources: Sequence[Source]) -> Iterator[tuple[str, Source | None]]:
    """Yields the lines of a text, each followed by a citation until the sources are used up."""
    remaining = list(sources)
    for line in text.splitlines(keepends=True):
        body = line.rstrip()
        if not body or not remaining:
            yield line, None
            continue
        source = remaining.pop(0)
        host = source[0].split("/")[2]
        yield body, None
        yield f" ([{host}]({source[0]}))", source
        yield line[len(body) :], None
