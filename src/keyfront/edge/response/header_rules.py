"""Response headers policies: they remove headers, and add CORS, security, custom and timing headers.

Sources: Developer Guide, "Understand response headers policies" and "Add or remove HTTP headers in CloudFront
responses with a policy". They apply to responses from the cache and the origin. Assumed, since no source says it: they
do not apply to refusals and error pages that the edge makes itself.
"""

import logging
import random
import re
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Final

from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.inventory import Cors, ResponseHeadersPolicy
from keyfront.web.types import Message, Send

_log = logging.getLogger(__name__)

_CORS_PREFIX: Final = b"access-control-"
_TIMED: Final = {b"Hit": b"cdn-cache-hit", b"RefreshHit": b"cdn-cache-refresh", b"Miss": b"cdn-cache-miss"}
_NEVER_REMOVED: Final = frozenset({b"content-length", b"x-cache", b"via", b"x-amz-cf-pop", b"x-amz-cf-id", b"age"})
_SERVER: Final = (b"server", b"CloudFront")
_NAME: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
"""The names and values that HTTP has (RFC 9110, section 5). The edge's server answers 500 for any other."""


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """A response headers policy, ready for use."""

    removed: frozenset[bytes]
    added: tuple[tuple[bytes, bytes, bool], ...]
    """Each header's name and value, and whether it replaces the origin's."""
    cors: Cors | None
    allows: Callable[[str], object]
    """Takes the viewer's Origin. The result says whether it gets CORS headers."""
    timing_percent: float

    def sending(self, send: Send, viewer: Request) -> Send:
        """Return a `send` that changes the headers of the response to `viewer`."""
        began = time.perf_counter()

        async def changed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = self.applied(message["headers"], viewer)
                if self._timed(viewer):
                    headers.append((b"server-timing", _timing(headers, time.perf_counter() - began)))
                message = {**message, "headers": headers}
            await send(message)

        return changed

    def applied(self, headers: Headers, viewer: Request) -> Headers:
        """Return `headers` as the policy changes them for `viewer`, without `Server-Timing`.

        The policy removes the origin's headers, but not those that it adds itself under the same name (assumed).
        """
        kept = [item for item in headers if item[0] not in self.removed or item[0] in _NEVER_REMOVED]
        if len(kept) < len(headers) and not any(name == b"server" for name, _ in kept):
            kept.append(_SERVER)
        if self.cors is not None:
            kept = self._with_cors(self.cors, kept, viewer)
        for name, value, override in self.added:
            if any(each == name for each, _ in kept):
                if not override:
                    continue
                kept = [item for item in kept if item[0] != name]
            kept.append((name, value))
        return kept

    def _with_cors(self, cors: Cors, headers: Headers, viewer: Request) -> Headers:
        """Return `headers` with CORS headers, if the request has an `Origin`."""
        origin = viewer.header(b"origin")
        if not origin:
            return headers
        if any(name.startswith(_CORS_PREFIX) for name, _ in headers):
            if not cors.override:
                return headers
            headers = [item for item in headers if not item[0].startswith(_CORS_PREFIX)]
        if not self.allows(origin):
            return headers
        added = [("origin", "*" if "*" in cors.origins else origin)]
        if cors.credentials:
            added.append(("credentials", "true"))
        if viewer.method == "OPTIONS" and b"access-control-request-method" in viewer.fields:
            added += [("methods", ", ".join(cors.methods)), ("headers", ", ".join(cors.headers))]
            if cors.max_age is not None:
                headers = [*headers, (b"access-control-max-age", b"%d" % cors.max_age)]
        elif cors.exposed:
            headers = [*headers, (b"access-control-expose-headers", ", ".join(cors.exposed).encode("latin-1"))]
        named = [(f"access-control-allow-{name}".encode(), value.encode("latin-1")) for name, value in added if value]
        # Assumed: `Vary` tells caches on the way to the viewer that the response is for one origin only.
        return [*headers, *named] if "*" in cors.origins else with_vary([*headers, *named], b"Origin")

    def _timed(self, viewer: Request) -> bool:
        if not self.timing_percent:
            return False
        # Developer Guide, "Server-Timing header": a viewer who asks with `Pragma` always gets the header.
        asked = b"server-timing" in viewer.fields.get(b"pragma", b"").lower()
        return asked or random.random() * 100 < self.timing_percent  # noqa: S311  sampling, not a secret


def header_rules(policy: ResponseHeadersPolicy | None) -> HeaderRules | None:
    """Return the rules of a policy; `None` if there is no policy.

    A header that HTTP cannot carry is left out, and a warning is logged.
    """
    if policy is None:
        return None
    cors = _sendable_cors(policy, policy.cors) if policy.cors else None
    added = [each for each in policy.added if _is_sendable(policy, each.name, each.value)]
    return HeaderRules(
        removed=frozenset(name.encode("utf-8") for name in policy.removed),
        added=tuple((each.name.lower().encode("ascii"), each.value.encode("utf-8"), each.override) for each in added),
        cors=cors,
        allows=_origin_matcher(cors.origins if cors else ()),
        timing_percent=policy.timing_percent,
    )


def _sendable_cors(policy: ResponseHeadersPolicy, cors: Cors) -> Cors:
    """Return `cors` without the names that HTTP cannot carry."""

    def sendable(header: str, names: Iterable[str]) -> tuple[str, ...]:
        return tuple(name for name in names if _is_sendable(policy, header, name) and name.isascii())

    return replace(
        cors,
        methods=sendable("Access-Control-Allow-Methods", cors.methods),
        headers=sendable("Access-Control-Allow-Headers", cors.headers),
        exposed=sendable("Access-Control-Expose-Headers", cors.exposed),
    )


def _is_sendable(policy: ResponseHeadersPolicy, name: str, value: str) -> bool:
    if _NAME.fullmatch(name) and _VALUE.fullmatch(value):
        return True
    _log.warning(
        "response headers policy %s: the header %r is not sent, because HTTP cannot carry its name or value %r",
        policy.id,
        name[:200],
        value[:200],
    )
    return False


def with_vary(headers: Headers, name: bytes) -> Headers:
    """Return `headers` with `name` in `Vary`."""
    held = b", ".join(value for each, value in headers if each == b"vary")
    if name.lower() in (each.strip().lower() for each in held.split(b",")):
        return headers
    others = [item for item in headers if item[0] != b"vary"]
    return [*others, (b"vary", held + b", " + name if held else name)]


def _origin_matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Return a function that says whether an origin matches one of `patterns`, in any case.

    A pattern without a scheme matches every scheme (assumed). `*` is a wildcard for subdomains at the beginning of a
    host, and for a port. Source: Developer Guide, "Access-Control-Allow-Origin".
    """
    if "*" in patterns:
        return lambda _: True
    texts = []
    for pattern in patterns:
        text = re.escape(pattern.rstrip("/")).replace(r"\*", "[^/]*")
        texts.append(text if "://" in pattern else f"[a-zA-Z][a-zA-Z0-9+.-]*://{text}")
    return re.compile("|".join(f"(?:{text})" for text in texts) or r"(?!)", re.IGNORECASE).fullmatch


def _timing(headers: Headers, seconds: float) -> bytes:
    """Return `Server-Timing`, from the response's own headers and the time to its first byte (milliseconds).

    DNS and connection times are not measured separately. Source: Developer Guide, "Server-Timing header".
    """
    fields = dict(headers)
    result = fields.get(b"x-cache", b"").split(b" ", 1)[0]
    metrics = [_TIMED[result]] if result in _TIMED else []
    metrics += [
        b'cdn-pop;desc="%s"' % fields.get(b"x-amz-cf-pop", b""),
        b'cdn-rid;desc="%s"' % fields.get(b"x-amz-cf-id", b""),
    ]
    if result == b"Hit":
        return b",".join([*metrics, b'cdn-hit-layer;desc="EDGE"', b"cdn-downstream-fbl;dur=%d" % (seconds * 1000)])
    spent = b"%d" % (seconds * 1000)
    upstream = b'cdn-upstream-layer;desc="EDGE",cdn-upstream-fbl;dur=%s' % spent
    return b",".join([upstream, *metrics, b"cdn-downstream-fbl;dur=%s" % spent])
