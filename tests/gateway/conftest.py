"""A gateway in front of the `server` fixture, on a free loopback port, in the event loop of the test."""

from collections.abc import AsyncIterator

import httpx
import pytest

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.gateway import Gateway, running_gateway

from .streams import KEEP_ALIVE_SECONDS


@pytest.fixture
async def client(server: str) -> AsyncIterator[AsyncEventStreamClient]:
    """A client of the server."""
    async with AsyncEventStreamClient(server) as client:
        yield client


@pytest.fixture
async def gateway(client: AsyncEventStreamClient) -> AsyncIterator[str]:
    """The URL of a gateway."""
    async with running_gateway(Gateway(client, keep_alive=KEEP_ALIVE_SECONDS), "127.0.0.1:0") as url:
        yield url


@pytest.fixture
async def http(gateway: str) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the gateway."""
    async with httpx.AsyncClient(base_url=gateway, timeout=30) as http:
        yield http
