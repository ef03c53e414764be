"""Signed cookies for signed-in users on single views."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar, cast, overload

from asgiref.sync import iscoroutinefunction
from django.http import HttpRequest, HttpResponseBase

from keyfront.integrations.django.renewing import renew, renew_async
from keyfront.integrations.django.settings import CookieSettings, Resource, cookie_settings, current

P = ParamSpec("P")
R = TypeVar("R", bound=HttpResponseBase | Awaitable[HttpResponseBase])
View = Callable[Concatenate[HttpRequest, P], R]


@overload
def signed_cookies(view: View[P, R]) -> View[P, R]: ...
@overload
def signed_cookies(
    *, resource: Resource | None = None, lifetime: timedelta | None = None, path: str | None = None
) -> Callable[[View[P, R]], View[P, R]]: ...
def signed_cookies(
    view: View[P, R] | None = None,
    *,
    resource: Resource | None = None,
    lifetime: timedelta | None = None,
    path: str | None = None,
) -> View[P, R] | Callable[[View[P, R]], View[P, R]]:
    """Set signed cookies for the signed-in user on the view's response, as the middleware does.

    `@signed_cookies` without arguments takes everything from `KEYFRONT["COOKIES"]`. Arguments, such as in
    `@signed_cookies(resource="/course/*", path="/course")`, override values from there. Views may be `def` or
    `async def`.
    """

    def asked() -> CookieSettings:
        base = current().cookies if resource is not None else cookie_settings()
        base = base or CookieSettings("*")
        return replace(
            base, resource=resource or base.resource, lifetime=lifetime or base.lifetime, path=path or base.path
        )

    def decorate(view: View[P, R]) -> View[P, R]:
        if iscoroutinefunction(view):
            coroutine = cast("Callable[..., Awaitable[HttpResponseBase]]", view)

            @wraps(view)
            async def later(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
                response = await coroutine(request, *args, **kwargs)
                await renew_async(request, response, asked())
                return response

            return cast("View[P, R]", later)

        @wraps(view)
        def now(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponseBase:
            response = cast("HttpResponseBase", view(request, *args, **kwargs))
            renew(request, response, asked())
            return response

        return cast("View[P, R]", now)

    return decorate if view is None else decorate(view)
