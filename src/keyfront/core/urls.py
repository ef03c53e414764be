"""URLs in the form that viewers send, made from a URL or a pattern.

CloudFront compares the bytes that a viewer sends with the bytes that were signed. So a URL gets the form in which it is
sent *before* it is signed, and never changes afterwards. There are two forms:

- `viewer_url`: what a browser sends for a URL that a page has, by the URL Standard. It is signed for cookies.
- `link_url`: what a signed link has. It also encodes the characters that browsers send as they are, and that other
  clients encode or refuse: curl, Python and Java then send the link as it is, and so does every browser.
"""

import ipaddress
import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Final, NamedTuple

from keyfront.core.showing import like_a_key, told
from keyfront.errors import URLError

SIGNING_PARAMETERS: Final = frozenset({"Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm"})
"""Query parameters of a signature. An application's own parameters must not have these names (case matters)."""

MAX_URL_BYTES: Final = 8192
"""Developer Guide, "Quotas": the longest URL that CloudFront accepts, query string included."""

# Text that is sent unchanged. The possessive repeats (*+, ++) never try anything twice.
_CHARACTERS = r"[A-Za-z0-9\-._~!$&'()*+,;=:@\[\]]*+"
_SEGMENT = rf"{_CHARACTERS}(?:%[0-9A-Fa-f]{{2}}{_CHARACTERS})*+"
_QUERY = _SEGMENT.replace("'", "").replace("@", "@/?")
PATH_AS_SENT: Final = rf"(?:/(?![.%]){_SEGMENT})++"
"""A path with nothing to encode and no segment that might be a dot segment (`.`, `..`, `%2e`)."""
# A whole URL as most are: a lower-case host that is not an address, no port, such a path, no dangling question mark.
_is_as_sent = re.compile(
    rf"https?://(?:[a-z0-9_][a-z0-9\-_]*+\.)*+[a-z][a-z0-9\-]*+{PATH_AS_SENT}(?:\?(?!\Z){_QUERY})?"
).fullmatch
_PARTS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.\-]*)://(?P<host>[^/\\?#]*)(?P<path>[^?#]*)(?P<query>\?[^#]*)?")
_HOST = re.compile(r"(?P<name>[a-z0-9_](?:[a-z0-9\-._]*[a-z0-9_])?\.?|\[[0-9a-f:]+\])(?::(?P<port>[0-9]{1,9}))?")
_SENT_HOST = re.compile(r"(\[[0-9a-f:.]+\]|[a-z0-9_](?:[a-z0-9\-._]*[a-z0-9_])?\.?)(?::([0-9]{1,5}))?")
_LIKE_AN_ADDRESS = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)\.?")
_PATTERN_HOST = re.compile(r"[a-z0-9\-._*?:\[\]]+")


class _Form(NamedTuple):
    """The characters of a path and of a query string to encode."""

    path: re.Pattern[str]
    query: re.Pattern[str]


# URL Standard, path percent-encode set and special-query percent-encode set, without control characters, which are
# refused. Chromium encodes | in a path as well (up to version 156, at least), and Safari did not encode ^ until 2025.
_AS_SENT = _Form(re.compile(r'[ "<>^`{}]|[^\x00-\x7f]'), re.compile(r"""[ "<>']|[^\x00-\x7f]"""))
# RFC 3986, and ' in a query string, which browsers encode.
_IN_A_LINK = _Form(
    re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&'()*+,;=:@/\[\]%]"),
    re.compile(r"%(?![0-9A-Fa-f]{2})|[^A-Za-z0-9\-._~!$&()*+,;=:@/?\[\]%]"),
)
# The URL Standard resolves these, percent-encoded or not, before a browser sends anything.
_OF_S3: Final = ". An object of S3 has the distribution's address: sign https://<distribution>/<key>"
_DOT_SEGMENT = re.compile(r"/(?:\.|%2e){1,2}(?=/|$)", re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SCHEME_PATTERN = re.compile(r"[a-z*?]+")
_has_scheme = re.compile(r"[^?]*://|[A-Za-z*?]+://").match
_USER = re.compile(r"(^|//)[^/]*@")
_DEFAULT_PORTS = {"http": 80, "https": 443}


def viewer_url(url: str) -> str:
    """Return `url` as a browser sends it. Raises `URLError`.

    Scheme and host are in lower case. There is no default port and no dangling `?`, and an empty path becomes `/`. A
    backslash in the path becomes a slash. Spaces, non-ASCII and some other characters are percent-encoded; existing
    escapes stay, and so do braces, `|`, `^`, a backslash and a backquote in a query string, `|` in a path, and a
    percent sign that begins no escape.
    """
    return _sent(url, _AS_SENT)


def link_url(url: str) -> str:
    """Return `url` as a signed link has it: like `viewer_url`, without characters that RFC 3986 does not allow.

    They are percent-encoded, so that every client sends the link unchanged. Raises `URLError`.
    """
    return _sent(url, _IN_A_LINK)


def _sent(url: str, form: _Form) -> str:
    try:
        plain = _is_as_sent(url)
    except TypeError:
        raise not_text(url, "url") from None
    if plain is None:
        url = _normalised(url, "url", form)
    if "?" in url:
        _refuse_signing_parameters(url, "url")
    return url


def resource_pattern(resource: str, *, link: bool = False) -> str:
    """Return `resource` as it is written in a custom policy: like `viewer_url`, with wildcards. Raises `URLError`.

    With `link` it is like `link_url`. An escaped `\\?` becomes a bare `?`, as today's guide and every SDK write it.
    """
    if not isinstance(resource, str):
        raise not_text(resource, "resource")
    if not resource:
        text = "the resource is empty: give a URL, with * and ? as wildcards, or * for every URL"
        raise URLError(text, reason="resource-is-no-url", member="resource", value="")
    resource = resource.replace("\\?", "?")
    form = _IN_A_LINK if link else _AS_SENT
    if _is_as_sent(resource):
        pattern = resource
    elif _has_scheme(resource):
        pattern = _normalised(resource, "resource", form)
    elif resource.startswith("*"):
        pattern = _normalised("*://" + resource, "resource", form).removeprefix("*://")
    else:
        raise _refused(
            "resource", resource, "resource-is-no-url", "has no scheme: write https://… (or *://… for either)"
        )
    if "?" in pattern:
        _refuse_signing_parameters(pattern, "resource")
    return pattern


def with_parameters(url: str, parameters: str) -> str:
    """Return `url` with `parameters` after its own query string. Raises `URLError` over 8,192 bytes."""
    signed = f"{url}{'&' if '?' in url else '?'}{parameters}"
    if len(signed) > MAX_URL_BYTES:
        raise URLError(
            f"the signed URL would be {len(signed):,} bytes, and CloudFront accepts at most {MAX_URL_BYTES:,}: "
            "shorten the query string, or use signed cookies",
            reason="url-too-long",
            member="url",
            value=len(signed),
        )
    return signed


def signing_parameters(query: str) -> Iterator[tuple[str, str]]:
    """Yield name and value, as sent, of every signing parameter in a query string."""
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if name in SIGNING_PARAMETERS:
            yield name, value


@lru_cache(maxsize=1024)
def without_signing_parameters(query: str) -> str:
    """Return `query` without its signing parameters; the others keep their order and their bytes."""
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in SIGNING_PARAMETERS)


@lru_cache(maxsize=256)
def split_host(host: str) -> tuple[str, int | None] | None:
    """Return name and port of a lower-case Host header; `None` if it is not one, such as two joined by a comma."""
    found = _SENT_HOST.fullmatch(host)
    return (found[1], int(found[2]) if found[2] else None) if found else None


def _normalised(url: str, member: str, form: _Form) -> str:
    """Return `url` as a viewer sends it. `member` is `url`, or `resource` for a pattern."""
    pattern = member == "resource"
    if _CONTROL.search(url):
        text = "holds a line break or another control character: remove it, or write it as %0A …"
        raise _refused(member, url, "white-space-signed", text)
    if url != url.strip():
        text = "begins or ends with white space: remove it, or write it as %20"
        raise _refused(member, url, "white-space-signed", text)
    scheme, host, path, query = _split_pattern(url) if pattern else _split(url)
    if "#" in url:
        text = "holds '#': viewers do not send the rest; write %23 if '#' is part of the path"
        raise _refused(member, url, "fragment", text)
    path = path.replace("\\", "/")
    if _DOT_SEGMENT.search(path):
        text = "holds a '.' or '..' segment: viewers resolve it before they send the URL, so sign the result"
        raise _refused(member, url, "dot-segment", text)
    path = _encode(path, form.path, url, member) or ("" if pattern else "/")
    query = _encode(query, form.query, url, member)
    if query == "?" and not pattern:
        query = ""
    return f"{scheme}://{host}{path}{query}"


def _split(url: str) -> tuple[str, str, str, str]:
    """Return scheme, host, path and query string (with its `?`) of a URL, the first two as viewers send them."""
    parts = _PARTS.match(url)
    if not url:
        raise URLError("the URL is empty: give https://…", reason="url-empty", member="url", value="")
    if parts is None:
        raise _refused("url", url, "scheme-missing", f"has no scheme: write https://{shown(url.lstrip('/:'))[1:-1]}")
    scheme, host = parts["scheme"].lower(), parts["host"].lower()
    if scheme not in _DEFAULT_PORTS:
        text = f"has the scheme {told(scheme)}: CloudFront serves http and https{_OF_S3 if scheme == 's3' else ''}"
        raise _refused("url", url, "scheme-unknown", text)
    if "@" in host:
        text = "holds a user name or password, which viewers do not send: remove it"
        raise _refused("url", url, "user-in-url", text)
    if not host.isascii():
        text = f"the host {told(host)} is not ASCII: write its punycode form (xn--…)"
        raise URLError(text, reason="host-malformed", member="url", value=bare_url(url))
    return scheme, _host(host, scheme, url), parts["path"], parts["query"] or ""


def _host(host: str, scheme: str, url: str) -> str:
    found = _HOST.fullmatch(host)
    if found is None:
        raise _refused("url", url, "host-malformed", f"has no valid host: {told(host)}")
    name, port = found["name"], int(found["port"] or _DEFAULT_PORTS[scheme])
    if not 0 <= port <= 65535:
        raise _refused("url", url, "port-malformed", f"has no valid port: {port}")
    try:
        if name.startswith("["):
            name = f"[{ipaddress.IPv6Address(name[1:-1]).compressed}]"
        elif _LIKE_AN_ADDRESS.fullmatch(name):
            name = str(ipaddress.IPv4Address(name))
    except ValueError:
        text = f"has a host that looks like an address but is not one: {name!r}"
        raise _refused("url", url, "host-malformed", text) from None
    return name if port == _DEFAULT_PORTS[scheme] else f"{name}:{port}"


def _split_pattern(pattern: str) -> tuple[str, str, str, str]:
    scheme, _, rest = pattern.partition("://")
    scheme = scheme.lower()
    host, slash, path = rest.partition("/")
    if "?" in host and not _PATTERN_HOST.fullmatch(host.lower()):
        # Not a wildcard: the query string begins where the domain ends.
        host, mark, query = rest.partition("?")
        path = ""
    else:
        path, mark, query = (slash + path).partition("?")
    host = host.lower()
    if not _SCHEME_PATTERN.fullmatch(scheme) or not _PATTERN_HOST.fullmatch(host):
        text = "is not a resource: write scheme://domain/path with * and ? as wildcards"
        text += _OF_S3 if scheme == "s3" else ""
        raise _refused("resource", pattern, "resource-is-no-url", text)
    if scheme in _DEFAULT_PORTS:
        host = host.removesuffix(f":{_DEFAULT_PORTS[scheme]}")
    return scheme, host, path, mark + query


def _encode(text: str, unsafe: re.Pattern[str], url: str, member: str) -> str:
    try:
        return unsafe.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode()), text)
    except UnicodeEncodeError:
        raise _refused(member, url, "not-unicode", "holds half of a surrogate pair: decode it correctly") from None


def _refuse_signing_parameters(url: str, member: str) -> None:
    for name, _ in signing_parameters(url.partition("?")[2]):
        raise URLError(
            f"the URL already has a parameter {name!r}, which CloudFront reads as part of a signature: "
            "sign the bare URL, and give your own parameters other names",
            reason="signing-parameter",
            member=member,
            value=name,
        )


def not_text(value: object, member: str) -> URLError:
    """Return the error for a URL (`member` is `url`) or a resource that is not text."""
    what = "URL" if member == "url" else "resource"
    if value is None:
        text = f"the {what} is None (was a variable not set?): give https://…"
        return URLError(text, reason="url-empty", member=member)
    return URLError(f"the {what} is a {type(value).__name__}: give it as text, https://…", member=member)


def _refused(member: str, url: str, reason: str, text: str) -> URLError:
    return URLError(f"{shown(url)} {text}", reason=reason, member=member, value=bare_url(url))


def shown(url: str) -> str:
    """Return `url` for an error's text: shortened, and without the query string and password, which are secrets."""
    bare = bare_url(url)
    return told(url) if bare is None else repr(bare)


def bare_url(url: str) -> str | None:
    """Return `url` without its secret parts; `None` if it may be a key."""
    if "-----" in url or ("://" not in url[:10] and like_a_key(url)):
        return None
    bare = _USER.sub(r"\1…@", url.partition("?")[0])
    return bare if len(bare) <= 120 else bare[:117] + "…"
