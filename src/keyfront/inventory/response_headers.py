"""Response headers policies as values: the headers that CloudFront adds to and removes from responses to viewers.

Sources: API model, `ResponseHeadersPolicyConfig`; Developer Guide, "Understand response headers policies".
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

_EVERY_METHOD = ("GET", "DELETE", "HEAD", "OPTIONS", "PATCH", "POST", "PUT")
"""The methods that `ALL` means."""


@dataclass(frozen=True, slots=True)
class Cors:
    """What pages of other origins may do with the responses."""

    origins: tuple[str, ...]
    """`*`, origins, or origins with one wildcard."""
    methods: tuple[str, ...]
    headers: tuple[str, ...]
    exposed: tuple[str, ...] = ()
    credentials: bool = False
    max_age: int | None = None
    """Seconds that a browser keeps a preflight's response."""
    override: bool = False
    """Whether the policy's headers replace the origin's. If not, one CORS header from the origin keeps all out."""


@dataclass(frozen=True, slots=True)
class AddedHeader:
    """A header for every response. Without `override` it is added only if the origin did not send it."""

    name: str
    value: str
    override: bool


@dataclass(frozen=True, slots=True)
class ResponseHeadersPolicy:
    """A response headers policy. `added` has security and custom headers; names in `removed` are in lower case."""

    id: str
    name: str
    cors: Cors | None = None
    added: tuple[AddedHeader, ...] = ()
    removed: frozenset[str] = frozenset()
    timing_percent: float = 0.0
    """The percentage of responses with `Server-Timing`; 0 if it is not enabled."""


def response_headers_policy(item: Document) -> ResponseHeadersPolicy:
    """Return the policy in a `ResponseHeadersPolicy` structure."""
    config = item["ResponseHeadersPolicyConfig"]
    timing = config.get("ServerTimingHeadersConfig") or {}
    return ResponseHeadersPolicy(
        id=item["Id"],
        name=config["Name"],
        cors=_cors(config["CorsConfig"]) if config.get("CorsConfig") else None,
        added=(*_security(config.get("SecurityHeadersConfig") or {}), *_custom(config)),
        removed=frozenset(each["Header"].lower() for each in _items(config, "RemoveHeadersConfig")),
        timing_percent=float(timing.get("SamplingRate") or 0) if timing.get("Enabled") else 0.0,
    )


def _items(config: Document, name: str) -> list[Any]:
    return (config.get(name) or {}).get("Items") or []


def _custom(config: Document) -> list[AddedHeader]:
    return [
        AddedHeader(each["Header"], each["Value"], each["Override"]) for each in _items(config, "CustomHeadersConfig")
    ]


def _cors(config: Document) -> Cors:
    methods = tuple(_items(config, "AccessControlAllowMethods"))
    return Cors(
        origins=tuple(_items(config, "AccessControlAllowOrigins")),
        methods=_EVERY_METHOD if "ALL" in methods else methods,
        headers=tuple(_items(config, "AccessControlAllowHeaders")),
        exposed=tuple(_items(config, "AccessControlExposeHeaders")),
        credentials=config["AccessControlAllowCredentials"],
        max_age=config.get("AccessControlMaxAgeSec"),
        override=config["OriginOverride"],
    )


def _security(config: Document) -> list[AddedHeader]:
    headers = []
    if strict := config.get("StrictTransportSecurity"):
        value = f"max-age={strict['AccessControlMaxAgeSec']}"
        value += "; includeSubDomains" if strict.get("IncludeSubdomains") else ""
        value += "; preload" if strict.get("Preload") else ""
        headers.append(AddedHeader("strict-transport-security", value, strict["Override"]))
    if options := config.get("ContentTypeOptions"):
        headers.append(AddedHeader("x-content-type-options", "nosniff", options["Override"]))
    if frames := config.get("FrameOptions"):
        headers.append(AddedHeader("x-frame-options", frames["FrameOption"], frames["Override"]))
    if referrer := config.get("ReferrerPolicy"):
        headers.append(AddedHeader("referrer-policy", referrer["ReferrerPolicy"], referrer["Override"]))
    if content := config.get("ContentSecurityPolicy"):
        value = content["ContentSecurityPolicy"]
        headers.append(AddedHeader("content-security-policy", value, content["Override"]))
    if script := config.get("XSSProtection"):
        value = "1" if script["Protection"] else "0"
        value += "; mode=block" if script.get("ModeBlock") else ""
        value += f"; report={script['ReportUri']}" if script.get("ReportUri") else ""
        headers.append(AddedHeader("x-xss-protection", value, script["Override"]))
    return headers
