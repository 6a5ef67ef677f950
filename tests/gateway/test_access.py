"""Access: tokens, CORS, TLS, Unix sockets and host headers."""

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.gateway import Gateway, running_gateway
from openresponses_grpc.gateway._server import ServerFiles
from openresponses_grpc.server._auth import parse_tokens
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore

from ..support.certificates import Certificates
from ..support.tokens import entry
from .streams import data, deltas, error_of, lifecycle, path, publish

FILE = (
    entry("relay", "relay", may='["publish"]')
    + entry("viewer", "viewer", may='["subscribe"]', streams="resp_*")
    + entry("all", "all", may='["subscribe", "inspect"]')
)
LOG = [lifecycle("created"), *deltas(2)]


@asynccontextmanager
async def guarded(token: str | None = None) -> AsyncIterator[httpx.AsyncClient]:
    """Yields a client of a gateway in front of a server that requires tokens."""
    service = StreamService(MemoryStore(), tokens=parse_tokens(FILE))
    async with (
        running_server(service, "127.0.0.1:0") as address,
        AsyncEventStreamClient(address, token="relay") as relay,
        AsyncEventStreamClient(address, token=token) as client,
        running_gateway(Gateway(client, token=token), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        for stream_id in ("resp_1", "other"):
            await publish(relay, stream_id, LOG)
        yield http


CALLERS: dict[str, tuple[str | None, str, tuple[int, str] | None]] = {
    "permitted token": ("Bearer viewer", "resp_1", None),
    "lower-case scheme": ("bearer viewer", "resp_1", None),
    "no token": (None, "resp_1", (401, "TOKEN_MISSING")),
    "another scheme": ("Basic dmlld2VyOg==", "resp_1", (401, "TOKEN_MISSING")),
    "empty token": ("Bearer", "resp_1", (401, "TOKEN_MISSING")),
    "unknown token": ("Bearer nobody", "resp_1", (401, "TOKEN_UNKNOWN")),
    "token with a space": ("Bearer viewer viewer", "resp_1", (401, "TOKEN_UNKNOWN")),
    "token for other streams": ("Bearer viewer", "other", (403, "NOT_PERMITTED")),
    "publisher token": ("Bearer relay", "resp_1", (403, "NOT_PERMITTED")),
}


@pytest.mark.parametrize("authorization, stream_id, refusal", CALLERS.values(), ids=CALLERS)
async def test_the_token_of_a_request_is_checked_by_the_server(
    authorization: str | None, stream_id: str, refusal: tuple[int, str] | None
) -> None:
    async with guarded() as http:
        http.headers.update({"authorization": authorization} if authorization else {})
        if refusal is None:
            assert await data(http, stream_id) == [*LOG, "[DONE]"]
            assert (await http.get(f"/v1/responses/{stream_id}")).json() == LOG[0]["response"]
            return
        for request in (path(stream_id), f"/v1/responses/{stream_id}"):
            response = await http.get(request)
            assert error_of(response)[:2] == refusal
            assert ("www-authenticate" in response.headers) == (response.status_code == 401)


async def test_requests_without_a_token_use_the_token_of_the_gateway() -> None:
    async with guarded("viewer") as http:
        assert await data(http, "resp_1") == [*LOG, "[DONE]"]
        http.headers["authorization"] = "Bearer nobody"
        assert error_of(await http.get(path("resp_1")))[:2] == (401, "TOKEN_UNKNOWN")


async def test_subscribers_with_different_tokens_share_a_connection_to_the_server(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level("INFO")
    async with guarded() as http:
        for token in ("viewer", "nobody", "all") * 3:
            response = await http.get(path("resp_1"), headers={"authorization": f"Bearer {token}"})
            assert (response.status_code == 200) == (token != "nobody")
    peers = [vars(record)["peer"] for record in caplog.records if vars(record).get("method") == "Subscribe"]
    assert (len(peers), len(set(peers))) == (9, 1)


ORIGIN = {"origin": "https://app.example"}
PREFLIGHT = ORIGIN | {
    "access-control-request-method": "GET",
    "access-control-request-headers": "authorization,last-event-id,x-stainless-lang",
}


@pytest.mark.parametrize(
    "origins, allowed", [((), False), (("https://app.example",), True), (("https://b.example",), False)]
)
async def test_only_configured_origins_get_cors_headers(
    origins: tuple[str, ...], allowed: bool, client: AsyncEventStreamClient
) -> None:
    await publish(client, "s", deltas(1))
    async with (
        running_gateway(Gateway(client, cors_origins=origins), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        for request in (path("s"), path("none"), "/v1/nothing"):
            response = await http.get(request, headers=ORIGIN)
            assert response.headers.get("access-control-allow-origin") == (ORIGIN["origin"] if allowed else None)
        preflight = await http.options(path("s"), headers=PREFLIGHT)
        assert (preflight.status_code == 200) == allowed
        if allowed:
            headers = preflight.headers["access-control-allow-headers"]
            assert all(name in headers for name in PREFLIGHT["access-control-request-headers"].split(","))


async def test_https_with_client_certificates(client: AsyncEventStreamClient, certificates: Certificates) -> None:
    await publish(client, "s", deltas(1))
    files = ServerFiles(certificates.cert, certificates.key, certificates.ca)
    context = ssl.create_default_context(cafile=certificates.ca)
    async with running_gateway(Gateway(client), "127.0.0.1:0", files=files) as url:
        assert url.startswith("https://")
        async with httpx.AsyncClient(base_url=url, verify=context) as http:
            with pytest.raises(httpx.TransportError):
                await http.get(path("s"))
        context.load_cert_chain(certificates.client_cert, certificates.client_key)
        async with httpx.AsyncClient(base_url=url, verify=context) as http:
            assert await data(http, "s") == [*deltas(1), "[DONE]"]


async def test_a_gateway_on_a_unix_socket(client: AsyncEventStreamClient, tmp_path: Path) -> None:
    await publish(client, "s", deltas(1))
    socket = tmp_path / "gateway"
    async with running_gateway(Gateway(client), f"unix:{socket}") as address:
        assert address == f"unix:{socket}"
        transport = httpx.AsyncHTTPTransport(uds=str(socket))
        async with httpx.AsyncClient(base_url="http://gateway", transport=transport) as http:
            assert await data(http, "s") == [*deltas(1), "[DONE]"]
    assert not socket.exists()


@pytest.mark.parametrize(
    "host, accepted",
    [
        *((host, True) for host in ("localhost", "LocalHost:8080", "127.0.0.1", "127.1.2.3:80", "[::1]", "[::1]:8080")),
        *((host, False) for host in ("evil.example", "evil.example:8080", "localhost.evil.example", "10.0.0.1", "")),
        *((host, False) for host in ("127.0.0.1.evil.example", "[::2]:80", "[::1", "unix", "localhost@evil.example")),
    ],
)
async def test_a_local_gateway_rejects_other_host_headers(host: str, accepted: bool, server: str) -> None:
    async with (
        AsyncEventStreamClient(server) as client,
        running_gateway(Gateway(client, local_only=True), "127.0.0.1:0") as url,
        httpx.AsyncClient(base_url=url) as http,
    ):
        await publish(client, "s", LOG)
        for request in (path("s"), "/v1/responses/s"):
            response = await http.get(request, headers={"host": host})
            if accepted:
                assert response.status_code == 200
            else:
                assert error_of(response) == (403, "HOST_NOT_LOCAL", "Host")
                assert "--insecure" in response.json()["error"]["message"]
