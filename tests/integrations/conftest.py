"""One `keyfront up` for what has to pass a real edge and a real S3 API."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from keyfront import Signer, SigningKey

FREE_PORTS = ["--port", "0", "--http-port", "0", "--https-port", "0", "--backend-port", "0"]


class Laptop:
    """What a running `keyfront up` printed, and clients for it."""

    def __init__(self, printed: dict[str, Any]) -> None:
        self.printed = printed
        self.base_url: str = printed["edge"]["http"]
        self.key_pair_id: str = printed["key_pair_id"]
        self.signer = Signer(self.key_pair_id, SigningKey.load(Path(printed["private_key"])))

    def session(self) -> boto3.Session:
        """A session with the laptop's credentials; `AWS_ENDPOINT_URL` says where it is."""
        return boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")


@pytest.fixture(scope="module")
def laptop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laptop]:
    process = subprocess.Popen(
        [Path(sys.executable).with_name("keyfront"), "up", "--json", *FREE_PORTS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=tmp_path_factory.mktemp("laptop"),
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"keyfront up ended: {process.stderr.read()}")
        yield Laptop(json.loads(line))
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=120)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture
def at_laptop(laptop: Laptop, monkeypatch: pytest.MonkeyPatch) -> Laptop:
    """The laptop, with boto3 pointed at it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", laptop.printed["endpoint"])
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")
    return laptop
