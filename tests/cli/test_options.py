"""Environment variables, sizes and durations."""

import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openresponses_grpc.cli import main
from openresponses_grpc.cli._options import duration, duration_text, size, size_text

from ..support.events import GENERATING_JSON
from .in_process import invoke, run
from .processes import COMMAND, run_shell


def commands(command: click.Command = main, name: str = "") -> Iterator[tuple[str, click.Command]]:
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            yield from commands(found, f"{name} {child}".strip())


OPTIONS = [
    (name, option)
    for name, command in commands()
    for option in command.params
    if isinstance(option, click.Option) and option.name not in ("help", "version")
]


def test_the_option_tests_cover_every_command() -> None:
    assert {name for name, _ in OPTIONS} == {
        *("convert", "gateway", "publish", "serve", "subscribe"),
        *("streams list", "streams show", "streams delete"),
    }


@pytest.mark.parametrize("name, option", OPTIONS, ids=[f"{name} {option.opts[-1]}" for name, option in OPTIONS])
def test_each_option_has_an_environment_variable_in_its_help(name: str, option: click.Option) -> None:
    long = option.opts[-1].removeprefix("--").replace("-", "_").upper()
    assert option.envvar in (f"OPENRESPONSES_{long}", f"OPENRESPONSES_SERVE_{long}", f"OPENRESPONSES_GATEWAY_{long}")
    record = option.get_help_record(click.Context(click.Command(name)))
    assert record is not None
    assert f"env var: {option.envvar}" in record[1]


def test_no_environment_variable_has_two_meanings() -> None:
    # Options that share a variable have the same name, type and number of values. None uses that of the token.
    meanings: dict[object, set[object]] = defaultdict(set)
    for _, option in OPTIONS:
        meanings[option.envvar].add((option.opts[-1], option.type.name, option.is_flag, option.multiple))
    assert not {variable: found for variable, found in meanings.items() if len(found) > 1}
    assert "OPENRESPONSES_TOKEN" not in meanings
    shared = {option.envvar for name, option in OPTIONS if name == "serve"} & {
        option.envvar for name, option in OPTIONS if name != "serve"
    }
    assert not shared


async def test_the_command_line_overrides_environment_variables(server: str) -> None:
    environment = {"OPENRESPONSES_SERVER": server, "OPENRESPONSES_END": "1", "OPENRESPONSES_TO": "sse"}
    assert await run("publish", "s", stdin=GENERATING_JSON, environment=environment) == (0, b"", b"")
    _, stdout, _ = await run("subscribe", "s", environment=environment)
    assert stdout.startswith(b"event: ")
    _, stdout, _ = await run("subscribe", "--to", "ndjson", "s", environment=environment)
    assert stdout == GENERATING_JSON + b"\n"


def test_an_invalid_environment_variable_is_named_in_the_error() -> None:
    code, _, stderr = invoke("serve", environment={"OPENRESPONSES_MAX_BYTES": "many"})
    assert (code, b"OPENRESPONSES_MAX_BYTES" in stderr, b"'many' is not a size" in stderr) == (2, True, True)


@pytest.mark.parametrize(
    "text, expected",
    [
        ("1", 1),
        ("268435456", 256 << 20),
        ("256MiB", 256 << 20),
        ("256 mib", 256 << 20),
        (" 2GB ", 2_000_000_000),
        ("1.5GiB", 3 << 29),
        ("10kB", 10_000),
        ("10B", 10),
        ("9007199254740993", 9007199254740993),
    ],
)
def test_sizes_are_parsed(text: str, expected: int) -> None:
    assert size(text) == expected


@pytest.mark.parametrize(
    "text, expected",
    [
        ("0", 0),
        ("1.5", 1.5),
        ("300", 300),
        ("5m", 300),
        ("1h30m", 5400),
        ("1h 30m", 5400),
        ("250ms", 0.25),
        ("1d", 86400),
        ("0.5h", 1800),
        (" 10 s ", 10),
    ],
)
def test_durations_are_parsed(text: str, expected: float) -> None:
    assert duration(text) == expected


@pytest.mark.parametrize(
    "text", ["", "B", "-1", "0", "0.5", "1M", "1 XB", "1e6", "inf", "nan", "1,5MB", "\u0661", "1MiB2"]
)
def test_invalid_sizes_are_rejected(text: str) -> None:
    with pytest.raises(click.BadParameter):
        size(text)


@pytest.mark.parametrize("text", ["", "s", "-1", "1x", "1M", "1e3", "inf", "nan", "5m!", "m5", "\u0661s", "1h-5m"])
def test_invalid_durations_are_rejected(text: str) -> None:
    with pytest.raises(click.BadParameter):
        duration(text)


@given(st.integers(min_value=1, max_value=1 << 60))
def test_formatted_sizes_are_parsed_back(value: int) -> None:
    assert size(size_text(value)) == value


@given(st.integers(min_value=0, max_value=10**7))
def test_formatted_durations_are_parsed_back(value: int) -> None:
    assert duration(duration_text(value)) == value


def test_defaults_are_shown_with_units() -> None:
    _, stdout, _ = invoke("serve", "--help")
    text = " ".join(stdout.decode().split())
    for default in ("default: 256MiB", "default: 64MiB", "default: 16MiB", "default: 5m", "default: 1m"):
        assert default in text


@pytest.mark.parametrize("command, loads", [("--version", False), ("convert", False), ("streams list", True)])
def test_grpc_is_loaded_only_by_commands_that_need_it(command: str, loads: bool) -> None:
    code = (
        "import sys\nfrom openresponses_grpc.cli import main\n"
        f"try: main({command.split()!r})\nexcept SystemExit: pass\nprint('grpc' in sys.modules)"
    )
    environment = {"OPENRESPONSES_SERVER": "127.0.0.1:1"}
    done = subprocess.run([sys.executable, "-c", code], input=b"", capture_output=True, check=True, env=environment)
    assert done.stdout.splitlines()[-1] == str(loads).encode()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_command_prints_its_shell_completion(shell: str) -> None:
    environment = {"_OPENRESPONSES_COMPLETE": f"{shell}_source", "PATH": "/usr/local/bin:/usr/bin:/bin"}
    done = subprocess.run([COMMAND], capture_output=True, check=False, env=environment)
    assert b"_OPENRESPONSES_COMPLETE" in done.stdout


async def test_more_connections_than_file_descriptors_are_a_usage_error() -> None:
    command = f"ulimit -n 300; exec {COMMAND} serve --listen 127.0.0.1:0 --max-connections 1000"
    status, _, stderr = await run_shell(command, b"")
    assert status == 2
    problem = b"1000 connections and 128 other files exceed the system's limit of 300 open files"
    assert problem in b" ".join(stderr.split())
