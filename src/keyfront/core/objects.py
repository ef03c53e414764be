"""The URL of an object: an S3 key below a distribution's address, escaped so that it survives the way.

Source: S3 User Guide, "Naming Amazon S3 objects"; RFC 3986, section 2.3.
"""

from typing import Final
from urllib.parse import quote

from keyfront.core.showing import like_a_key, told
from keyfront.core.urls import viewer_url
from keyfront.errors import URLError

MAX_KEY_BYTES: Final = 1024
"""S3 User Guide, "Naming Amazon S3 objects": the longest key, in UTF-8."""


def object_url(base_url: str, key: str) -> str:
    """The URL of the object `key` below `base_url`: UTF-8, everything encoded but `/` and unreserved characters.

    A `*`, `+`, `?`, `#` or `%` in a key is encoded, because it would be read as something else on the way. Nothing is
    normalised: keys are bytes, and `ö` in one code point is not `ö` in two. Raises `URLError` for a key that S3 does
    not hold, or that no viewer can ask for.
    """
    return f"{base_url}/{_escaped(key)}"


def site_url(domain: str) -> str:
    """Where a distribution's objects begin: `https://` and `domain`, or `domain` itself when it has a scheme.

    A path is kept (`https://media.example.com/assets`); the last `/` is dropped. Raises `URLError`.
    """
    if not isinstance(domain, str) or not domain or like_a_key(domain):
        raise URLError(f"the domain is {told(domain)}: give the distribution's, such as d111111abcdef8.cloudfront.net")
    if "?" in domain:
        raise URLError(f"the domain is {told(domain.partition('?')[0])} with a query string: give host and path alone")
    return viewer_url(domain if "://" in domain else f"https://{domain}").removesuffix("/")


def _escaped(key: str) -> str:
    if not isinstance(key, str):
        raise URLError(f"the key is a {type(key).__name__}: give an object's key as text")
    try:
        size = len(key.encode())
    except UnicodeEncodeError:
        raise URLError(f"the key {_shown(key)} holds half of a surrogate pair: it was decoded wrongly") from None
    if not key:
        raise URLError("the key is empty: give an object's key, such as videos/1.mp4")
    if size > MAX_KEY_BYTES:
        raise URLError(f"the key {_shown(key)} is {size:,} bytes in UTF-8, and S3 holds keys up to {MAX_KEY_BYTES:,}")
    if any(segment in (".", "..") for segment in key.split("/")):
        raise URLError(
            f"the key {_shown(key)} holds a '.' or '..' segment, which viewers resolve before they ask, "
            "however it is escaped: copy the object to another key"
        )
    return quote(key, safe="/-._~")


def _shown(key: str) -> str:
    text = ascii(key)
    return text if len(text) <= 100 else f"{text[:99]}…'"
