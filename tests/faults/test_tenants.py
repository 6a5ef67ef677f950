"""One token uses as much as it can; its neighbour keeps its streams and is served."""

import hashlib
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from openresponses_grpc import AsyncEventStreamClient

from ..support.redis_server import RedisServer, running
from .greedy import TOKEN
from .neighbour import Neighbour
from .processes import attack, free_port, server
from .traffic import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.alone]

TOKENS = "".join(
    f"""
[[token]]
name = "{name}"
sha256 = "{hashlib.sha256(name.encode()).hexdigest()}"
may = ["publish", "subscribe"]
streams = "{name} *"
"""
    for name in (TOKEN, "neighbour")
)

SECONDS = 5.0


def peak_memory(pid: int) -> int:
    """Returns the peak of the resident memory of a process, in bytes."""
    found = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1]) << 10


@pytest.fixture
def tokens(tmp_path: Path) -> Path:
    file = tmp_path / "tokens.toml"
    file.write_text(TOKENS)
    return file


@pytest.fixture
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Yields the URL of a store."""
    match request.param:
        case "memory":
            yield "memory:"
        case "sqlite":
            yield f"sqlite:{tmp_path}/store.db"
        case "redis":
            with running(RedisServer(tmp_path, free_port(), "--maxmemory", "256mb")) as redis:
                yield redis.url


@pytest.mark.parametrize(
    "store, name, limits",
    [
        ("memory", "full-store", ("--max-bytes", "256MiB")),
        ("sqlite", "full-store", ("--max-bytes", "256MiB")),
        ("redis", "full-store", ()),
        ("memory", "churned-store", ("--max-bytes", "256MiB")),
        ("memory", "2000-empty-streams", ("--max-streams", "2000")),
        ("memory", "10000-silent-calls", ("--max-calls", "10000")),
    ],
    indirect=["store"],
)
async def test_a_neighbour_keeps_its_streams_and_is_served(
    store: str, name: str, limits: tuple[str, ...], factor: int, tokens: Path, report: Callable[[str], None]
) -> None:
    finished = [f"neighbour finished {number}" for number in range(20)]
    options = ("--tokens", str(tokens), "--log-level", "warning", *limits)
    async with (
        server(store, *options) as process,
        AsyncEventStreamClient(process.address, token="neighbour") as client,
    ):
        neighbour = Neighbour(client)
        await neighbour.finish(finished)
        async with neighbour.traffic():
            await neighbour.measure(1)
            alone = await neighbour.measure(SECONDS * factor)
            async with attack(name, process, factor) as attacker:
                await wait_until(lambda: attacker.has_printed("enough"))
                beside = await neighbour.measure(SECONDS * factor)
                assert await neighbour.replay(finished) == 100 * len(finished)
        peak = peak_memory(process.pid) >> 20
        report(
            f"{attacker.output.splitlines()[-1]}; the neighbour alone: {alone}, beside: {beside},"
            f" retries {len(neighbour.retries)}, errors 0; the server's peak memory {peak} MiB"
        )
        assert not neighbour.retries
        assert beside.rate >= 0.8 * alone.rate
