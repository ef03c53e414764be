"""The endpoint: one address that passes each request to the right service."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from keyfront.core.api_hosts import APIHost, api_host
from keyfront.local.aws.addressing import Target
from keyfront.local.aws.bridge import Bridge, read_body, send_answer
from keyfront.local.aws.responses import AWSError
from keyfront.local.aws.security import EndpointSecurity, preflight, readable_by
from keyfront.local.aws.services import Services
from keyfront.local.aws.services_state import ServicesState
from keyfront.local.aws.web.requests import WebRequest
from keyfront.local.aws.web.web_server import WebServer
from keyfront.local.controlplane import ControlPlane
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_CLOUDFRONT: Final = ("cloudfront", "cloudfront-keyvaluestore")
_CLOUDFRONT_PATHS: Final = (b"/2020-05-31/", b"/key-value-stores/")
_OWN_PATH: Final = b"/_keyfront/"
_RESET_PATH: Final = b"/moto-api/reset"


class Endpoint:
    """An ASGI application that is a whole AWS endpoint, from its first request to `close`.

    - `control_plane` serves CloudFront, and `own` (if given) serves paths under `/_keyfront/`.
    - `plane` is the control plane behind `control_plane`. The Resource Groups Tagging API finds CloudFront's resources
      in it.
    - `hosts` are more names than localhost for the endpoint. `origins` are the origins of web pages that may call it.
      See `EndpointSecurity`.
    - `state` saves moto's state. The caller closes it, after the endpoint.
    - `moto_api` opens moto's own controls. `reset` is called when a client resets moto, so CloudFront is reset too.
    - `enforce_iam`: see `enforcement`.
    - `node_sdk` is a folder with Amazon's clients for Node.js functions. Raises `InputError` without them.
    """

    def __init__(
        self,
        control_plane: ASGIApp,
        own: ASGIApp | None = None,
        *,
        plane: ControlPlane | None = None,
        hosts: Collection[str] = (),
        origins: Collection[str] = (),
        moto_api: bool = False,
        enforce_iam: bool = False,
        node_sdk: Path | None = None,
        state: ServicesState | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        self._control_plane, self._own = control_plane, own
        self._on_reset = reset if moto_api else None
        self._security = EndpointSecurity(hosts=hosts, origins=origins)
        self._services = Services(
            moto_api=moto_api, enforce_iam=enforce_iam, node_sdk=node_sdk, state=state, plane=plane
        )
        self._bridge = Bridge(self._services)
        self._web_server = WebServer(self._services.functions, self._services.perform, enforce=enforce_iam)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one HTTP request."""
        if scope["type"] != "http":
            raise ValueError(f"the endpoint speaks HTTP, not {scope['type']}")
        if scope["server"]:
            self._services.functions.at(scope["server"][1])
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        target = Target.of(scope, headers)
        if reason := self._security.host_refusal(scope["headers"]):
            await send_answer(AWSError(403, "AccessDenied", reason).answer(headers, target.service), scope, send)
        elif address := api_host(target.host):
            # Not behind `EndpointSecurity`: these addresses are public, and CORS decides what a page can read. They
            # reach only the functions and servers that the user put there, never a service. Requests for services,
            # which `_bridge` and `_control_plane` handle, are checked below.
            await self._answer_web(address, scope, receive, send)
        elif refused := self._security.refusal(scope, target):
            await send_answer(refused.answer(headers, target.service), scope, send)
        elif (origin := self._security.allowed_origin(scope)) is None:
            await self._serve(target, headers, scope, receive, send)
        elif answer := preflight(scope):
            await send_answer(answer, scope, readable_by(origin, send))
        else:
            await self._serve(target, headers, scope, receive, readable_by(origin, send))

    async def _serve(self, target: Target, headers: dict[str, str], scope: Scope, receive: Receive, send: Send) -> None:
        if _is_cloudfront(target):
            await self._control_plane(scope, receive, send)
        elif self._own and target.bucket is None and target.path.startswith(_OWN_PATH):
            await self._own(scope, receive, send)
        else:
            if self._on_reset and target.path == _RESET_PATH and scope["method"] == "POST":
                await asyncio.to_thread(self._on_reset)
            await self._bridge(target, headers, scope, receive, send)

    async def _answer_web(self, address: APIHost, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is not None:
            await send_answer(await self._web_server.answer(address, WebRequest.of(scope, body)), scope, send)

    async def warm_up(self) -> None:
        """Load moto now (about a second, in a thread), so the first request does not wait for it."""
        await asyncio.to_thread(self._services.load)

    def publish_folder(
        self, bucket: str, folder: Path, prefix: str = "", headers: Mapping[str, str] | None = None
    ) -> list[str]:
        """Publish every file under `folder` as an object of `bucket`, and return the keys, sorted.

        A key is `prefix` and the file's path. `headers` are set on each object, as in an upload
        (`Content-Disposition`, `Cache-Control`, …).

        The files are read from disk at each request, so changed, new and deleted files show at once. Changes through
        S3 (delete, overwrite) never change the files. Hidden files and links that lead out of the folder are not
        published. `content_folder.contents` returns which files are left out, and why.

        It blocks while it walks the folder (and loads moto), so call it in a thread. Raises `InputError` if the folder
        cannot be read or the bucket does not exist.
        """
        return self._services.publish_folder(bucket, folder, prefix, headers or {})

    def reset(self) -> None:
        """Delete all resources of all services except CloudFront, in the whole process. For tests. Blocks."""
        self._services.reset()

    def close(self) -> None:
        """Abort downloads and end functions, so that the listener can stop. Call it in the event loop, before that."""
        self._services.functions.close()
        self._bridge.close()

    async def stop(self) -> None:
        """Call `close`, and wait until the functions' processes have ended."""
        self.close()
        await self._services.functions.stop()
        await self._web_server.close()


def _is_cloudfront(target: Target) -> bool:
    if target.service in _CLOUDFRONT:
        return True
    return target.service != "s3" and target.bucket is None and target.path.startswith(_CLOUDFRONT_PATHS)
