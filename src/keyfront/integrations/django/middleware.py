"""Signed cookies for signed-in users, on every page of the site."""

from collections.abc import Awaitable, Callable
from inspect import isawaitable

from asgiref.sync import iscoroutinefunction, markcoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from keyfront.integrations.django.renewing import renew, renew_async
from keyfront.integrations.django.settings import cookie_settings


class SignedCookiesMiddleware:
    """Sets the cookies of `KEYFRONT["COOKIES"]`, renews them at half their lifetime, and deletes them at sign-out.

    It must come after `AuthenticationMiddleware`. It does not change cookies that a view sets.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]) -> None:
        self._get_response = get_response
        cookie_settings()  # raises at the start if the settings are wrong
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        response = self._get_response(request)
        if isawaitable(response):
            return self._later(request, response)
        renew(request, response, cookie_settings())
        return response

    async def _later(self, request: HttpRequest, coming: Awaitable[HttpResponseBase]) -> HttpResponseBase:
        response = await coming
        await renew_async(request, response, cookie_settings())
        return response
