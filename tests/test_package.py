"""The package: exported names, version and `python -m`."""

import subprocess
import sys
from importlib.metadata import version

import pytest

import openresponses_grpc
from openresponses_grpc import client, codec


def python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=False)


def test_version_matches_the_installed_package() -> None:
    assert openresponses_grpc.__version__ == version("openresponses-grpc")


def test_python_m_runs_the_command() -> None:
    done = python("-m", "openresponses_grpc", "--version")
    assert (done.returncode, done.stdout) == (0, f"openresponses, version {version('openresponses-grpc')}\n")
    assert python("-m", "openresponses_grpc", "--help").stdout.startswith("Usage: openresponses [OPTIONS]")


@pytest.mark.parametrize("first", [names[0] for names in openresponses_grpc._MODULES.values()])
def test_modules_do_not_hide_exported_names(first: str) -> None:
    # Importing a module with the name of an export would hide the export.
    code = (
        f"import openresponses_grpc as package\nfrom openresponses_grpc import {first}\n"
        "print([name for name in package.__all__ if isinstance(getattr(package, name), type(package))])"
    )
    done = python("-c", code)
    assert (done.returncode, done.stdout, done.stderr) == (0, "[]\n", "")


def test_package_exports_codec_and_client() -> None:
    # docs/reference/package.md documents them as names of the package.
    assert {*codec.__all__, *client.__all__} <= {*openresponses_grpc.__all__}


def test_unknown_name_raises_attribute_error() -> None:
    with pytest.raises(AttributeError, match="'nothing'"):
        openresponses_grpc.nothing  # noqa: B018


def test_codec_and_accumulator_do_not_import_grpc() -> None:
    code = "import sys\nfrom openresponses_grpc import __version__, accumulate, from_json\nprint('grpc' in sys.modules)"
    assert python("-c", code).stdout == "False\n"


def test_version_option_does_not_import_grpc() -> None:
    code = (
        "import sys\nfrom openresponses_grpc.cli import main\nmain(['--version'], standalone_mode=False)\n"
        "print('grpc' in sys.modules)"
    )
    assert python("-c", code).stdout.splitlines()[-1] == "False"
