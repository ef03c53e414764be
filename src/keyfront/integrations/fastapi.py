"""FastAPI and Starlette: the application's signer as a dependency, and signed cookies on its responses."""

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
    """Give `app` (Starlette or FastAPI) its `site`, which `get_site` then returns.

    A request whose key cannot be fetched is answered 503 and `Retry-After`, without saying why; the log says it.
    """
    app.state.keyfront = site
    app.add_exception_handler(ServiceError, _unavailable)


def get_site(connection: HTTPConnection) -> Site:
    """The application's site: in FastAPI `Depends(get_site)`, in Starlette `get_site(request)`.

    `await site.sign_url_async(…)` and its neighbours never block the event loop. A `def` endpoint has a thread of its
    own: `site.sign_url(…)` there. Raises `InputError` for an application without one.
    """
    site = getattr(connection.app.state, "keyfront", None)
    if not isinstance(site, Site):
        raise InputError(
            "this application has no signer: call keyfront.integrations.fastapi.install(app, Site(…)) where it is made"
        )
    return site


def set_signed_cookies(response: Response, cookies: SignedCookies, **attributes: Unpack[CookieAttributes]) -> None:
    """Set `cookies` on `response`, byte for byte; the attributes are those of `SignedCookies.set_cookie_headers`."""
    for value in set_cookie_values(cookies, **attributes):
        response.headers.append("set-cookie", value)


def delete_signed_cookies(response: Response, **attributes: Unpack[CookieAttributes]) -> None:
    """Delete all signed cookies that were set with this domain and path."""
    for value in delete_cookie_values(**attributes):
        response.headers.append("set-cookie", value)


async def _unavailable(_: Request, error: Exception) -> Response:
    _log.error("%s", error)
    return JSONResponse({"detail": "links cannot be made at the moment"}, 503, {"Retry-After": "5"})
