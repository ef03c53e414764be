"""Signed URLs and signed cookies.

Source: Developer Guide, "Use signed URLs" and "Use signed cookies".
"""

import time
from collections.abc import Callable, Iterable, Iterator
from datetime import timedelta
from typing import Literal, Unpack, overload

from keyfront.core import encoding, misuse
from keyfront.core.cookies import SignedCookies
from keyfront.core.grants import Grant
from keyfront.core.key_ids import checked_key_pair_id
from keyfront.core.keys import HashAlgorithm, PrivateKey, SigningKey
from keyfront.core.many import OnError, sign_many
from keyfront.core.misuse import EVERYBODY, MAX_LIFETIME, bounded, warn
from keyfront.core.objects import object_url, site_url
from keyfront.core.options import Terms, URLTerms
from keyfront.core.policy import Moment, Policy
from keyfront.core.resource import covers
from keyfront.core.showing import told
from keyfront.core.urls import link_url, not_text, shown, with_parameters
from keyfront.errors import InputError, KeyfrontError, URLError


class Signer:
    """Signs URLs and cookies with one key of a trusted key group. Threads can share it.

    `key_pair_id` is the id that CloudFront gave the public key (`K…`). `clock` returns the time in seconds since the
    epoch. With `SHA256` the signature carries `Hash-Algorithm` (CloudFront has accepted it since April 2026).

    A signature cannot be taken back. So a lifetime over seven days gives a `SigningWarning` (`long-lived`). With
    `max_lifetime`, longer lifetimes are refused and others do not warn. `ipv6` says whether the distribution accepts
    IPv6, where a policy with an address refuses every viewer. Other input that is rarely meant gives a
    `SigningWarning` too.
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
        self.key_pair_id = checked_key_pair_id(key_pair_id)
        if hash_algorithm not in ("SHA1", "SHA256"):
            raise InputError(f"hash algorithm {told(hash_algorithm)} is not known: choose 'SHA1' or 'SHA256'")
        self.key = _checked_key(key)
        self._sign = key.sign
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
        """Return `url` with a signature: with a canned policy if that is enough, with a custom one otherwise.

        `expires` and `starts` are aware datetimes, timedeltas from now, or seconds since the epoch. `ip` is one IPv4
        address or range. `resource` is signed instead of the URL and must cover it (wildcards `*` and `?`).
        `max_lifetime` is the longest allowed lifetime; it replaces the signer's own. Raises `URLError` and
        `PolicyError`, which say what cannot be signed and why.
        """
        now = self._clock()
        ip = None if ip is None else self._limiting(ip)
        canned = starts is None and ip is None and resource is None
        if canned:
            policy = Policy.canned(url, expires=expires, now=now, link=True)
            url = policy.resource or url
        else:
            # In a custom policy a * would open more than this URL. Viewers and origins read %2A as the same character.
            url = link_url(url) if resource is not None else link_url(url).replace("*", "%2A")
            pattern = url if resource is None else resource
            policy = Policy.custom(pattern, expires=expires, now=now, starts=starts, ip=ip, link=True)
        self._check(policy, now, max_lifetime)
        if (resource is None and not url.startswith("https://")) or "amazonaws.com" in url:
            warn(misuse.of_url(url))
        signed = policy.to_bytes()
        if canned:
            if "*" in url:
                warn(misuse.of_canned_url(url))
            signature = encoding.encode(self._sign(signed, self.hash_algorithm))
            return with_parameters(url, f"Expires={policy.expires}&Signature={signature}{self._tail}")
        if resource is not None:
            warn(misuse.of_resource(policy.resource))
            _check_covered(policy, url)
        signature = encoding.encode(self._sign(signed, self.hash_algorithm))
        return with_parameters(url, f"Policy={encoding.encode(signed)}&Signature={signature}{self._tail}")

    def sign_object(self, key: str, *, domain: str, **terms: Unpack[Terms]) -> str:
        """Return a signed URL for the S3 object `key` on the distribution `domain` (see `keyfront.core.urls`).

        `domain` is its host name, or a URL with scheme and path. The other arguments are those of `sign_url`.
        """
        url = object_url(site_url(domain), key)
        warn(misuse.of_object(key))
        return self.sign_url(url, **terms)

    def sign_cookies(
        self,
        resource: str,
        *,
        expires: Moment,
        starts: Moment | None = None,
        ip: str | None = None,
        max_lifetime: timedelta | None = None,
    ) -> SignedCookies:
        """Return cookies that open `resource`: one URL, or a pattern with `*` and `?`. Arguments as in `sign_url`."""
        policy = self._policy(resource, expires, starts, ip, max_lifetime)
        if "*" not in resource:
            warn(misuse.of_cookie_resource(policy.resource or resource))
        return self._cookies(policy)

    def _policy(
        self,
        resource: str,
        expires: Moment,
        starts: Moment | None,
        ip: str | None,
        max_lifetime: timedelta | None,
        *,
        link: bool = False,
    ) -> Policy:
        """Return the policy of cookies and grants: canned if `resource` is one URL and nothing else is limited.

        Links are made with a grant (`link`). Cookies are sent with the URLs that pages have.
        """
        if not isinstance(resource, str):
            raise not_text(resource, "resource")
        now = self._clock()
        ip = None if ip is None else self._limiting(ip)
        warn(misuse.of_resource(resource))
        if starts is None and ip is None and not _has_wildcard(resource):
            policy = Policy.canned(resource, expires=expires, now=now, link=link)
        else:
            policy = Policy.custom(resource, expires=expires, now=now, starts=starts, ip=ip, link=link)
        self._check(policy, now, max_lifetime)
        return policy

    def _cookies(self, policy: Policy) -> SignedCookies:
        signed = policy.to_bytes()
        if policy.starts is None and policy.ip is None and not _has_wildcard(policy.resource or "*"):
            values = {"CloudFront-Expires": str(policy.expires)}
        else:
            encoded = encoding.encode(signed)
            for caution in misuse.of_cookie(encoded):
                raise URLError(caution.text, reason=caution.finding, member="resource")
            values = {"CloudFront-Policy": encoded}
        values["CloudFront-Signature"] = encoding.encode(self._sign(signed, self.hash_algorithm))
        values["CloudFront-Key-Pair-Id"] = self.key_pair_id
        if self.hash_algorithm == "SHA256":
            values["CloudFront-Hash-Algorithm"] = "SHA256"
        return SignedCookies(values, policy.resource)

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
        """Yield the signed `urls`, lazily and in order, using all cores. The other arguments are those of `sign_url`.

        A URL that cannot be signed raises its error when its turn comes. With `on_error="yield"`, the error is yielded
        instead.
        """
        return sign_many(self, urls, terms, on_error=on_error)

    def grant(self, resource: str, **terms: Unpack[Terms]) -> Grant:
        """Return one signature over `resource` for every URL that it covers. Arguments as in `sign_cookies`."""
        policy = self._policy(
            resource, terms["expires"], terms.get("starts"), terms.get("ip"), terms.get("max_lifetime"), link=True
        )
        return Grant(policy.resource or resource, policy.expires, self._cookies(policy), self._clock)

    def _check(self, policy: Policy, now: float, max_lifetime: timedelta | None) -> None:
        """Warn about a rarely meant lifetime or address. Raise `PolicyError` for a lifetime over the limit."""
        seconds = policy.expires - now
        most = self.max_lifetime if max_lifetime is None else max_lifetime
        if most is not None:
            bounded(seconds, most)
        elif seconds > MAX_LIFETIME:
            warn(misuse.of_lifetime(seconds))
        if policy.ip is not None:
            warn(misuse.of_network(policy.ip, ipv6=self.ipv6))

    def _limiting(self, ip: str) -> str | None:
        """Return `ip`, or `None` with a warning for `EVERYBODY`."""
        if ip != EVERYBODY:
            return ip
        warn(misuse.of_network(EVERYBODY, ipv6=self.ipv6))
        return None

    def __repr__(self) -> str:
        # Only the `repr` of keyfront's own key is known to hold no secret.
        key = repr(self.key) if isinstance(self.key, SigningKey) else type(self.key).__name__
        return f"Signer({self.key_pair_id}, {key}, {self.hash_algorithm})"


def _has_wildcard(resource: str) -> bool:
    return "*" in resource or "?" in resource


def _check_covered(policy: Policy, url: str) -> None:
    if not covers(policy.resource or "*", url):
        raise URLError(
            f"the resource {shown(policy.resource or '*')} does not cover {shown(url)} (compared with their query "
            "strings): CloudFront would refuse the signed URL",
            reason="resource-does-not-cover",
            member="resource",
            value=policy.resource,
        )


def _checked_key(key: PrivateKey) -> PrivateKey:
    """Return `key` if it signs as a `PrivateKey` does. The error never shows text, which may be the key itself."""
    if not all(hasattr(type(key), name) or hasattr(key, name) for name in ("sign", "algorithm")):
        raise InputError(
            f"Signer needs a SigningKey, but this is a {type(key).__name__}: load it with SigningKey.load(pem), or "
            "SigningKey.load(Path(…)) for a file; for a private key of cryptography use SigningKey(key)"
        )
    return key
