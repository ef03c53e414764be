"""Read and check the setting `KEYFRONT`. One function, `faults`, finds all mistakes in it.

KEYFRONT = {
    "SIGNER": "ssm:/shop/signing-key",
    "DOMAIN": "media.example.com",
    "LIFETIME": 3600,
    "COOKIES": {"RESOURCE": "/members/*", "DOMAIN": ".example.com"},
}
"""

import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.signals import setting_changed
from django.http import HttpRequest
from django.utils.module_loading import import_string

from keyfront.core.cookies import Attributes
from keyfront.core.entered_times import lifetime
from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.misuse import of_lifetime
from keyfront.core.showing import in_words
from keyfront.core.signing import Signer
from keyfront.errors import InputError, ServiceError
from keyfront.integrations.signer_settings import check_signer
from keyfront.integrations.site import Site

Resource = str | Callable[[HttpRequest], str | None]
"""The URLs that cookies unlock: a pattern (a path is relative to the site's address), or a function of the request."""

_HOUR: Final = timedelta(hours=1)
_NAMES: Final = ("SIGNER", "KEY_PAIR_ID", "DOMAIN", "ALIASES", "LIFETIME", "MAX_LIFETIME", "COOKIES")
_COOKIES: Final = ("RESOURCE", "LIFETIME", "DOMAIN", "PATH", "SECURE", "SAME_SITE")


@dataclass(frozen=True, slots=True)
class CookieSettings:
    """The cookies for signed-in users."""

    resource: Resource
    lifetime: timedelta = _HOUR
    domain: str | None = None
    path: str = "/"
    secure: bool = True
    same_site: str | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The values of `KEYFRONT`."""

    site: Site
    lifetime: timedelta
    """The lifetime of links in templates."""
    cookies: CookieSettings | None


@dataclass(frozen=True, slots=True)
class Fault:
    """A mistake in the setting, for a system check."""

    id: str
    text: str
    hint: str
    stops: bool = True
    """Whether nothing can be signed before it is fixed. If not, it is a warning."""


def current() -> Settings:
    """Return the current setting, which is read once. Raises `ImproperlyConfigured` with its first fault."""
    with _lock:
        if not _read:
            given = getattr(settings, "KEYFRONT", None)
            for fault in faults(given):
                if fault.stops:
                    raise ImproperlyConfigured(f"{fault.text}: {fault.hint} ({fault.id})")
            assert isinstance(given, Mapping)
            _read.append(_settings(given))
        return _read[0]


def get_site() -> Site:
    """Return the site of the setting `KEYFRONT`: `get_site().sign_object("videos/1.mp4", expires=…)`."""
    return current().site


def cookie_settings() -> CookieSettings:
    """Return `KEYFRONT["COOKIES"]`. Raises `ImproperlyConfigured` if it is missing."""
    cookies = current().cookies
    if cookies is None:
        raise ImproperlyConfigured("KEYFRONT has no COOKIES: set COOKIES = {'RESOURCE': '/members/*'} in it")
    return cookies


def faults(given: object) -> Iterator[Fault]:
    """Yield every mistake in a value of the setting."""
    if not isinstance(given, Mapping):
        found = "is not set" if given is None else f"is a {type(given).__name__}"
        yield Fault("keyfront.E001", f"KEYFRONT {found}", "set KEYFRONT = {'SIGNER': …, 'DOMAIN': …}")
        return
    yield from _unknown(given, _NAMES, "KEYFRONT")
    yield from _wrong_signer(given.get("SIGNER"), given.get("KEY_PAIR_ID"))
    host = None
    try:
        host = Site(_NOBODY, given.get("DOMAIN", ""), aliases=given.get("ALIASES", ())).domain.partition(":")[0]
    except (InputError, TypeError) as error:
        yield Fault("keyfront.E003", f"KEYFRONT['DOMAIN'] or ['ALIASES']: {error}", "give the distribution's names")
    yield from _wrong_lifetime(given, "KEYFRONT")
    yield from _wrong_lifetime(given, "KEYFRONT", "MAX_LIFETIME")
    yield from _too_long(given)
    cookies = given.get("COOKIES")
    if cookies is None:
        return
    if not isinstance(cookies, Mapping):
        yield Fault("keyfront.E005", "KEYFRONT['COOKIES'] is not a dict", "write {'RESOURCE': '/members/*'}")
        return
    yield from _wrong_cookies(cookies, host)


def _wrong_signer(given: object, key_pair_id: object) -> Iterator[Fault]:
    """Yield what is wrong with KEYFRONT['SIGNER'] and KEYFRONT['KEY_PAIR_ID']. A key on this machine is read."""
    hint = "give an address, such as ssm:/shop/signing-key"
    if key_pair_id is not None:
        try:
            checked_key_pair_id(key_pair_id, "KEYFRONT['KEY_PAIR_ID']")
        except InputError as error:
            yield Fault("keyfront.E014", str(error), "set it to the id that `keyfront keys list` shows")
            return
    if isinstance(given, str):
        try:
            check_signer(given, key_pair_id, "KEYFRONT['KEY_PAIR_ID']")  # type: ignore[arg-type]  # checked above
        except ServiceError as error:
            # Not an error: the machine that builds the application may have no key.
            text = f"KEYFRONT['SIGNER']: {error}"
            yield Fault("keyfront.W002", text, "put the key there before the first link", stops=False)
        except InputError as error:
            yield Fault("keyfront.E002", f"KEYFRONT['SIGNER']: {error}", hint)
    elif not isinstance(given, Signer) and not hasattr(given, "signer_async"):
        yield Fault("keyfront.E002", "KEYFRONT['SIGNER'] is missing", hint)


def _wrong_cookies(cookies: Mapping[str, object], host: str | None) -> Iterator[Fault]:
    where = "KEYFRONT['COOKIES']"
    yield from _unknown(cookies, _COOKIES, where)
    yield from _wrong_lifetime(cookies, where)
    try:
        _resource(cookies.get("RESOURCE"))
    except (InputError, ImportError) as error:
        yield Fault("keyfront.E006", f"{where}['RESOURCE']: {error}", "give a pattern, a function or its dotted path")
    try:
        made = _cookie_settings({**cookies, "RESOURCE": "/*", "LIFETIME": None})
        Attributes(domain=made.domain, path=made.path, secure=made.secure, same_site=made.same_site)
    except (InputError, TypeError, AttributeError) as error:
        yield Fault("keyfront.E007", f"{where}: {error}", "correct it: browsers would drop such cookies")
        return
    domain = (made.domain or "").removeprefix(".").lower()
    if domain and host and host != domain and not host.endswith(f".{domain}"):
        yield Fault(
            "keyfront.E008",
            f"{where}['DOMAIN'] is {made.domain!r}, but browsers do not send its cookies to {host!r}",
            "give a domain that both this site and the distribution are in",
        )
    if host and host.endswith(".cloudfront.net") and domain != host:
        yield Fault(
            "keyfront.E009",
            f"KEYFRONT['DOMAIN'] is {host!r}, for which no other site can set cookies",
            "give the distribution an alias in the domain of this site, and set KEYFRONT['DOMAIN'] to it",
        )


def _unknown(given: Mapping[str, object], known: tuple[str, ...], where: str) -> Iterator[Fault]:
    for name in given:
        if name not in known:
            yield Fault("keyfront.E010", f"{where} has an unknown name {name!r}", f"choose from {', '.join(known)}")


def _wrong_lifetime(given: Mapping[str, object], where: str, name: str = "LIFETIME") -> Iterator[Fault]:
    if given.get(name) is None:
        return
    try:
        lifetime(given[name], f"{where}[{name!r}]")
    except InputError as error:
        text, _, hint = str(error).rpartition(": ")
        yield Fault("keyfront.E004", text, hint)


def _too_long(given: Mapping[str, object]) -> Iterator[Fault]:
    """Yield the lifetimes that every signature would be refused or warned for."""
    cookies = given.get("COOKIES")
    named = {"KEYFRONT['LIFETIME']": given, "KEYFRONT['COOKIES']['LIFETIME']": cookies}
    for where, held in named.items():
        try:
            most = _longest(given)
            if not isinstance(held, Mapping):
                continue
            life = _lifetime(held.get("LIFETIME"))
            if most is not None and life > most:
                text = f"{where} is {in_words(life)}, but KEYFRONT['MAX_LIFETIME'] is {in_words(most)}"
                yield Fault("keyfront.E013", text, "shorten the first, or lengthen the second")
            elif most is None and any(of_lifetime(life.total_seconds())):
                text = f"{where} is {in_words(life)}, and a signature cannot be taken back"
                hint = "sign for seven days at most, or set KEYFRONT['MAX_LIFETIME'] to allow it"
                yield Fault("keyfront.W003", text, hint, stops=False)
        except InputError:
            continue  # `_wrong_lifetime` reports it


def _longest(given: Mapping[str, object]) -> timedelta | None:
    return None if given.get("MAX_LIFETIME") is None else _lifetime(given["MAX_LIFETIME"])


def _settings(given: Mapping[str, object]) -> Settings:
    signers, key_pair_id, domain = given["SIGNER"], given.get("KEY_PAIR_ID"), given["DOMAIN"]
    if isinstance(signers, str):
        from keyfront.keystore import open_keystore

        signers = open_keystore(signers, key_pair_id)  # type: ignore[arg-type]  # `faults` has checked the id
    cookies = given.get("COOKIES")
    aliases = given.get("ALIASES", ())
    return Settings(
        # `faults` has checked them.
        Site(signers, str(domain), aliases=aliases, max_lifetime=_longest(given)),  # type: ignore[arg-type]
        _lifetime(given.get("LIFETIME")),
        _cookie_settings(cookies) if isinstance(cookies, Mapping) else None,
    )


def _cookie_settings(given: Mapping[str, object]) -> CookieSettings:
    rest = {name.lower(): value for name, value in given.items() if name in ("DOMAIN", "PATH", "SECURE", "SAME_SITE")}
    return CookieSettings(_resource(given.get("RESOURCE")), _lifetime(given.get("LIFETIME")), **rest)  # type: ignore[arg-type]


def _resource(given: object) -> Resource:
    if isinstance(given, str) and given and not given.startswith(("/", "*")) and "://" not in given:
        given = import_string(given)
    if callable(given) or (isinstance(given, str) and given):
        return given
    raise InputError(f"{given!r} is neither a pattern nor a function")


def _lifetime(given: object) -> timedelta:
    return _HOUR if given is None else lifetime(given, "LIFETIME")


class _Nobody:
    """A placeholder for the key while the rest of a setting is checked."""

    def signer(self) -> Signer:
        raise InputError("there is no key yet")

    async def signer_async(self) -> Signer:
        raise InputError("there is no key yet")


_NOBODY: Final = _Nobody()
_lock: Final = threading.Lock()
_read: Final[list[Settings]] = []


def _forget(*, setting: str, **_: object) -> None:
    if setting == "KEYFRONT":
        with _lock:
            _read.clear()


setting_changed.connect(_forget)
