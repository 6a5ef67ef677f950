"""`openresponses convert`, as it is run."""

import subprocess
import sys
from pathlib import Path

import pytest

from openresponses_grpc.framing import FORMATS

from ..events import COMPLETED_JSON, DOCUMENTED, GENERATING_JSON

COMMAND = Path(sys.executable).with_name("openresponses")
SAMPLE = Path(__file__).parents[2] / "examples" / "image-generation.ndjson"


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, check=False)


def test_documented_events_go_to_protobuf_and_back_to_the_byte() -> None:
    lines = b"\n".join(DOCUMENTED) + b"\n"
    binary = run("convert", stdin=lines)
    assert (binary.returncode, binary.stderr) == (0, b"")
    back = run("convert", "--from", "protobuf", stdin=binary.stdout)
    assert (back.returncode, back.stdout, back.stderr) == (0, lines, b"")


@pytest.mark.parametrize("between", FORMATS)
def test_the_sample_goes_through_every_format_by_files(between: str, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back.ndjson"
    assert run("convert", "--to", between, SAMPLE, there).returncode == 0
    assert run("convert", "--from", between, "--to", "ndjson", there, back).returncode == 0
    assert back.read_bytes() == SAMPLE.read_bytes()


def test_naming_is_that_of_the_json() -> None:
    snake = GENERATING_JSON
    for camel_name, snake_name in (
        (b"itemId", b"item_id"),
        (b"outputIndex", b"output_index"),
        (b"sequenceNumber", b"sequence_number"),
    ):
        snake = snake.replace(camel_name, snake_name)
    binary = run("convert", "--naming", "snake_case", stdin=snake + b"\n")
    assert run("convert", "--from", "protobuf", stdin=binary.stdout).stdout == GENERATING_JSON + b"\n"
    assert run("convert", "--from", "protobuf", "--naming", "snake_case", stdin=binary.stdout).stdout == snake + b"\n"


def test_a_bad_line_ends_with_its_number_and_path_and_what_came_before_is_written() -> None:
    bad = GENERATING_JSON.replace(b"7977.54", b'"7977.54"')
    done = run("convert", "--to", "ndjson", "--strict", "-", "-", stdin=b"\n".join([*DOCUMENTED, bad, *DOCUMENTED]))
    assert done.returncode == 1
    assert done.stdout == b"".join(line + b"\n" for line in DOCUMENTED)
    assert done.stderr == b"line 3: $.outputIndex: expected a number, got a string\n"


def test_a_line_that_is_no_json_ends_too() -> None:
    done = run("convert", stdin=GENERATING_JSON + b"\n{\n" + COMPLETED_JSON)
    assert done.returncode == 1
    assert done.stderr.startswith(b"line 2: $: not JSON: ")
    assert run("convert", "--from", "protobuf", stdin=done.stdout).stdout == GENERATING_JSON + b"\n"


def test_protobuf_that_is_cut_off_ends_with_the_message_s_number() -> None:
    binary = run("convert", stdin=b"\n".join(DOCUMENTED)).stdout
    done = run("convert", "--from", "protobuf", stdin=binary[:-1])
    assert (done.returncode, done.stdout) == (1, GENERATING_JSON + b"\n")
    assert done.stderr == b"message 2: $: the input ends within a message\n"


def test_a_file_that_is_not_there_is_a_usage_error(tmp_path: Path) -> None:
    done = run("convert", tmp_path / "none.ndjson")
    assert done.returncode == 2
    assert b"none.ndjson" in done.stderr


@pytest.mark.parametrize("command", [[], ["convert"], ["serve"], ["publish"], ["subscribe"]])
def test_help_says_what_there_is(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert b"Usage: openresponses" in done.stdout
    assert not [line for line in done.stdout.splitlines() if len(line) > 100]
