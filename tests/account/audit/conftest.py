"""An account on a real endpoint: our control plane, moto beside it, provisioned as `keyfront up` does."""

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config
from tests.servers import Loop

from keyfront.cli import main
from keyfront.core.keys import SigningKey
from keyfront.local.aws import Endpoint
from keyfront.local.clients import clients
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application
from keyfront.local.provision import Provisioned, provision


class Laptop:
    """The endpoint, from `start` to `stop`; `clear` makes a clean account."""

    made: Provisioned

    def __init__(self) -> None:
        self.plane = ControlPlane()
        self.endpoint = Endpoint(self._cloudfront)
        self._loop = Loop()
        self.keys = SigningKey.generate("ecdsa"), SigningKey.generate("ecdsa")

    async def _cloudfront(self, scope: Any, receive: Any, send: Any) -> None:
        await application(self.plane)(scope, receive, send)

    def start(self) -> None:
        self.listener = self._loop.listen(self.endpoint)
        self._loop.run(self.endpoint.warm_up())
        self.url = f"http://127.0.0.1:{self.listener.port}"
        self._clients = clients(self.url)

    def stop(self) -> None:
        self._loop.run(self.endpoint.stop())
        self._loop.run(self.listener.stop())
        self._loop.close()

    def clear(self) -> None:
        self.plane = ControlPlane()
        self.endpoint.reset()
        self.made = provision(self._clients, self.keys[0], self.keys[1].public_key, lambda _: None)
        self.configure(lambda config: config["DefaultCacheBehavior"].update(ViewerProtocolPolicy="https-only"))

    def client(self, service: str) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service, endpoint_url=self.url, region_name="us-east-1", aws_access_key_id="test",
            aws_secret_access_key="test", config=Config(s3={"addressing_style": "path"}),
        )  # fmt: skip

    def configure(self, change: Any) -> None:
        """Change the distribution's configuration in place."""
        cloudfront = self.client("cloudfront")
        got = cloudfront.get_distribution_config(Id=self.made.distribution_id)
        change(got["DistributionConfig"])
        cloudfront.update_distribution(
            Id=self.made.distribution_id, IfMatch=got["ETag"], DistributionConfig=got["DistributionConfig"]
        )


@pytest.fixture(scope="session")
def _laptop() -> Iterator[Laptop]:
    laptop = Laptop()
    laptop.start()
    yield laptop
    laptop.stop()


@pytest.fixture
def laptop(_laptop: Laptop) -> Laptop:
    """A clean account."""
    _laptop.clear()
    return _laptop


@pytest.fixture
def audit(laptop: Laptop, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """The command against the account: its status and its JSON."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    capsys.readouterr()

    def audit(*arguments: str, form: str = "--json") -> tuple[int, Any]:
        status = main(["audit", "--endpoint-url", laptop.url, *([form] if form else []), *arguments])
        out, err = capsys.readouterr()
        assert not err
        return status, json.loads(out) if form else out

    return audit
