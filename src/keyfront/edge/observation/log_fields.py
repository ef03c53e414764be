"""The fields of CloudFront's logs, from the record of a request: each value as it stands in a log.

Sources: Developer Guide, "Standard logging reference", "Use real-time access logs".
"""

import hashlib
import re
from datetime import UTC, datetime
from typing import Final

from keyfront.edge.observation.record import Record

FIELDS: Final = (
    *("date", "time", "x-edge-location", "sc-bytes", "c-ip", "cs-method", "cs(Host)", "cs-uri-stem", "sc-status"),
    *("cs(Referer)", "cs(User-Agent)", "cs-uri-query", "cs(Cookie)", "x-edge-result-type", "x-edge-request-id"),
    *("x-host-header", "cs-protocol", "cs-bytes", "time-taken", "x-forwarded-for", "ssl-protocol", "ssl-cipher"),
    *("x-edge-response-result-type", "cs-protocol-version", "fle-status", "fle-encrypted-fields", "c-port"),
    *("time-to-first-byte", "x-edge-detailed-result-type", "sc-content-type", "sc-content-len", "sc-range-start"),
    "sc-range-end",
)
"""The fields of a standard log, in their order."""

NONE: Final = "-"
_HASHED: Final = 64
"""How many characters at a signature's end are hashed: as in `keyfront logs`, which then knows a signature again."""

_ENCODED = re.compile(r"[^\x21\x24\x26\x28-\x3b\x3d\x3f-\x5a\x5f\x61-\x7a]")
_SIGNATURE = re.compile(r"((?:^|&)Signature=)([^&]*)")
_SIGNATURE_COOKIE = re.compile(r"(CloudFront-Signature=)([^;]*)")
_CONTENT_RANGE = re.compile(r"bytes (\d+)-(\d+)/")


def log_fields(record: Record, domain_name: str, *, cookies: bool) -> dict[str, str]:
    """Return the values of a record by `FIELDS`, in their order. `domain_name` is the distribution's own.

    `cookies`: whether the log includes cookies. A signature in them is hidden, too.
    """
    viewer, outcome = record.viewer, record.outcome
    when = datetime.fromtimestamp(record.ended, UTC)
    sent = dict(record.headers)
    cookie = hide_signatures(viewer.header(b"cookie")) if cookies else ""
    result = "Error" if record.status >= 400 else outcome.cache
    content_range = _CONTENT_RANGE.match(sent.get(b"content-range", b"").decode("latin-1"))
    values = (
        when.strftime("%Y-%m-%d"),
        when.strftime("%H:%M:%S"),
        record.location,
        str(record.sent),
        outcome.ip,
        viewer.method,
        domain_name,
        encoded(viewer.path),
        # 000: the viewer left before the response began (as in the reference).
        f"{record.status:03d}",
        encoded(viewer.header(b"referer")),
        encoded(viewer.header(b"user-agent")),
        encoded(_SIGNATURE.sub(_hidden, viewer.query)),
        encoded(cookie),
        result,
        viewer.id.decode("ascii"),
        encoded(viewer.host),
        viewer.scheme,
        str(record.received),
        f"{record.taken:.3f}",
        encoded(viewer.header(b"x-forwarded-for")),
        # granian does not report a connection's TLS protocol and cipher.
        NONE,
        NONE,
        result,
        _protocol(viewer.http_version),
        NONE,
        NONE,
        str(record.viewer.port),
        f"{record.first_byte:.3f}",
        _detailed(record, result),
        encoded(sent.get(b"content-type", b"").decode("latin-1")),
        sent.get(b"content-length", b"").decode("latin-1"),
        content_range[1] if content_range else "",
        content_range[2] if content_range else "",
    )
    return {name: value or NONE for name, value in zip(FIELDS, values, strict=True)}


def hide_signatures(cookies: str) -> str:
    """Return a Cookie header with hashes instead of signatures."""
    return _SIGNATURE_COOKIE.sub(_hidden, cookies)


def _hidden(found: re.Match[str]) -> str:
    """Return a signature's parameter with `hidden-` and a hash instead of its value.

    A reader of the log cannot use its links, but sees which requests came with the same one. CloudFront logs the
    signature itself.
    """
    sent = found[2].replace("%7E", "~").replace("%7e", "~")
    return f"{found[1]}hidden-{hashlib.sha256(sent[-_HASHED:].encode('latin-1', 'replace')).hexdigest()[:16]}"


def encoded(text: str) -> str:
    """Return `text` with every character URL-encoded that would break the line or is not printable ASCII."""
    return _ENCODED.sub(lambda found: "".join(f"%{byte:02X}" for byte in found[0].encode("latin-1")), text)


def _protocol(http_version: str) -> str:
    return f"HTTP/{http_version}" if "." in http_version else f"HTTP/{http_version}.0"


def _detailed(record: Record, result: str) -> str:
    if record.outcome.status and not record.complete and record.status < 400:
        return "ClientCommError"
    return result
