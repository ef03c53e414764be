"""FastAPI and Starlette: the application's signer as a dependency, and signed cookies on responses."""

import logging
from typing import Unpack

from keyfront.core.cookies import CookieAttributes, SignedCookies, delete_cookie_values, set_cookie_values
from keyfront.errors import InputError, ServiceError
from keyfront.home import install as installing
from keyfront.integrations.site import Site

try:
    from starlette.applications import Starlette
    from starlette.requests import HTTPConnection, Request
    from starlette.responses import JSONResponse, Response
except ModuleNotFoundError as error:
    text = f"keyfront.integrations.fastapi needs Starlette: {installing('fastapi')}"
    raise ModuleNotFoundError(text, name=error.name) from None

_log = logging.getLogger(__name__)


def install(app: Starlette, site: Site) -> None:
    """Set the `site` of `app` (Starlette or FastAPI), which `get_site` then returns.

    If the key cannot be fetched, the response is 503 with `Retry-After`, and the log has the reason.
    """
    app.state.keyfront = site
    app.add_exception_handler(ServiceError, _unavailable)


def get_site(connection: HTTPConnection) -> Site:
    """Return the application's site: in FastAPI `Depends(get_site)`, in Starlette `get_site(request)`.

    The methods ending in `_async`, such as `await site.sign_url_async(…)`, never block the event loop. A `def` endpoint
    runs in its own thread, so it can call `site.sign_url(…)`. Raises `InputError` if the application has no site.
    """
    site = getattr(connection.app.state, "keyfront", None)
    if not isinstance(site, Site):
        raise InputError(
            "this application has no signer: call keyfront.integrations.fastapi.install(app, Site(…)) where it is made"
        )
    return site


def set_signed_cookies(response: Response, cookies: SignedCookies, **attributes: Unpack[CookieAttributes]) -> None:
    """Set `cookies` on `response`, unchanged. The attributes are those of `SignedCookies.set_cookie_headers`."""
    for value in set_cookie_values(cookies, **attributes):
        response.headers.append("set-cookie", value)


def delete_signed_cookies(response: Response, **attributes: Unpack[CookieAttributes]) -> None:
    """Delete all signed cookies that were set with this domain and path."""
    for value in delete_cookie_values(**attributes):
        response.headers.append("set-cookie", value)


async def _unavailable(_: Request, error: Exception) -> Response:
    _log.error("%s", error)
    return JSONResponse({"detail": "links cannot be made at the moment: try again later"}, 503, {"Retry-After": "5"})
