"""A distribution as an application sees it: its address, and the current signer for its URLs."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Final, Protocol, TypeVar, Unpack
from urllib.parse import urlsplit

from keyfront.core.cookies import SignedCookies
from keyfront.core.misuse import bounded, of_object, warn
from keyfront.core.objects import object_url, site_url
from keyfront.core.options import Terms, URLTerms
from keyfront.core.signing import Signer
from keyfront.core.urls import resource_pattern, shown, viewer_url
from keyfront.errors import InputError, URLError
from keyfront.integrations import aio

_SIGNER: Final = "Signer(key_pair_id, SigningKey.load(Path(…))), or open_keystore(address)"
AnyTerms = TypeVar("AnyTerms", Terms, URLTerms)


class SignerSource(Protocol):
    """A source of the current signer, such as a `KeyStore`."""

    def signer(self) -> Signer:
        """Return the current signer. May block; raises `KeyfrontError`."""

    async def signer_async(self) -> Signer:
        """Return the current signer, without blocking the event loop."""


class Site:
    """Signs for one distribution. Safe to share between threads and event loops.

    `signers` is a `Signer`, or a `KeyStore`, whose key may change while the program runs. `domain` is the
    distribution's address for viewers: `media.example.com`, or with scheme and path,
    `https://media.example.com/assets`. URLs on other hosts are refused, except on those in `aliases` (the
    distribution's other names).

    `max_lifetime` is the longest lifetime of a signature. A call's own `max_lifetime` overrides it; if neither is
    given, the signer's applies.

    URLs may be given as paths (`/videos/1.mp4`, already escaped) below the address. Each method raises the errors of
    the `Signer` method with the same name, and a `KeyfrontError` if the key cannot be fetched.
    """

    def __init__(
        self,
        signers: Signer | SignerSource,
        domain: str,
        *,
        aliases: Iterable[str] = (),
        max_lifetime: timedelta | None = None,
    ) -> None:
        if not isinstance(signers, Signer) and not callable(getattr(signers, "signer", None)):
            raise InputError(f"Site takes a Signer or a KeyStore, not a {type(signers).__name__}: give {_SIGNER}")
        if max_lifetime is not None:
            bounded(0, max_lifetime)
        self._signers = signers
        self.max_lifetime = max_lifetime
        self.base_url = site_url(domain)
        self.domain = urlsplit(self.base_url).netloc
        self.hosts = frozenset({self.domain, *(urlsplit(site_url(each)).netloc for each in aliases)})

    def signer(self) -> Signer:
        """Return the current signer. Waits while the first key is fetched."""
        return self._signers if isinstance(self._signers, Signer) else self._signers.signer()

    async def signer_async(self) -> Signer:
        """Return the current signer, without blocking the event loop."""
        return self._signers if isinstance(self._signers, Signer) else await self._signers.signer_async()

    def object_url(self, key: str) -> str:
        """Return the unsigned URL of an S3 object's key."""
        return object_url(self.base_url, key)

    def sign_object(self, key: str, **terms: Unpack[Terms]) -> str:
        """Return a signed URL for an S3 object's key. The method escapes the key."""
        return self.signer().sign_url(self._object(key), **self._bounded(terms))

    async def sign_object_async(self, key: str, **terms: Unpack[Terms]) -> str:
        """Return what `sign_object` returns, without blocking the event loop."""
        return await aio.sign_url(await self.signer_async(), self._object(key), **self._bounded(terms))

    def sign_url(self, url: str, **terms: Unpack[URLTerms]) -> str:
        """Return `url` signed; it may be a path."""
        return self.signer().sign_url(self._url(url), **self._bounded(terms))

    async def sign_url_async(self, url: str, **terms: Unpack[URLTerms]) -> str:
        """Return what `sign_url` returns, without blocking the event loop."""
        return await aio.sign_url(await self.signer_async(), self._url(url), **self._bounded(terms))

    def sign_cookies(self, resource: str, **terms: Unpack[Terms]) -> SignedCookies:
        """Return signed cookies for `resource`, which may be a path with wildcards, such as `/members/*`."""
        return self.signer().sign_cookies(self._resource(resource), **self._bounded(terms))

    async def sign_cookies_async(self, resource: str, **terms: Unpack[Terms]) -> SignedCookies:
        """Return what `sign_cookies` returns, without blocking the event loop."""
        return await aio.sign_cookies(await self.signer_async(), self._resource(resource), **self._bounded(terms))

    def _bounded(self, terms: AnyTerms) -> AnyTerms:
        """Return `terms` with the site's `max_lifetime`, if they have none."""
        if self.max_lifetime is not None and terms.get("max_lifetime") is None:
            terms["max_lifetime"] = self.max_lifetime
        return terms

    def _object(self, key: str) -> str:
        url = self.object_url(key)
        warn(of_object(key))
        return url

    def _url(self, url: str) -> str:
        if isinstance(url, str) and url.startswith("/"):
            return self.base_url + url
        url = viewer_url(url)
        self._check_host(url, urlsplit(url).netloc)
        return url

    def _resource(self, resource: str) -> str:
        if isinstance(resource, str) and resource.startswith("/"):
            return self.base_url + resource
        pattern = resource_pattern(resource)
        host = pattern.partition("://")[2].partition("/")[0]
        if "*" not in host and "?" not in host:
            self._check_host(pattern, host)
        return pattern

    def _check_host(self, url: str, host: str) -> None:
        if host not in self.hosts:
            raise URLError(
                f"{shown(url)} is on {host!r}, but this signer is for {', '.join(sorted(self.hosts))}: "
                "sign the host that viewers request [host-differs]",
                reason="host-differs",
                member="url",
                value=host,
            )

    def __repr__(self) -> str:
        return f"Site({self.base_url})"
