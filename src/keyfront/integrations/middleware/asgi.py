"""CloudFront's access check for ASGI applications: Starlette, FastAPI, Django and others."""

import time
from collections.abc import Callable, Iterable
from typing import Final

from keyfront.core.urls import without_signing_parameters
from keyfront.core.verification import Decision, error_body
from keyfront.errors import KeyfrontError
from keyfront.integrations.middleware.protection import Asked, Protection
from keyfront.integrations.middleware.targets import RewrittenPathError, SentPath, sent_path
from keyfront.integrations.middleware.trust import Keys
from keyfront.web.types import ASGIApp, Receive, Scope, Send

# A GET opens a WebSocket. Its URL is signed with the scheme of the page that opens it.
_SCHEMES: Final = {"ws": "http", "wss": "https"}


class TrustedKeyGroups:
    """Lets a request through to `app` only if CloudFront would: signed by a trusted key, for this URL, not expired.

    The application does not see the signing parameters; other parameters keep their order and bytes.
    `scope["keyfront"]` is the `Decision`, or `None` for a public path. WebSockets are checked like a GET. Lifespan
    events pass through.
    """

    def __init__(
        self,
        app: ASGIApp,
        keys: Keys | Callable[[], Keys],
        protect: Iterable[str] = ("*",),
        *,
        public: Iterable[str] = (),
        public_url: str | None = None,
        on_refused: ASGIApp | None = None,
        ignore_case: bool | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """Protect `app`. Raises `InputError`.

        - `keys`: a mapping from key-pair ids to public keys (loaded, PEM or a `Path`), or a function that returns one.
        - `protect` and `public`: CloudFront's path patterns; `public` comes first.
        - `public_url`: the application's URL for viewers (`https://host`, perhaps with a path prefix). If not given, it
          comes from the scheme and the Host header.
        - `on_refused`: an application that answers refused requests (not WebSockets) instead of CloudFront's body.
        - `ignore_case`: whether `/private/*` protects `/PRIVATE/x`. It must be true if the application serves files
          from a file system that ignores case. If not given, it is true on macOS and Windows.
        - `clock`: returns seconds since the epoch.
        """
        self._app = app
        self._protection = Protection(keys, protect, public, public_url, clock, ignore_case=ignore_case)
        self._on_refused = on_refused

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "lifespan":
            await self._app(scope, receive, send)
            return
        if kind not in ("http", "websocket"):
            raise KeyfrontError(f"a connection of type {kind!r} cannot be checked, so it is not let in")
        decision = self._protection.judge(_asked(scope))
        judged = {**scope, "keyfront": decision}
        if decision is None or decision.allowed:
            if decision is not None:
                own = without_signing_parameters(scope["query_string"].decode("latin-1"))
                judged["query_string"] = own.encode("latin-1")
            await self._app(judged, receive, send)
        elif kind == "websocket":
            await _refuse_websocket(scope, decision, send)
        elif self._on_refused is not None:
            await self._on_refused(judged, receive, send)
        else:
            await _refuse(scope, decision, send)


def _asked(scope: Scope) -> Asked:
    client, fields = scope.get("client"), {b"host": b"", b"cookie": b""}
    for name, value in scope["headers"]:
        name = name.lower()
        if name in fields:
            # Two Host headers are joined, which makes an invalid host name.
            fields[name] = fields[name] + (b"; " if name == b"cookie" else b", ") + value if fields[name] else value
    scheme: str = scope.get("scheme", "http")
    return Asked(
        scheme=_SCHEMES.get(scheme, scheme),
        host=fields[b"host"].decode("latin-1"),
        path=_path(scope),
        query=scope["query_string"].decode("latin-1"),
        cookie=fields[b"cookie"].decode("latin-1"),
        ip=client[0] if client else "",
    )


def _path(scope: Scope) -> SentPath | None:
    path, mount, raw = scope["path"], scope.get("root_path", "").rstrip("/"), scope.get("raw_path") or None
    if mount and path != mount and not path.startswith(f"{mount}/"):
        path = mount + path  # some servers leave out the mount; Starlette and Django check it the same way
    if raw is None:
        path = path.encode("utf-8", "surrogatepass").decode("latin-1")
    try:
        return sent_path(raw, path, mount, lambda data: data.decode("utf-8", "replace"))
    except RewrittenPathError:
        return None


def _headers(body: bytes) -> list[tuple[bytes, bytes]]:
    return [(b"content-type", b"text/xml"), (b"content-length", str(len(body)).encode("ascii"))]


async def _refuse(scope: Scope, decision: Decision, send: Send) -> None:
    body = error_body(decision.code or "AccessDenied", decision.message or "Access denied")
    await send({"type": "http.response.start", "status": decision.status, "headers": _headers(body)})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})


async def _refuse_websocket(scope: Scope, decision: Decision, send: Send) -> None:
    if "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": 1008})  # not accepted yet, so the server answers 403
        return
    body = error_body(decision.code or "AccessDenied", decision.message or "Access denied")
    await send({"type": "websocket.http.response.start", "status": decision.status, "headers": _headers(body)})
    await send({"type": "websocket.http.response.body", "body": body})
