"""The download service as an ASGI application: Starlette routes over `Downloads`, and the storefront for a demo."""

import asyncio
import secrets
import time
from collections.abc import Callable, Sequence

from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from keyfront.backend.asgi.assets import stylesheet
from keyfront.backend.asgi.responses import as_response, handle_errors, refuse_with
from keyfront.backend.asgi.security import Guarded, Headed
from keyfront.backend.asgi.storefront import Storefront
from keyfront.backend.service.addresses import Address, Service
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.dynamodb import DynamoTable
from keyfront.backend.service.entitlements import Called, Entitlements, load
from keyfront.backend.service.identity import BearerToken, Identity, SignedInSession
from keyfront.backend.service.pages import Pages
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.settings import Settings
from keyfront.backend.service.tables import connect
from keyfront.backend.service.threads import Workers
from keyfront.backend.service.tokens import TokenChecker
from keyfront.errors import InputError, KeyfrontError
from keyfront.keystore import KeyStore

_SESSION_SECONDS = 12 * 3600


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    keystore: KeyStore | None = None,
    identities: Sequence[Identity[Request]] = (),
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
    workers = Workers(settings.wait_seconds)
    entitlements = _entitlements(settings, engine, workers)
    known: list[Identity[Request]] = list(identities)
    if settings.tokens is not None:
        known.append(BearerToken(TokenChecker(settings.tokens, seconds=settings.wait_seconds, clock=now)))
    if demo:
        if not isinstance(entitlements, Purchases):
            raise InputError("the demo keeps its purchases in a database: remove KEYFRONT_ENTITLEMENTS")
        known.append(SignedInSession(entitlements, workers.run))
    if not known and not entitlements.anonymous:
        raise InputError(
            "nobody could be identified: set JWKS_URL, JWT_KEY or JWT_SECRET, with JWT_ISSUER and JWT_AUDIENCE"
        )
    store = keystore or settings.open_keystore(check=True, now=now)
    downloads = Downloads[Request](settings, store.signer, entitlements, known, now, workers.run, asyncio.gather)
    pages = Pages(shop, storefront=demo)
    refuse = refuse_with(pages)
    middleware = [Middleware(Headed), Middleware(Guarded, refuse=refuse)]
    if demo:
        secret = settings.session_secret or secrets.token_hex(32)
        session = Middleware(
            SessionMiddleware, secret_key=secret, session_cookie="keyfront_session", max_age=_SESSION_SECONDS
        )
        middleware.append(session)
    routes: list[BaseRoute] = [*_routes(Service(downloads)), stylesheet()]
    if isinstance(entitlements, Purchases) and demo:
        routes += Storefront(downloads, entitlements, pages).routes()
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


def _routes(service: Service[Request]) -> list[BaseRoute]:
    return [_route(address) for address in service.addresses]


def _route(address: Address[Request]) -> Route:
    async def endpoint(request: Request) -> Response:
        body = await request.body() if address.method == "POST" else b""
        return as_response(await address.answer(request, request.path_params.get("item", ""), body))

    path = f"{address.path}{{item:path}}" if address.of_items else address.path
    return Route(path, endpoint, methods=[address.method])


def _entitlements(settings: Settings, engine: Engine | None, workers: Workers) -> Entitlements:
    """Who may download what, as the settings say; in SQL where they say nothing."""
    if engine is None and settings.entitlements is not None:
        return Called(load(settings.entitlements), workers.wait)
    if engine is None and settings.entitlements_table is not None:
        return DynamoTable(settings.entitlements_table, seconds=settings.wait_seconds)
    return Purchases(engine or connect(settings.database_url, seconds=settings.wait_seconds))
