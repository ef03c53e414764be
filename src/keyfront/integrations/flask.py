"""Flask: an extension with the application's signer, signed cookies on responses, and `signed_url` in templates."""

from datetime import timedelta
from typing import Unpack

from keyfront.core.cookies import CookieAttributes, SignedCookies, delete_cookie_values, set_cookie_values
from keyfront.core.entered_times import lifetime
from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.misuse import of_lifetime, warn
from keyfront.core.showing import in_words, told
from keyfront.errors import InputError
from keyfront.home import install
from keyfront.integrations.signer_settings import check_signer
from keyfront.integrations.site import Site

try:
    from flask import Flask, Response, current_app
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(f"keyfront.integrations.flask needs Flask: {install('flask')}", name=error.name) from None

_NAME = "keyfront"


class Keyfront:
    """The extension. It uses `site` in every application; if not given, it makes a site from the configuration.

    `KEYFRONT_SIGNER` is a signer's address (`ssm:/shop/key`), `KEYFRONT_DOMAIN` the distribution's domain,
    `KEYFRONT_KEY_PAIR_ID` the id if the PEM is stored without it. `KEYFRONT_LIFETIME` is the lifetime of links in
    templates: seconds, a timedelta or a span such as `1h` (default: one hour). `KEYFRONT_MAX_LIFETIME` is the longest
    lifetime of any signature, in the same form; if not given, lifetimes over seven days warn.
    """

    def __init__(self, app: Flask | None = None, *, site: Site | None = None) -> None:
        self._site = site
        if app is not None:
            self.init_app(app)

    def init_app(self, app: Flask) -> None:
        """Set up `app`. Reads a key that is on this machine (`file:`, `env:`), to find mistakes now.

        Raises `InputError` if the configuration is incomplete or wrong, and `ServiceError` if that key cannot be read.
        """
        app.config.setdefault("KEYFRONT_LIFETIME", 3600)
        life, most = _span(app, "KEYFRONT_LIFETIME"), _span(app, "KEYFRONT_MAX_LIFETIME")
        if life is not None and most is not None and life > most:
            raise InputError(
                f"KEYFRONT_LIFETIME is {in_words(life)}, but KEYFRONT_MAX_LIFETIME is {in_words(most)}: "
                "change one of them"
            )
        if life is not None and most is None:
            warn(of_lifetime(life.total_seconds()))
        app.extensions[_NAME] = self._site or _configured(app)
        app.add_template_global(_signed_url, "signed_url")

    @property
    def site(self) -> Site:
        """The current application's site. Needs a request context or an application context."""
        return get_site()


def get_site() -> Site:
    """Return the current application's site. Raises `InputError` if it has none."""
    site = current_app.extensions.get(_NAME)
    if not isinstance(site, Site):
        raise InputError("this application has no signer: call Keyfront(app), or keyfront.init_app(app) in its factory")
    return site


def set_signed_cookies(response: Response, cookies: SignedCookies, **attributes: Unpack[CookieAttributes]) -> None:
    """Set `cookies` on `response`, unchanged. The attributes are those of `SignedCookies.set_cookie_headers`."""
    for value in set_cookie_values(cookies, **attributes):
        response.headers.add("Set-Cookie", value)


def delete_signed_cookies(response: Response, **attributes: Unpack[CookieAttributes]) -> None:
    """Delete all signed cookies that were set with this domain and path."""
    for value in delete_cookie_values(**attributes):
        response.headers.add("Set-Cookie", value)


def _signed_url(key: str, expires: str | float | timedelta | None = None) -> str:
    """Return a signed URL for an S3 key or a URL, for templates. `expires`: seconds, or a span such as `1h`."""
    until = lifetime(current_app.config["KEYFRONT_LIFETIME"] if expires is None else expires, "expires")
    site = get_site()
    if not isinstance(key, str) or not key:
        raise InputError(f"signed_url got {told(key)}: give an object's key or a URL")
    return site.sign_url(key, expires=until) if "://" in key else site.sign_object(key, expires=until)


def _configured(app: Flask) -> Site:
    from keyfront.keystore import open_keystore

    for name in ("KEYFRONT_SIGNER", "KEYFRONT_DOMAIN"):
        if not app.config.get(name):
            raise InputError(f"{name} is not set: set it in app.config, or call Keyfront(app, site=…)")
    address, key_pair_id = app.config["KEYFRONT_SIGNER"], app.config.get("KEYFRONT_KEY_PAIR_ID")
    if key_pair_id is not None:
        checked_key_pair_id(key_pair_id, "KEYFRONT_KEY_PAIR_ID")
    check_signer(address, key_pair_id, "KEYFRONT_KEY_PAIR_ID")
    keys = open_keystore(address, key_pair_id)
    return Site(keys, app.config["KEYFRONT_DOMAIN"], max_lifetime=_span(app, "KEYFRONT_MAX_LIFETIME"))


def _span(app: Flask, name: str) -> timedelta | None:
    given = app.config.get(name)
    return None if given is None else lifetime(given, name)
