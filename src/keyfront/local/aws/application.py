"""The endpoint itself: one address that passes each request to the service that answers it."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Final

from keyfront.local.aws.addressing import Target
from keyfront.local.aws.bridge import Bridge, read_body, send_answer
from keyfront.local.aws.responses import AWSError
from keyfront.local.aws.security import EndpointSecurity, preflight, readable_by
from keyfront.local.aws.services import Services
from keyfront.local.aws.services_state import ServicesState
from keyfront.local.aws.web.hosts import WebAddress, addressed
from keyfront.local.aws.web.requests import WebRequest
from keyfront.local.aws.web.web_server import WebServer
from keyfront.local.controlplane import ControlPlane
from keyfront.web.types import ASGIApp, Receive, Scope, Send

_CLOUDFRONT: Final = "cloudfront"
_CLOUDFRONT_PATH: Final = b"/2020-05-31/"
_OWN_PATH: Final = b"/_keyfront/"
_RESET_PATH: Final = b"/moto-api/reset"


class Endpoint:
    """An ASGI application that is a whole AWS endpoint, from its first request to `close`.

    `control_plane` answers for CloudFront, `own` under `/_keyfront/` (nobody does when it is `None`). `plane` is
    what is behind `control_plane`, where the Resource Groups Tagging API finds CloudFront's resources. `hosts` are
    names beside localhost that clients may reach the endpoint by, `origins` those of web pages that may call it: see
    `EndpointSecurity`. `state` keeps what moto has, and is closed by whoever made it, after the endpoint. `moto_api`
    opens moto's own controls; `reset` is called when somebody resets moto with them, so that CloudFront starts anew
    with the other services. `enforce_iam`: see `enforcement`.
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
        state: ServicesState | None = None,
        reset: Callable[[], None] | None = None,
    ) -> None:
        self._control_plane, self._own = control_plane, own
        self._on_reset = reset if moto_api else None
        self._security = EndpointSecurity(hosts=hosts, origins=origins)
        self._services = Services(moto_api=moto_api, enforce_iam=enforce_iam, state=state, plane=plane)
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
        elif target.service is None and (address := addressed(target.host)):
            # Not behind `EndpointSecurity`: any page may ask for what is public, and CORS decides what it sees.
            # It leads to the functions and servers that the user put behind that address, never to a service: what is
            # signed for one, and with it all that `_bridge` and `_control_plane` take, is checked below.
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

    async def _answer_web(self, address: WebAddress, scope: Scope, receive: Receive, send: Send) -> None:
        body = await read_body(receive)
        if body is not None:
            await send_answer(await self._web_server.answer(address, WebRequest.of(scope, body)), scope, send)

    async def warm_up(self) -> None:
        """Load moto now (about a second, in a thread), so that the first request does not wait for it."""
        await asyncio.to_thread(self._services.load)

    def publish_folder(
        self, bucket: str, folder: Path, prefix: str = "", headers: Mapping[str, str] | None = None
    ) -> list[str]:
        """Make every file under `folder` an object of `bucket`, named `prefix` and its path; returns the keys, sorted.

        `headers` are set on each object, as an upload could (`Content-Disposition`, `Cache-Control`, …).

        The files are read from the disk when they are asked for: a changed file is served as it is, a new one
        appears, a deleted one is gone. What S3 does to the objects (delete, overwrite) is never done to the files.
        Hidden files and links that lead out of the folder are not published; `content_folder.contents` says what is
        left out, and why.

        Blocks while it walks the folder (and loads moto): call it in a thread. Raises `InputError` when the folder
        cannot be read, or the bucket does not exist.
        """
        return self._services.publish_folder(bucket, folder, prefix, headers or {})

    def reset(self) -> None:
        """Forget every resource of every service but CloudFront, in the whole process. For tests; blocks."""
        self._services.reset()

    def close(self) -> None:
        """Break off downloads and end functions, so that the listener can stop. In the event loop, before that."""
        self._services.functions.close()
        self._bridge.close()

    async def stop(self) -> None:
        """`close`, and wait until the functions' processes have ended."""
        self.close()
        await self._services.functions.stop()
        await self._web_server.close()


def _is_cloudfront(target: Target) -> bool:
    if target.service == _CLOUDFRONT:
        return True
    return target.service != "s3" and target.bucket is None and target.path.startswith(_CLOUDFRONT_PATH)
