"""Installs the SDKs under build/."""

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

HERE = Path(__file__).parent
BUILD = HERE.parents[1] / "build" / "differential"


class Environment:
    """A folder with packages from manifests."""

    def __init__(self, folder: str, manifests: Sequence[str], tools: Sequence[str]) -> None:
        self.folder = BUILD / folder
        self.manifests = manifests
        self.tools = tools

    def installation(self) -> Sequence[Sequence[str]]:
        """The commands that install the packages, run in the folder with the manifests."""
        raise NotImplementedError

    def command(self, script: str) -> Sequence[str]:
        """The command that runs a script of this directory with the packages."""
        raise NotImplementedError

    def version(self, package: str) -> str:
        raise NotImplementedError

    def install(self) -> None:
        """Installs the packages. On failure, skips the test, or fails it in CI."""
        for tool in self.tools:
            if shutil.which(tool) is None:
                cannot_compare(f"{tool} is not on the PATH")
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


class NodeEnvironment(Environment):
    """A folder with `node_modules`."""

    def __init__(self) -> None:
        super().__init__("node", ("package.json", "package-lock.json"), ("node", "npm"))

    def installation(self) -> Sequence[Sequence[str]]:
        return [("npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--fetch-retries=1")]

    def command(self, script: str) -> Sequence[str]:
        # Node resolves packages from the folder of the importing file.
        shutil.copy(HERE / script, self.folder)
        return ("node", str(self.folder / script))

    def version(self, package: str) -> str:
        return str(json.loads((HERE / "package.json").read_text())["dependencies"][package])


class PythonEnvironment(Environment):
    """A virtual environment, separate from the dependencies of the project."""

    def __init__(self) -> None:
        super().__init__("python", ("requirements.txt",), ())

    def installation(self) -> Sequence[Sequence[str]]:
        pip = (self._python(), "-m", "pip", "install", "--quiet", "--disable-pip-version-check")
        return [(sys.executable, "-m", "venv", "."), (*pip, "--no-deps", "--requirement", "requirements.txt")]

    def command(self, script: str) -> Sequence[str]:
        # -P: the script must not import modules from its own folder.
        return (self._python(), "-P", str(HERE / script))

    def version(self, package: str) -> str:
        lines = (HERE / "requirements.txt").read_text().splitlines()
        return next(line.removeprefix(f"{package}==") for line in lines if line.startswith(f"{package}=="))

    def _python(self) -> str:
        return str(self.folder / "bin" / "python")


def cannot_compare(reason: str) -> NoReturn:
    """Skips the test with a reason, or fails it in CI."""
    if os.environ.get("CI"):
        pytest.fail(f"no comparison with the SDK: {reason}")
    pytest.skip(f"no comparison with the SDK: {reason}")
