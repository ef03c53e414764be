"""What a response headers policy makes of an answer: headers taken out, and CORS, security, custom and timing added.

Sources: Developer Guide, "Understand response headers policies" and "Add or remove HTTP headers in CloudFront
responses with a policy": it works on what comes from the cache and from the origin, so not on refusals and error pages
that the edge makes itself (whether it does there is settled nowhere: assumed).
"""

import random
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyfront.edge.request.viewer import Request
from keyfront.edge.response.pages import Headers
from keyfront.inventory import Cors, ResponseHeadersPolicy
from keyfront.web.types import Message, Send

_CORS_PREFIX: Final = b"access-control-"
_TIMED: Final = {b"Hit": b"cdn-cache-hit", b"RefreshHit": b"cdn-cache-refresh", b"Miss": b"cdn-cache-miss"}
_NEVER_REMOVED: Final = frozenset({b"content-length", b"x-cache", b"via", b"x-amz-cf-pop", b"x-amz-cf-id", b"age"})
_SERVER: Final = (b"server", b"CloudFront")


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """A response headers policy, ready to be used."""

    removed: frozenset[bytes]
    added: tuple[tuple[bytes, bytes, bool], ...]
    """Name, value, and whether it replaces the origin's."""
    cors: Cors | None
    allows: Callable[[str], object]
    """Takes the viewer's Origin; whether CORS headers are for it."""
    timing_percent: float

    def sending(self, send: Send, viewer: Request) -> Send:
        """`send`, with every answer's headers changed on their way to `viewer`."""
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
        """`headers` as the policy wants them for `viewer`, without `Server-Timing`.

        What is removed is the origin's; what the policy adds under the same name stays (assumed).
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
        """Headers with those for a request that carries an `Origin`; others get none."""
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
        # The answer to one origin is not the answer to another, for caches between here and the viewer: assumed.
        return [*headers, *named] if "*" in cors.origins else with_vary([*headers, *named], b"Origin")

    def _timed(self, viewer: Request) -> bool:
        if not self.timing_percent:
            return False
        # Developer Guide, "Server-Timing header": a viewer who asks by `Pragma` is always told.
        asked = b"server-timing" in viewer.fields.get(b"pragma", b"").lower()
        return asked or random.random() * 100 < self.timing_percent  # noqa: S311  a sample, no secret


def header_rules(policy: ResponseHeadersPolicy | None) -> HeaderRules | None:
    """The rules of a policy; `None` where there is none."""
    if policy is None:
        return None
    added = ((each.name.lower().encode("latin-1"), each.value.encode("utf-8"), each.override) for each in policy.added)
    return HeaderRules(
        removed=frozenset(name.encode("latin-1") for name in policy.removed),
        added=tuple(added),
        cors=policy.cors,
        allows=_origin_matcher(policy.cors.origins if policy.cors else ()),
        timing_percent=policy.timing_percent,
    )


def with_vary(headers: Headers, name: bytes) -> Headers:
    """`headers` whose `Vary` names `name`."""
    held = b", ".join(value for each, value in headers if each == b"vary")
    if name.lower() in (each.strip().lower() for each in held.split(b",")):
        return headers
    others = [item for item in headers if item[0] != b"vary"]
    return [*others, (b"vary", held + b", " + name if held else name)]


def _origin_matcher(patterns: tuple[str, ...]) -> Callable[[str], object]:
    """Origins match without regard to case; a pattern without scheme is for every scheme (assumed).

    `*` stands for subdomains at the beginning of a host, and for a port. Source: Developer Guide,
    "Access-Control-Allow-Origin".
    """
    if "*" in patterns:
        return lambda _: True
    texts = []
    for pattern in patterns:
        text = re.escape(pattern.rstrip("/")).replace(r"\*", "[^/]*")
        texts.append(text if "://" in pattern else f"[a-zA-Z][a-zA-Z0-9+.-]*://{text}")
    return re.compile("|".join(f"(?:{text})" for text in texts) or r"(?!)", re.IGNORECASE).fullmatch


def _timing(headers: Headers, seconds: float) -> bytes:
    """What the answer's own headers say, and how long its first byte took (milliseconds).

    How much of that went into names and connections is not measured. Source: Developer Guide, "Server-Timing header".
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
