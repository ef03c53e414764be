"""The laptop's shop: the download service and a storefront, as one ASGI application."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from sqlalchemy import Engine
from starlette.middleware.sessions import SessionMiddleware

from keyfront.backend import Settings
from keyfront.backend.asgi.adapter import application
from keyfront.backend.asgi.app import bearer_tokens, open_downloads
from keyfront.backend.service.addresses import Service
from keyfront.backend.service.purchases import Purchases
from keyfront.backend.service.router import Router
from keyfront.backend.service.threads import Workers
from keyfront.keystore import KeyStore
from keyfront.local.shop.pages import Pages
from keyfront.local.shop.storefront import SignedIn, Storefront
from keyfront.web.types import ASGIApp

_SESSION_SECONDS: Final = 12 * 3600


def shop_app(
    settings: Settings,
    engine: Engine,
    *,
    keystore: KeyStore | None = None,
    title: str = "Downloads",
    refresh: Callable[[], None] | None = None,
    now: Callable[[], float] = time.time,
) -> ASGIApp:
    """Return the shop with the purchases in `engine` and `title` on its pages. Sessions end with the process.

    If `keystore` is not given, it is created from the settings. `refresh` is called, in a thread, before the catalogue
    is shown. `now` returns seconds since the epoch.
    """
    workers, purchases, pages = Workers(settings.wait_seconds), Purchases(engine), Pages(title)
    identities = [*bearer_tokens(settings, now), SignedIn(purchases, workers.run)]
    downloads = open_downloads(settings, purchases, workers, identities, keystore=keystore, now=now)
    addresses = (*Service(downloads).addresses, *Storefront(downloads, purchases, pages, refresh).addresses)
    return SessionMiddleware(
        application(Router(addresses, pages.refusal)),
        secret_key=secrets.token_hex(32),
        session_cookie="keyfront_session",
        max_age=_SESSION_SECONDS,
    )
