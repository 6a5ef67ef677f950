"""TLS between real servers and clients: accepted clients, and errors for unusable files."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import grpc
import pytest

from openresponses_grpc import AsyncEventStreamClient, EventStreamClient, StreamError
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.server._tls import CredentialsError, ServerTLS, channel_credentials, read_server_files
from openresponses_grpc.store import MemoryStore

from ..support.certificates import Certificates
from ..support.events import event, number


async def publish_and_subscribe(address: str, credentials: grpc.ChannelCredentials | None) -> None:
    async with AsyncEventStreamClient(address, credentials=credentials) as client:
        async with client.publish("s") as publisher:
            await publisher.send(event(7))
        assert [number(made) async for made in client.subscribe("s")] == [7]


async def test_both_clients_work_over_tls(certificates: Certificates) -> None:
    credentials = ServerTLS(read_server_files(certificates.cert, certificates.key, None)).credentials
    trusting = channel_credentials(certificates.ca)
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        await publish_and_subscribe(address, trusting)

        def use_sync_client() -> None:
            with EventStreamClient(address, credentials=trusting) as client:
                assert [number(made) for made in client.subscribe("s")] == [7]

        await asyncio.to_thread(use_sync_client)


@pytest.mark.parametrize(
    "make_credentials",
    [
        lambda certificates: channel_credentials(),
        lambda certificates: channel_credentials(certificates.other_ca),
        lambda certificates: None,
    ],
    ids=["system roots", "other roots", "plaintext"],
)
async def test_a_client_that_does_not_trust_the_server_cannot_connect(
    certificates: Certificates, make_credentials: Callable[[Certificates], grpc.ChannelCredentials | None]
) -> None:
    credentials = ServerTLS(read_server_files(certificates.cert, certificates.key, None)).credentials
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        with pytest.raises(StreamError) as caught:
            await publish_and_subscribe(address, make_credentials(certificates))
        assert caught.value.code == grpc.StatusCode.UNAVAILABLE


async def test_with_a_client_ca_only_clients_with_its_certificates_are_served(certificates: Certificates) -> None:
    files = certificates
    credentials = ServerTLS(read_server_files(files.cert, files.key, files.ca)).credentials
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        await publish_and_subscribe(address, channel_credentials(files.ca, files.client_cert, files.client_key))
        with pytest.raises(StreamError) as caught:
            await publish_and_subscribe(address, channel_credentials(files.ca))
        assert caught.value.code == grpc.StatusCode.UNAVAILABLE
    credentials = ServerTLS(read_server_files(files.cert, files.key, files.other_ca)).credentials
    async with running_server(StreamService(MemoryStore()), "127.0.0.1:0", credentials=credentials) as address:
        with pytest.raises(StreamError) as caught:
            await publish_and_subscribe(address, channel_credentials(files.ca, files.client_cert, files.client_key))
        assert caught.value.code == grpc.StatusCode.UNAVAILABLE


@pytest.mark.parametrize(
    "cert, key, client_ca, problem",
    [
        ("key", "key", None, "key.pem contains no PEM certificate"),
        ("cert", "cert", None, "cert.pem contains no unencrypted PEM private key"),
        ("cert", "encrypted_key", None, "encrypted-key.pem contains no unencrypted PEM private key"),
        ("cert", "client_key", None, "the key in .*client-key.pem does not match the certificate in .*cert.pem"),
        ("cert", "key", "key", "key.pem contains no PEM certificate"),
    ],
)
def test_unusable_tls_files_are_named_in_the_error(
    certificates: Certificates, cert: str, key: str, client_ca: str | None, problem: str
) -> None:
    def file(name: str) -> Path:
        path: Path = getattr(certificates, name)
        return path

    with pytest.raises(CredentialsError, match=problem):
        read_server_files(file(cert), file(key), file(client_ca) if client_ca else None)
    with pytest.raises(CredentialsError, match=problem):
        channel_credentials(file(client_ca) if client_ca else None, file(cert), file(key))
