"""A whole endpoint on a free port, in an event loop of its own thread, and clients for it."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import boto3
import pytest
from botocore.config import Config
from tests.servers import Loop

from keyfront.local.aws import Endpoint
from keyfront.web.serving import Listener

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client


Headers: TypeAlias = Callable[..., dict[str, str]]
Start: TypeAlias = "Callable[..., Running]"
CommandLine: TypeAlias = Callable[..., str]


@dataclass
class Recorder:
    """Stands in for an application beside moto: answers with its name, and remembers what came."""

    name: str
    requests: list[tuple[str, str]] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.requests.append((scope["method"], scope["path"]))
        await send({"type": "http.response.start", "status": 418, "headers": [(b"x-answered-by", self.name.encode())]})
        await send({"type": "http.response.body", "body": b"<Answer/>"})


@dataclass(frozen=True)
class Reply:
    status: int
    headers: HTTPMessage
    body: bytes


@dataclass
class Running:
    """An endpoint that answers at `url`."""

    endpoint: Endpoint
    control_plane: Recorder
    own: Recorder
    loop: asyncio.AbstractEventLoop
    listener: Listener
    clients: dict[str, Any] = field(default_factory=dict)

    @property
    def port(self) -> int:
        return self.listener.port

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def client(self, service: str, **settings: Any) -> Any:
        """A boto3 client that asks this endpoint. Those without settings are made once."""
        if settings:
            return self._client(service, **settings)
        if service not in self.clients:
            self.clients[service] = self._client(service)
        return self.clients[service]

    def _client(self, service: str, **settings: Any) -> Any:
        return boto3.client(  # type: ignore[call-overload]
            service,
            endpoint_url=settings.pop("endpoint_url", self.url),
            region_name="eu-central-1" if service == "s3" else "us-east-1",
            aws_access_key_id="test",
            aws_secret_access_key="test",
            config=Config(retries={"total_max_attempts": 1}, read_timeout=60, **settings),
        )

    def send(
        self, method: str, target: str, body: bytes | Iterator[bytes] = b"", headers: dict[str, str] | None = None
    ) -> "Reply":
        """One request with a target that nothing tidies, signed for nothing unless `headers` say so."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, target, body=body, headers=headers or {})
            response = connection.getresponse()
            return Reply(response.status, response.headers, response.read())
        finally:
            connection.close()

    def stop(self) -> Future[None]:
        """As `keyfront up` stops it."""

        async def stop() -> None:
            await self.endpoint.stop()
            await self.listener.stop()

        return asyncio.run_coroutine_threadsafe(stop(), self.loop)


@pytest.fixture(scope="session")
def start_endpoint() -> Iterator[Callable[..., Running]]:
    """Starts endpoints in one event loop. They share what is moto's: its state belongs to the process."""
    loop = Loop()
    running: list[Running] = []

    def start(**settings: Any) -> Running:
        control_plane = settings.pop("control_plane", None) or Recorder("control plane")
        own = Recorder("own")
        endpoint = Endpoint(control_plane, own, **settings)
        running.append(Running(endpoint, control_plane, own, loop.loop, loop.listen(endpoint)))
        return running[-1]

    yield start

    for one in running:
        one.stop().result(30)
    loop.close()


@pytest.fixture(scope="session")
def shared_endpoint(start_endpoint: Callable[..., Running]) -> Running:
    return start_endpoint()


@pytest.fixture(scope="session")
def foreign_names(start_endpoint: Callable[..., Running]) -> Running:
    """The same endpoint at another port, where it answers to Amazon's and LocalStack's names as well."""
    return start_endpoint(hosts=["localhost.localstack.cloud", ".localhost.localstack.cloud", ".amazonaws.com"])


@pytest.fixture
def endpoint(shared_endpoint: Running) -> Iterator[Running]:
    """A running endpoint without resources, whatever ran before in this process."""
    shared_endpoint.endpoint.reset()
    shared_endpoint.control_plane.requests.clear()
    shared_endpoint.own.requests.clear()
    yield shared_endpoint
    shared_endpoint.endpoint.reset()


@pytest.fixture
def s3(endpoint: Running) -> "S3Client":
    """An S3 client, and a bucket named `shop`."""
    client: S3Client = endpoint.client("s3")
    client.create_bucket(Bucket="shop", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    return client


@pytest.fixture(scope="session")
def signed_for() -> Callable[..., dict[str, str]]:
    """Headers of a request that is signed for a service: nobody checks more of a signature here than its scope."""

    def headers(service: str, **more: str) -> dict[str, str]:
        scope = f"test/20260101/us-east-1/{service}/aws4_request"
        signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=00"
        return {"Authorization": signature, **{name.replace("_", "-"): value for name, value in more.items()}}

    return headers


@pytest.fixture
def aws(endpoint: Running, need_tool: Callable[[str], Path]) -> Callable[..., str]:
    """Runs the AWS CLI against the endpoint and returns what it printed."""
    program = Path(sys.executable).with_name("aws")
    if not program.exists():
        program = need_tool("aws")

    def run(*arguments: str, expect: int = 0) -> str:
        done = subprocess.run(
            [program, "--endpoint-url", endpoint.url, "--region", "us-east-1", *arguments],
            env={**os.environ, "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PAGER": ""},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == expect, done.stderr
        return done.stdout + done.stderr

    return run
