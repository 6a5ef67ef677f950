"""The exact commands and programs of docs/http.md."""

from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest

from openresponses_grpc import AsyncEventStreamClient

from ...faults.processes import free_port
from ...gateway.streams import parse
from ..languages import needs
from .browser import Browser
from .conftest import Served
from .log import EXAMPLE, known_to_the_sdk, publish, values
from .proxy import cutting

pytestmark = [pytest.mark.interop, pytest.mark.timeout(300)]

ROOT: Final = Path(__file__).parents[3]
DOCUMENT: Final = (ROOT / "docs" / "http.md").read_text()
TEXT: Final = "".join(event["delta"] for event in values(EXAMPLE) if event["type"] == "response.output_text.delta")


def blocks(section: str, language: str) -> list[str]:
    """The code blocks of a section in a language."""
    text = re.split(r"^## ", DOCUMENT.split(f"\n## {section}\n")[1], flags=re.MULTILINE)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def at(url: str, text: str) -> str:
    """Replaces the default URL of the gateway in a text."""
    assert "http://127.0.0.1:8080" in text
    return text.replace("http://127.0.0.1:8080", url)


async def output(*command: str | Path, cwd: Path = ROOT) -> str:
    """The output of a command that exits with status 0."""
    process = await asyncio.create_subprocess_exec(*command, cwd=cwd, stdout=-1, stderr=subprocess.STDOUT)
    stdout, _ = await process.communicate()
    assert process.returncode == 0, stdout.decode()
    return stdout.decode()


async def test_first_commands(tmp_path: Path) -> None:
    (text,) = re.findall(r"^```sh\n(.*?)^```", DOCUMENT.split("\n## ")[0], re.MULTILINE | re.DOTALL)
    install, serve, gateway, publish_line = text.splitlines()
    assert install == "pip install '.[http]'"
    # The default ports may be in use: environment variables set other ones.
    server_port, gateway_port = free_port(), free_port()
    environment = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "OPENRESPONSES_LISTEN": f"127.0.0.1:{server_port}",
        "OPENRESPONSES_SERVER": f"127.0.0.1:{server_port}",
        "OPENRESPONSES_GATEWAY_LISTEN": f"127.0.0.1:{gateway_port}",
        "OPENRESPONSES_WAIT": "1",
    }
    processes = []
    for command in (serve, gateway):
        assert command.endswith(" &")
        words = command.removesuffix(" &").split()
        processes.append(await asyncio.create_subprocess_exec(*words, env=environment, cwd=ROOT, stdout=-1, stderr=-1))
    try:
        published = await asyncio.create_subprocess_exec(*publish_line.split(), env=environment, cwd=ROOT)
        assert await published.wait() == 0
        read = f"http://127.0.0.1:{gateway_port}/v1/responses/resp_1?stream=true"
        retry = ("--retry", "30", "--retry-connrefused", "--retry-delay", "1")
        assert len(parse(await output("curl", "-sN", *retry, read))) == len(EXAMPLE) + 1
    finally:
        for process in processes:
            process.terminate()
            await process.communicate()


async def test_curl(served: Served, tmp_path: Path) -> None:
    needs("curl")
    commands, _ = blocks("curl", "sh")
    printed = [await output("bash", "-c", at(served.url, line) + " -s") for line in commands.splitlines()]
    assert [sent.data for sent in parse(printed[0])] == [*values(EXAMPLE), "[DONE]"]
    assert [sent.data for sent in parse(printed[1])] == [*values(EXAMPLE)[101:], "[DONE]"]
    assert printed[2].startswith('{"id":"resp_')


async def test_curl_script(served: Served, tmp_path: Path) -> None:
    needs("curl", "awk")
    _, script = blocks("curl", "sh")
    async with cutting(served.gateway.port, [3_000, 1_000, 9_000, 12_345]) as (url, cuts):
        await output("bash", "-c", at(url, script), cwd=tmp_path)
        assert len(cuts) == 4
    assert [sent.data for sent in parse((tmp_path / "resp_1.sse").read_text())] == [*values(EXAMPLE), "[DONE]"]


async def test_curl_script_exits_if_stream_cannot_be_read(served: Served, tmp_path: Path) -> None:
    needs("curl", "awk")
    _, script = blocks("curl", "sh")
    error = await output("bash", "-c", at(served.url, script).replace("resp_1", "none"), cwd=tmp_path)
    assert json.loads(error)["error"]["code"] == "STREAM_NOT_FOUND"
    # Keep only the position of the complete stream: the reply is 204.
    page = await output("curl", "-sN", f"{served.url}/v1/responses/resp_1?stream=true")
    last = parse(page)[-2].id
    (tmp_path / "resp_1.sse").write_text(f"id: {last}\ndata: {{}}\n\n")
    assert await output("bash", "-c", at(served.url, script), cwd=tmp_path) == ""
    assert (tmp_path / "resp_1.status").read_text() == "204"


ANSWERS: Final = [
    *((status, '{"error": {"code": "C", "message": "m"}}') for status in (429, 503)),
    *((status, "<html>") for status in (502, 504, 403)),
    (200, 'id: v1.1.1\ndata: {"type": "t"}\n\ndata: [DONE]\n\n'),
]


async def test_event_stream_retries_after_replies_of_proxies_and_busy_servers(tmp_path: Path) -> None:
    needs("node")
    answers = iter([*ANSWERS, (403, '{"error": {"code": "NOT_PERMITTED", "message": "m"}}')])

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        status, body = next(answers)
        head = f"HTTP/1.1 {status} S\r\ncontent-length: {len(body)}\r\nconnection: close\r\n\r\n"
        writer.write((head + body).encode())
        writer.close()

    (tmp_path / "stream.mjs").write_text((ROOT / "examples" / "browser" / "stream.js").read_text())
    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
    (tmp_path / "main.mjs").write_text(f"""
        import {{ EventStream }} from "./stream.mjs";
        for await (const {{ type }} of new EventStream("{url}")) console.log(type);
        try {{ for await (const event of new EventStream("{url}")); }} catch ({{ code }}) {{ console.log(code); }}
    """)
    async with server:
        assert (await output("node", tmp_path / "main.mjs")).split() == ["t", "NOT_PERMITTED"]


async def test_page_separates_contents_and_summaries_for_any_item_id(tmp_path: Path) -> None:
    needs("node")
    (tmp_path / "response.mjs").write_text((ROOT / "examples" / "browser" / "response.js").read_text())
    (tmp_path / "main.mjs").write_text("""
        import { add, emptyResponse } from "./response.mjs";
        const response = emptyResponse();
        const keys = ["__proto__", "constructor"].map((item_id) => {
          add(response, { type: "response.reasoning_summary_text.delta", item_id, summary_index: 0, delta: "a" });
          add(response, { type: "response.reasoning_summary_text.done", item_id, summary_index: 0, text: "a" });
          return add(response, { type: "response.reasoning_text.delta", item_id, content_index: 0, delta: "b" });
        });
        add(response, { type: "toString", item_id: "constructor" });
        const parts = keys.map((key) => Object.values(response.items[key].parts));
        console.log(JSON.stringify([parts, response.differences, {}.parts === undefined]));
    """)
    assert json.loads(await output("node", tmp_path / "main.mjs")) == [[["a", "b"]] * 2, 0, True]


async def test_event_source(browser: Browser, served: Served) -> None:
    (script,) = blocks("JavaScript in a browser", "js")
    async with AsyncEventStreamClient(served.server.address) as client, client.publish("failed") as publisher:
        await publisher.send(EXAMPLE[0])
        await publisher.fail("UPSTREAM_TIMEOUT", "no event for 30 seconds")
    page = f"{served.url}/v1/responses/resp_1"  # the same origin
    assert "".join(await browser("run", page, at(served.url, script))) == TEXT
    failed = at(served.url, script).replace("resp_1", "failed")
    assert await browser("run", page, failed) == ["no event for 30 seconds"]


async def test_page_commands(tmp_path: Path) -> None:
    (commands,) = blocks("JavaScript in a browser", "sh")
    serve_page, gateway = commands.splitlines()
    port = free_port()
    words = serve_page.removesuffix(" &").replace(" 8000", f" {port}").split()
    process = await asyncio.create_subprocess_exec(*words, cwd=ROOT, stdout=-1, stderr=-1)
    try:
        retry = ("--retry", "30", "--retry-connrefused", "--retry-delay", "1")
        assert "A response, live" in await output("curl", "-s", *retry, f"http://127.0.0.1:{port}")
    finally:
        process.terminate()
        await process.communicate()
    assert gateway.split() == ["openresponses", "gateway", "--cors-origin", "http://127.0.0.1:8000"]


async def test_openai_python(served: Served) -> None:
    (program,) = blocks("openai-python", "python")
    async with cutting(served.gateway.port, [9_000, 12_345]) as (url, cuts):
        assert await output(sys.executable, "-c", at(url, program)) == f"{TEXT}completed\n"
        assert len(cuts) == 2


@pytest.mark.parametrize("section, stream_id", [("openai-node", "resp_1"), ("@openrouter/sdk", "known")])
async def test_node_programs(section: str, stream_id: str, node: Path, served: Served) -> None:
    (program,) = blocks(section, "js")
    async with AsyncEventStreamClient(served.server.address) as client:
        await publish(client, "known", known_to_the_sdk(EXAMPLE))
    script = node / f"{stream_id}.mjs"
    script.write_text(at(served.url, program).replace("resp_1", stream_id))
    assert await output("node", script, cwd=node) == TEXT


@asynccontextmanager
async def nginx(config: str, folder: Path) -> AsyncIterator[None]:
    """Runs nginx in the foreground with a configuration."""
    (folder / "nginx.conf").write_text(config)
    command, _ = blocks("Behind nginx", "sh")[0].splitlines()
    process = await asyncio.create_subprocess_exec(
        *command.split(), "-g", f"daemon off; pid {folder / 'pid'};", cwd=folder, stdout=-1, stderr=-1
    )
    try:
        yield
    finally:
        process.terminate()
        await process.communicate()


async def test_nginx_forwards_each_event_immediately(
    served: Served, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{os.environ['PATH']}{os.pathsep}/usr/sbin")
    needs("nginx", "curl")
    (config,) = blocks("Behind nginx", "nginx")
    _, command = blocks("Behind nginx", "sh")[0].splitlines()
    port = free_port()
    config = config.replace("127.0.0.1:8080", served.gateway.address).replace("8088", str(port))
    async with nginx(config, tmp_path), AsyncEventStreamClient(served.server.address) as client:
        retry = " -s --retry 30 --retry-connrefused --retry-delay 1"
        command = command.replace("8088", str(port)) + retry
        assert [sent.data for sent in parse(await output("bash", "-c", command))] == [*values(EXAMPLE), "[DONE]"]
        async with client.publish("live") as publisher:
            await publisher.flush()
            process = await asyncio.create_subprocess_exec(
                "bash", "-c", command.replace("resp_1", "live"), stdout=asyncio.subprocess.PIPE
            )
            assert process.stdout is not None
            # Each event arrives before the next one is sent.
            for event, value in zip(EXAMPLE[2:20], values(EXAMPLE[2:20]), strict=True):
                await publisher.send(event)
                await publisher.flush()
                block = await process.stdout.readuntil(b"\n\n")
                while block.startswith(b":"):
                    block = await process.stdout.readuntil(b"\n\n")
                assert [sent.data for sent in parse(block.decode())] == [value]
        assert (await process.communicate())[0] == b"data: [DONE]\n\n"
