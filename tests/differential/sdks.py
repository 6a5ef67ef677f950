"""Runs the SDKs on inputs."""

from __future__ import annotations

import json
import subprocess
import threading
from collections import deque
from collections.abc import Iterable, Iterator
from typing import IO, Any, NamedTuple

from .environments import Environment, NodeEnvironment, PythonEnvironment
from .generate import Input


class Answer(NamedTuple):
    """The output of an SDK for an input.

    Attributes:
        text: the JSON that the SDK writes; None if it rejects the input.
        canonical: whether JavaScript would write the input unchanged.
    """

    text: str | None
    canonical: bool


class Sdk:
    """A package, its environment, and the script that runs it on lines of inputs."""

    def __init__(self, package: str, environment: Environment, script: str) -> None:
        self.package = package
        self.environment = environment
        self.script = script

    @property
    def name(self) -> str:
        return f"{self.package} {self.environment.version(self.package)}"

    def schema(self) -> Any:
        """The JSON Schema of the SDK's events."""
        self.environment.install()
        command = [*self.environment.command(self.script), "schema"]
        return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)

    def ask(self, inputs: Iterable[Input]) -> Iterator[tuple[Input, Answer]]:
        """Yields inputs with their answers; the SDK runs concurrently with the generation of inputs."""
        self.environment.install()
        command = self.environment.command(self.script)
        asked: deque[Input] = deque()
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
            assert process.stdin is not None and process.stdout is not None
            feeder = threading.Thread(target=feed, args=(process.stdin, inputs, asked))
            feeder.start()
            try:
                for line in process.stdout:
                    yield asked.popleft(), Answer(*json.loads(line))
            finally:
                process.stdout.close()
                feeder.join()
        assert process.returncode == 0, f"{self.script} exited with {process.returncode}"
        assert not asked, f"{self.script} did not answer {len(asked)} inputs"


def feed(pipe: IO[bytes], inputs: Iterable[Input], asked: deque[Input]) -> None:
    """Writes each input to a line in ASCII, because line readers disagree on other line ends."""
    try:
        with pipe:
            for given in inputs:
                asked.append(given)
                pipe.write(json.dumps(given.text).encode() + b"\n")
    except BrokenPipeError:
        pass  # The reader reports the reason.


NPM = Sdk("@openrouter/sdk", NodeEnvironment(), "npm.mjs")
PYPI = Sdk("openrouter", PythonEnvironment(), "pypi.py")
OPENAI = Sdk("openai", PythonEnvironment(), "openai_models.py")
