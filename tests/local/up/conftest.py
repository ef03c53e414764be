"""One `keyfront up` for every test that needs the whole machine."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any
from unittest import mock

import boto3
import pytest
from botocore.config import Config
from tests.needs import program
from tests.waiting import wait_until

from keyfront import Signer, SigningKey
from keyfront.cli import main

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
            [str(word) for word in command], capture_output=True, text=True, env=self.environment(), timeout=120
        )

    def keyfront(self, *arguments: str | Path) -> str:
        """What another command of ours prints, in this process. It must succeed."""
        out, err = StringIO(), StringIO()
        environment = mock.patch.dict(os.environ, self.environment(), clear=True)
        with environment, redirect_stdout(out), redirect_stderr(err):
            status = main([str(each) for each in arguments])
        assert status == 0, err.getvalue()
        return out.getvalue().strip()

    def sign(self, url: str, expires: timedelta = timedelta(hours=1)) -> str:
        key = SigningKey.load(Path(self.printed["private_key"]))
        return Signer(self.printed["key_pair_id"], key).sign_url(url, expires=expires)

    def client(self, service: str) -> Any:
        """boto3's client of a service, which tries once."""
        session = boto3.Session("test", "test", region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1}, s3={"addressing_style": "path"})
        return session.client(service, endpoint_url=self.printed["endpoint"], config=config)  # type: ignore[call-overload]

    def children(self) -> list[str]:
        """The ids of its processes, but for itself."""
        return Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()

    def kill(self) -> None:
        """End it as a crash does. Its edge must end as well: that has the ports."""
        children = self.children()
        self.process.kill()
        self.process.wait()
        wait_until(lambda: not any(map(is_alive, children)))

    def curl(self, url: str, *arguments: str) -> tuple[int, bytes]:
        """Status and body, through the real curl, which trusts the machine's authority and nothing else."""
        got = subprocess.run(
            [program("curl"), "--silent", "--cacert", self.printed["authority"], *_STATUS, *arguments, url],
            capture_output=True,
            timeout=60,
        )
        assert got.returncode == 0, got.stderr
        return int(got.stdout[-3:]), got.stdout[:-3]


def is_alive(pid: str) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


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
        up = Up(process, json.loads(line), directory)
        yield up
    finally:
        if process.poll() is None:
            children = up.children()
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0, process.stderr.read()
            assert not [child for child in children if is_alive(child)]
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


@pytest.fixture
def mistake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """What `keyfront up`, in this process and in `tmp_path`, says of options with which it cannot start."""

    def mistake(*arguments: str) -> str:
        monkeypatch.chdir(tmp_path)
        status = main(["up", *FREE_PORTS, *arguments])
        out, err = capsys.readouterr()
        assert (status, out) == (2, ""), err
        return " ".join(err.split())

    return mistake
