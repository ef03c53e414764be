"""Response headers policies: the headers that CloudFront adds to a response and removes from it.

Sources: the API model, ResponseHeadersPolicyConfig; Developer Guide, "Understand response headers policies", "Quotas".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.header_names import HEADER_NAME
from keyfront.local.controlplane.managed_policies import RESPONSE_HEADERS_POLICIES
from keyfront.local.controlplane.policies import operations, policy_family

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ResponseHeadersPolicyConfig, ResponseHeadersPolicyCors

_HOP_BY_HOP = frozenset(
    {
        *("connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "trailer", "transfer-encoding", "upgrade", "via", "warning"),
    }
)
_CLOUDFRONTS_OWN = ("x-accel-", "x-amz-cf-", "x-cache", "x-edge-", "x-forwarded-proto", "x-real-ip")
"""CloudFront's own headers. A policy can remove neither these nor hop-by-hop headers. Source: Developer Guide, "Remove
headers". Assumed: it cannot set them as custom headers either."""
_SECURITY = frozenset(
    {
        *("content-security-policy", "referrer-policy", "strict-transport-security", "x-content-type-options"),
        *("x-frame-options", "x-xss-protection"),
    }
)
"""The headers of `SecurityHeadersConfig`."""
_ORIGIN = re.compile(r"\*|(?:[a-z][a-z0-9+.-]*://)?[^/\s]+", re.IGNORECASE)
"""An origin has no path, not even a final slash. Seen in the field: the text of the refusal."""
_CONTROL = re.compile("[\x00-\x1f\x7f]")
"""Line breaks and other control characters."""


def _check(account: LocalAccount, config: ResponseHeadersPolicyConfig) -> None:
    for name, text in _texts({**config, "Comment": ""}, ""):
        if _CONTROL.search(text):
            message = f"The parameter {name} contains a line break or another control character: {text[:200]!r}."
            raise APIError("InvalidArgument", message)
    if "CorsConfig" in config:
        _check_cors(config["CorsConfig"])
    _check_security(account, config)
    timing = config.get("ServerTimingHeadersConfig")
    if timing and timing["Enabled"] and "SamplingRate" not in timing:
        raise APIError("InvalidArgument", "The parameter SamplingRate is required when Server-Timing is enabled.")
    added = config["CustomHeadersConfig"].get("Items", []) if "CustomHeadersConfig" in config else []
    removed = config["RemoveHeadersConfig"].get("Items", []) if "RemoveHeadersConfig" in config else []
    quotas = account.quotas
    _check_names([h["Header"] for h in added], quotas.custom_headers_per_response_headers_policy, "CustomHeaders")
    _check_custom([h["Header"] for h in added])
    _check_names([h["Header"] for h in removed], quotas.removed_headers_per_response_headers_policy, "RemoveHeaders")


def _texts(value: object, name: str) -> Iterator[tuple[str, str]]:
    """Yield every text below `value`, with the name of the member that has it."""
    if isinstance(value, str):
        yield name, value
    elif isinstance(value, Mapping):
        for member, each in value.items():
            yield from _texts(each, name if member == "Items" else str(member))
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each, name)


def _check_cors(cors: ResponseHeadersPolicyCors) -> None:
    origins, headers = cors["AccessControlAllowOrigins"]["Items"], cors["AccessControlAllowHeaders"]["Items"]
    methods, exposed = cors["AccessControlAllowMethods"]["Items"], cors.get("AccessControlExposeHeaders", {})
    if not methods or ("ALL" in methods and len(methods) > 1) or len(set(methods)) < len(methods):
        message = f"AccessControlAllowMethods must have each method once, or only ALL; it has {', '.join(methods)!r}."
        raise APIError("InvalidArgument", message)
    if not origins:
        raise APIError("InvalidArgument", "AccessControlAllowOrigins must have at least one origin.")
    if not headers:
        # Seen in the field: awsdocs/aws-cloudformation-user-guide, issue 1179.
        raise APIError("InvalidArgument", "AccessControlAllowHeaders must have at least one header.")
    _check_wildcards("Access-Control-Allow-Origin", origins)
    if bad := [origin for origin in origins if not _ORIGIN.fullmatch(origin)]:
        message = f"The parameter Access-Control-Allow-Origin contains {bad[0][:200]} which is not a valid URL."
        raise APIError("InvalidArgument", message)
    _check_header_list("Access-Control-Allow-Headers", headers)
    _check_header_list("Access-Control-Expose-Headers", exposed.get("Items", []))
    if cors.get("AccessControlMaxAgeSec", 0) < 0:
        raise APIError("InvalidArgument", "AccessControlMaxAgeSec must not be negative.")
    if cors["AccessControlAllowCredentials"]:
        _check_credentials(
            {
                "Access-Control-Allow-Headers": any("*" in header for header in headers),
                "Access-Control-Allow-Methods": "ALL" in methods,
                "Access-Control-Allow-Origin": "*" in origins,
            }
        )


def _check_credentials(everything: Mapping[str, bool]) -> None:
    """Refuse headers with `*`. The text was seen in the field for the headers (aws-cdk, PR 35308).

    Assumed: methods and origins get the same text, and `https://*.example.com` is not refused.
    """
    for parameter, has_wildcard in everything.items():
        if has_wildcard:
            message = f"The parameter {parameter} cannot contain * when allowCredentials is true."
            raise APIError("InvalidArgument", message)


def _check_header_list(parameter: str, headers: Iterable[str]) -> None:
    _check_wildcards(parameter, headers)
    if bad := [header for header in headers if not HEADER_NAME.fullmatch(header)]:
        message = f"The parameter {parameter} contains {bad[0][:200]!r}, which is not the name of a header."
        raise APIError("InvalidArgument", message)


def _check_wildcards(parameter: str, values: Iterable[str]) -> None:
    """Refuse two `*` in one value. Assumed: the text."""
    if bad := [value for value in values if value.count("*") > 1]:
        message = f"The parameter {parameter} contains {bad[0][:200]!r}; a value can have only one *."
        raise APIError("InvalidArgument", message)


def _check_security(account: LocalAccount, config: ResponseHeadersPolicyConfig) -> None:
    security = config.get("SecurityHeadersConfig", {})
    protection, quota = security.get("XSSProtection"), account.quotas.content_security_policy_characters
    if protection and protection.get("ModeBlock") and protection.get("ReportUri"):
        raise APIError("InvalidArgument", "XSSProtection: you cannot specify a ReportUri when ModeBlock is true.")
    policy = security.get("ContentSecurityPolicy")
    if policy and len(policy["ContentSecurityPolicy"]) > quota:
        message = f"A Content-Security-Policy may have {quota} characters; this one has "
        raise APIError("TooLongCSPInResponseHeadersPolicy", f"{message}{len(policy['ContentSecurityPolicy'])}.")
    transport = security.get("StrictTransportSecurity")
    if transport and transport["AccessControlMaxAgeSec"] < 0:
        raise APIError("InvalidArgument", "StrictTransportSecurity: AccessControlMaxAgeSec must not be negative.")


def _check_names(headers: list[str], quota: int, kind: str) -> None:
    if len(headers) > quota:
        message = f"A response headers policy may have {quota} {kind}; this one has {len(headers)}."
        raise APIError(f"TooMany{kind}InResponseHeadersPolicy", message)
    lower = [header.lower() for header in headers]
    for header in lower:
        if not HEADER_NAME.fullmatch(header) or header in _HOP_BY_HOP or header.startswith(_CLOUDFRONTS_OWN):
            raise APIError("InvalidArgument", f"{kind}Config cannot have the header {header[:200]!r}.")
        if lower.count(header) > 1:
            raise APIError("InvalidArgument", f"{kind}Config has the header {header!r} twice.")


def _check_custom(headers: Iterable[str]) -> None:
    """Refuse headers that have settings of their own. Seen in the field: the text for security headers."""
    for header in headers:
        kind = "security" if header.lower() in _SECURITY else "CORS" if _is_cors(header) else ""
        if kind:
            message = f"The parameter CustomHeaders contains {header} that is a {kind} header and cannot be set as "
            raise APIError("InvalidArgument", f"{message}custom header.")


def _is_cors(header: str) -> bool:
    return header.lower().startswith("access-control-")


FAMILY: Family[ResponseHeadersPolicyConfig] = policy_family(
    "response headers",
    table=lambda store: store.response_headers_policies,
    quota=lambda quotas: quotas.response_headers_policies,
    managed=RESPONSE_HEADERS_POLICIES,
    check=_check,
    renews_users=True,
)
OPERATIONS = operations(FAMILY)
