"""A CloudFront in this process: the API, an edge that follows it, and an origin."""

import asyncio
import threading
from collections.abc import Coroutine, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.configuration import EMPTY, Configuration
from keyfront.edge.origin.client import Origins
from keyfront.edge.pipeline import Edge
from keyfront.edge.request.admission import Door
from keyfront.edge.server.asgi import application
from keyfront.edge.server.refresh import Refresher
from keyfront.edge.server.sources import Account
from keyfront.edge.server.standing import STALE_SECONDS, Keeper
from keyfront.errors import InputError
from keyfront.local.clients import CREDENTIALS, REGION, session
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application as control_plane_app
from keyfront.testing.clock import Clock
from keyfront.testing.decisions import Decisions
from keyfront.testing.files import Files
from keyfront.testing.sites import Access, Site, behavior, own_server
from keyfront.testing.viewer import Reply, fetch
from keyfront.web.serving import Listener, bind
from keyfront.web.types import ASGIApp, Message, Receive, Scope, Send

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Result = TypeVar("Result")

_NAME: Final = "testing"
"""The edge's name in the control plane."""
_running: list["CloudFront"] = []


class CloudFront:
    """A CloudFront in this process, between `start` and `stop`, or as a context manager.

    Its key group trusts one key, with which `signer` signs. A change through the API is in use before the API's
    response has arrived, which takes minutes on Amazon. Nothing is kept, and no other host is asked.
    """

    def __init__(self, signing_key: SigningKey | None = None) -> None:
        """If `signing_key` is not given, a new RSA key signs."""
        self.signing_key: Final = signing_key or SigningKey.generate("rsa")
        self.clock: Final = Clock()
        self.endpoint_url = ""
        """The address of the CloudFront API, for boto3, the AWS CLI and Terraform."""
        self.key_group_id = ""
        self._files = Files()
        self._sites = 0
        self._decisions = Decisions()
        self._plane = ControlPlane()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="keyfront-testing", daemon=True)
        self._closing = AsyncExitStack()
        self._reading = threading.Lock()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen on free ports of 127.0.0.1."""
        self._thread.start()
        try:
            self._do(self._open())
            self.client: CloudFrontClient = self._client()
            self.reset()
        except BaseException:
            self.stop()
            raise
        _running.append(self)

    def stop(self) -> None:
        """Close everything."""
        if self in _running:
            _running.remove(self)
        self._do(self._closing.aclose())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    @property
    def environment(self) -> dict[str, str]:
        """The variables that send boto3, the AWS CLI and Terraform of a child process here, for CloudFront alone."""
        return {
            "AWS_ENDPOINT_URL_CLOUDFRONT": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": CREDENTIALS[0],
            "AWS_SECRET_ACCESS_KEY": CREDENTIALS[1],
            "AWS_DEFAULT_REGION": REGION,
        }

    @property
    def signer(self) -> Signer:
        """A signer with the key that the key group trusts, and with this CloudFront's clock."""
        return Signer(self._key_pair_id, self.signing_key, clock=self.clock)

    @property
    def trusted_keys(self) -> dict[str, PublicKey]:
        """The public key in the key group, by its id."""
        return {self._key_pair_id: self.signing_key.public_key}

    def reset(self) -> None:
        """Remove every resource, file and cached object, return to the real time, and trust the key again."""
        self.clock.reset()
        self._files.clear()
        self._plane.reset()
        self._do(self._forget())
        key = {"CallerReference": "testing", "Name": "testing", "EncodedKey": self.signing_key.public_key.pem}
        made: Any = self._plane.perform("CreatePublicKey", {"PublicKeyConfig": key})
        self._key_pair_id: str = made["PublicKey"]["Id"]
        group = {"Name": "testing", "Items": [self._key_pair_id]}
        made = self._plane.perform("CreateKeyGroup", {"KeyGroupConfig": group})
        self.key_group_id = made["KeyGroup"]["Id"]
        self._refresh()

    def distribution(
        self,
        files: Mapping[str, bytes] | None = None,
        *,
        origin: str = "",
        behaviors: Mapping[str, Access | Mapping[str, Any]] | None = None,
        **config: Any,
    ) -> Site:
        """Create a distribution for `files` (by their paths), or for the web server at `origin`, a URL of this machine.

        `behaviors` maps path patterns, in their order, to `"signed"`, `"public"`, or members of the API's
        `CacheBehavior`. The pattern `*` is the default cache behavior, `"signed"` if not given. `config` has more
        members of `DistributionConfig`.

        Raises `InputError` for a bad `origin`, and botocore's `ClientError` as the API does.
        """
        behaviors = {**(behaviors or {})}
        default = behavior(behaviors.pop("*", "signed"), self.key_group_id)
        others = [{**behavior(each, self.key_group_id), "PathPattern": pattern} for pattern, each in behaviors.items()]
        self._sites += 1
        complete: Any = {
            "CallerReference": f"testing-{self._sites}",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [self._origin(origin, files or {})]},
            "DefaultCacheBehavior": default,
            "CacheBehaviors": {"Quantity": len(others), "Items": others},
            **config,
        }
        made = self.client.create_distribution(DistributionConfig=complete)["Distribution"]
        return Site(made["Id"], made["DomainName"], self.signer)

    def get(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        cookies: Mapping[str, str] | None = None,
        body: bytes | None = None,
    ) -> Reply:
        """Request `url` from the edge, and follow no redirect. Raises `URLError` for what is not a URL."""
        ports = {"http": self._http.port, "https": self._https.port}
        request, response, content = fetch(
            ports, url, method=method, headers=headers or {}, cookies=cookies or {}, body=body
        )
        found: dict[str, str] = {}
        for name, value in response.getheaders():
            known = found.get(name.lower())
            separator = "\n" if name.lower() == "set-cookie" else ", "
            found[name.lower()] = value if known is None else f"{known}{separator}{value}"
        reason = self._decisions.reason(found.get("x-amz-cf-id", "").encode())
        return Reply(request, response.status, found, content, reason)

    def _origin(self, url: str, files: Mapping[str, bytes]) -> dict[str, Any]:
        if url and files:
            raise InputError("give either files or an origin")
        if url:
            return own_server(url)
        prefix = f"/{self._sites}"
        self._files.add(prefix, files)
        return own_server(f"http://localhost:{self._web_server.port}{prefix}")

    async def _open(self) -> None:
        self._origins = Origins()
        self._closing.push_async_callback(self._origins.aclose)
        self._edge = Edge(self._origins, clock=self.clock, explains=True, on_decision=self._decisions.note)
        self._closing.push_async_callback(self._edge.aclose)
        viewers = application(self._edge, Door())
        self._web_server = self._listen(self._files.application())
        self._http, self._https = self._listen(viewers), self._listen(_as_https(viewers))
        self.endpoint_url = f"http://127.0.0.1:{self._listen(self._api()).port}"

    def _listen(self, app: ASGIApp) -> Listener:
        listener = Listener(app, bind("127.0.0.1", 0))
        listener.start()
        self._closing.push_async_callback(listener.stop)
        return listener

    def _api(self) -> ASGIApp:
        """The control plane. What a request changes is in use before its response is sent."""
        plane = control_plane_app(self._plane)

        async def app(scope: Scope, receive: Receive, send: Send) -> None:
            messages: list[Message] = []

            async def keep(message: Message) -> None:
                messages.append(message)

            await plane(scope, receive, keep)
            if scope["method"] not in ("GET", "HEAD"):
                await asyncio.to_thread(self._refresh)
            for message in messages:
                await send(message)

        return app

    async def _forget(self) -> None:
        self._edge.cache.purge(lambda _: True)
        self._edge.configuration = EMPTY
        # A new one knows nothing of the account before.
        self._plane.propagation.register(_NAME)
        self._refresher = Refresher(
            Account(self.client),
            self._apply,
            self._purge,
            Keeper(STALE_SECONDS, lambda _: None, every=STALE_SECONDS),
            on_applied=lambda versions: self._plane.propagation.applied(_NAME, versions),
        )

    def _refresh(self) -> None:
        with self._reading:
            self._refresher.refresh()

    def _apply(self, configuration: Configuration) -> frozenset[str]:
        self._edge.configuration = configuration
        return frozenset()

    def _purge(self, invalidation: Invalidation) -> None:
        async def purge() -> None:
            self._edge.cache.purge(invalidation.matcher())

        self._do(purge())

    def _client(self) -> "CloudFrontClient":
        from botocore.config import Config

        return session().client("cloudfront", endpoint_url=self.endpoint_url, config=Config(proxies={}))

    def _do(self, work: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


def running() -> CloudFront:
    """Return the CloudFront that was started last. Raises `InputError` if none runs."""
    found = started()
    if found is None:
        raise InputError("no CloudFront runs in this process: use the fixture cloudfront, or `with CloudFront()`")
    return found


def started() -> CloudFront | None:
    """Return the CloudFront that was started last, or `None`."""
    return _running[-1] if _running else None


def _as_https(app: ASGIApp) -> ASGIApp:
    """Let `app` see HTTPS where there is none: a test has no certificates."""

    async def https(scope: Scope, receive: Receive, send: Send) -> None:
        await app({**scope, "scheme": "https"}, receive, send)

    return https
