"""The download service as an ASGI application."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence

from sqlalchemy import Engine
from starlette.requests import Request

from keyfront.backend.asgi.adapter import ASGIRequest, Observe, application
from keyfront.backend.service.addresses import Service
from keyfront.backend.service.downloads import Downloads
from keyfront.backend.service.entitlements import Entitlements, open_entitlements
from keyfront.backend.service.identity import BearerToken, Identity
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.rate_limits import RateLimits
from keyfront.backend.service.router import Router
from keyfront.backend.service.settings import Settings
from keyfront.backend.service.threads import Workers
from keyfront.backend.service.tokens import TokenChecker
from keyfront.errors import InputError, KeyfrontError
from keyfront.keystore import KeyStore
from keyfront.web.types import ASGIApp


def create_app(
    settings: Settings,
    *,
    engine: Engine | None = None,
    keystore: KeyStore | None = None,
    identities: Sequence[Identity[Request]] = (),
    now: Callable[[], float] = time.time,
    observe: Observe | None = None,
) -> ASGIApp:
    """Return the download service as an ASGI application.

    If not given, `engine` and `keystore` are made from the settings. `identities` are asked before the settings' bearer
    token check. `now` returns seconds since the epoch. `observe` is called after each response.

    It needs no lifespan events, and uses neither database nor key before the first request. Raises `InputError` if
    there is no way to identify customers.
    """
    workers = Workers(settings.wait_seconds)
    entitlements = open_entitlements(settings, workers.wait) if engine is None else Purchases(engine)
    known = [*identities, *bearer_tokens(settings, now)]
    downloads = open_downloads(settings, entitlements, workers, known, keystore=keystore, now=now)
    return application(Router(Service(downloads).addresses), observe)


def bearer_tokens(settings: Settings, now: Callable[[], float]) -> Iterator[Identity[ASGIRequest]]:
    """Yield the check of bearer tokens, if the settings have one."""
    if settings.tokens is not None:
        yield BearerToken(TokenChecker(settings.tokens, seconds=settings.wait_seconds, clock=now))


def open_downloads(
    settings: Settings,
    entitlements: Entitlements,
    workers: Workers,
    identities: Sequence[Identity[ASGIRequest]],
    *,
    keystore: KeyStore | None,
    now: Callable[[], float],
) -> Downloads[ASGIRequest]:
    """Return `Downloads` for an event loop; `workers` run the blocking calls. Arguments as in `create_app`."""
    if not identities and not entitlements.anonymous:
        raise InputError(
            "there is no way to identify customers: set JWKS_URL, JWT_KEY or JWT_SECRET, with JWT_ISSUER and "
            "JWT_AUDIENCE"
        )
    store = keystore or settings.open_keystore(check=True, now=now)
    limits = RateLimits(settings.rates)
    return Downloads(settings, store.signer, entitlements, identities, now, workers.run, limits, asyncio.gather)


def from_environment() -> ASGIApp:
    """Return the download service with settings from the environment: the factory for an ASGI server.

    `granian --interface asgi --factory keyfront.backend:from_environment`
    """
    try:
        return create_app(Settings.from_environment())
    except KeyfrontError as error:
        # An ASGI server would print a traceback and hide the one line that matters.
        raise SystemExit(f"keyfront: {error}") from None
