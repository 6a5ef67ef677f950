"""Installs OpenRouter's SDKs under build/ and asks them about inputs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import pytest

from .generate import Input

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "differential"


class Sdk:
    """An SDK in one language: how it is installed, and how it is asked."""

    def __init__(self, name: str, folder: str, manifests: Sequence[str], tools: Sequence[str]) -> None:
        self.name = name
        self.folder = BUILD / folder
        self.manifests = manifests
        self.tools = tools

    def installation(self) -> Sequence[Sequence[str]]:
        """The commands that install it, run in its folder, which holds the manifests."""
        raise NotImplementedError

    def command(self) -> Sequence[str]:
        """The command that answers lines, run in its folder."""
        raise NotImplementedError

    def install(self) -> None:
        """Installs the SDK, or skips the test where that cannot be; in CI it can be."""
        for tool in self.tools:
            if shutil.which(tool) is None:
                cannot_compare(f"there is no {tool} on the PATH")
        wanted = sys.version + "".join((HERE / manifest).read_text() for manifest in self.manifests)
        installed = self.folder / "installed"
        if installed.exists() and installed.read_text() == wanted:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        for manifest in self.manifests:
            shutil.copy(HERE / manifest, self.folder)
        for command in self.installation():
            done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True, check=False)
            if done.returncode:
                said = " ".join((done.stderr or done.stdout).split())
                cannot_compare(f"{' '.join(command)} failed: {said[-300:]}")
        installed.write_text(wanted)

    def ask(self, inputs: Sequence[Input]) -> list[str | None]:
        """The JSON text of what the SDK makes of each input, None where it rejects it."""
        # ASCII only: readers of lines do not agree on which other characters end one.
        lines = "".join(f"{json.dumps(given)}\n" for given in inputs)
        done = subprocess.run(self.command(), cwd=self.folder, input=lines.encode(), capture_output=True, check=False)
        assert done.returncode == 0, done.stderr.decode()[-2000:]
        answers = [json.loads(line) for line in done.stdout.splitlines()]
        assert len(answers) == len(inputs)
        return answers


class NodeSdk(Sdk):
    """npm @openrouter/sdk, the SDK whose JSON the contract takes over."""

    def __init__(self) -> None:
        version = json.loads((HERE / "package.json").read_text())["dependencies"]["@openrouter/sdk"]
        manifests = ("package.json", "package-lock.json")
        super().__init__(f"npm @openrouter/sdk {version}", "node", manifests, ("node", "npm"))

    def installation(self) -> Sequence[Sequence[str]]:
        return [("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")]

    def command(self) -> Sequence[str]:
        # Node looks for packages beside the file that imports them.
        shutil.copy(HERE / "sdk.mjs", self.folder)
        return ("node", "sdk.mjs")


class PythonSdk(Sdk):
    """PyPI openrouter, in an environment of its own: its dependencies are none of the project's."""

    def __init__(self) -> None:
        requirements = (HERE / "requirements.txt").read_text().splitlines()
        version = next(line.removeprefix("openrouter==") for line in requirements if line.startswith("openrouter=="))
        super().__init__(f"PyPI openrouter {version}", "python", ("requirements.txt",), ())

    def installation(self) -> Sequence[Sequence[str]]:
        pip = (self._python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        return [(sys.executable, "-m", "venv", "."), (*pip, "--no-deps", "--requirement", "requirements.txt")]

    def command(self) -> Sequence[str]:
        return (self._python(), str(HERE / "sdk.py"))

    def _python(self) -> str:
        return str(self.folder / "bin" / "python")


def cannot_compare(reason: str) -> NoReturn:
    """Skips the test with the reason, except where it must run."""
    if os.environ.get("CI"):
        pytest.fail(f"no comparison with the SDK: {reason}")
    pytest.skip(f"no comparison with the SDK: {reason}")
