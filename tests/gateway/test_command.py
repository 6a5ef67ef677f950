"""`openresponses gateway`: options, addresses, metrics, logs and exit."""

import asyncio
import json
import subprocess
import sys
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from openresponses_grpc.server._auth import Tokens, parse_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore

from ..cli.in_process import invoke, run
from ..cli.processes import line, run_process, started
from ..support.certificates import Certificates
from ..support.events import GENERATING_JSON
from ..support.tokens import entry
from .streams import data, error_of, path

EVENT: Final = {
    "type": "response.image_generation_call.generating",
    "item_id": "<id>",
    "output_index": 7977.54,
    "sequence_number": 0,
}


@asynccontextmanager
async def gateway(*arguments: str | Path, environment: Mapping[str, str] = {}) -> AsyncIterator[tuple[Process, str]]:
    """Yields a gateway process and its URL."""
    async with started("gateway", "--listen", "127.0.0.1:0", *arguments, environment=environment) as process:
        yield process, (await line(process)).decode().removeprefix("listening on ").strip()


async def test_the_command_serves_streams_until_a_signal(server: str) -> None:
    async with gateway("--server", server) as (process, url):
        assert await run("publish", "--server", server, "--end", "s", stdin=GENERATING_JSON) == (0, b"", b"")
        async with httpx.AsyncClient(base_url=url) as http:
            assert await data(http, "s") == [EVENT, "[DONE]"]
            await run("publish", "--server", server, "live", stdin=GENERATING_JSON)
            waiting = asyncio.create_task(http.get(path("live")))
            await asyncio.wait((waiting,), timeout=0.1)
            process.terminate()
            stdout, stderr = await process.communicate()
            with pytest.raises(httpx.RemoteProtocolError):
                await waiting
    assert (process.returncode, stdout) == (0, b"stopping\n")
    assert b"Traceback" not in stderr


async def test_a_stale_unix_socket_is_replaced_and_one_in_use_is_not(server: str, tmp_path: Path) -> None:
    listen = f"unix:{tmp_path / 'gateway'}"
    arguments = ("gateway", "--server", server, "--listen", listen)
    async with started(*arguments) as killed:
        assert await line(killed) == f"listening on {listen}\n".encode()
        status, stdout, stderr = await run_process(*arguments)
        assert (status, stdout) == (1, b"")
        assert b"cannot listen on" in stderr
        killed.kill()
        await killed.wait()
    async with started(*arguments) as process:
        assert await line(process) == f"listening on {listen}\n".encode()
        transport = httpx.AsyncHTTPTransport(uds=str(tmp_path / "gateway"))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
            assert error_of(await http.get(path("none")))[0] == 404
    (tmp_path / "file").touch()
    assert (await run_process(*arguments[:-1], f"unix:{tmp_path / 'file'}"))[0] == 1


@pytest.mark.parametrize("arguments, status", [([], 403), (["--insecure"], 404)])
async def test_on_a_local_port_only_insecure_permits_other_host_headers(
    server: str, arguments: list[str], status: int
) -> None:
    async with (
        gateway("--server", server, *arguments) as (_, url),
        httpx.AsyncClient(base_url=url) as http,
    ):
        assert error_of(await http.get(path("none"), headers={"host": "evil.example"}))[0] == status
        assert error_of(await http.get(path("none")))[0] == 404


async def test_metrics_over_http_and_logs_as_json(server: str) -> None:
    async with (
        started(
            *("gateway", "--server", server, "--listen", "127.0.0.1:0"),
            *("--metrics", "127.0.0.1:0", "--log-format", "json"),
        ) as process,
        httpx.AsyncClient() as http,
    ):
        await run("publish", "--server", server, "--end", "s", stdin=GENERATING_JSON)
        metrics = (await line(process)).decode().removeprefix("metrics at ").strip()
        url = (await line(process)).decode().removeprefix("listening on ").strip()
        await http.get(f"{url}{path('s')}")
        assert error_of(await http.get(f"{url}{path('none')}"))[0] == 404
        counted = (await http.get(metrics)).text
        for text in (
            "openresponses_gateway_events_sent_total 1.0",
            "openresponses_gateway_open_streams 0.0",
            'openresponses_gateway_requests_total{kind="stream",reason="",status="200"} 1.0',
            'openresponses_gateway_requests_total{kind="stream",reason="STREAM_NOT_FOUND",status="404"} 1.0',
        ):
            assert text in counted
        process.terminate()
        _, stderr = await process.communicate()
    first, second = (json.loads(text) for text in stderr.splitlines())
    assert first.items() >= {"kind": "stream", "stream_id": "s", "status": 200, "reason": "", "events": 1}.items()
    assert second.items() >= {"stream_id": "none", "status": 404, "reason": "STREAM_NOT_FOUND"}.items()
    assert first.keys() >= {"timestamp", "level", "message", "peer", "seconds", "bytes"}


async def test_gateway_options_have_their_own_environment_variables(server: str) -> None:
    environment = {
        "OPENRESPONSES_SERVER": server,
        "OPENRESPONSES_LISTEN": "nonsense",
        "OPENRESPONSES_GATEWAY_LISTEN": "127.0.0.1:0",
        "OPENRESPONSES_CORS_ORIGIN": "https://a.example https://b.example:8443",
    }
    async with started("gateway", environment=environment) as process, httpx.AsyncClient() as http:
        url = (await line(process)).decode().removeprefix("listening on ").strip()
        for origin in ("https://a.example", "https://b.example:8443"):
            response = await http.get(f"{url}{path('s')}", headers={"origin": origin})
            assert response.headers["access-control-allow-origin"] == origin


def test_without_its_extra_the_error_names_the_package_to_install() -> None:
    code = (
        "import sys\nsys.modules['starlette'] = None\nsys.modules['uvicorn'] = None\n"
        "from openresponses_grpc.cli import main\nmain(['gateway'])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.endswith(" is not installed: install openresponses-grpc with its http extra\n")


@pytest.mark.parametrize("origin", ["*", "app.example", "https://app.example/", "https://app.example/a", "null"])
def test_an_invalid_origin_is_a_usage_error(origin: str) -> None:
    status, _, stderr = invoke("gateway", "--cors-origin", origin)
    assert status == 2
    assert b"is not an origin" in stderr


@pytest.mark.parametrize(
    "arguments, problem",
    [
        ([], b"use --listen-tls-cert and --listen-tls-key, or --insecure"),
        (["TLS"], b"requires no token: start it with --tokens"),
        (["TLS", "TOKEN"], b"the gateway would use its own token for anyone"),
        (["TOKENS"], b"use --listen-tls-cert and --listen-tls-key, or --insecure"),
        (["TOKENS", "TLS", "TOKEN"], b"the gateway would use its own token for anyone"),
    ],
)
async def test_a_public_address_requires_tls_and_authentication(
    arguments: list[str], problem: bytes, certificates: Certificates, tmp_path: Path
) -> None:
    tls, token, tokens = options(arguments, certificates, tmp_path)
    async with running_server(StreamService(MemoryStore(), tokens=tokens), "127.0.0.1:0") as address:
        status, stdout, stderr = await run_process(
            "gateway", "--server", address, "--listen", "0.0.0.0:0", *tls, *token
        )
        assert (status, stdout, stderr.count(b"\n")) == (1, b"", 1)
        assert b"0.0.0.0:0 is reachable from other machines" in stderr
        assert problem in stderr


@pytest.mark.parametrize(
    "arguments", [["TOKENS", "TLS"], ["TLS", "CLIENT_CA"], ["TLS", "TOKEN", "CLIENT_CA"], ["INSECURE"]]
)
async def test_a_public_address_with_tls_and_authentication_or_insecure(
    arguments: list[str], certificates: Certificates, tmp_path: Path
) -> None:
    tls, token, tokens = options(arguments, certificates, tmp_path)
    async with (
        running_server(StreamService(MemoryStore(), tokens=tokens), "127.0.0.1:0") as address,
        started("gateway", "--server", address, "--listen", "0.0.0.0:0", *tls, *token) as process,
    ):
        assert (await line(process)).startswith(b"listening on ")


def options(
    arguments: list[str], certificates: Certificates, folder: Path
) -> tuple[list[str | Path], list[str | Path], Tokens | None]:
    """Returns the TLS options and the token options of a gateway, and the tokens of its server."""
    tls: list[str | Path] = []
    if "TLS" in arguments:
        tls += ["--listen-tls-cert", certificates.cert, "--listen-tls-key", certificates.key]
    if "CLIENT_CA" in arguments:
        tls += ["--listen-tls-client-ca", certificates.ca]
    if "INSECURE" in arguments:
        tls += ["--insecure"]
    token = folder / "token"
    token.write_text("viewer\n")
    return (
        tls,
        ["--token-file", token] if "TOKEN" in arguments else [],
        parse_tokens(entry("viewer", "viewer")) if "TOKENS" in arguments else None,
    )


@pytest.mark.parametrize(
    "runner, arguments, status",
    [
        (run_process, ["--listen", "nonsense"], 1),
        (run_process, ["--listen", "127.0.0.1:99999"], 1),
        (run, ["--listen-tls-cert", "CERT"], 2),
        (run, ["--tls-cert", "CERT"], 2),
        (run_process, ["--metrics", "nonsense"], 2),
    ],
)
async def test_invalid_options_print_no_traceback(
    runner: Callable[..., Any], arguments: list[str], status: int, certificates: Certificates
) -> None:
    words = [str(certificates.cert) if word == "CERT" else word for word in arguments]
    code, stdout, stderr = await runner("gateway", *words)
    assert (code, stdout) == (status, b"")
    assert b"Traceback" not in stderr
