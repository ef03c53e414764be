"""Signed URLs and signed cookies.

Source: Developer Guide, "Use signed URLs" and "Use signed cookies".
"""

import re
import sys
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Final, Literal, Unpack, overload

from keyfront.core import encoding
from keyfront.core import misuse as cautions
from keyfront.core.grants import Grant
from keyfront.core.keys import HashAlgorithm, PrivateKey, SigningKey
from keyfront.core.many import OnError, sign_many
from keyfront.core.misuse import EVERYBODY, MAX_LIFETIME, Caution
from keyfront.core.options import Terms, URLTerms
from keyfront.core.policy import Moment, bounded, canonical, network, validity
from keyfront.core.resource import covers
from keyfront.core.showing import told
from keyfront.core.urls import object_url, resource_pattern, shown, site_url, viewer_url, with_parameters
from keyfront.errors import InputError, KeyfrontError, URLError

_PACKAGE: Final = __name__.partition(".")[0]
_KEY_PAIR_ID = re.compile(r"[A-Za-z0-9]{1,128}")
_COOKIE_ATTRIBUTE = re.compile(r"[^\x00-\x1f\x7f;,\s]+")


class SigningWarning(UserWarning):
    """Something that can be signed and is seldom meant. `finding` is its id in `docs/findings.md`."""

    def __init__(self, text: str, finding: str = "") -> None:
        super().__init__(f"{text} [{finding}]" if finding else text)
        self.finding = finding


class SignedCookies(Mapping[str, str]):
    """The signed cookies' names and values, and how to set them."""

    def __init__(self, values: Mapping[str, str], resource: str | None = None) -> None:
        self._values = dict(values)
        self._resource = resource

    def __getitem__(self, name: str) -> str:
        return self._values[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def __repr__(self) -> str:
        return f"SignedCookies({', '.join(self._values)})"

    def set_cookie_headers(
        self,
        *,
        domain: str | None = None,
        path: str = "/",
        secure: bool = True,
        http_only: bool = True,
        same_site: str | None = None,
        max_age: int | None = None,
    ) -> list[str]:
        """One `Set-Cookie` value a cookie, ready to be sent as it is (frameworks that re-encode values break it).

        Without `max_age` (seconds) they are session cookies, as the guide advises: a viewer that closes the
        browser has to ask again. Raises `InputError` for an attribute that a browser would drop, and warns
        (`SigningWarning`) where a browser would not send them to what they open.
        """
        attributes = [f"Path={_attribute('path', path)}"]
        if not path.startswith("/"):
            raise InputError(f"path is {path!r}: browsers ignore one that does not start with '/'")
        if domain is not None:
            if "://" in domain or "/" in domain or ":" in domain:
                raise InputError(f"domain is {domain!r}: give the bare name, such as media.example.com")
            attributes.append(f"Domain={_attribute('domain', domain)}")
        if max_age is not None:
            attributes.append(f"Max-Age={int(max_age)}")
        if secure:
            attributes.append("Secure")
        if http_only:
            attributes.append("HttpOnly")
        if same_site is not None:
            mode = same_site.capitalize()
            if mode not in ("Lax", "Strict", "None"):
                raise InputError(f"same_site is {same_site!r}: choose Lax, Strict or None")
            if mode == "None" and not secure:
                raise InputError("SameSite=None needs Secure: browsers refuse the cookie otherwise")
            attributes.append(f"SameSite={mode}")
        if self._resource is not None:
            warn(cautions.of_cookie_attributes(self._resource, domain=domain, path=path, secure=secure))
        tail = "; ".join(attributes)
        return [f"{name}={value}; {tail}" for name, value in self._values.items()]


class Signer:
    """Signs URLs and cookies with one key of a trusted key group. Safe to share between threads.

    `key_pair_id` is the id that CloudFront gave the public key (`K…`); `clock` gives the present in seconds since
    the epoch. With `SHA256` the signature carries `Hash-Algorithm` (CloudFront takes it since April 2026).

    A signature cannot be taken back. So a life over seven days is a `SigningWarning` (`long-lived`), unless
    `max_lifetime` says that it is meant; a life over `max_lifetime` is refused. `ipv6` says whether the distribution
    answers over IPv6, where no policy with an address lets anybody in. What is seldom meant is a `SigningWarning`, too.
    """

    def __init__(
        self,
        key_pair_id: str,
        key: PrivateKey,
        hash_algorithm: HashAlgorithm = "SHA1",
        *,
        clock: Callable[[], float] = time.time,
        max_lifetime: timedelta | None = None,
        ipv6: bool | None = None,
    ) -> None:
        self.key_pair_id = _checked_id(key_pair_id)
        if hash_algorithm not in ("SHA1", "SHA256"):
            raise InputError(f"hash algorithm {told(hash_algorithm)} is not known: choose 'SHA1' or 'SHA256'")
        self.key = _checked_key(key)
        self.hash_algorithm: HashAlgorithm = hash_algorithm
        self._clock = clock
        if max_lifetime is not None:
            bounded(0, max_lifetime)
        self.max_lifetime = max_lifetime
        self.ipv6 = ipv6
        self._tail = f"&Key-Pair-Id={key_pair_id}" + ("&Hash-Algorithm=SHA256" if hash_algorithm == "SHA256" else "")

    def sign_url(
        self,
        url: str,
        *,
        expires: Moment,
        starts: Moment | None = None,
        ip: str | None = None,
        resource: str | None = None,
        max_lifetime: timedelta | None = None,
    ) -> str:
        """`url` with a signature: a canned policy where it suffices, a custom one otherwise.

        `expires` and `starts` are aware datetimes, timedeltas from now, or seconds since the epoch; `ip` is one
        IPv4 address or range; `resource` is signed in place of the URL and must cover it (wildcards `*` and `?`).
        `max_lifetime` is the longest life that is meant; it counts in place of the signer's own. Raises `URLError` and
        `PolicyError`, which say what cannot be signed and why.
        """
        url = viewer_url(url)
        end, start = self._validity(expires, starts, max_lifetime)
        address = None if ip is None else self._address(ip)
        if (resource is None and not url.startswith("https://")) or "amazonaws.com" in url:
            warn(cautions.of_url(url))
        if start is None and address is None and resource is None:
            if "*" in url:
                warn(cautions.of_canned_url(url))
            signed = canonical(url, end)
            return with_parameters(url, f"Expires={end}&Signature={self._signature(signed)}{self._tail}")
        if resource is None:
            # In a custom policy a * opens more than this URL; viewers and origins take %2A for the same character.
            pattern = url = url.replace("*", "%2A")
        else:
            pattern = resource_pattern(resource)
            warn(cautions.of_resource(pattern))
            if not covers(pattern, url):
                raise URLError(
                    f"the resource {shown(resource)} does not cover {shown(url)} (compared with their query strings): "
                    "the signed URL would be refused"
                )
        signed = canonical(pattern, end, start, address)
        return with_parameters(url, f"Policy={encoding.encode(signed)}&Signature={self._signature(signed)}{self._tail}")

    def sign_object(self, key: str, *, domain: str, **terms: Unpack[Terms]) -> str:
        """A signed URL for the S3 object `key` on the distribution `domain` (see `keyfront.core.urls`).

        `domain` is its host name, or an address with scheme and path; the other arguments are `sign_url`'s.
        """
        return self.sign_url(object_url(site_url(domain), key), **terms)

    def sign_cookies(
        self,
        resource: str,
        *,
        expires: Moment,
        starts: Moment | None = None,
        ip: str | None = None,
        max_lifetime: timedelta | None = None,
    ) -> SignedCookies:
        """Cookies that open `resource`: one URL, or a pattern with `*` and `?`. Arguments as in `sign_url`."""
        end, start = self._validity(expires, starts, max_lifetime)
        return self._cookies(resource, end, start, ip)

    def _cookies(self, resource: str, end: int, start: int | None, ip: str | None) -> SignedCookies:
        address = None if ip is None else self._address(ip)
        warn(cautions.of_resource(resource))
        if start is None and address is None and "*" not in resource and "?" not in resource:
            opened = viewer_url(resource)
            signed = canonical(opened, end)
            values = {"CloudFront-Expires": str(end)}
        else:
            opened = resource_pattern(resource)
            signed = canonical(opened, end, start, address)
            policy = encoding.encode(signed)
            for caution in cautions.of_cookie(policy):
                raise URLError(caution.text)
            values = {"CloudFront-Policy": policy}
        values["CloudFront-Signature"] = self._signature(signed)
        values["CloudFront-Key-Pair-Id"] = self.key_pair_id
        if self.hash_algorithm == "SHA256":
            values["CloudFront-Hash-Algorithm"] = "SHA256"
        return SignedCookies(values, opened)

    @overload
    def sign_many(
        self, urls: Iterable[str], *, on_error: Literal["raise"] = "raise", **terms: Unpack[URLTerms]
    ) -> Iterator[str]: ...
    @overload
    def sign_many(
        self, urls: Iterable[str], *, on_error: OnError, **terms: Unpack[URLTerms]
    ) -> Iterator[str | KeyfrontError]: ...
    def sign_many(
        self, urls: Iterable[str], *, on_error: OnError = "raise", **terms: Unpack[URLTerms]
    ) -> Iterator[str | KeyfrontError]:
        """The signed `urls`, lazily and in their order, on all cores; the other arguments are `sign_url`'s.

        A URL that cannot be signed raises its error at its place, or with `on_error="yield"` the error stands there.
        """
        return sign_many(self, urls, terms, on_error=on_error)

    def grant(self, resource: str, **terms: Unpack[Terms]) -> Grant:
        """One signature over `resource` for every URL that it covers; arguments as in `sign_cookies`."""
        end, start = self._validity(terms["expires"], terms.get("starts"), terms.get("max_lifetime"))
        cookies = self._cookies(resource, end, start, terms.get("ip"))
        canned = "CloudFront-Expires" in cookies
        return Grant(viewer_url(resource) if canned else resource_pattern(resource), end, cookies, self._clock)

    def _validity(
        self, expires: Moment, starts: Moment | None, max_lifetime: timedelta | None
    ) -> tuple[int, int | None]:
        now = self._clock()
        end, start = validity(expires, starts, now)
        most = self.max_lifetime if max_lifetime is None else max_lifetime
        if most is not None:
            bounded(end - now, most)
        elif end - now > MAX_LIFETIME:
            warn(cautions.of_lifetime(end - now))
        return end, start

    def _address(self, ip: str) -> str | None:
        checked = network(ip)
        warn(cautions.of_network(checked, ipv6=self.ipv6))
        return None if checked == EVERYBODY else checked

    def _signature(self, policy: bytes) -> str:
        return encoding.encode(self.key.sign(policy, self.hash_algorithm))

    def __repr__(self) -> str:
        # Only our own key is known to say nothing that is secret.
        key = repr(self.key) if isinstance(self.key, SigningKey) else type(self.key).__name__
        return f"Signer({self.key_pair_id}, {key}, {self.hash_algorithm})"


def warn(seen: Iterable[Caution]) -> None:
    """Warn where keyfront was called, however many of its own functions lie between."""
    for caution in seen:
        warnings.warn(SigningWarning(caution.text, caution.finding), stacklevel=_frames_to_caller())


def _frames_to_caller() -> int:
    """How far `warn` is from the first frame outside of keyfront, as `warnings.warn` counts."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").partition(".")[0] == _PACKAGE:
        level, frame = level + 1, frame.f_back
    return level


def _checked_key(key: PrivateKey) -> PrivateKey:
    """`key`, if it signs as a `PrivateKey` does. A text, which may be the key itself, is never shown."""
    if not all(hasattr(type(key), name) or hasattr(key, name) for name in ("sign", "algorithm")):
        raise InputError(
            f"Signer takes a SigningKey, and this is a {type(key).__name__}: load it with SigningKey.load(pem), or "
            "SigningKey.load(Path(…)) for a file; a private key of cryptography's: SigningKey(key)"
        )
    return key


def _checked_id(key_pair_id: str) -> str:
    if not isinstance(key_pair_id, str) or not _KEY_PAIR_ID.fullmatch(key_pair_id):
        raise InputError(f"the key-pair id is {told(key_pair_id)}: give the public key's id in CloudFront, K…")
    if key_pair_id in ("undefined", "null", "None"):
        raise InputError(f"the key-pair id is {key_pair_id!r}: a variable was not set; give the public key's id, K…")
    if key_pair_id.startswith(("AKIA", "ASIA")) and len(key_pair_id) == 20:
        raise InputError("the key-pair id is an IAM access key's id: give the public key's id in CloudFront, K…")
    return key_pair_id


def _attribute(name: str, value: str) -> str:
    if not _COOKIE_ATTRIBUTE.fullmatch(value):
        raise InputError(f"{name} is {value!r}: it must not be empty or hold spaces, commas or semicolons")
    return value
