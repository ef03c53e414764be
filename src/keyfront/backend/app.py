"""The download service as an ASGI application: Starlette routes over `Downloads`, and the storefront for a demo."""

import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from keyfront.backend.answers import handle_errors, refuse_with
from keyfront.backend.downloads import Downloads
from keyfront.backend.guard import Guarded, Headed
from keyfront.backend.identity import BearerToken, Identity, SignedInSession
from keyfront.backend.pages import Pages, assets
from keyfront.backend.purchases import Purchases
from keyfront.backend.refusals import RefusedError, bad_request, of_status
from keyfront.backend.settings import Settings
from keyfront.backend.storefront import Storefront
from keyfront.backend.tables import connect
from keyfront.backend.tokens import TokenChecker
from keyfront.errors import InputError, KeyfrontError
from keyfront.keystore import KeyStore, SSMParameter

_log = logging.getLogger(__name__)

_SESSION_SECONDS = 12 * 3600


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    keystore: KeyStore | None = None,
    identities: Sequence[Identity] = (),
    demo: bool = False,
    shop: str = "Downloads",
    now: Callable[[], float] = time.time,
) -> Starlette:
    """The download service.

    `engine` and `keystore` are made from the settings when they are not given; `identities` are asked before the
    bearer token that the settings describe. `demo` adds a storefront in which anybody signs in as any customer,
    without a password, and buys for nothing: it is an argument so that no environment can switch it on. `shop` is
    the name on pages; `now` gives seconds since the epoch.

    Needs no lifespan events, and asks neither database nor key before the first request does. Raises `InputError`
    when nobody could ever be identified.
    """
    purchases = Purchases(engine or connect(settings.database_url))
    known = list(identities)
    if settings.tokens is not None:
        known.append(BearerToken(TokenChecker(settings.tokens, clock=now)))
    if demo:
        known.append(SignedInSession(purchases))
    if not known:
        raise InputError(
            "nobody could be identified: set JWKS_URL, JWT_KEY or JWT_SECRET, with JWT_ISSUER and JWT_AUDIENCE"
        )
    store = keystore or KeyStore(SSMParameter(settings.private_key_parameter), settings.key_pair_id, now=now)
    downloads = Downloads(settings, store, purchases, known, now)
    pages = Pages(shop, storefront=demo)
    refuse = refuse_with(pages)
    middleware = [Middleware(Headed), Middleware(Guarded, refuse=refuse)]
    if demo:
        secret = settings.session_secret or secrets.token_hex(32)
        session = Middleware(
            SessionMiddleware, secret_key=secret, session_cookie="keyfront_session", max_age=_SESSION_SECONDS
        )
        middleware.append(session)
    routes: list[BaseRoute] = [*_routes(downloads), Mount("/assets", assets(), name="assets")]
    if demo:
        routes += Storefront(downloads, pages).routes()
    app = Starlette(routes=routes, middleware=middleware)
    # Starlette would mend a slash too many by a redirect to whatever host the request names.
    app.router.redirect_slashes = False
    handle_errors(app, refuse)
    return app


def from_environment() -> Starlette:
    """The download service with the settings of the process's environment, for an ASGI server to call.

    `granian --interface asgi --factory keyfront.backend:from_environment`
    """
    try:
        return create_app(Settings.from_environment())
    except KeyfrontError as error:
        # An ASGI server would show a traceback, in which the one line that matters comes last.
        raise SystemExit(f"keyfront: {error}") from None


def _routes(downloads: Downloads) -> list[Route]:
    async def download(request: Request) -> Response:
        """303 to a signed link."""
        _, link = await downloads.link(request, request.path_params["item"])
        # The link is for this viewer and this minute: nothing may keep it, and no other site may read it.
        return RedirectResponse(link.url, 303, {"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    async def links(request: Request) -> Response:
        """A signed link as JSON."""
        item, link = await downloads.link(request, await _wanted(request))
        expires_at = datetime.fromtimestamp(link.expires, UTC).isoformat().replace("+00:00", "Z")
        body = {"item": item.id, "url": link.url, "expires": link.expires, "expires_at": expires_at}
        return JSONResponse(body, headers={"Cache-Control": "no-store", "Referrer-Policy": "no-referrer"})

    async def alive(_: Request) -> Response:
        """Whether the process answers."""
        return JSONResponse({"status": "ok"})

    async def ready(_: Request) -> Response:
        """Whether it could make a link: the database answers, and there is a key."""
        checks = {"database": True, "key": True}
        try:
            await run_in_threadpool(downloads.purchases.check)
        except KeyfrontError as error:
            _log.error("not ready: %s", error)
            checks["database"] = False
        try:
            await downloads.keystore.signer_async()
        except KeyfrontError as error:
            _log.error("not ready: %s", error)
            checks["key"] = False
        good = all(checks.values())
        return JSONResponse({"status": "ok" if good else "unavailable", **checks}, 200 if good else 503)

    return [
        Route("/download/{item}", download, name="download"),
        Route("/api/links", links, methods=["POST"]),
        Route("/healthz", alive),
        Route("/readyz", ready),
    ]


async def _wanted(request: Request) -> str:
    """The item that a JSON body asks for."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != "application/json":
        raise RefusedError(of_status(415, {"Accept": "application/json"}))
    try:
        body = await request.json()
    except (ValueError, RecursionError):
        raise RefusedError(bad_request('The body is not JSON: send {"item": "…"}.')) from None
    item = body.get("item") if isinstance(body, dict) else None
    if not isinstance(item, str):
        raise RefusedError(bad_request('The body names no item: send {"item": "…"}.'))
    return item
