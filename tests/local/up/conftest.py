"""One `keyfront up` for every test that needs the whole machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.needs import program

FREE_PORTS = ["--port", "0", "--http-port", "0", "--https-port", "0", "--backend-port", "0"]
_STATUS = ("--write-out", "%{http_code}")
KEYFRONT = Path(sys.executable).with_name("keyfront")


@dataclass(frozen=True)
class Up:
    """A running `keyfront up` and what it printed."""

    process: subprocess.Popen[str]
    printed: dict[str, Any]
    directory: Path

    def url(self, path: str) -> str:
        return f"https://{self.printed['distribution']['domain_name']}/{path}"

    def environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return {**kept, **self.printed["environment"]}

    def run(self, *command: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(word) for word in command], capture_output=True, text=True, env=self.environment(), timeout=60
        )

    def keyfront(self, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return self.run(KEYFRONT, *arguments)

    def sign(self, url: str, *arguments: str, expires: str = "1h") -> str:
        made = self.keyfront(
            *("sign", url, "--key-id", self.printed["key_pair_id"], "--private-key", self.printed["private_key"]),
            *("--expires", expires, *arguments),
        )
        assert made.returncode == 0, made.stderr
        return made.stdout.strip()

    def curl(self, url: str, *arguments: str) -> tuple[int, bytes]:
        """Status and body, through the real curl, which trusts the machine's authority and nothing else."""
        got = subprocess.run(
            [program("curl"), "--silent", "--cacert", self.printed["authority"], *_STATUS, *arguments, url],
            capture_output=True,
            timeout=60,
        )
        assert got.returncode == 0, got.stderr
        return int(got.stdout[-3:]), got.stdout[:-3]


Start = Callable[..., Any]


@contextmanager
def _up(directory: Path, *arguments: str) -> Iterator[Up]:
    process = subprocess.Popen(
        [KEYFRONT, "up", "--json", *FREE_PORTS, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=directory,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"keyfront up ended: {process.stderr.read()}")
        yield Up(process, json.loads(line), directory)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="session")
def start() -> Callable[..., Any]:
    """`with start(directory, *arguments) as up`: a `keyfront up` of the test's own."""
    return _up


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Up]:
    """The bundled shop, shared by the tests of a file: leave it as you found it."""
    with _up(tmp_path_factory.mktemp("up")) as running:
        yield running
