"""Fixtures for all tests. Servers are real: they listen on a free loopback port, in the event loop of the test."""

from collections.abc import AsyncIterator

import grpc
import pytest
from hypothesis import settings

from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.server._server import running_server
from openresponses_grpc.server._service import StreamService
from openresponses_grpc.store import MemoryStore, StoreLimits

from .support import certificates as test_certificates

# Tests do not assert durations: a slow machine must not fail them.
settings.register_profile("untimed", deadline=None)
settings.register_profile("few", settings.get_profile("untimed"), max_examples=20)  # make unit
settings.load_profile("untimed")


@pytest.fixture
async def server() -> AsyncIterator[str]:
    """The address of a running server."""
    service = StreamService(
        MemoryStore(StoreLimits(max_bytes=64 << 20, max_stream_bytes=1 << 30, abandon_after=0.2)), idle_interval=0.1
    )
    async with running_server(service, "127.0.0.1:0") as address:
        yield address


@pytest.fixture
async def channel(server: str) -> AsyncIterator[grpc.aio.Channel]:
    """A channel to the server, for tests without the client library."""
    async with grpc.aio.insecure_channel(server, options=OPTIONS) as channel:
        yield channel


@pytest.fixture(scope="session")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> test_certificates.Certificates:
    """TLS certificates and keys, created once per session."""
    return test_certificates.make(tmp_path_factory.mktemp("tls"))
