"""System checks: `manage.py check` reports mistakes in `KEYFRONT` before users see them."""

from django.conf import settings
from django.core import checks
from django.core.checks import CheckMessage, Error

from keyfront.integrations.django.settings import faults

_MIDDLEWARE = "keyfront.integrations.django.middleware.SignedCookiesMiddleware"
_USERS = "django.contrib.auth.middleware.AuthenticationMiddleware"


def check_settings(**_: object) -> list[CheckMessage]:
    """Return the faults of the setting, and of the middleware's position."""
    given = getattr(settings, "KEYFRONT", None)
    found: list[CheckMessage] = [
        (Error if fault.stops else checks.Warning)(fault.text, hint=fault.hint, id=fault.id) for fault in faults(given)
    ]
    middleware = list(settings.MIDDLEWARE)
    if _MIDDLEWARE not in middleware:
        return found
    if isinstance(given, dict) and not given.get("COOKIES"):
        hint = "set COOKIES = {'RESOURCE': '/members/*'} in KEYFRONT"
        found.append(Error(f"{_MIDDLEWARE} is installed, but KEYFRONT has no COOKIES", hint=hint, id="keyfront.E011"))
    if _USERS not in middleware or middleware.index(_USERS) > middleware.index(_MIDDLEWARE):
        text = f"{_MIDDLEWARE} is not after {_USERS} in MIDDLEWARE"
        found.append(Error(text, hint="put it after that: it must know the user", id="keyfront.E012"))
    cookies = given.get("COOKIES") if isinstance(given, dict) else None
    if isinstance(cookies, dict) and not settings.DEBUG and cookies.get("SECURE") is False:
        text = "KEYFRONT['COOKIES']['SECURE'] is False, so browsers send signed cookies over plain HTTP"
        found.append(checks.Warning(text, hint="remove it if viewers use https", id="keyfront.W001"))
    return found
