"""Reloads of tokens and certificates under traffic affect only revoked tokens."""

import asyncio
import hashlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import grpc
import pytest
import trustme

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.v1.stream_service_pb2 import SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from .processes import Restartable, server
from .traffic import Stream, wait_until

pytestmark = pytest.mark.faults

SUBSCRIBERS = 20


def tokens(*names: str) -> str:
    return "".join(
        f'[[token]]\nname = "{name}"\nsha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n'
        'may = ["publish", "subscribe", "inspect"]\nstreams = "*"\n'
        for name in names
    )


async def reload(process: Restartable) -> None:
    """Makes a server reload its files; returns when it has reloaded both."""
    reloads = process.output.count("INFO: reloaded")
    os.kill(process.pid, signal.SIGHUP)
    await wait_until(lambda: process.output.count("INFO: reloaded") >= reloads + 2)


async def test_reloads_under_traffic_end_the_calls_of_revoked_tokens_only(
    tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    ca = trustme.CA()
    cert, key, tokens_file = (tmp_path / name for name in ("cert.pem", "key.pem", "tokens.toml"))

    def change(guest: int) -> None:
        made = ca.issue_cert("127.0.0.1")
        cert.write_bytes(made.cert_chain_pems[0].bytes())
        key.write_bytes(made.private_key_pem.bytes())
        tokens_file.write_text(tokens("relay", f"guest-{guest}"))

    change(0)
    stream, rounds, seconds = Stream("s"), 20 * factor, []
    credentials = grpc.ssl_channel_credentials(ca.cert_pem.bytes())
    over = False
    options = ("--tls-cert", str(cert), "--tls-key", str(key), "--tokens", str(tokens_file))
    async with (
        server("memory:", *options) as process,
        AsyncEventStreamClient(process.address, credentials=credentials, token="relay") as client,
        asyncio.TaskGroup() as group,
    ):
        group.create_task(stream.publish(client, lambda: over, pause=0.05))
        for _ in range(SUBSCRIBERS):
            group.create_task(stream.subscribe(client))
        await wait_until(lambda: sum(bool(each.digests) for each in stream.received) == SUBSCRIBERS)
        stream.published.epoch = (await client.get_stream("s")).epoch
        for number in range(rounds):
            async with grpc.aio.secure_channel(process.address, credentials) as channel:
                guest: Any = OpenResponsesStreamServiceStub(channel).Subscribe(
                    SubscribeRequest(stream_id="missing"), metadata=(("authorization", f"Bearer guest-{number}"),)
                )
                await guest.initial_metadata()
                change(number + 1)
                started = time.perf_counter()
                reloading = asyncio.create_task(reload(process))
                assert await guest.code() == grpc.StatusCode.UNAUTHENTICATED
                seconds.append(time.perf_counter() - started)
                await reloading
            await stream.wait_for_progress()
        over = True
    verdict = stream.verdict()
    ended = [line for line in process.output.splitlines() if "call ended" in line]
    report(
        f"reloads {rounds}, of tokens and certificates; a revoked call ended after {max(seconds):.1f} s at most;"
        f" {verdict}"
    )
    assert not verdict.faults
    assert sum("reason 'TOKEN_REVOKED'" in line for line in ended) == rounds
    # No other client had to repeat a call.
    assert sum("token 'relay'" in line and "code 'OK'" in line for line in ended) == SUBSCRIBERS + 2
    assert len(ended) == rounds + SUBSCRIBERS + 2
