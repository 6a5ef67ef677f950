"""How the examples in each language are built and run: as docs/languages.md says, but for what only people need."""

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
    """Skips a test where one of the tools is not on the PATH; in CI none may be missing."""
    if missing := [tool for tool in tools if shutil.which(tool) is None]:
        reason = f"there is no {' and no '.join(missing)} on the PATH"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)


class Language(NamedTuple):
    """A language that has stubs, and an example in a folder of its name.

    Attributes:
        tools: what it takes on the PATH.
        builds: the commands that build the example, in its folder.
        command: what runs one of its programs, with `{program}` for the program's name.
        format: the format of `subscribe --events` and of the input of `publish`.
        vectors: what `vectors` prints of each vector, apart from its name.

    """

    name: str
    tools: Sequence[str]
    builds: Sequence[str]
    command: str
    format: str = "protobuf"
    vectors: Sequence[str] = ("hex", "text")

    @property
    def folder(self) -> Path:
        """Where the example is."""
        return EXAMPLES / self.name

    @asynccontextmanager
    async def started(self, program: str, *arguments: str | Path) -> AsyncIterator[Process]:
        """A program of the example, which does not outlive the body."""
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
    """The language of a name, whose example is built, once for all tests; fails with what was printed."""
    language = LANGUAGES[name]
    needs(*language.tools)
    for command in language.builds:
        process = subprocess.run(command.split(), cwd=language.folder, capture_output=True, text=True, check=False)
        assert process.returncode == 0, f"{command}\n{process.stdout}\n{process.stderr}"
    return language
