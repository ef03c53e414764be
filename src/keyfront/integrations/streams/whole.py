"""Sign a whole stream: every playlist below a master playlist with one signature, or cookies that unlock all of it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
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
"""Returns a manifest's text for its unsigned URL."""


@dataclass(frozen=True, slots=True)
class SignedStream:
    """All manifests of a stream, with one signature for all addresses."""

    url: str = field(repr=False)
    """The signed URL of the first manifest. Give it to a player if the signed manifests replace the originals."""
    manifests: Mapping[str, SignedManifest]
    """The manifests by URL, the first one first."""

    @property
    def left(self) -> tuple[Left, ...]:
        """The addresses that were not signed, from all manifests."""
        return tuple(dict.fromkeys(each for manifest in self.manifests.values() for each in manifest.left))


@dataclass(frozen=True, slots=True)
class StreamCookies:
    """Cookies for a stream with an unchanged manifest."""

    cookies: SignedCookies
    text: str
    resource: str
    """The pattern that the cookies unlock."""
    expires: int
    """Seconds since the epoch."""
    left: tuple[Left, ...]
    """The addresses in the manifest that the cookies do not unlock."""
    length: float | None
    """Its length in seconds, if known."""


def sign_stream(
    url: str,
    signer: Signer,
    *,
    read_text: Read | None = None,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> SignedStream:
    """Return the manifest at `url` and every playlist below it, signed as by `sign_manifest`, with one signature.

    `read_text` returns the text for a URL; if not given, each text is fetched with the signature. Only playlists that
    the policy covers are read. Raises the errors of `sign_manifest` and `read_text`, and `ServiceError` for a manifest
    that cannot be fetched.
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
            raise InputError(f"the stream has over {_MOST_PLAYLISTS:,} playlists, the most that can be signed at once")
        manifests[wanted] = sign_with(grant, read(get(wanted), wanted), length=length)
        waiting += manifests[wanted].playlists
    return SignedStream(with_signature(url, query), manifests)


def stream_cookies(
    source: str | Path,
    url: str,
    signer: Signer,
    *,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> StreamCookies:
    """Return cookies for the stream with the manifest `source`, which viewers fetch at `url`. It is unchanged.

    Arguments, warnings and errors as in `sign_manifest`.
    """
    manifest = read(source, url)
    grant = signer.grant(folder_of(manifest.url) if resource is None else resource, **terms)
    found = list(judged(manifest, grant.resource, carried=False))
    left = [Left(without_signature(each.uri), reason) for each, _, reason in found if reason and each.role != "base"]
    seconds = length.total_seconds() if length is not None else manifest.length
    opened = sum(not reason for each, _, reason in found if each.role != "base")
    warn_of_stream(grant, manifest, seconds, useless=bool(left) and not opened)
    cookies = SignedCookies(grant.cookies())
    return StreamCookies(cookies, manifest.text, grant.resource, grant.expires, tuple(dict.fromkeys(left)), seconds)
