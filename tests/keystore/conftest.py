"""A clock that the test turns, a fetch that the test holds, and moto's SSM behind a real socket."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING

import boto3
import pytest
from moto.server import ThreadedMotoServer
from tests.keys import shared_rsa

from keyfront.core.keys import SigningKey
from keyfront.errors import KeyfrontError, ServiceError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_ssm import SSMClient


class Clock:
    """Seconds that pass only when the test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Fetch:
    """Counts its calls; can be held back, and told to fail."""

    def __init__(self) -> None:
        self.calls = 0
        self.failure: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Semaphore(0)

    def __call__(self) -> str:
        self.calls += 1
        number = self.calls
        self.entered.release()
        assert self.gate.wait(30)
        if self.failure is not None:
            raise self.failure
        return f"value {number}"

    def hold(self) -> None:
        self.gate.clear()

    def release(self) -> None:
        self.gate.set()

    def wait_until_entered(self) -> None:
        assert self.entered.acquire(timeout=30)

    def fail(self, failure: Exception | None = None) -> KeyfrontError | Exception:
        self.failure = failure or ServiceError("the service is down")
        return self.failure


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def fetch() -> Iterator[Fetch]:
    fetch = Fetch()
    yield fetch
    fetch.release()


@pytest.fixture(scope="session")
def aws_url() -> Iterator[str]:
    """moto's AWS, behind a socket."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture(scope="session")
def session() -> boto3.session.Session:
    return boto3.session.Session(
        aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1"
    )


@pytest.fixture(scope="session")
def ssm(session: boto3.session.Session, aws_url: str) -> "SSMClient":
    return session.client("ssm", endpoint_url=aws_url)


@pytest.fixture(scope="session")
def secretsmanager(session: boto3.session.Session, aws_url: str) -> "SecretsManagerClient":
    return session.client("secretsmanager", endpoint_url=aws_url)


@pytest.fixture(scope="session")
def kms(session: boto3.session.Session, aws_url: str) -> "KMSClient":
    return session.client("kms", endpoint_url=aws_url)


@pytest.fixture
def by_environment(aws_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """boto3's own rules lead to moto."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", aws_url)
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")


@pytest.fixture(scope="session")
def rsa_key() -> SigningKey:
    return shared_rsa()


@pytest.fixture(scope="session")
def ecdsa_key() -> SigningKey:
    return SigningKey.generate("ecdsa")
