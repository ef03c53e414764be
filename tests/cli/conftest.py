"""The command, run in this process or as the real executable, and a CloudFront API to run it against."""

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator, MutableMapping
from pathlib import Path
from typing import Any

import pytest
from tests.keys import shared_rsa
from tests.servers import Loop

from keyfront.cli import main
from keyfront.core.keys import SigningKey
from keyfront.local.controlplane import ControlPlane, Quotas
from keyfront.local.controlplane.asgi import application


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """The command in this process: its status, and what it wrote to standard output and to standard error."""

    def run(*arguments: str | Path) -> tuple[int, str, str]:
        status = main([str(argument) for argument in arguments])
        return status, *capsys.readouterr()

    return run


@pytest.fixture
def execute(tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """The real executable, in a folder of its own."""

    def execute(*arguments: str | Path, **options: Any) -> "subprocess.CompletedProcess[str]":
        command = [str(Path(sys.executable).with_name("keyfront")), *map(str, arguments)]
        defaults = {"cwd": tmp_path, "capture_output": True, "text": True, "check": False, "timeout": 60}
        return subprocess.run(command, **{**defaults, **options})

    return execute


@pytest.fixture(scope="session")
def rsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an RSA key pair."""
    folder = tmp_path_factory.mktemp("rsa")
    shared_rsa().write(folder)
    return folder


@pytest.fixture(scope="session")
def ecdsa(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an ECDSA key pair."""
    folder = tmp_path_factory.mktemp("ecdsa")
    SigningKey.generate("ecdsa").write(folder)
    return folder


class Service:
    """A CloudFront API on a socket. `before`, when set, sees every request first and may answer it."""

    def __init__(self) -> None:
        self.url = ""
        self.plane = ControlPlane()
        self.before: Callable[[str, str], tuple[int, str] | None] | None = None
        self._loop = Loop()

    def start(self) -> None:
        self._listener = self._loop.listen(self._app)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def stop(self) -> None:
        self._loop.run(self._listener.stop())
        self._loop.close()

    def clear(self, quotas: Quotas | None = None) -> None:
        self.plane, self.before = ControlPlane(quotas=quotas), None

    def fail(self, status: int, code: str, message: str = "said the test") -> None:
        """Answer everything with an AWS error."""
        body = (
            '<?xml version="1.0"?><ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">'
            f"<Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
            "<RequestId>r</RequestId></ErrorResponse>"
        )
        self.before = lambda method, path: (status, body)

    async def _app(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        # In a thread, so that the test may call the service itself before it lets the request on.
        early = await asyncio.to_thread(self.before, scope["method"], scope["path"]) if self.before else None
        if early is None:
            await application(self.plane)(scope, receive, send)
            return
        status, text = early
        headers = [(b"content-type", b"text/xml"), (b"content-length", str(len(text)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})


@pytest.fixture(scope="session")
def _running() -> Iterator[Service]:
    service = Service()
    service.start()
    yield service
    service.stop()


@pytest.fixture
def no_aws(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """Nothing of this machine's AWS configuration."""
    import os

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return monkeypatch


@pytest.fixture
def service(_running: Service, no_aws: pytest.MonkeyPatch) -> Service:
    """An empty account, to which the environment points."""
    _running.clear()
    no_aws.setenv("AWS_ENDPOINT_URL", _running.url)
    no_aws.setenv("AWS_ACCESS_KEY_ID", "test")
    no_aws.setenv("AWS_SECRET_ACCESS_KEY", "test")
    return _running
