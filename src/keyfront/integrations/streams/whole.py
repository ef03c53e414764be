"""A whole stream: every playlist that a master playlist leads to under one signature, or cookies that open it all."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Unpack

from keyfront.core.cookies import SignedCookies
from keyfront.core.options import Terms
from keyfront.core.signing import Signer
from keyfront.core.urls import viewer_url
from keyfront.errors import InputError
from keyfront.integrations.streams.fetching import fetch
from keyfront.integrations.streams.manifests import (
    Left,
    SignedManifest,
    folder_of,
    judged,
    read,
    sign_with,
    warn_of_stream,
)
from keyfront.integrations.streams.references import with_signature, without_signature

_MOST_PLAYLISTS: Final = 1000

Read = Callable[[str], str]
"""Gives a manifest's text for its URL, which has no signature."""


@dataclass(frozen=True, slots=True)
class SignedStream:
    """All manifests of a stream, with one signature for them and what they lead to."""

    url: str = field(repr=False)
    """Where it begins, signed: what a player is given, if the manifests are put where they were."""
    manifests: Mapping[str, SignedManifest]
    """By URL, the first one first."""

    @property
    def left(self) -> tuple[Left, ...]:
        """What was not signed, in any of them."""
        return tuple(dict.fromkeys(each for manifest in self.manifests.values() for each in manifest.left))


@dataclass(frozen=True, slots=True)
class StreamCookies:
    """Cookies for a stream, whose manifest stays as it is."""

    cookies: SignedCookies
    text: str
    resource: str
    """What the cookies open."""
    expires: int
    """Seconds since the epoch."""
    left: tuple[Left, ...]
    """The addresses in the manifest that the cookies do not open."""
    length: float | None
    """Seconds, if the manifest says."""


def sign_stream(
    url: str,
    signer: Signer,
    *,
    read_text: Read | None = None,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> SignedStream:
    """The manifest at `url` and every playlist below it, signed as `sign_manifest` does, with one signature.

    `read_text` gives the text for a URL; without it each is fetched from there with the signature. Only playlists
    that the policy covers are read. Raises what `sign_manifest` and `read_text` do; `ServiceError` for a manifest that
    cannot be fetched.
    """
    url = viewer_url(without_signature(url))
    grant = signer.grant(folder_of(url) if resource is None else resource, **terms)
    query = grant.parameters()
    get = read_text or (lambda wanted: fetch(with_signature(wanted, query)))
    manifests: dict[str, SignedManifest] = {}
    waiting = [url]
    while waiting:
        wanted = waiting.pop(0)
        if wanted in manifests:
            continue
        if len(manifests) == _MOST_PLAYLISTS:
            raise InputError(f"the stream has over {_MOST_PLAYLISTS:,} playlists")
        manifests[wanted] = sign_with(grant, read(get(wanted), wanted), length=length)
        waiting += manifests[wanted].playlists
    return SignedStream(with_signature(url, query), manifests)


def stream_cookies(
    text: str,
    url: str,
    signer: Signer,
    *,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> StreamCookies:
    """Cookies that open the stream whose manifest `text` viewers fetch at `url`; the manifest stays untouched.

    Arguments, warnings and errors as in `sign_manifest`.
    """
    manifest = read(text, url)
    grant = signer.grant(folder_of(manifest.url) if resource is None else resource, **terms)
    found = list(judged(manifest, grant.resource, carried=False))
    left = [Left(without_signature(each.uri), reason) for each, _, reason in found if reason and each.role != "base"]
    seconds = length.total_seconds() if length is not None else manifest.length
    opened = sum(not reason for each, _, reason in found if each.role != "base")
    warn_of_stream(grant, manifest, seconds, useless=bool(left) and not opened)
    cookies = SignedCookies(grant.cookies())
    return StreamCookies(cookies, text, grant.resource, grant.expires, tuple(dict.fromkeys(left)), seconds)
