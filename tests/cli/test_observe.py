"""The metrics and logs of `openresponses serve`."""

import asyncio
import json
import urllib.request

import pytest

from ..support.events import GENERATING_JSON
from .in_process import run
from .processes import line, run_process, started


def fetch(url: str) -> str:
    with urllib.request.urlopen(url) as response:
        return str(response.read().decode())


async def test_metrics_over_http_and_logs_as_json() -> None:
    async with started(
        "serve", "--listen", "127.0.0.1:0", "--metrics", "127.0.0.1:0", "--log-format", "json"
    ) as process:
        url = (await line(process)).decode().removeprefix("metrics at ").strip()
        address = (await line(process)).decode().removeprefix("listening on ").strip()
        assert await run("publish", "--server", address, "--end", "s", stdin=GENERATING_JSON) == (0, b"", b"")
        metrics = await asyncio.to_thread(fetch, url)
        assert "openresponses_events_received_total 1.0" in metrics
        process.terminate()
        stdout, stderr = await process.communicate()
    assert (process.returncode, stdout) == (0, b"stopping\n")
    (record,) = (json.loads(text) for text in stderr.splitlines())
    assert record.items() >= {"level": "INFO", "method": "Publish", "stream_id": "s", "code": "OK", "events": 1}.items()
    assert record.keys() >= {"timestamp", "message", "peer", "token", "seconds", "bytes"}


async def test_calls_are_logged_at_level_info() -> None:
    for level, lines in (("info", 1), ("warning", 0)):
        async with started("serve", "--listen", "127.0.0.1:0", "--log-level", level) as process:
            address = (await line(process)).decode().removeprefix("listening on ").strip()
            await run("publish", "--server", address, "--end", "s", stdin=GENERATING_JSON)
            process.terminate()
            _, stderr = await process.communicate()
        assert (
            stderr.count(b"call ended: method 'Publish', stream_id 's', code 'OK'") == len(stderr.splitlines()) == lines
        )


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1:x", "127.0.0.1:99999"])
async def test_an_invalid_metrics_address_is_a_usage_error(address: str) -> None:
    status, _, stderr = await run_process("serve", "--listen", "127.0.0.1:0", "--metrics", address)
    assert status == 2
    assert f"Invalid value for --metrics: cannot listen on {address}".encode() in stderr
