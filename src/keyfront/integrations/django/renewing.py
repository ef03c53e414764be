"""Set, renew or delete the cookies of a response, for the middleware and the decorator."""

import logging

from django.http import HttpRequest, HttpResponseBase

from keyfront.errors import ServiceError
from keyfront.integrations.django.cookies import due, put
from keyfront.integrations.django.settings import CookieSettings, current

_log = logging.getLogger("keyfront.integrations.django")


def renew(request: HttpRequest, response: HttpResponseBase, asked: CookieSettings) -> None:
    """Set, renew or delete the signed cookies of the request's user.

    If the key cannot be fetched, the page is still served, without cookies, and the error is logged.
    """
    user = getattr(request, "user", None)
    made = due(request, response, asked, str(user.pk) if user is not None and user.is_authenticated else None)
    if made is None:
        return
    try:
        site = current().site
        cookies = site.sign_cookies(made.resource, expires=made.ends)
    except ServiceError as error:
        _log.error("no signed cookies for user %s: %s", made.user, error)
        return
    put(response, cookies, made, asked)


async def renew_async(request: HttpRequest, response: HttpResponseBase, asked: CookieSettings) -> None:
    """Do what `renew` does, without blocking the event loop."""
    user = None
    if hasattr(request, "auser"):
        # Also kept on the request, for functions of the request, which cannot query the database here.
        user = request.user = await request.auser()
    made = due(request, response, asked, str(user.pk) if user is not None and user.is_authenticated else None)
    if made is None:
        return
    try:
        site = current().site
        cookies = await site.sign_cookies_async(made.resource, expires=made.ends)
    except ServiceError as error:
        _log.error("no signed cookies for user %s: %s", made.user, error)
        return
    put(response, cookies, made, asked)
