"""`openresponses serve`, and the commands around a server."""

import asyncio
import json
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from openresponses_grpc import AsyncEventStreamClient, from_json, json_to_protobuf, protobuf_to_json
from openresponses_grpc.codec._schema import Naming
from openresponses_grpc.framing import FORMATS
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from ..support.events import COMPLETED_JSON, DOCUMENTED, GENERATING_JSON, event
from ..support.mixed_stream import MIXED, mixed_stream
from .in_process import run
from .processes import COMMAND, line, run_process, serving, started

LINES = b"".join(line + b"\n" for line in DOCUMENTED)


async def test_all_commands_work_as_processes() -> None:
    async with serving() as (_, address):
        early = asyncio.create_task(run_process("subscribe", "--server", address, "s"))
        assert await run_process("publish", "--server", address, "--end", "s", stdin=LINES) == (0, b"", b"")
        assert await early == (0, LINES, b"")
        assert await run_process("subscribe", "--server", address, "s") == (0, LINES, b"")
        late = await run_process("subscribe", "--server", address, "--start-offset", "1", "--to", "protobuf", "s")
        assert late[0] == 0
        assert await run_process("convert", "--from", "protobuf", stdin=late[1]) == (0, COMPLETED_JSON + b"\n", b"")
        code, stdout, stderr = await run_process("streams", "show", "--json", "--server", address, "s")
        assert (code, json.loads(stdout)["nextOffset"], stderr) == (0, "2", b"")


@pytest.mark.parametrize("named", [True, False])
@pytest.mark.parametrize("source", FORMATS)
async def test_each_event_is_relayed_immediately(server: str, source: str, named: bool) -> None:
    # SSE is in snake_case, as the API sends it. NDJSON is written in camelCase, as in the SDK.
    naming: Naming = "snake_case" if source == "sse" else "camelCase"
    writer = FORMATS[source].writer(partial(protobuf_to_json, naming=naming))
    async with (
        started("subscribe", "--server", server, "s") as subscriber,
        started("publish", "--server", server, *(("--from", source) if named else ()), "s") as publisher,
    ):
        assert publisher.stdin is not None
        for sent in MIXED["camelCase"]:
            publisher.stdin.writelines(writer.write([json_to_protobuf(sent)]))
            await publisher.stdin.drain()
            assert await line(subscriber) == sent + b"\n"
        await publisher.communicate(writer.close())
        assert (await subscriber.communicate(), subscriber.returncode) == ((b"", b""), 0)


async def test_subscribers_choose_the_format_and_the_spelling(server: str) -> None:
    stdin = mixed_stream("ndjson", "camelCase")
    assert await run("publish", "--server", server, "s", stdin=stdin) == (0, b"", b"")
    for arguments, stdout in (
        (("--to", "sse"), mixed_stream("sse", "snake_case")),
        (("--to", "sse", "--naming", "camelCase"), mixed_stream("sse", "camelCase")),
        (("--naming", "snake_case"), mixed_stream("ndjson", "snake_case")),
    ):
        assert await run("subscribe", "--server", server, *arguments, "s") == (0, stdout, b"")


async def test_an_invalid_line_stops_publish_and_leaves_the_stream_open(server: str) -> None:
    code, _, stderr = await run("publish", "--server", server, "s", stdin=GENERATING_JSON + b"\n[]\n")
    assert (code, stderr.count(b"\n")) == (1, 1)
    assert stderr.startswith(b"line 2: $: expected a JSON object, got '[]'; it looks like a JSON array")
    assert await run("publish", "--server", server, "--end", "s", stdin=COMPLETED_JSON) == (0, b"", b"")
    assert (await run("subscribe", "--server", server, "s"))[1] == LINES


async def test_strict_publish_stops_at_an_event_that_the_sdk_rejects(server: str) -> None:
    odd = b'{"type":"response.ping"}\n'
    code, _, stderr = await run("publish", "--server", server, "--strict", "s", stdin=LINES + odd)
    assert (code, stderr.count(b"\n")) == (1, 1)
    assert stderr.startswith(b"line 3: $.type: the SDK does not define event type 'response.ping'")
    assert await run("publish", "--server", server, "--end", "s", stdin=odd) == (0, b"", b"")
    assert (await run("subscribe", "--server", server, "s"))[1] == LINES + odd


async def test_a_port_in_use_is_an_error(server: str) -> None:
    code, _, stderr = await run_process("serve", "--listen", server)
    assert code == 1
    assert f"cannot listen on {server}".encode() in stderr
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, _, stderr = await run_process("serve", "--listen", f"127.0.0.1:{taken.getsockname()[1]}")
        assert (code, b"cannot listen" in stderr) == (1, True)


async def test_an_unknown_store_is_a_usage_error() -> None:
    code, _, stderr = await run_process("serve", "--store", "floppy:")
    assert (code, b"memory:" in stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
async def test_clients_resume_after_a_restart_with_a_sqlite_store(tmp_path: Path, number: signal.Signals) -> None:
    store = f"sqlite:{tmp_path / 'store.db'}"
    async with AsyncExitStack() as servers:
        process, address = await servers.enter_async_context(serving("--store", store))
        async with (
            started("subscribe", "--server", address, "s") as subscriber,
            AsyncEventStreamClient(address) as client,
        ):
            async with client.publish("s") as publisher:
                for sent in DOCUMENTED:
                    await publisher.send(from_json(sent))
                    assert await line(subscriber) == sent + b"\n"
                process.send_signal(number)
                await process.wait()
                again = await servers.enter_async_context(started("serve", "--listen", address, "--store", store))
                assert await line(again) == f"listening on {address}\n".encode()
                for sent in DOCUMENTED:
                    await publisher.send(from_json(sent))
                    assert await line(subscriber) == sent + b"\n"
            assert ((await subscriber.communicate())[0], subscriber.returncode) == (b"", 0)
        assert (await run("subscribe", "--server", address, "s"))[1] == LINES * 2


async def test_a_store_in_a_missing_directory_is_a_usage_error(tmp_path: Path) -> None:
    code, _, stderr = await run_process("serve", "--store", f"sqlite:{tmp_path}/missing/store.db")
    assert (code, f"the directory {tmp_path}/missing does not exist".encode() in stderr) == (2, True)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_on_a_signal_calls_end_with_unavailable_and_the_status_is_0(number: signal.Signals) -> None:
    async with serving() as (process, address), grpc.aio.insecure_channel(address) as channel:
        stub = OpenResponsesStreamServiceStub(channel)
        publisher = stub.Publish()
        await publisher.write(PublishRequest(stream_id="s", events=[event(0)]))
        calls: list[Any] = [publisher]
        assert (await calls[0].read()).next_offset == 1
        ids = ["s"] * 10 + ["not there yet"] * 10
        calls += [stub.Subscribe(SubscribeRequest(stream_id=stream_id)) for stream_id in ids]
        for call in calls[1:11]:
            assert len((await call.read()).events) == 1
        for call in calls[11:]:
            await call.initial_metadata()
        process.send_signal(number)
        for call in calls:
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
            assert caught.value.code() == grpc.StatusCode.UNAVAILABLE
            info, retry = rpc_status.from_call(caught.value).details
            assert info.Is(error_details_pb2.ErrorInfo.DESCRIPTOR)
            assert retry.Is(error_details_pb2.RetryInfo.DESCRIPTOR)
        assert await process.wait() == 0


async def test_options_set_the_retention_and_the_size_of_the_store() -> None:
    async with serving("--retention", "0") as (_, address):
        assert (await run("publish", "--server", address, "--end", "s", stdin=GENERATING_JSON))[0] == 0
        # The server has dropped the first stream, so that its id is free.
        assert (await run("publish", "--server", address, "--end", "s", stdin=GENERATING_JSON))[0] == 0
    async with serving("--max-bytes", "1") as (_, address):
        async with grpc.aio.insecure_channel(address) as channel:
            call = OpenResponsesStreamServiceStub(channel).Publish()
            await call.write(PublishRequest(stream_id="s", events=[event(0)]))
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await call.read()
        assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED


def full_pipe() -> tuple[int, int]:
    """Returns the two ends of a pipe whose next write blocks until the pipe is read."""
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, bytes(1 << 16))
    except BlockingIOError:
        os.set_blocking(writing, True)
        return reading, writing


def catches(pid: int, number: signal.Signals) -> bool:
    """Returns whether a process has a handler for a signal."""
    status = Path(f"/proc/{pid}/status").read_text()
    [caught] = [text.split()[1] for text in status.splitlines() if text.startswith("SigCgt:")]
    return bool(int(caught, 16) >> (number - 1) & 1)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("command", ["serve", "gateway"])
async def test_a_signal_is_handled_from_the_moment_the_address_is_printed(command: str, server: str) -> None:
    options = ("--server", server) if command == "gateway" else ()
    reading, writing = full_pipe()
    process = await asyncio.create_subprocess_exec(
        COMMAND, command, "--listen", "127.0.0.1:0", *options, stdout=writing
    )
    os.close(writing)
    try:
        # The process cannot print its address yet, but handles signals.
        while not catches(process.pid, signal.SIGTERM):
            assert process.returncode is None
            await asyncio.sleep(0.01)
        process.terminate()
        with os.fdopen(reading, "rb") as stdout:
            printed = (await asyncio.to_thread(stdout.read)).lstrip(bytes(1))
        assert printed.splitlines()[1:] == [b"stopping"]
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
