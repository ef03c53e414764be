"""An edge behind real listeners, a real web server as its origin, and viewers that write what they like on the wire."""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest
import trustme
from botocore.config import Config
from tests.keys import shared_rsa
from tests.servers import Loop, event_loop
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.configuration import configure
from keyfront.edge.exchange import Outcome
from keyfront.edge.observation import Desk
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.inventory import CacheBehavior, CustomOrigin, Distribution, Inventory, KeyGroup, Origin, TrustedKey
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application as control_plane
from keyfront.web.serving import Listener, bind

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

HOST = "d1.cloudfront.localhost"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"


@dataclass
class Reply:
    """What a viewer got."""

    status: int
    headers: dict[str, str]
    body: bytes
    complete: bool = True

    @property
    def cache(self) -> str:
        return self.headers.get("x-cache", "").removesuffix(" from cloudfront")


@dataclass
class Asked:
    """What the origin got."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class WebServer:
    """An origin. `answer` says what a path (without query string) gets; everything else is 404."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self._handlers: dict[str, Callable[[BaseHTTPRequestHandler], None]] = {}
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._handle
                raise AttributeError(name)

            def _handle(self) -> None:
                length = self.headers.get("content-length")
                if length is not None:
                    body = self.rfile.read(int(length))
                else:
                    body = _read_chunked(self.rfile) if self.headers.get("transfer-encoding") else b""
                headers = {name.lower(): value for name, value in self.headers.items()}
                # Not `self.path`: http.server merges slashes in it.
                target = self.requestline.split(" ")[1]
                outer.asked.append(Asked(self.command, target, headers, body))
                outer._handlers.get(target.partition("?")[0], _not_found)(self)
                self.wfile.flush()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle(self) -> None:
                try:
                    super().handle()
                except (ConnectionError, TimeoutError, ValueError):  # the last: an upload that broke off in its chunks
                    self.close_connection = True

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port: int = self._server.server_port
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        self._thread.start()

    def answer(
        self, path: str, body: bytes = b"", *, status: int = 200, headers: Mapping[str, str] | None = None
    ) -> None:
        """Give this to everybody who asks for `path`."""

        def handler(request: BaseHTTPRequestHandler) -> None:
            request.send_response_only(status)
            for name, value in (headers or {}).items():
                request.send_header(name, value)
            if status not in (204, 304):
                request.send_header("Content-Length", str(len(body)))
            request.end_headers()
            if request.command != "HEAD" and status not in (204, 304):
                request.wfile.write(body)

        self._handlers[path] = handler

    def handle(self, path: str, handler: Callable[[BaseHTTPRequestHandler], None]) -> None:
        """Let `handler` answer whoever asks for `path`."""
        self._handlers[path] = handler

    def reset(self) -> None:
        self.asked.clear()
        self._handlers.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _not_found(request: BaseHTTPRequestHandler) -> None:
    request.send_response_only(404)
    request.send_header("Content-Length", "9")
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(b"not here\n")


def _read_chunked(file: Any) -> bytes:
    body = b""
    while size := int(file.readline().split(b";")[0], 16):
        body += file.read(size)
        file.readline()
    file.readline()
    return body


def read_reply(connection: socket.socket, method: str) -> Reply:
    """What is on the wire, read to its end; `complete` says whether the end was an honest one."""
    response = http.client.HTTPResponse(connection, method=method)
    response.begin()
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        headers[name.lower()] = f"{headers[name.lower()]}, {value}" if name.lower() in headers else value
    try:
        body, complete = response.read(), True
    except http.client.IncompleteRead as error:
        body, complete = error.partial, False
    return Reply(response.status, headers, body, complete)


class Viewer:
    """Sends requests to a port, to the byte."""

    def __init__(self, port: int) -> None:
        self.port = port

    def get(self, target: str, **options: Any) -> Reply:
        """A GET of `target`, a path with its query string as it goes over the wire."""
        return self.ask("GET", target, **options)

    def ask(
        self,
        method: str,
        target: str,
        *,
        host: str | None = HOST,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        lines = [f"{method} {target} HTTP/1.1"]
        lines += [f"Host: {host}"] if host is not None else []
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        lines += [f"Content-Length: {len(body)}"] if body is not None else []
        return self.raw(("\r\n".join([*lines, "", ""])).encode("latin-1") + (body or b""), method)

    def raw(self, data: bytes, method: str = "GET") -> Reply:
        with self.connect() as connection:
            connection.sendall(data)
            return read_reply(connection, method)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


@dataclass
class Clock:
    """Seconds since the epoch, as a test wants them."""

    ahead: float = 0

    def __call__(self) -> float:
        return time.time() + self.ahead


@dataclass
class Laid:
    """An edge on a port, its origin, and a key that its distribution trusts."""

    edge: Edge
    origin: WebServer
    viewer: Viewer
    clock: Clock
    key: SigningKey
    outcomes: list[Outcome] = field(default_factory=list)

    def behavior(self, pattern: str = "*", **changes: Any) -> CacheBehavior:
        """A public behavior that caches; name `trusted_key_groups` to protect it."""
        behavior = CacheBehavior(pattern, "web", cache_policy_id=CACHING_OPTIMIZED)
        return replace(behavior, protected=bool(changes.get("trusted_key_groups")), **changes)

    def web(self, **changes: Any) -> Origin:
        custom = CustomOrigin(http_port=self.origin.port, protocol_policy="http-only")
        return replace(Origin("web", "127.0.0.1", custom=custom, connection_attempts=1), **changes)

    def distribution(self, *behaviors: CacheBehavior, **changes: Any) -> Distribution:
        """Behaviors in their order, the default one last."""
        *others, default = behaviors or (self.behavior(),)
        return replace(
            Distribution("E1", f"{HOST}:8443", default, tuple(others), origins=(self.web(),), etag="e1"), **changes
        )

    def inventory(self, *distributions: Distribution) -> Inventory:
        return Inventory(
            distributions=distributions,
            key_groups={"g1": KeyGroup("g1", "one", ("K1",)), "none": KeyGroup("none", "empty", ())},
            keys={"K1": TrustedKey("K1", "key", self.key.public_key)},
        )

    def serve(self, *behaviors: CacheBehavior, **changes: Any) -> None:
        """Take a distribution of these behaviors into use."""
        self.edge.configuration = configure(self.inventory(self.distribution(*behaviors, **changes)))

    @property
    def signer(self) -> Signer:
        return Signer("K1", self.key, clock=self.clock)

    def signed(self, path: str, **options: Any) -> str:
        """The target of a signed URL for `path` (with its query string)."""
        options = {"expires": int(self.clock()) + 60, **options}
        return self.signer.sign_url(f"http://{HOST}{path}", **options).removeprefix(f"http://{HOST}")

    def custom(self, resource: str) -> str:
        """The query string in which a custom policy for `resource` travels, whatever URL it stands behind."""
        cookies = self.signer.sign_cookies(resource, expires=int(self.clock()) + 60, starts=1)
        return "&".join(f"{name.removeprefix('CloudFront-')}={value}" for name, value in cookies.items())


class Lay(Protocol):
    def __call__(self, door: Door = ..., **options: Any) -> Laid: ...


@pytest.fixture(scope="session")
def loop() -> Iterator[Loop]:
    with event_loop() as running:
        yield running


@pytest.fixture(scope="session")
def signing_key() -> SigningKey:
    return shared_rsa()


@pytest.fixture(scope="session")
def _web_server() -> Iterator[WebServer]:
    server = WebServer()
    yield server
    server.close()


@pytest.fixture
def origin(_web_server: WebServer) -> WebServer:
    _web_server.reset()
    return _web_server


@pytest.fixture(scope="session")
def _few_authorities(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A file with one authority. To read the public ones would take longer than a test."""
    file = tmp_path_factory.mktemp("authorities") / "one.pem"
    trustme.CA().cert_pem.write_to_path(file)
    return str(file)


@pytest.fixture
def lay(loop: Loop, origin: WebServer, signing_key: SigningKey, _few_authorities: str) -> Iterator[Lay]:
    """Make an edge behind a listener: `lay(door, cache_bytes=…, endpoint_url=…)`."""
    closing: list[Callable[[], Awaitable[None]]] = []

    def make(door: Door = Door(), **options: Any) -> Laid:  # noqa: B008
        names = ("endpoint_url", "credentials", "region", "authorities", "on_answer", "around")
        for_origins = {name: options.pop(name) for name in names if name in options}
        outcomes: list[Outcome] = []
        clock = Clock()
        observers = options.pop("observers", ())
        desk = Desk("LOC1-P1", observers) if observers else None

        async def start() -> tuple[Edge, Listener]:
            with pytest.MonkeyPatch.context() as patch:
                patch.setenv("SSL_CERT_FILE", _few_authorities)
                origins = Origins(**for_origins)
            edge = Edge(origins, clock=clock, on_decision=desk.decided if desk else outcomes.append, **options)
            listener = Listener(application(edge, door, desk), bind("127.0.0.1", 0))
            listener.start()
            closing.extend((listener.stop, edge.aclose, origins.aclose))
            return edge, listener

        edge, listener = loop.run(start())
        return Laid(edge, origin, Viewer(listener.port), clock, signing_key, outcomes)

    yield make
    for close in closing:
        loop.run(_await(close))


async def _await(close: Callable[[], Awaitable[None]]) -> None:
    await close()


@pytest.fixture
def laid(lay: Lay) -> Laid:
    """An edge with a public, caching distribution."""
    made = lay()
    made.serve()
    return made


@pytest.fixture
def viewer_class() -> type[Viewer]:
    return Viewer


@pytest.fixture
def eventually() -> Callable[..., None]:
    return wait_until


class Account:
    """A CloudFront API of its own, on a port that it can leave and come back to, and a client for it."""

    def __init__(self, loop: Loop, origin: WebServer) -> None:
        self._loop = loop
        self.origin = origin
        self.plane = ControlPlane(domain_name=lambda _: self.next_domain_name)
        self.plane.propagation.register("edge")
        self.next_domain_name = "d1.cloudfront.localhost:8443"
        self.port = 0
        self.arrive()
        self.url = f"http://127.0.0.1:{self.port}"
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
        config = Config(retries={"total_max_attempts": 1}, proxies={})
        self.client: CloudFrontClient = session.client("cloudfront", endpoint_url=self.url, config=config)

    def arrive(self) -> None:
        self._listener = self._loop.listen(control_plane(self.plane), self.port)
        self.port = self._listener.port

    def leave(self) -> None:
        self._loop.run(self._listener.stop())

    def config(self, **changes: Any) -> Any:
        """A public distribution before the web server."""
        behavior = {
            "TargetOriginId": "web",
            "ViewerProtocolPolicy": "allow-all",
            "CachePolicyId": CACHING_DISABLED,
            **changes.pop("behavior", {}),
        }
        custom = {"HTTPPort": self.origin.port, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
        origin = {"Id": "web", "DomainName": "localhost", "CustomOriginConfig": custom}
        return {
            "CallerReference": str(time.monotonic_ns()),
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
            **changes,
        }

    def create(self, domain_name: str = "d1.cloudfront.localhost:8443", **changes: Any) -> str:
        self.next_domain_name = domain_name
        made = self.client.create_distribution(DistributionConfig=self.config(**changes))
        return made["Distribution"]["Id"]

    def update(self, distribution_id: str, **changes: Any) -> None:
        found = self.client.get_distribution_config(Id=distribution_id)
        config: Any = {**found["DistributionConfig"], **changes}
        self.client.update_distribution(Id=distribution_id, IfMatch=found["ETag"], DistributionConfig=config)

    def delete(self, distribution_id: str) -> None:
        self.update(distribution_id, Enabled=False)
        wait_until(lambda: self.is_deployed(distribution_id))
        etag = self.client.get_distribution(Id=distribution_id)["ETag"]
        self.client.delete_distribution(Id=distribution_id, IfMatch=etag)

    def is_deployed(self, distribution_id: str) -> bool:
        return self.client.get_distribution(Id=distribution_id)["Distribution"]["Status"] == "Deployed"


@pytest.fixture
def account(loop: Loop, origin: WebServer) -> Iterator[Account]:
    made = Account(loop, origin)
    yield made
    made.leave()
