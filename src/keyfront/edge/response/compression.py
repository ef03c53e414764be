"""Compression of objects on their way to the cache.

Sources: Developer Guide, "Serve compressed files" (conditions, file types, `ETag` header conversion) and "Understand
cache policies" (cache compressed objects). Assumed: a request for a part gets a part of the uncompressed object.
"""

import asyncio
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import brotli  # type: ignore[import-untyped]

from keyfront.edge.cache_rules import CacheRules
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.header_rules import with_vary
from keyfront.edge.response.pages import Headers

SMALLEST: Final = 1_000
LARGEST: Final = 10_000_000
"""The smallest and largest `Content-Length` of objects that are compressed, in bytes."""

_STATUSES: Final = frozenset({200, 403, 404})
_BROTLI_QUALITY: Final = 5
_GZIP_LEVEL: Final = 6
_AT_ONCE: Final = 8 * 1024
"""Up to this many bytes are compressed in the event loop, which takes a fraction of a millisecond."""

_TYPES: Final = frozenset(
    {
        *(f"application/{name}" for name in ("dash+xml", "eot", "font", "font-sfnt", "javascript", "json", "opentype")),
        *(f"application/{name}" for name in ("otf", "pdf", "pkcs7-mime", "protobuf", "rss+xml", "truetype", "ttf")),
        *(f"application/{name}" for name in ("vnd.apple.mpegurl", "vnd.mapbox-vector-tile", "vnd.ms-fontobject")),
        *(f"application/{name}" for name in ("wasm", "xhtml+xml", "xml", "x-font-opentype", "x-font-truetype")),
        *(f"application/{name}" for name in ("x-font-ttf", "x-httpd-cgi", "x-javascript", "x-mpegurl", "x-opentype")),
        *(f"application/{name}" for name in ("x-otf", "x-perl", "x-ttf")),
        *("font/eot", "font/opentype", "font/otf", "font/ttf", "image/svg+xml", "vnd.apple.mpegurl"),
        *(f"text/{name}" for name in ("css", "csv", "html", "javascript", "js", "plain", "richtext", "xml")),
        *(f"text/{name}" for name in ("tab-separated-values", "x-script", "x-component", "x-java-source")),
    }
)


def accepted(viewer: Request, rules: CacheRules) -> str:
    """Return the viewer's `Accept-Encoding` in normal form, for the cache key and the origin; it may be empty.

    It is empty for HTTP/1.0 and for requests for a part.
    """
    header = viewer.fields.get(b"accept-encoding")
    if header is None or viewer.http_version == "1.0" or b"range" in viewer.fields:
        return ""
    return _normalised(header, rules.encodings)


@lru_cache(1024)
def _normalised(header: bytes, encodings: tuple[str, ...]) -> str:
    named = set()
    for part in header.decode("latin-1").lower().split(","):
        name, _, weight = part.partition(";")
        if not weight.strip() or _weight(weight) > 0:
            named.add(name.strip())
    return ",".join(name for name in encodings if name in named)


def _weight(text: str) -> float:
    try:
        return float(text.strip().removeprefix("q="))
    except ValueError:
        return 0.0


def is_compressible(status: int, fields: Mapping[str, str]) -> bool:
    """Return whether CloudFront compresses a response of the origin. Header names are in lower case."""
    length = fields.get("content-length", "")
    kind = fields.get("content-type", "").partition(";")[0].strip().lower()
    return (
        status in _STATUSES
        and kind in _TYPES
        and "content-encoding" not in fields
        and length.isdecimal()
        and SMALLEST <= int(length) <= LARGEST
    )


async def compressed(body: bytes, encoding: str) -> bytes:
    """Return `body` compressed with `encoding`: `br` or `gzip`."""
    work = _brotli if encoding == "br" else _gzip
    return work(body) if len(body) <= _AT_ONCE else await asyncio.to_thread(work, body)


def _brotli(body: bytes) -> bytes:
    packed: bytes = brotli.compress(body, quality=_BROTLI_QUALITY)
    return packed


def _gzip(body: bytes) -> bytes:
    packer = zlib.compressobj(_GZIP_LEVEL, wbits=31)
    return packer.compress(body) + packer.flush()


def encoded_headers(headers: Headers, encoding: str) -> Headers:
    """Return the headers of a compressed object. A strong `ETag` becomes weak, a malformed one is removed."""
    changed: Headers = [(b"content-encoding", encoding.encode("ascii"))]
    for name, value in headers:
        if name == b"etag":
            value = weak(value)
            if not value:
                continue
        if name != b"accept-ranges":
            changed.append((name, value))
    return with_vary(changed, b"Accept-Encoding")


def weak(etag: bytes) -> bytes:
    """Return the weak form of an `ETag`, or nothing if it is not valid."""
    quoted = etag.removeprefix(b"W/")
    return b"W/" + quoted if len(quoted) >= 2 and quoted[:1] == quoted[-1:] == b'"' else b""
