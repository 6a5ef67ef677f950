"""Builds and runs the examples in each language, mostly with the commands of docs/languages.md."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

import pytest

EXAMPLES: Final = Path(__file__).parents[2] / "examples"


def needs(*tools: str) -> None:
    """Skips a test if a tool is not on the PATH; in CI, fails it."""
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        reason = f"not on the PATH: {', '.join(missing)}"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class Language(NamedTuple):
    """A language with stubs, and an example in a folder with the same name.

    Attributes:
        tools: the required commands on the PATH.
        builds: the commands that build the example, run in its folder.
        command: the command that runs a program, with `{program}` as the name of the program.
        format: the format of the output of `subscribe --events` and of the input of `publish`.
        vectors: the properties that `vectors` prints for each vector besides its name.

    """

    name: str
    tools: Sequence[str]
    builds: Sequence[str]
    command: str
    format: str = "protobuf"
    vectors: Sequence[str] = ("hex", "text")

    @property
    def folder(self) -> Path:
        """The folder of the example."""
        return EXAMPLES / self.name

    @asynccontextmanager
    async def started(self, program: str, *arguments: str | Path) -> AsyncIterator[Process]:
        """Starts a program of the example, and kills it at the end of the context."""
        name = program.capitalize() if self.name == "java" else program
        process = await asyncio.create_subprocess_exec(
            *self.command.format(program=name).split(),
            *arguments,
            cwd=self.folder,
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()


LANGUAGES: Final[Mapping[str, Language]] = {
    language.name: language
    for language in (
        Language(
            "typescript",
            ["node", "npm"],
            ["npm ci --ignore-scripts --no-audit --no-fund", "npx tsc"],
            "node build/{program}.js",
            format="ndjson",
            vectors=("hex", "json", "read"),
        ),
        Language("go", ["go"], ["go build -o build/ ./..."], "build/{program}"),
        Language(
            "java",
            ["java", "mvn"],
            ["mvn --batch-mode --quiet --file ../../generated/java install", "mvn --batch-mode --quiet package"],
            "java -cp target/example.jar {program}",
        ),
        Language("rust", ["cargo"], ["cargo build --quiet --all-features"], "target/debug/{program}"),
    )
}


@cache
def built(name: str) -> Language:
    """Builds the example of a language once for all tests; a failure shows the output of the build."""
    language = LANGUAGES[name]
    needs(*language.tools)
    for command in language.builds:
        process = subprocess.run(command.split(), cwd=language.folder, capture_output=True, text=True, check=False)
        assert process.returncode == 0, f"{command}\n{process.stdout}\n{process.stderr}"
    return language
