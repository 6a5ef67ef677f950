"""The files that `openresponses convert` reads and writes."""

import os
import pty
import stat
import subprocess
from pathlib import Path

import pytest

from openresponses_grpc import json_to_protobuf

from ..support.events import GENERATING_JSON
from ..support.not_streams import NDJSON, SSE
from .in_process import invoke
from .processes import COMMAND, run_process, run_shell

EVENT = json_to_protobuf(GENERATING_JSON)
BINARY = b"%c%b" % (len(EVENT), EVENT)
DONE = b"data: [DONE]\n\n"
OLD = b"old\n"

ENDINGS = [
    ("in.ndjson", NDJSON, "out.binpb", BINARY),
    ("in.jsonl", NDJSON, "out.pb", BINARY),
    ("in.binpb", BINARY, "out.ndjson", NDJSON),
    ("in.bin", BINARY, "out", NDJSON),
    ("in.sse", SSE + DONE, "out.JSONL", NDJSON),
    ("in.sse", SSE + DONE, "out.bin", BINARY),
    ("in.txt", SSE + DONE, "out.txt", BINARY),
    ("in.txt", BINARY, "out.txt", NDJSON),
]


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


@pytest.mark.parametrize("source, data, target, written", ENDINGS)
def test_file_endings_determine_the_formats(
    source: str, data: bytes, target: str, written: bytes, tmp_path: Path
) -> None:
    (tmp_path / source).write_bytes(data)
    assert invoke("convert", tmp_path / source, tmp_path / target) == (0, b"", b"")
    assert (tmp_path / target).read_bytes() == written


@pytest.mark.parametrize("data", [b"oops\n", NDJSON + b"oops\n"])
def test_a_failed_conversion_leaves_the_output_unchanged(data: bytes, tmp_path: Path) -> None:
    source, target, missing = tmp_path / "in.ndjson", tmp_path / "out.binpb", tmp_path / "missing.binpb"
    source.write_bytes(data)
    target.write_bytes(OLD)
    for output in (target, missing):
        assert (invoke("convert", source, output))[0] == 1
    assert (source.read_bytes(), target.read_bytes()) == (data, OLD)
    assert names(tmp_path) == {"in.ndjson", "out.binpb"}


@pytest.mark.parametrize("name", ["in.ndjson", "link", "hard", "sub/../in.ndjson"])
def test_the_input_cannot_be_the_output(name: str, tmp_path: Path) -> None:
    source = tmp_path / "in.ndjson"
    source.write_bytes(NDJSON)
    (tmp_path / "link").symlink_to("in.ndjson")
    (tmp_path / "hard").hardlink_to(source)
    (tmp_path / "sub").mkdir()
    code, _, stderr = invoke("convert", "--to", "sse", source, tmp_path / name)
    assert (code, b"same file" in stderr, source.read_bytes()) == (2, True, NDJSON)


def test_an_output_keeps_its_links_and_permissions(tmp_path: Path) -> None:
    source, target, link = tmp_path / "in.ndjson", tmp_path / "out.binpb", tmp_path / "link.binpb"
    source.write_bytes(NDJSON)
    target.write_bytes(OLD)
    target.chmod(0o640)
    link.symlink_to("out.binpb")
    assert invoke("convert", source, link) == (0, b"", b"")
    assert (link.is_symlink(), target.read_bytes()) == (True, BINARY)
    assert stat.S_IMODE(target.stat().st_mode) == 0o640


def test_a_new_output_has_default_permissions(tmp_path: Path) -> None:
    usual, target = tmp_path / "usual", tmp_path / "out.binpb"
    usual.touch()
    assert invoke("convert", "-", target, stdin=NDJSON) == (0, b"", b"")
    assert target.stat().st_mode == usual.stat().st_mode


def test_events_of_truncated_sse_are_written_to_a_file(tmp_path: Path) -> None:
    target = tmp_path / "out.ndjson"
    code, _, _ = invoke("convert", "--from", "sse", "-", target, stdin=SSE)
    assert (code, target.read_bytes()) == (1, NDJSON)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
async def test_a_full_disk_is_a_one_line_error() -> None:
    says = (1, b"", b"cannot read or write: No space left on device\n")
    assert await run_process("convert", "-", "/dev/full", stdin=NDJSON) == says
    command = f'exec "{COMMAND}" convert --to ndjson - > /dev/full'
    assert await run_shell(command, NDJSON) == says


async def test_a_missing_output_directory_is_a_one_line_error(tmp_path: Path) -> None:
    target = tmp_path / "none" / "out.binpb"
    says = f"cannot read or write {target}: No such file or directory\n".encode()
    assert await run_process("convert", "-", target, stdin=NDJSON) == (1, b"", says)


@pytest.mark.parametrize("command", [("convert", "--from", "ndjson"), ("subscribe", "--to", "protobuf", "s")])
def test_protobuf_is_not_written_to_a_terminal(command: tuple[str, ...]) -> None:
    terminal, its_end = pty.openpty()
    try:
        done = subprocess.run([COMMAND, *command], input=NDJSON, stdout=its_end, stderr=subprocess.PIPE, check=False)
    finally:
        os.close(terminal)
        os.close(its_end)
    assert (done.returncode, b"cannot write protobuf to a terminal" in done.stderr) == (2, True)
