"""A few kills of each kind; tests/faults has more of them."""

from pathlib import Path

import pytest

from .kills import kill_publishers, kill_subscribers
from .processes import run


@pytest.mark.parametrize("options", [[], ["--to", "sse"], ["--text"], ["--print-offsets"]], ids="-".join)
async def test_an_output_with_a_position_file_has_each_event_once(
    server: str, tmp_path: Path, options: list[str]
) -> None:
    output = await kill_subscribers(server, tmp_path, 3, *options)
    assert await run("subscribe", "--server", server, *options, "s") == (0, output.read_bytes(), b"")


async def test_a_stream_with_killed_publishers_is_the_input(server: str) -> None:
    published = await kill_publishers(server, 3)
    assert await run("subscribe", "--server", server, "s") == (0, published, b"")
