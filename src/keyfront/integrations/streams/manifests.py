"""Sign the addresses in one manifest with one policy. Every other byte of its text stays the same."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Final, Literal, Unpack
from urllib.parse import urljoin, urlsplit
from xml.sax.saxutils import escape

from keyfront.core.grants import Grant
from keyfront.core.misuse import Caution, warn
from keyfront.core.options import Terms
from keyfront.core.resource import covers
from keyfront.core.showing import told
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
    """A manifest and its addresses."""

    kind: Kind
    text: str
    url: str
    """Its address as a viewer sends it. Relative addresses are resolved against this."""
    references: tuple[Reference, ...]
    length: float | None
    """Its length in seconds; `None` for a live stream or a master playlist."""
    base_at: int | None = None
    """DASH: the position for a BaseURL of the whole manifest, if it has none."""
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Left:
    """An address that was not signed."""

    uri: str
    """As in the manifest, without the parameters of a signature."""
    reason: str


@dataclass(frozen=True, slots=True)
class SignedManifest:
    """A manifest's text with signed addresses, and lists of the signed and unsigned ones."""

    text: str = field(repr=False)
    """Anyone with it can play the stream: never log it."""
    url: str
    kind: Kind
    resource: str
    """The resource of the policy: anyone with the manifest can request all of it."""
    expires: int
    """Seconds since the epoch."""
    signed: tuple[str, ...]
    """The signed addresses, absolute; in DASH with their identifiers (`$Number$`)."""
    left: tuple[Left, ...]
    playlists: tuple[str, ...]
    """HLS: absolute URLs of the playlists in it. These URLs are signed, but not the playlists' contents: see
    `sign_stream`."""
    length: float | None
    """Its length in seconds; `None` for a live stream or a master playlist."""

    @property
    def content_type(self) -> str:
        return CONTENT_TYPES[self.kind]


def read(source: str | Path, url: str) -> Manifest:
    """Find the addresses in a manifest, given as text or as a file's path, that viewers fetch at `url`.

    Raises `InputError` for a text that is not a manifest, and for a file that cannot be read.
    """
    text = _text_of(source)
    url = viewer_url(without_signature(url))
    if text.removeprefix("\ufeff").startswith(hls.HEAD):
        return Manifest("hls", text, url, tuple(hls.references(text, url)), hls.length(text))
    if text.removeprefix("\ufeff").lstrip().startswith("<"):
        found = dash.read(text, url)
        return Manifest("dash", text, url, found.references, found.length, found.base_at, found.prefix)
    raise InputError(
        f"{shown(url)} is not a manifest: a playlist begins with {hls.HEAD}, an MPD with <; "
        f"it begins with {text.lstrip()[:20]!r}; for a file give Path(…)"
    )


def _text_of(source: object) -> str:
    if isinstance(source, str):
        return source
    if not isinstance(source, Path):
        raise InputError(f"the manifest is a {type(source).__name__}: give its text, or the Path of its file")
    try:
        return source.read_bytes().decode("utf-8")
    except OSError as error:
        raise InputError(f"the manifest {told(source)} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise InputError(f"the manifest {told(source)} is not text in UTF-8") from None


def folder_of(url: str) -> str:
    """The pattern for all that lies in the folder of `url`, and below it."""
    return f"{url.partition('?')[0].rpartition('/')[0]}/*"


def sign_manifest(
    source: str | Path,
    url: str,
    signer: Signer,
    *,
    resource: str | None = None,
    length: timedelta | None = None,
    **terms: Unpack[Terms],
) -> SignedManifest:
    """Return the manifest `source`, fetched by viewers at `url`, with a signature on every address in the policy.

    `source` is the manifest's text, or the path of its file. The file itself is not changed.
    `resource` is the policy's resource; if not given, the manifest's folder and everything below it. Addresses outside
    it, on other hosts, and of other schemes (`data:`, `skd:`) stay unchanged and are listed in `left`. Another host
    than the manifest's own gets the signature only if `resource` names it without a wildcard, because a playlist must
    not choose the hosts. An older signature is replaced. `length` is the stream's length, if the manifest does not
    contain it. The other arguments are those of `sign_url`.

    Warns (`SigningWarning`) if the signature expires before the stream ends. Raises `InputError` for what is not a
    manifest, `URLError` and `PolicyError`.
    """
    manifest = read(source, url)
    grant = signer.grant(folder_of(manifest.url) if resource is None else resource, **terms)
    return sign_with(grant, manifest, length=length)


def unsigned(text: str, url: str = "https://localhost/") -> str:
    """Return the manifest without signatures on its addresses. Raises `InputError` if it is not a manifest."""
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
    """Do what `sign_manifest` does, with an existing signature.

    `relocate` is for a manifest that is served from another address. It takes a playlist's absolute URL and returns the
    address to write instead, which is not signed; or `None`, and then the address becomes absolute.
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
                reason = f"with a signature it would be longer than CloudFront's limit of {MAX_URL_BYTES:,} bytes"
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
    """Yield each address, the URLs that it leads to, and why `resource` does not open it (empty if it does).

    `carried`: the signature would be part of the address, and so be sent to its host.
    """
    for each in manifest.references:
        try:
            urls = each.urls()
        except URLError as error:
            yield each, (), str(error)
            continue
        refused = [reason for url in urls if (reason := _refused(manifest.url, resource, url, carried=carried))]
        if refused and len(refused) < len(urls):
            reason = "it has several addresses, and the signature must not be sent to all of them"
        else:
            reason = refused[0] if refused else ""
        yield each, urls, reason


def _refused(manifest_url: str, resource: str, url: str, *, carried: bool) -> str:
    """Return why `resource` does not open `url`, or why its host must not receive the signature; empty otherwise."""
    if covers(resource, url):
        return withheld(resource, manifest_url, url) if carried else ""
    host = urlsplit(url).netloc
    if host != urlsplit(manifest_url).netloc:
        return f"it is on another host, {host}"
    return f"the policy for {resource} does not cover it"


def warn_of_stream(grant: Grant, manifest: Manifest, seconds: float | None, *, useless: bool) -> None:
    """Warn if the signature will end the stream early, or opens nothing of it."""
    remaining = grant.seconds_left()
    if seconds is not None and remaining < seconds:
        text = (
            f"the signature for {shown(manifest.url)} expires in {timedelta(seconds=int(remaining))}, before the "
            f"stream ends ({timedelta(seconds=round(seconds))}): even a viewer who starts at once is refused; "
            "give a lifetime of the stream's length plus the viewers' pauses"
        )
        warn([Caution("", text)])
    if useless:
        text = f"the policy for {grant.resource} covers no address in {shown(manifest.url)}: give another resource="
        warn([Caution("", text)])
