"""A control plane behind a real listener on a port of its own, and real clients in front of it."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable, Iterator, MutableMapping
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from tests.keys import shared_rsa
from tests.servers import Loop

from keyfront.core.keys import SigningKey
from keyfront.local.controlplane import ControlPlane, Quotas
from keyfront.local.controlplane.asgi import application

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


class Endpoint:
    """One address for all tests; each test puts a fresh control plane behind it."""

    def __init__(self) -> None:
        self.plane = ControlPlane()
        self.url = ""
        self._loop = Loop()

    def start(self) -> None:
        self._listener = self._loop.listen(self._app)
        self.url = f"http://127.0.0.1:{self._listener.port}"

    def stop(self) -> None:
        self._loop.run(self._listener.stop())
        self._loop.close()

    async def _app(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        await application(self.plane)(scope, receive, send)


@pytest.fixture(scope="session")
def _running() -> Iterator[Endpoint]:
    running = Endpoint()
    running.start()
    yield running
    running.stop()


def _client(url: str, *, validate: bool) -> CloudFrontClient:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    config = Config(parameter_validation=validate, retries={"total_max_attempts": 1})
    return session.client("cloudfront", endpoint_url=url, config=config)


@pytest.fixture(scope="session")
def _clients(_running: Endpoint) -> dict[bool, CloudFrontClient]:
    return {validate: _client(_running.url, validate=validate) for validate in (True, False)}


@pytest.fixture
def endpoint(_running: Endpoint) -> Endpoint:
    """The address, with an empty account behind it."""
    _running.plane = ControlPlane()
    return _running


class WithPlane(Protocol):
    """Puts a control plane with these settings behind the endpoint."""

    def __call__(self, quotas: Quotas | None = None, **settings: Any) -> ControlPlane: ...


@pytest.fixture
def with_plane(endpoint: Endpoint) -> WithPlane:
    def replace(quotas: Quotas | None = None, **settings: Any) -> ControlPlane:
        endpoint.plane = ControlPlane(quotas=quotas, **settings)
        return endpoint.plane

    return replace


@pytest.fixture
def cloudfront(endpoint: Endpoint, _clients: dict[bool, CloudFrontClient]) -> CloudFrontClient:
    """A boto3 client of an empty account."""
    return _clients[True]


@pytest.fixture
def careless(endpoint: Endpoint, _clients: dict[bool, CloudFrontClient]) -> CloudFrontClient:
    """The same, without boto3's own checks of parameters: what it sends, the service has to refuse."""
    return _clients[False]


@pytest.fixture(scope="session")
def pems() -> list[str]:
    """Twelve public keys; the first is RSA 2048, the others are ECDSA P-256."""
    keys = [shared_rsa(), *(SigningKey.generate("ecdsa") for _ in range(11))]
    return [key.public_key.pem for key in keys]


@pytest.fixture
def make_key(cloudfront: CloudFrontClient, pems: list[str]) -> Callable[[], str]:
    """Makes another public key; returns its id."""
    numbers = itertools.count()

    def make() -> str:
        number = next(numbers)
        config = {"CallerReference": f"made {number}", "Name": f"made-{number}", "EncodedKey": pems[number % 12]}
        return cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]

    return make


@pytest.fixture
def make_group(cloudfront: CloudFrontClient, make_key: Callable[[], str]) -> Callable[..., str]:
    """Makes another key group, of one new key or of those given; returns its id."""
    numbers = itertools.count()

    def make(*keys: str) -> str:
        config = {"Name": f"group-{next(numbers)}", "Items": list(keys) or [make_key()]}
        return cloudfront.create_key_group(KeyGroupConfig=config)["KeyGroup"]["Id"]  # type: ignore[arg-type]

    return make


_SMALLEST: dict[str, Any] = {
    "Comment": "",
    "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "shop",
                "DomainName": "localhost",
                "CustomOriginConfig": {"HTTPPort": 8000, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    },
}


@pytest.fixture
def config() -> Callable[..., dict[str, Any]]:
    """The smallest configuration that CreateDistribution takes, with what is given on top."""
    numbers = itertools.count()

    def make(**members: Any) -> dict[str, Any]:
        return {"CallerReference": f"reference {next(numbers)}", **copy.deepcopy(_SMALLEST), **members}

    return make


@pytest.fixture
def make_distribution(cloudfront: CloudFrontClient, config: Callable[..., dict[str, Any]]) -> Callable[..., str]:
    """Makes another distribution; returns its id."""

    def make(**members: Any) -> str:
        given: Any = config(**members)
        return cloudfront.create_distribution(DistributionConfig=given)["Distribution"]["Id"]

    return make


@pytest.fixture
def trusting(make_distribution: Callable[..., str]) -> Callable[..., str]:
    """Makes a distribution whose default behavior trusts these key groups; returns its id."""

    def make(*groups: str) -> str:
        trusted = {"Enabled": True, "Quantity": len(groups), "Items": list(groups)}
        return make_distribution(
            DefaultCacheBehavior={**_SMALLEST["DefaultCacheBehavior"], "TrustedKeyGroups": trusted}
        )

    return make


CERTIFICATE = {
    "ACMCertificateArn": "arn:aws:acm:us-east-1:123456789012:certificate/12345678-1234-1234-1234-123456789012",
    "SSLSupportMethod": "sni-only",
}


@pytest.fixture
def named(make_distribution: Callable[..., str]) -> Callable[..., str]:
    """Makes a distribution with these alternate domain names and a certificate of its own."""

    def make(*aliases: str) -> str:
        return make_distribution(
            Aliases={"Quantity": len(aliases), "Items": list(aliases)}, ViewerCertificate=CERTIFICATE
        )

    return make


class Refusal(Protocol):
    """Calls an operation that must be refused; gives the code, the status and the message."""

    def __call__(self, call: Callable[..., object], /, **arguments: Any) -> tuple[str, int, str]: ...


@pytest.fixture
def refused() -> Refusal:
    def refuse(call: Callable[..., object], /, **arguments: Any) -> tuple[str, int, str]:
        with pytest.raises(ClientError) as raised:
            call(**arguments)
        answer = raised.value.response
        return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"], answer["Error"]["Message"]

    return refuse
