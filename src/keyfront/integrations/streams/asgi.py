"""An ASGI endpoint that serves manifests with fresh signatures, alone or mounted in Starlette, FastAPI or Django.

A player that reloads a live playlist, or opens a playlist after a pause, gets a fresh signature. The endpoint serves
the playlists; CloudFront serves the segments, keys and initialisations.
"""

import asyncio
import inspect
import logging
import posixpath
import re
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Unpack
from urllib.parse import quote, unquote

from keyfront.core.grants import Grant, Reuse
from keyfront.core.objects import object_url, site_url
from keyfront.core.options import Terms
from keyfront.core.signing import Signer
from keyfront.errors import InputError, KeyfrontError, ServiceError, URLError
from keyfront.integrations import aio
from keyfront.integrations.site import Site
from keyfront.integrations.streams.fetching import MissingManifestError, Web, decoded, from_folder
from keyfront.integrations.streams.manifests import SignedManifest, read, sign_with
from keyfront.integrations.streams.references import with_signature
from keyfront.web.types import Receive, Scope, Send

Allow = Callable[[Scope, str], bool | Awaitable[bool]]
"""Takes the request's ASGI scope and a path, and returns whether the viewer may play the manifest at the path."""
Read = Callable[[str], str | bytes | Awaitable[str | bytes]]
"""Returns the manifest for a path. Raises `FileNotFoundError` if it does not exist, and `ServiceError`."""
Headers = list[tuple[bytes, bytes]]

_log = logging.getLogger(__name__)

_MANIFEST = re.compile(r"(?:[^/\\\x00-\x1f\x7f]+/)*[^/\\\x00-\x1f\x7f]+\.(?:m3u8|m3u|mpd)", re.IGNORECASE)
_ORIGIN = re.compile(r"https?://[a-z0-9.\-_\[\]:]+")


def anyone(_scope: Scope, _path: str) -> bool:
    """Return `True`. For an endpoint behind another check, such as a middleware that requires a session."""
    return True


@dataclass(frozen=True, slots=True)
class CORS:
    """The pages of other origins that may read the manifests."""

    origins: Collection[str] = ()
    """Such as `https://www.example.com`; `*` for all."""
    credentials: bool = False
    """Whether these pages may send the endpoint's cookies."""
    headers: Collection[str] = ()
    """Request headers that need permission, such as `Authorization`."""

    def __post_init__(self) -> None:
        if isinstance(self.origins, str) or isinstance(self.headers, str):
            raise InputError("origins and headers are lists: write ['https://www.example.com']")
        for origin in self.origins:
            if origin != "*" and not _ORIGIN.fullmatch(origin):
                raise InputError(f"{origin!r} is not an origin: write only scheme and host, https://www.example.com")
        if self.credentials and "*" in self.origins:
            raise InputError("credentials cannot be allowed for every origin, because browsers refuse it: list origins")


class StreamEndpoint:
    """Serves the manifests of one distribution. Safe to share between requests of one event loop.

    `site` signs. `allow` decides who gets signatures; there is no default (use `anyone` behind another check).
    `lifetime` is the signature's lifetime. A signature is reused for a tenth of that, or for `reuse`, so that a player
    that reloads a manifest finds unchanged addresses of keys and initialisations. `max_lifetime` as in
    `Signer.sign_url`.

    `origin` is the source of the manifests: a folder (`Path`), the address of a web server, or a function of the path
    (async or not). If not given, they are read from the distribution, with the signature. The path is the same as on
    the distribution. `folder` is a function from a manifest's path to the folder that its signature opens; if not
    given, the manifest's own folder.
    """

    def __init__(
        self,
        site: Site,
        *,
        allow: Allow,
        lifetime: timedelta,
        origin: Path | str | Read | None = None,
        folder: Callable[[str], str] | None = None,
        cors: CORS | None = None,
        reuse: timedelta | None = None,
        max_lifetime: timedelta | None = None,
    ) -> None:
        if not isinstance(lifetime, timedelta) or lifetime <= timedelta(0):
            raise InputError(f"lifetime is {lifetime!r}: give a timedelta, such as timedelta(hours=4)")
        if not isinstance(site, Site):
            raise InputError(f"site is a {type(site).__name__}: give a Site, such as Site(signer, 'media.example.com')")
        self._site = site
        self._allow = allow
        self._reuse = Reuse(lifetime, fresh=lifetime / 10 if reuse is None else reuse)
        self._origin = site_url(origin) if isinstance(origin, str) else origin
        self._folder = folder or posixpath.dirname
        self._cors = cors or CORS()
        self._max_lifetime = site.max_lifetime if max_lifetime is None else max_lifetime
        self._web = Web()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request. At the end of a lifespan, close the connections."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            status, headers, body = await self._answer(scope)
            headers += self._cors_headers(scope)
            headers.append((b"content-length", str(len(body)).encode()))
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def close(self) -> None:
        """Close the connections to the origin."""
        await self._web.close()

    async def signed(self, path: str) -> SignedManifest:
        """Return the manifest at `path` with signed addresses. Raises `KeyfrontError`."""
        url = object_url(self._site.base_url, path)
        grant = await self._grant(path)
        text = await self._read(path, url, grant)

        def relocate(target: str) -> str | None:
            return _beside(path, target, self._site.base_url)

        return await asyncio.to_thread(lambda: sign_with(grant, read(text, url), relocate=relocate))

    async def _answer(self, scope: Scope) -> tuple[int, Headers, bytes]:
        if scope["method"] == "OPTIONS":
            return 204, [(b"allow", b"GET, HEAD, OPTIONS")], b""
        if scope["method"] not in ("GET", "HEAD"):
            return _refusal(405, "only GET and HEAD work for manifests", (b"allow", b"GET, HEAD, OPTIONS"))
        path = _path(scope)
        if path is None:
            return _refusal(404, "there are only manifests here: .m3u8 and .mpd")
        try:
            allowed = self._allow(scope, path)
            if (await allowed if inspect.isawaitable(allowed) else allowed) is not True:
                return _refusal(403, "you may not play this")
            made = await self.signed(path)
        except (MissingManifestError, FileNotFoundError, URLError) as error:
            _log.info("%r: %s", path, error)
            return _refusal(404, "there is no such manifest")
        except KeyfrontError as error:
            _log.error("%r: %s", path, error)
            if isinstance(error, _KeyError):
                return _refusal(503, "links cannot be made at the moment: try again later", (b"retry-after", b"5"))
            return _refusal(502, "the manifest cannot be fetched at the moment: try again later")
        for each in made.left:
            _log.info("%r: %.200r is not signed: %s", path, each.uri, each.reason)
        return 200, _headers(made.content_type), made.text.encode()

    async def _grant(self, path: str) -> Grant:
        try:
            signer = await self._site.signer_async()
        except ServiceError as error:
            raise _KeyError(str(error)) from None
        folder = self._folder(path).strip("/")
        resource = f"{object_url(self._site.base_url, folder)}/*" if folder else f"{self._site.base_url}/*"
        bounded = _Bounded(signer.key_pair_id, self._max_lifetime, signer)
        try:
            if (kept := self._reuse.kept(bounded, resource)) is not None:
                return kept
            return await aio.off_loop(signer, lambda: self._reuse.grant(bounded, resource))
        except ServiceError as error:
            raise _KeyError(str(error)) from None

    async def _read(self, path: str, url: str, grant: Grant) -> str:
        if self._origin is None:
            return await self._web.read(with_signature(url, grant.parameters()))
        if isinstance(self._origin, str):
            return await self._web.read(object_url(self._origin, path))
        if isinstance(self._origin, Path):
            return await asyncio.to_thread(from_folder, self._origin, path)
        found = self._origin(path)
        text = await found if inspect.isawaitable(found) else found
        return decoded(text, repr(path)) if isinstance(text, bytes) else text

    def _cors_headers(self, scope: Scope) -> Headers:
        cors = self._cors
        if not cors.origins:
            return []
        every = "*" in cors.origins
        headers: Headers = [] if every else [(b"vary", b"Origin")]
        asked = {name.lower(): value for name, value in scope["headers"]}
        origin = asked.get(b"origin", b"").decode("latin-1")
        if not origin or not (every or origin in cors.origins):
            return headers
        headers.append((b"access-control-allow-origin", b"*" if every else origin.encode("latin-1")))
        if cors.credentials:
            headers.append((b"access-control-allow-credentials", b"true"))
        if scope["method"] == "OPTIONS":
            headers += [(b"access-control-allow-methods", b"GET, HEAD"), (b"access-control-max-age", b"600")]
            if cors.headers:
                headers.append((b"access-control-allow-headers", ", ".join(cors.headers).encode()))
        return headers

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await send({"type": "lifespan.startup.complete"})
            elif message["type"] == "lifespan.shutdown":
                await self.close()
                await send({"type": "lifespan.shutdown.complete"})
                return


@dataclass(frozen=True, slots=True)
class _Bounded:
    """A signer with a maximum lifetime for its grants. Equal for the same key, even if the key was fetched again."""

    key_pair_id: str
    max_lifetime: timedelta | None
    signer: Signer = field(compare=False)

    def grant(self, resource: str, **terms: Unpack[Terms]) -> Grant:
        terms["max_lifetime"] = self.max_lifetime
        return self.signer.grant(resource, **terms)


class _KeyError(ServiceError):
    """The key cannot be fetched."""


def _path(scope: Scope) -> str | None:
    """Return the manifest's decoded path below the endpoint; `None` for other paths, or if it may leave the base."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    path = path.removeprefix(root) if root and path.startswith(f"{root}/") else path
    path = path.removeprefix("/")
    text = path
    # An origin may decode too often, so no reading of the path may contain dot segments.
    for _ in range(3):
        if _MANIFEST.fullmatch(text) is None or any(part in (".", "..") for part in text.split("/")):
            return None
        text = unquote(text)
    return path


def _beside(path: str, target: str, base_url: str) -> str | None:
    """Return the manifest at `target` as an address relative to `path`; `None` if the endpoint does not serve it."""
    address, mark, query = target.partition("?")
    if not address.startswith(f"{base_url}/"):
        return None
    wanted = unquote(address.removeprefix(f"{base_url}/"))
    if _MANIFEST.fullmatch(wanted) is None:
        return None
    relative = quote(posixpath.relpath(wanted, posixpath.dirname(path) or "."), safe="/-._~")
    return f"{relative}{mark}{query}"


def _headers(content_type: str) -> Headers:
    return [
        (b"content-type", content_type.encode()),
        (b"cache-control", b"private, no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]


def _refusal(status: int, text: str, *headers: tuple[bytes, bytes]) -> tuple[int, Headers, bytes]:
    return status, [*_headers("text/plain; charset=utf-8"), *headers], f"{text}\n".encode()
