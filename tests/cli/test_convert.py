"""`openresponses convert`."""

from pathlib import Path

import pytest

from openresponses_grpc.codec._schema import NAMINGS, Naming
from openresponses_grpc.framing import FORMATS

from ..support.events import COMPLETED_JSON, DOCUMENTED, GENERATING_JSON
from ..support.mixed_stream import mixed_stream
from .in_process import invoke

SAMPLE = Path(__file__).parents[2] / "examples" / "response.ndjson"
# The spelling of each format's JSON; protobuf has none.
USUAL: dict[str, Naming] = {"ndjson": "camelCase", "sse": "snake_case", "protobuf": "camelCase"}

targets = pytest.mark.parametrize("target", FORMATS)


def convert(*arguments: str, stdin: bytes) -> bytes:
    code, stdout, stderr = invoke("convert", *arguments, stdin=stdin)
    assert (code, stderr) == (0, b"")
    return stdout


def test_documented_events_survive_a_round_trip_through_protobuf() -> None:
    lines = b"\n".join(DOCUMENTED) + b"\n"
    assert convert("--from", "protobuf", stdin=convert(stdin=lines)) == lines


@pytest.mark.parametrize(
    "source, spelling",
    [(name, naming) for name in FORMATS for naming in NAMINGS if name != "protobuf" or naming == "camelCase"],
)
@targets
def test_every_pair_of_formats_accepts_both_spellings(source: str, spelling: Naming, target: str) -> None:
    # Each side has its own spelling: the input is read in either, the output is in that of its format.
    output = convert("--from", source, "--to", target, stdin=mixed_stream(source, spelling))
    assert output == mixed_stream(target, USUAL[target])


@targets
@pytest.mark.parametrize("naming", NAMINGS)
def test_naming_sets_the_spelling_of_the_output(target: str, naming: Naming) -> None:
    output = convert("--to", target, "--naming", naming, stdin=mixed_stream("ndjson", "camelCase"))
    assert output == mixed_stream(target, naming)


@pytest.mark.parametrize("between", FORMATS)
def test_the_sample_survives_a_round_trip_through_files_of_each_format(between: str, tmp_path: Path) -> None:
    there, back = tmp_path / "there", tmp_path / "back.ndjson"
    assert invoke("convert", "--to", between, SAMPLE, there) == (0, b"", b"")
    assert invoke("convert", "--from", between, "--to", "ndjson", there, back) == (0, b"", b"")
    assert back.read_bytes() == SAMPLE.read_bytes()


def test_lenient_reading_keeps_events_that_strict_reading_rejects() -> None:
    odd = GENERATING_JSON[:-1].replace(b"7977.54", b'"7977.54"') + b',"size":[1,2]}\n'
    assert convert("--to", "ndjson", stdin=odd) == odd
    assert invoke("convert", "--to", "ndjson", "--strict", stdin=odd)[0] == 1


def test_a_rejected_line_is_reported_with_its_number_and_path() -> None:
    bad = GENERATING_JSON.replace(b"7977.54", b'"7977.54"')
    stdin = b"\n".join([*DOCUMENTED, bad, *DOCUMENTED])
    code, stdout, stderr = invoke("convert", "--to", "ndjson", "--strict", "-", "-", stdin=stdin)
    assert code == 1
    assert stdout == b"".join(line + b"\n" for line in DOCUMENTED)
    assert stderr == b"line 3: $.outputIndex: expected a number, got a string\n"


def test_events_before_an_invalid_line_are_converted() -> None:
    code, stdout, stderr = invoke("convert", stdin=GENERATING_JSON + b"\n{\n" + COMPLETED_JSON)
    assert code == 1
    assert stderr.startswith(b"line 2: $: not JSON: ")
    assert convert("--from", "protobuf", stdin=stdout) == GENERATING_JSON + b"\n"


def test_truncated_protobuf_is_reported_with_the_message_number() -> None:
    binary = convert(stdin=b"\n".join(DOCUMENTED))
    code, stdout, stderr = invoke("convert", "--from", "protobuf", stdin=binary[:-1])
    assert (code, stdout) == (1, GENERATING_JSON + b"\n")
    assert stderr == b"message 2: $: the input ends within a message\n"


def test_truncated_sse_is_reported_with_the_line_of_the_event() -> None:
    code, stdout, stderr = invoke(
        "convert", "--from", "sse", "--to", "ndjson", stdin=b"data: %b\n\nevent: x\ndata: {}\n" % GENERATING_JSON
    )
    assert (code, stdout) == (1, GENERATING_JSON + b"\n")
    assert stderr.startswith(b"line 4: $: the input ends within an event")


def test_a_message_without_json_is_reported_with_its_number_and_path() -> None:
    # The second message has the field 15, `unrecognized`, without JSON.
    stdin = convert(stdin=GENERATING_JSON) + b"\x02\x7a\x00"
    code, stdout, stderr = invoke("convert", "--from", "protobuf", stdin=stdin)
    assert (code, stdout) == (1, GENERATING_JSON + b"\n")
    assert stderr == b"message 2: $: `json` of the unrecognized value is empty\n"


def test_a_missing_file_is_a_usage_error(tmp_path: Path) -> None:
    code, _, stderr = invoke("convert", tmp_path / "none.ndjson")
    assert code == 2
    assert b"none.ndjson" in stderr


def test_publish_has_no_naming_option() -> None:
    code, _, stderr = invoke("publish", "--naming", "camelCase", "s")
    assert code == 2
    assert b"No such option" in stderr
    assert b"--naming" in stderr


@pytest.mark.parametrize("command", [[], ["convert"], ["serve"], ["publish"], ["subscribe"]])
def test_help_fits_a_terminal(command: list[str]) -> None:
    code, stdout, _ = invoke(*command, "--help")
    assert code == 0
    assert b"Usage: openresponses" in stdout
    assert not [line for line in stdout.splitlines() if len(line) > 100]
