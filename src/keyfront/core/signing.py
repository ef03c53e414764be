"""Signed URLs and signed cookies.

Source: Developer Guide, "Use signed URLs" and "Use signed cookies".
"""

import re
import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Literal, Unpack, overload

from keyfront.core import encoding, misuse
from keyfront.core.cookies import SignedCookies
from keyfront.core.grants import Grant
from keyfront.core.keys import HashAlgorithm, PrivateKey, SigningKey
from keyfront.core.many import OnError, sign_many
from keyfront.core.misuse import EVERYBODY, MAX_LIFETIME, warn
from keyfront.core.options import Terms, URLTerms
from keyfront.core.policy import Moment, bounded, canonical, network, validity
from keyfront.core.resource import covers
from keyfront.core.showing import told
from keyfront.core.urls import object_url, resource_pattern, shown, site_url, viewer_url, with_parameters
from keyfront.errors import InputError, KeyfrontError, URLError

_KEY_PAIR_ID = re.compile(r"[A-Za-z0-9]{1,128}")


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
            warn(misuse.of_url(url))
        if start is None and address is None and resource is None:
            if "*" in url:
                warn(misuse.of_canned_url(url))
            signed = canonical(url, end)
            return with_parameters(url, f"Expires={end}&Signature={self._signature(signed)}{self._tail}")
        if resource is None:
            # In a custom policy a * opens more than this URL; viewers and origins take %2A for the same character.
            pattern = url = url.replace("*", "%2A")
        else:
            pattern = resource_pattern(resource)
            warn(misuse.of_resource(pattern))
            if not covers(pattern, url):
                raise URLError(
                    f"the resource {shown(resource)} does not cover {shown(url)} (compared with their query strings): "
                    "the signed URL would be refused",
                    reason="resource-does-not-cover",
                    member="resource",
                    value=pattern,
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
        warn(misuse.of_resource(resource))
        if start is None and address is None and "*" not in resource and "?" not in resource:
            opened = viewer_url(resource)
            signed = canonical(opened, end)
            values = {"CloudFront-Expires": str(end)}
        else:
            opened = resource_pattern(resource)
            signed = canonical(opened, end, start, address)
            policy = encoding.encode(signed)
            for caution in misuse.of_cookie(policy):
                raise URLError(caution.text, reason=caution.finding, member="resource")
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
            warn(misuse.of_lifetime(end - now))
        return end, start

    def _address(self, ip: str) -> str | None:
        checked = network(ip)
        warn(misuse.of_network(checked, ipv6=self.ipv6))
        return None if checked == EVERYBODY else checked

    def _signature(self, policy: bytes) -> str:
        return encoding.encode(self.key.sign(policy, self.hash_algorithm))

    def __repr__(self) -> str:
        # Only our own key is known to say nothing that is secret.
        key = repr(self.key) if isinstance(self.key, SigningKey) else type(self.key).__name__
        return f"Signer({self.key_pair_id}, {key}, {self.hash_algorithm})"


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
