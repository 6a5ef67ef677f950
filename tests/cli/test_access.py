"""Access to `openresponses serve`: TLS, tokens, and listening addresses."""

import hashlib
from pathlib import Path

import pytest

from openresponses_grpc.server._server import is_local

from ..support.certificates import Certificates
from ..support.events import GENERATING_JSON
from .in_process import invoke, run
from .processes import line, run_process, serving, started

LINE = GENERATING_JSON + b"\n"
TOKENS = "".join(
    f"""
[[token]]
name = "{name}"
sha256 = "{hashlib.sha256(name.encode()).hexdigest()}"
may = ["{may}"]
streams = "s"
"""
    for name, may in (("publisher", "publish"), ("subscriber", "subscribe"))
)


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    """A file that allows the token `publisher` to publish the stream `s`, and `subscriber` to subscribe to it."""
    file = tmp_path / "tokens.toml"
    file.write_text(TOKENS)
    return file


async def test_clients_with_certificates_and_tokens_are_admitted(
    certificates: Certificates, tokens: Path, tmp_path: Path
) -> None:
    secure = ("--tls-cert", certificates.cert, "--tls-key", certificates.key, "--tls-client-ca", certificates.ca)
    token = tmp_path / "token"
    token.write_text("publisher\n")
    async with serving(*secure, "--tokens", tokens) as (_, address):
        there = ("--server", address, "--tls-ca", certificates.ca)
        known = (*there, "--tls-cert", certificates.client_cert, "--tls-key", certificates.client_key)
        assert await run("publish", *known, "--token-file", token, "--end", "s", stdin=LINE) == (0, b"", b"")
        subscriber = {"OPENRESPONSES_TOKEN": "subscriber"}
        assert await run("subscribe", *known, "s", environment=subscriber) == (0, LINE, b"")

        code, _, stderr = await run("subscribe", *known, "s")
        assert (code, stderr.count(b"\n")) == (1, 1)
        assert b": a bearer token is required: authorization: Bearer TOKEN" in stderr
        code, _, stderr = await run("subscribe", *known, "--token-file", token, "s", environment=subscriber)
        assert (code, stderr.count(b"\n")) == (1, 1)
        assert b": token 'publisher' lacks the permission 'subscribe' for stream 's'" in stderr
        status, _, stderr = await run_process("subscribe", *there, "s", environment=subscriber)
        assert (status, stderr.count(b"\n"), f"stream 's' at {address}".encode() in stderr) == (4, 1, True)


@pytest.mark.parametrize(
    "listen, local",
    [
        ("127.0.0.1:50051", True),
        ("127.8.8.8:0", True),
        ("localhost:50051", True),
        ("[::1]:50051", True),
        ("unix:/run/openresponses.sock", True),
        ("unix-abstract:openresponses", True),
        ("0.0.0.0:50051", False),
        ("[::]:50051", False),
        ("192.168.1.7:50051", False),
        ("[fe80::1]:50051", False),
        ("[::ffff:192.168.1.7]:50051", False),
        ("example.org:50051", False),
        ("localhost.example.org:50051", False),
        (":50051", False),
        ("50051", False),
        ("localhost", False),
        ("::1:50051", False),
        ("127.1:50051", False),
        ("LOCALHOST:50051", False),
        ("dns:///localhost:50051", False),
        ("127.0.0.1:1,0.0.0.0:50051", False),
    ],
)
def test_only_sockets_and_loopback_addresses_are_local(listen: str, local: bool) -> None:
    assert is_local(listen) is local


async def test_a_public_address_requires_tls_and_authentication(certificates: Certificates, tokens: Path) -> None:
    tls = ("--tls-cert", certificates.cert, "--tls-key", certificates.key)
    asked: tuple[str | Path, ...]
    for asked in ((), ("--tokens", tokens), tls):
        code, stdout, stderr = invoke("serve", "--listen", "0.0.0.0:0", *asked)
        assert (code, stdout, stderr.count(b"\n")) == (1, b"", 1)
        assert stderr.startswith(b"0.0.0.0:0 is reachable from other machines: ")
    # Any name but `localhost` counts as reachable, even one that resolves to the loopback, as this one does.
    for asked in (("--insecure",), (*tls, "--tokens", tokens), (*tls, "--tls-client-ca", certificates.ca)):
        async with serving("--listen", "LOCALHOST:0", *asked) as (_, address):
            assert address.startswith("LOCALHOST:")


@pytest.mark.parametrize("metrics", ["0.0.0.0:0", ":9464", "9464", "[::]:0", "example.org:9464"])
def test_public_metrics_require_insecure(metrics: str) -> None:
    code, stdout, stderr = invoke("serve", "--listen", "127.0.0.1:0", "--metrics", metrics)
    assert (code, stdout, stderr.count(b"\n")) == (1, b"", 1)
    assert stderr.startswith(f"{metrics} is reachable from other machines, and metrics require no token: ".encode())


async def test_insecure_allows_public_metrics() -> None:
    async with started("serve", "--listen", "127.0.0.1:0", "--metrics", "0.0.0.0:0", "--insecure") as process:
        assert (await line(process)).startswith(b"metrics at http://0.0.0.0:")


async def test_serve_listens_on_a_unix_socket(tmp_path: Path) -> None:
    address = f"unix:{tmp_path}/socket"
    async with serving("--listen", address) as (_, listening):
        assert listening == address
        assert await run("publish", "--server", address, "--end", "s", stdin=LINE) == (0, b"", b"")
        assert await run("subscribe", "--server", address, "s") == (0, LINE, b"")


def test_unusable_files_are_one_line_errors(certificates: Certificates) -> None:
    code, _, stderr = invoke("serve", "--tls-cert", certificates.cert, "--tls-key", certificates.client_key)
    assert (code, b"client-key.pem does not match the certificate in" in stderr, stderr.count(b"\n")) == (1, True, 1)
    code, _, stderr = invoke("subscribe", "--tls-ca", certificates.key, "s")
    assert (code, b"key.pem contains no PEM certificate" in stderr, stderr.count(b"\n")) == (1, True, 1)
    code, _, stderr = invoke("serve", "--tokens", certificates.key)
    assert (code, b"key.pem: not TOML: " in stderr, stderr.count(b"\n")) == (1, True, 1)
    code, _, stderr = invoke("subscribe", "--token-file", certificates.key, "s")
    assert (code, stderr) == (1, b"invalid bearer token: use printable ASCII characters without spaces\n")


@pytest.fixture
def shares(tokens: Path) -> Path:
    """The same file with a share of the bytes."""
    tokens.write_text(TOKENS + 'share = { bytes = "1GiB", calls = 5 }\n')
    return tokens


async def test_token_shares_above_the_limit_are_rejected(shares: Path) -> None:
    code, _, stderr = await run_process("serve", "--tokens", shares)
    assert code == 2
    assert b"the shares of bytes add up to 1073741824, more than the limit of 268435456: lower the shares" in stderr
    async with serving("--tokens", shares, "--max-bytes", "2GiB"):
        pass


@pytest.mark.parametrize("command", [("serve",), ("subscribe", "s")])
def test_a_key_requires_a_certificate(command: tuple[str, ...], certificates: Certificates) -> None:
    code, _, stderr = invoke(*command, "--tls-key", certificates.key)
    assert (code, b"--tls-cert and --tls-key must be used together" in stderr) == (2, True)
