"""`openresponses streams`."""

import hashlib
import json
from pathlib import Path

from openresponses_grpc import AsyncEventStreamClient, json_to_protobuf

from ..support.events import GENERATING_JSON
from .in_process import run
from .processes import serving

EVENT = json_to_protobuf(GENERATING_JSON)


async def fill(server: str) -> None:
    async with AsyncEventStreamClient(server) as client:
        async with client.publish("complete") as publisher:
            await publisher.send(EVENT)
        async with client.publish("failed\x1b[2J") as publisher:
            await publisher.fail("BROKEN", "two\nlines")


async def test_list_shows_the_streams_in_a_table(server: str) -> None:
    assert await run("streams", "list", "--server", server) == (0, b"STATE         EVENTS     BYTES   AGE  ID\n", b"")
    await fill(server)
    code, stdout, _ = await run("streams", "list", "--server", server)
    heading, *rows = [line.split() for line in stdout.decode().splitlines()]
    assert (code, heading) == (0, ["STATE", "EVENTS", "BYTES", "AGE", "ID"])
    # Characters that would move the terminal's cursor are escaped.
    assert sorted([*row[:4], *row[5:]] for row in rows) == [
        ["complete", "1", str(len(EVENT)), "B", "complete"],
        ["failed", "0", "0", "B", '"failed\\u001b[2J"'],
    ]


async def test_list_prints_every_page_as_json_lines(server: str) -> None:
    ids = {f"s{number}" for number in range(250)}
    async with AsyncEventStreamClient(server) as client:
        for stream in ids:
            async with client.publish(stream):
                pass
    code, stdout, _ = await run("streams", "list", "--json", "--server", server)
    infos = [json.loads(line) for line in stdout.splitlines()]
    assert (code, len(infos), {info["streamId"] for info in infos}) == (0, 250, ids)
    assert {info["state"] for info in infos} == {"STREAM_STATE_COMPLETE"}


async def test_show_describes_a_stream(server: str) -> None:
    await fill(server)
    code, stdout, _ = await run("streams", "show", "--server", server, "failed\x1b[2J")
    shown = dict(line.split(": ", 1) for line in stdout.decode().splitlines())
    assert code == 0
    assert {name: value.strip() for name, value in shown.items()}.items() >= {
        "id": '"failed\\u001b[2J"',
        "state": "failed",
        "reason": "BROKEN",
        "message": '"two\\nlines"',
        "next offset": "0",
    }.items()
    assert shown.keys() >= {"epoch", "created", "updated", "expires"}
    _, stdout, _ = await run("streams", "show", "--json", "--server", server, "complete")
    assert json.loads(stdout).items() >= {"streamId": "complete", "nextOffset": "1"}.items()


async def test_delete_checks_the_epoch(server: str) -> None:
    await fill(server)
    _, stdout, _ = await run("streams", "show", "--json", "--server", server, "complete")
    epoch = json.loads(stdout)["epoch"]
    delete = ("streams", "delete", "--server", server, "complete")
    assert (await run(*delete, "--epoch", str(int(epoch) ^ 1)))[0] == 3
    assert await run(*delete, "--epoch", epoch) == (0, b"", b"")
    assert (await run(*delete))[0] == 3
    assert await run(*delete, "--missing-ok") == (0, b"", b"")
    _, stdout, _ = await run("streams", "list", "--server", server)
    assert b"complete" not in stdout


async def test_tokens_control_inspect_and_delete(tmp_path: Path) -> None:
    tokens = tmp_path / "tokens.toml"
    tokens.write_text(
        "".join(
            f'[[token]]\nname = "{name}"\nsha256 = "{hashlib.sha256(name.encode()).hexdigest()}"\n'
            f'may = ["{name}"]\nstreams = "mine*"\n'
            for name in ("publish", "inspect", "delete")
        )
    )
    async with serving("--tokens", tokens) as (_, address):

        async def as_(token: str, *arguments: str) -> tuple[int | None, bytes]:
            environment = {"OPENRESPONSES_TOKEN": token, "OPENRESPONSES_SERVER": address}
            return (await run(*arguments, environment=environment))[:2]

        assert (await as_("publish", "publish", "--end", "mine 1"))[0] == 0
        assert (await as_("publish", "streams", "list"))[0] == 1
        assert b"mine 1" in (await as_("inspect", "streams", "list"))[1]
        assert (await as_("inspect", "streams", "show", "other"))[0] == 1
        assert (await as_("inspect", "streams", "delete", "mine 1"))[0] == 1
        assert (await as_("delete", "streams", "delete", "mine 1"))[0] == 0
        assert b"mine 1" not in (await as_("inspect", "streams", "list"))[1]
