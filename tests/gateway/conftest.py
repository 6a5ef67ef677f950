"""A gateway before the server that tests talk to, on a free loopback port, in the test's own event loop."""

from collections.abc import AsyncIterator

import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.gateway import Gateway, running_gateway

from .streams import KEEP_ALIVE_SECONDS


@pytest.fixture
async def client(server: str) -> AsyncIterator[AsyncEventStreamClient]:
    """A client of the server, which publishes."""
    async with AsyncEventStreamClient(server) as client:
        yield client


@pytest.fixture
async def gateway(client: AsyncEventStreamClient) -> AsyncIterator[str]:
    """A gateway's URL."""
    async with running_gateway(Gateway(client, keep_alive=KEEP_ALIVE_SECONDS), "127.0.0.1:0") as url:
        yield url


@pytest.fixture
async def http(gateway: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client of the gateway."""
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as http:
        yield http
