"""One manifest: its addresses signed by one policy, in its text, and everything else as it was to the byte."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final, Literal, Unpack
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from keyfront.core.grants import Grant
from keyfront.core.misuse import Caution, warn
from keyfront.core.options import Terms
from keyfront.core.resource import covers
from keyfront.core.signing import Signer
from keyfront.core.urls import MAX_URL_BYTES, shown, viewer_url
from keyfront.errors import InputError, URLError
from keyfront.integrations.streams import dash, hls
from keyfront.integrations.streams.hosts import withheld
from keyfront.integrations.streams.references import Reference, edited, with_signature, without_signature

Kind = Literal["hls", "dash"]
CONTENT_TYPES: Final[dict[Kind, str]] = {"hls": "application/vnd.apple.mpegurl", "dash": "application/dash+xml"}
"""RFC 8216, section 4, and ISO/IEC 23009-1, annex C."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest as it was read."""

    kind: Kind
    text: str
    url: str
    """Where it was fetched, as a viewer sends it: relative addresses are resolved against this."""
    references: tuple[Reference, ...]
    length: float | None
    """Seconds that it plays; `None` for a live stream, or a master playlist, which does not say."""
    base_at: int | None = None
    """DASH: where a BaseURL can be put in, if there is none for the whole."""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """An address that was not signed."""

    uri: str
    """As it stands in the manifest, less the parameters of a signature."""
    reason: str


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest's text with signed addresses, and what was done."""

    text: str = field(repr=False)
    """Whoever has it can play the stream: it belongs in no log."""
    url: str
    kind: Kind
    resource: str
    """What the one policy opens: whoever has the manifest can ask for all of it."""
    expires: int
    """Seconds since the epoch."""
    signed: tuple[str, ...]
    """The addresses that were signed, absolute; in DASH with their identifiers (`$Number$`)."""
    left: tuple[Left, ...]
    playlists: tuple[str, ...]
    """HLS: the playlists it leads to, absolute. They are signed, and what stands in them is not: see `sign_stream`."""
    length: float | None
    """Seconds; `None` for a live stream, or a master playlist, which does not say."""

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.kind]


def read(text: str, url: str) -> Manifest:
    """Find the addresses in the manifest `text` of `url`. Raises `InputError` for a text that is not a manifest."""
    url = viewer_url(without_signature(url))
    if text.removeprefix("\ufeff").startswith(hls.HEAD):
        return Manifest("hls", text, url, tuple(hls.references(text, url)), hls.length(text))
    if text.removeprefix("\ufeff").lstrip().startswith("<"):
        found = dash.read(text, url)
        return Manifest("dash", text, url, found.references, found.length, found.base_at, found.prefix)
    raise InputError(
        f"{shown(url)} is not a manifest: a playlist begins with {hls.HEAD}, an MPD with <; "
        f"it begins with {text.lstrip()[:20]!r}"
    )


def folder_of(url: str) -> str:
    """The pattern for all that lies in the folder of `url`, and below it."""
    return f"{url.partition('?')[0].rpartition('/')[0]}/*"


def sign_manifest(
    text: str,
    url: str,
    signer: Signer,
    *,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> SignedManifest:
    """The manifest `text`, which viewers fetch at `url`, with a signature on every address that one policy covers.

    `resource` is what the policy opens: by default the manifest's folder and all below it. Addresses outside of it, on
    other hosts, and of other schemes (`data:`, `skd:`) stay as they are and are listed in `left`. Another host than the
    manifest's own gets the signature only if `resource` names it without a wildcard: a playlist cannot choose who is
    sent it. A signature that was there is replaced. `length` is the stream's, where the manifest does not say; the
    other arguments are `sign_url`'s.
    Warns (`SigningWarning`) if the signature ends before the stream does. Raises `InputError` for a text that is no
    manifest, `URLError` and `PolicyError`.
    """
    manifest = read(text, url)
    grant = signer.grant(folder_of(manifest.url) if resource is None else resource, **terms)
    return sign_with(grant, manifest, length=length)


def unsigned(text: str, url: str = "https://localhost/") -> str:
    """The manifest without signatures on its addresses. Raises `InputError` for a text that is not a manifest."""
    manifest = read(text, url)
    bare = ((each, without_signature(each.uri)) for each in manifest.references)
    return edited(text, [(each.start, each.end, each.written(uri, text)) for each, uri in bare if uri != each.uri])


def sign_with(
    grant: Grant,
    manifest: Manifest,
    *,
    length: timedelta | None = None,
    relocate: Callable[[str], str | None] | None = None,
) -> SignedManifest:
    """As `sign_manifest`, with a signature that was made before.

    `relocate` is for a manifest that is served from elsewhere: given a playlist's absolute URL, it returns the address
    to write in its place, which gets no signature, or `None`. What stays at its place becomes absolute.
    """
    query = grant.parameters()
    edits: list[tuple[int, int, str]] = []
    signed: list[str] = []
    left: list[Left] = []
    playlists: list[str] = []
    if relocate is not None and manifest.kind == "dash" and manifest.base_at is not None:
        base = f"<{manifest.prefix}BaseURL>{escape(urljoin(manifest.url, './'))}</{manifest.prefix}BaseURL>"
        edits.append((manifest.base_at, manifest.base_at, base))
    for each, urls, reason in judged(manifest, grant.resource, carried=True):
        uri = each.uri
        moved = relocate(urls[0]) if relocate is not None and urls and each.role in ("playlist", "location") else None
        if moved is not None:
            uri = moved
        else:
            if relocate is not None and each.absolute and urls:
                uri = urljoin(each.bases[0], each.target or uri)
            if each.role != "base" and not reason and len(urls[0]) + len(query) >= MAX_URL_BYTES:
                reason = f"with a signature it would be longer than the {MAX_URL_BYTES:,} bytes that CloudFront answers"
            if each.role != "base" and reason:
                left.append(Left(without_signature(each.uri), reason))
            elif each.role != "base":
                uri = with_signature(uri, query)
                signed += urls
                playlists += urls if each.role == "playlist" else ()
        if uri != each.uri:
            edits.append((each.start, each.end, each.written(uri, manifest.text)))
    seconds = length.total_seconds() if length is not None else manifest.length
    warn_of_stream(grant, manifest, seconds, useless=bool(left) and not signed)
    return SignedManifest(
        edited(manifest.text, edits),
        manifest.url,
        manifest.kind,
        grant.resource,
        grant.expires,
        tuple(dict.fromkeys(signed)),
        tuple(dict.fromkeys(left)),
        tuple(dict.fromkeys(playlists)),
        seconds,
    )


def judged(manifest: Manifest, resource: str, *, carried: bool) -> Iterator[tuple[Reference, tuple[str, ...], str]]:
    """Each address, where it leads, and why `resource` does not open it (nothing if it does).

    `carried`: the signature would stand in the address, and go to whatever host that names.
    """
    for each in manifest.references:
        try:
            urls = each.urls()
        except URLError as error:
            yield each, (), str(error)
            continue
        refused = [reason for url in urls if (reason := _refused(manifest.url, resource, url, carried=carried))]
        if refused and len(refused) < len(urls):
            reason = "it is offered at several addresses, and the signature would also go to those it is not for"
        else:
            reason = refused[0] if refused else ""
        yield each, urls, reason


def _refused(manifest_url: str, resource: str, url: str, *, carried: bool) -> str:
    """Why `resource` does not open `url`, or its host must not get the signature; nothing if it does and may."""
    if covers(resource, url):
        return withheld(resource, manifest_url, url) if carried else ""
    host = urlsplit(url).netloc
    if host != urlsplit(manifest_url).netloc:
        return f"it is on another host, {host}"
    return f"the policy for {resource} does not cover it"


def warn_of_stream(grant: Grant, manifest: Manifest, seconds: float | None, *, useless: bool) -> None:
    """Warn of what will end a stream early, or keep it from playing at all."""
    remaining = grant.seconds_left()
    if seconds is not None and remaining < seconds:
        text = (
            f"the signature for {shown(manifest.url)} ends in {timedelta(seconds=int(remaining))}, before the stream "
            f"does ({timedelta(seconds=round(seconds))}): a viewer who starts at once is refused before the end; "
            "let it live for the stream's length and the pauses that viewers make"
        )
        warn([Caution("", text)])
    if useless:
        text = f"the policy for {grant.resource} opens nothing that {shown(manifest.url)} leads to: give resource="
        warn([Caution("", text)])
