"""The URLs of S3 objects on a distribution, made from the distribution's domain and an object's key."""

from typing import Final
from urllib.parse import quote

from keyfront.core.showing import like_a_key, told
from keyfront.core.urls import bare_url, viewer_url
from keyfront.errors import URLError

MAX_KEY_BYTES: Final = 1024
"""S3 User Guide, "Naming Amazon S3 objects": the longest key, in UTF-8."""


def object_url(base_url: str, key: str) -> str:
    """Return the URL of the object `key` below `base_url`: UTF-8, with all but `/` and unreserved characters encoded.

    `*`, `+`, `?`, `#` and `%` in a key are encoded, because they have another meaning in a URL. Keys are not
    normalised: they are bytes, and `ö` in one code point is not `ö` in two. Raises `URLError` for a key that S3 cannot
    hold, or that no viewer can request.
    """
    return f"{base_url}/{_escaped(key)}"


def site_url(domain: str) -> str:
    """Return the base URL of a distribution's objects: `https://` and `domain`, or `domain` if it has a scheme.

    A path is kept (`https://media.example.com/assets`), and a final `/` is removed. Raises `URLError`.
    """
    if not isinstance(domain, str) or not domain or like_a_key(domain):
        text = f"the domain is {told(domain)}: give the distribution's domain, such as d111111abcdef8.cloudfront.net"
        raise URLError(text, reason="domain-malformed", member="domain")
    if "?" in domain:
        bare = domain.partition("?")[0]
        text = f"the domain is {told(bare)} with a query string: give only host and path"
        raise URLError(text, reason="domain-malformed", member="domain", value=bare_url(bare))
    return viewer_url(domain if "://" in domain else f"https://{domain}").removesuffix("/")


def _escaped(key: str) -> str:
    if not isinstance(key, str):
        raise _refused_key(None, f"is a {type(key).__name__}: give the object's key as text")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise _refused_key(key, "holds half of a surrogate pair: decode it correctly") from None
    if not key:
        raise _refused_key(None, "is empty: give an object's key, such as videos/1.mp4")
    if size > MAX_KEY_BYTES:
        raise _refused_key(key, f"is {size:,} bytes in UTF-8, and S3 holds keys up to {MAX_KEY_BYTES:,}")
    if any(segment in (".", "..") for segment in key.split("/")):
        text = "holds a '.' or '..' segment, which viewers resolve before they send the URL, "
        raise _refused_key(key, f"{text}even if it is escaped: copy the object to another key")
    return quote(key, safe="/-._~")


def _refused_key(key: str | None, text: str) -> URLError:
    quoted = "" if key is None else f" {key!a}"
    name = quoted if len(quoted) <= 101 else f"{quoted[:100]}…'"
    return URLError(f"the key{name} {text}", reason="object-key-malformed", member="key")
