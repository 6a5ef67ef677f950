"""Attacks on a server. Each runs in its own process, so that it does not slow down the test.

`python -m tests.faults.attacks NAME PORT FACTOR` attacks until SIGTERM. It prints `enough` once it has attacked often
enough, and its counts at the end.
"""

from __future__ import annotations

import asyncio
import os
import ssl
import sys
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack, aclosing, suppress
from itertools import cycle
from typing import Any, Final, NamedTuple

import grpc
from h2.exceptions import ProtocolError

from openresponses_grpc import AsyncEventStreamClient
from openresponses_grpc.client._channel import OPTIONS
from openresponses_grpc.codec._raw_messages import MAX_REQUEST_BYTES
from openresponses_grpc.server._server import stop_signal
from openresponses_grpc.v1.stream_service_pb2 import PublishRequest, SubscribeRequest
from openresponses_grpc.v1.stream_service_pb2_grpc import OpenResponsesStreamServiceStub

from . import memory_attacks
from .greedy import churn_the_store, fill_the_store, open_empty_streams, open_silent_calls
from .peers import connected
from .traffic import Stream, bursts, event, together, wait_until

Tally = Counter[str]


async def open_many_calls(port: int, tally: Tally) -> None:
    """Runs 2,000 concurrent subscribers at a time; each receives a whole stream."""
    address = f"127.0.0.1:{port}"
    async with AsyncExitStack() as stack:
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(address, options=OPTIONS))
        clients = [await stack.enter_async_context(AsyncEventStreamClient(address)) for _ in range(20)]
        while True:
            stream = Stream(f"s{tally['calls']}")
            subscribers = [stream.subscribe(client) for client in clients for _ in range(100)]
            await together(stream.publish(clients[0], bursts(1)), *subscribers)
            await stream.learn_epoch(channel)
            verdict = stream.verdict()
            assert verdict.subscribers == 2000
            assert not verdict.faults, verdict
            tally["calls"] += verdict.subscribers


async def reset_rapidly(port: int, tally: Tally) -> None:
    """Makes calls and resets them at once, on a new connection whenever the server closes the last one."""
    while True:
        async with connected(port) as peer:
            reading = asyncio.create_task(peer.read())
            with suppress(ProtocolError, OSError):
                while not reading.done():
                    for _ in range(50):
                        peer.reset(peer.subscribe("s"))
                    await peer.send()
                    tally["resets"] += 50
                    await asyncio.sleep(0)
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)


async def send_garbage(port: int, tally: Tally) -> None:
    """Opens connections that do not speak gRPC, with the kinds of data that a public port receives."""
    hello = ssl.MemoryBIO()
    with suppress(ssl.SSLWantReadError):
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).wrap_bio(ssl.MemoryBIO(), hello, server_hostname="a").do_handshake()
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
    http = b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n"
    random = os.urandom(1 << 10)
    for data in cycle((random, bytes(100), http, hello.read(), preface, preface + random, b"")):
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            try:
                writer.write(data)
                writer.write_eof()
                tally["connections"] += 1
                await reader.read(1 << 16)
            finally:
                writer.transport.abort()


async def send_oversized_messages(port: int, tally: Tally) -> None:
    """Sends messages above the size limit of the server."""
    request = PublishRequest(stream_id="s", events=[event("s", 0, padding=MAX_REQUEST_BYTES)])
    async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
        while True:
            call = OpenResponsesStreamServiceStub(channel).Publish(iter([request]))
            assert await call.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
            tally["messages"] += 1


async def stop_reading(port: int, tally: Tally) -> None:
    """Subscribes to the stream `long`: one client stops reading, and 50 peers never read, over gRPC and raw HTTP/2."""
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(AsyncEventStreamClient(f"127.0.0.1:{port}"))
        subscription = await stack.enter_async_context(aclosing(client.subscribe("long")))
        await anext(subscription)
        tally["peers"] += 1
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        for _ in range(25):
            call = OpenResponsesStreamServiceStub(channel).Subscribe(SubscribeRequest(stream_id="long"))
            await call.initial_metadata()
            stack.callback(call.cancel)
            peer = await stack.enter_async_context(connected(port))
            peer.subscribe("long")
            await peer.wait_for_reply()
            tally["peers"] += 2
        await asyncio.get_running_loop().create_future()


class Attack(NamedTuple):
    """An attack: its function, the number of concurrent peers, and the count from which it is effective."""

    run: Callable[[int, Tally], Coroutine[Any, Any, None]]
    peers: int
    enough: int


ATTACKS: Final[dict[str, Attack]] = {
    "2000-calls-at-once": Attack(open_many_calls, 1, 4_000),
    "rapid-reset": Attack(reset_rapidly, 4, 20_000),
    "garbage": Attack(send_garbage, 20, 2_000),
    "oversized-messages": Attack(send_oversized_messages, 2, 10),
    "slow-readers": Attack(stop_reading, 1, 51),
    "long-names": Attack(memory_attacks.watch_long_names, 20, 60),
    "unfinished-messages": Attack(memory_attacks.leave_messages_unfinished, 20, 60),
    "gzip-bombs": Attack(memory_attacks.send_gzip_bombs, 20, 500),
    "idle-connections": Attack(memory_attacks.hold_idle_connections, 1_050, 5_000),
    "tiny-events": Attack(memory_attacks.send_tiny_events, 1, 10),
    "tiny-messages": Attack(memory_attacks.send_tiny_messages, 1, 5),
    "large-requests": Attack(memory_attacks.send_large_requests, 1, 10),
    "full-store": Attack(fill_the_store, 4, 1_000),
    "churned-store": Attack(churn_the_store, 4, 1_000),
    "2000-empty-streams": Attack(open_empty_streams, 16, 3_000),
    "10000-silent-calls": Attack(open_silent_calls, 1, 10_000),
}


async def main(name: str, port: int, factor: int) -> None:
    attack = ATTACKS[name]
    tally = Tally()
    stopped = stop_signal()
    print("attacking", flush=True)
    async with asyncio.TaskGroup() as group:
        attackers = [group.create_task(attack.run(port, tally)) for _ in range(attack.peers)]
        await wait_until(lambda: tally.total() >= factor * attack.enough)
        print("enough", flush=True)
        await stopped
        for attacker in attackers:
            attacker.cancel()
    print(", ".join(f"{what} {often:,}" for what, often in tally.items()), flush=True)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
