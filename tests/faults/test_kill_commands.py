"""`kill -9` of the publish and subscribe commands, and their restart."""

from collections.abc import Callable
from pathlib import Path

import pytest

from ..cli.kills import kill_publishers, kill_subscribers
from ..cli.processes import run_process
from .processes import server
from .stores import KINDS, store_url

pytestmark = pytest.mark.faults


@pytest.mark.parametrize("kind", KINDS)
async def test_kill_9_of_a_subscriber_with_a_position_file(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    kills = 30 * factor
    async with store_url(kind, tmp_path) as url, server(url) as process:
        output = (await kill_subscribers(process.address, tmp_path, kills)).read_bytes().splitlines()
        _, stream, _ = await run_process("subscribe", "--server", process.address, "s")
    lost, twice = len({*stream.splitlines()} - {*output}), len(output) - len({*output})
    report(f"kills {kills}, events {len(output)}, lost {lost}, twice {twice}")
    assert output == stream.splitlines()


@pytest.mark.parametrize("kind", KINDS)
async def test_kill_9_of_a_publisher_that_resumes(
    kind: str, tmp_path: Path, factor: int, report: Callable[[str], None]
) -> None:
    kills = 30 * factor
    async with store_url(kind, tmp_path) as url, server(url) as process:
        published = (await kill_publishers(process.address, kills)).splitlines()
        _, stdout, _ = await run_process("subscribe", "--server", process.address, "s")
    stream = stdout.splitlines()
    lost, twice = len({*published} - {*stream}), len(stream) - len({*stream})
    report(f"kills {kills}, events {len(stream)}, lost {lost}, twice {twice}")
    assert stream == published
