"""The exit statuses, and the one line on standard error that explains each."""

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf
from openresponses_grpc.cli._statuses import MEANINGS

from ..support.certificates import Certificates
from ..support.events import GENERATING_JSON
from .in_process import invoke, run
from .processes import COMMAND, line, run_process, run_shell, serving, started

LINE = GENERATING_JSON + b"\n"
COMPLETED = b'{"type":"response.completed","sequenceNumber":1}\n'
EVENT = json_to_protobuf(GENERATING_JSON)

# The arguments, the input, the exit status, and a part of the error.
CASES: list[tuple[str, bytes, int, str]] = [
    ("publish new", LINE + COMPLETED, 0, ""),
    ("subscribe complete", b"", 0, ""),
    ("subscribe complete --start-offset 1", b"", 0, ""),
    ("streams show failed", b"", 0, ""),
    ("streams delete none --missing-ok", b"", 0, ""),
    ("convert --to ndjson", LINE, 0, ""),
    ("convert --to ndjson", b"oops\n", 1, "line 1: $: expected a JSON object"),
    ("publish new", b"oops\n", 1, "line 1: $: expected a JSON object"),
    ("publish new", LINE, 1, "stream 'new' stays open; end it with --end"),
    ("publish new", b"", 1, "the input contains no events"),
    ("publish " + "i" * 257, LINE, 1, "longer than 256 bytes"),
    ("subscribe", b"", 2, "Missing argument 'STREAM'"),
    ("subscribe complete --timeout soon", b"", 2, "'soon' is not a duration"),
    ("publish new --fail " + "r" * 65, b"", 2, "1 to 64 bytes"),
    ("subscribe failed", b"", 3, "failed at offset 1 with OUT_OF_LUCK: the die is cast"),
    ("subscribe none --no-wait", b"", 3, "does not exist"),
    ("subscribe open", b"", 3, "no publisher for 0.2 seconds"),
    ("subscribe complete --start-offset 2", b"", 3, "beyond the end"),
    ("publish complete", LINE, 3, "stream 'complete' at {server} ended at offset 1; publish to another stream id"),
    ("publish complete --fail LATE", b"", 3, "the stream has ended at offset 1"),
    ("publish failed --end", b"", 3, "stream 'failed' failed with OUT_OF_LUCK"),
    ("streams show none", b"", 3, "stream 'none' at {server}: the stream does not exist"),
    ("streams delete none", b"", 3, "does not exist"),
    ("streams delete complete --epoch 1", b"", 3, "epoch"),
    ("subscribe none --timeout 100ms", b"", 4, "stream 'none' at {server} did not end within --timeout"),
]
# These run as processes, which also shows that gRPC logs nothing.
UNREACHABLE: list[tuple[str, bytes, int, str]] = [
    ("subscribe any --server 127.0.0.1:1", b"", 4, "at 127.0.0.1:1, offset 0: cannot connect: "),
    ("publish any --server 127.0.0.1:1", LINE, 4, "wait for the server with --wait"),
    ("streams list --server 127.0.0.1:1", b"", 4, "server 127.0.0.1:1: cannot connect: "),
    ("subscribe any --server 127.0.0.1", b"", 4, "no port"),
    ("subscribe any --server host.invalid:1", b"", 4, "check the host name"),
    ("subscribe any --tls", b"", 4, "does not use TLS"),
]


@pytest.fixture
async def streams(server: str) -> str:
    """A server with a complete, a failed and an open stream."""
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("complete") as publisher:
            await publisher.send(EVENT)
        async with client.publish("failed") as publisher:
            await publisher.send(EVENT)
            await publisher.fail("OUT_OF_LUCK", "the die is cast")
        with pytest.raises(ZeroDivisionError):
            async with client.publish("open") as publisher:
                await publisher.send(EVENT)
                await publisher.flush()
                raise ZeroDivisionError
    return server


@pytest.mark.parametrize(
    "runner, arguments, stdin, status, says",
    [(run, *case) for case in CASES] + [(run_process, *case) for case in UNREACHABLE],
)
async def test_the_exit_status_reflects_the_outcome(
    streams: str, runner: Callable[..., Any], arguments: str, stdin: bytes, status: int, says: str
) -> None:
    environment = {"OPENRESPONSES_SERVER": streams, "no_proxy": "*"}
    code, _, stderr = await runner(*arguments.split(), stdin=stdin, environment=environment)
    assert (code, says.format(server=streams) in stderr.decode()) == (status, True), stderr.decode()
    if status != 2:
        assert stderr.count(b"\n") == (1 if status else 0)


@pytest.mark.parametrize("command", ["", "convert", "publish", "subscribe", "streams list", "streams delete"])
def test_the_help_lists_every_status(command: str) -> None:
    code, stdout, _ = invoke(*command.split(), "--help")
    listed = stdout.decode().partition("Exit status:\n")[2].splitlines()
    assert code == 0
    assert [line.split()[0] for line in listed if line[2] != " "] == [str(int(status)) for status in MEANINGS]


@pytest.mark.parametrize("command", ["subscribe s", "publish s"])
async def test_ctrl_c_ends_with_130_and_prints_nothing(server: str, command: str) -> None:
    async with (
        started(*command.split(), "--server", server) as process,
        AsyncEventStreamClient(server) as client,
    ):
        if command.startswith("publish"):
            assert process.stdin is not None
            process.stdin.write(LINE)
            assert await anext(aiter(client.subscribe_serialized("s"))) == EVENT
        else:
            async with client.publish("s") as publisher:
                await publisher.send(EVENT)
                assert await line(process) == LINE
                process.send_signal(signal.SIGINT)
                await process.wait()
        if process.returncode is None:
            process.send_signal(signal.SIGINT)
        assert (await process.communicate(), process.returncode) == ((b"", b""), 130)


async def test_a_closed_output_ends_a_command_quietly(server: str, tmp_path: Path) -> None:
    async with AsyncEventStreamClient(server) as client, client.publish("s") as publisher:
        for _ in range(10_000):
            await publisher.send(EVENT)
    (tmp_path / "in.ndjson").write_bytes(LINE * 10_000)
    for command in (f"subscribe --server {server} s", f"convert --to sse {tmp_path}/in.ndjson"):
        status = tmp_path / "status"
        shell = f'("{COMMAND}" {command}; echo $? > {status}) | head -1 > {tmp_path}/first'
        assert await run_shell(shell, b"") == (0, b"", b"")
        assert status.read_text() == "0\n"


async def test_a_server_with_tls_is_named_to_a_client_without(certificates: Certificates) -> None:
    async with serving("--tls-cert", certificates.cert, "--tls-key", certificates.key) as (_, address):
        code, _, stderr = await run("subscribe", "--server", address, "s", environment={"no_proxy": "*"})
        assert (code, b"the server may require TLS" in stderr) == (4, True)
        code, _, stderr = await run("subscribe", "--tls", "--server", address, "s", environment={"no_proxy": "*"})
        assert (code, b"does not trust the server's certificate" in stderr) == (4, True)


async def test_wait_retries_until_the_server_is_up(unused_tcp_port: int) -> None:
    address = f"127.0.0.1:{unused_tcp_port}"
    async with (
        started("subscribe", "--wait", "--server", address, "s") as subscriber,
        started("serve", "--listen", address) as server,
    ):
        assert await line(server) == f"listening on {address}\n".encode()
        published = await run("publish", "--wait", "--end", "--server", address, "s", stdin=LINE)
        assert published == (0, b"", b"")
        assert (await subscriber.communicate(), subscriber.returncode) == ((LINE, b""), 0)
