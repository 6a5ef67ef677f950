"""`openresponses convert` in a process of its own."""

import subprocess
import sys
from pathlib import Path

import pytest

from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS

from ..support.events import COMPLETED_JSON, DOCUMENTED, GENERATING_JSON
from ..support.mixed_stream import mixed_stream

COMMAND = Path(sys.executable).with_name("openresponses")
SAMPLE = Path(__file__).parents[2] / "examples" / "response.ndjson"
# The spelling of each format's JSON; protobuf has none.
USUAL: dict[str, Naming] = {"ndjson": "camelCase", "sse": "snake_case", "protobuf": "camelCase"}

targets = pytest.mark.parametrize("target", FORMATS)


def run(*arguments: str | Path, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    return subprocess.run([COMMAND, *arguments], input=stdin, capture_output=True, check=False)


def convert(*arguments: str, stdin: bytes) -> bytes:
    done = run("convert", *arguments, stdin=stdin)
    assert (done.returncode, done.stderr) == (0, b"")
    return done.stdout


def test_documented_events_go_to_protobuf_and_back_to_the_byte() -> None:
    lines = b"\n".join(DOCUMENTED) + b"\n"
    assert convert("--from", "protobuf", stdin=convert(stdin=lines)) == lines


@pytest.mark.parametrize(
    "source, spelling",
    [(name, naming) for name in FORMATS for naming in NAMINGS if name != "protobuf" or naming == "camelCase"],
)
@targets
def test_every_pair_of_formats_in_either_spelling(source: str, spelling: Naming, target: str) -> None:
    # Each side has its own spelling: the input is read in either, the output is in that of its format.
    output = convert("--from", source, "--to", target, stdin=mixed_stream(source, spelling))
    assert output == mixed_stream(target, USUAL[target])


@targets
@pytest.mark.parametrize("naming", NAMINGS)
def test_naming_is_the_spelling_of_the_output(target: str, naming: Naming) -> None:
    output = convert("--to", target, "--naming", naming, stdin=mixed_stream("ndjson", "camelCase"))
    assert output == mixed_stream(target, naming)


@pytest.mark.parametrize("between", FORMATS)
def test_the_sample_goes_through_every_format_by_files(between: str, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back.ndjson"
    assert run("convert", "--to", between, SAMPLE, there).returncode == 0
    assert run("convert", "--from", between, "--to", "ndjson", there, back).returncode == 0
    assert back.read_bytes() == SAMPLE.read_bytes()


def test_lenient_reading_carries_what_strict_reading_rejects() -> None:
    odd = GENERATING_JSON[:-1].replace(b"7977.54", b'"7977.54"') + b',"size":[1,2]}\n'
    assert convert("--to", "ndjson", stdin=odd) == odd
    assert run("convert", "--to", "ndjson", "--strict", stdin=odd).returncode == 1


def test_a_rejected_line_is_an_error_with_its_number_and_path_after_the_events_before_it() -> None:
    bad = GENERATING_JSON.replace(b"7977.54", b'"7977.54"')
    done = run("convert", "--to", "ndjson", "--strict", "-", "-", stdin=b"\n".join([*DOCUMENTED, bad, *DOCUMENTED]))
    assert done.returncode == 1
    assert done.stdout == b"".join(line + b"\n" for line in DOCUMENTED)
    assert done.stderr == b"line 3: $.outputIndex: expected a number, got a string\n"


def test_an_invalid_line_is_an_error_after_the_events_before_it() -> None:
    done = run("convert", stdin=GENERATING_JSON + b"\n{\n" + COMPLETED_JSON)
    assert done.returncode == 1
    assert done.stderr.startswith(b"line 2: $: not JSON: ")
    assert convert("--from", "protobuf", stdin=done.stdout) == GENERATING_JSON + b"\n"


def test_truncated_protobuf_is_an_error_with_the_number_of_the_message() -> None:
    binary = convert(stdin=b"\n".join(DOCUMENTED))
    done = run("convert", "--from", "protobuf", stdin=binary[:-1])
    assert (done.returncode, done.stdout) == (1, GENERATING_JSON + b"\n")
    assert done.stderr == b"message 2: $: the input ends within a message\n"


def test_truncated_sse_is_an_error_with_the_line_of_the_event() -> None:
    done = run(
        "convert", "--from", "sse", "--to", "ndjson", stdin=b"data: %b\n\nevent: x\ndata: {}\n" % GENERATING_JSON
    )
    assert (done.returncode, done.stdout) == (1, GENERATING_JSON + b"\n")
    assert done.stderr.startswith(b"line 4: $: the input ends within an event")


def test_a_message_without_json_is_an_error_with_its_number_and_path() -> None:
    # The second message has the field 15, `unrecognized`, without JSON.
    done = run("convert", "--from", "protobuf", stdin=convert(stdin=GENERATING_JSON) + b"\x02\x7a\x00")
    assert (done.returncode, done.stdout) == (1, GENERATING_JSON + b"\n")
    assert done.stderr == b"message 2: $: `json` of the unrecognized value is empty\n"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    done = run("convert", tmp_path / "none.ndjson")
    assert done.returncode == 2
    assert b"none.ndjson" in done.stderr


def test_publish_has_no_naming_because_it_reads_either() -> None:
    done = run("publish", "--naming", "camelCase", "s")
    assert done.returncode == 2
    assert b"No such option" in done.stderr
    assert b"--naming" in done.stderr


@pytest.mark.parametrize("command", [[], ["convert"], ["serve"], ["publish"], ["subscribe"]])
def test_help_fits_a_terminal(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert b"Usage: openresponses" in done.stdout
    assert not [line for line in done.stdout.splitlines() if len(line) > 100]
