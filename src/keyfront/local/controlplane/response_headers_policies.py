"""Response headers policies: the headers that CloudFront adds to a response and removes from it.

Sources: the API model, ResponseHeadersPolicyConfig; Developer Guide, "Understand response headers policies", "Quotas".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.managed_policies import RESPONSE_HEADERS_POLICIES
from keyfront.local.controlplane.policies import operations, policy_family

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ResponseHeadersPolicyConfig

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HOP_BY_HOP = frozenset(
    {
        *("connection", "content-encoding", "content-length", "expect", "host", "keep-alive", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "trailer", "transfer-encoding", "upgrade", "via", "warning"),
    }
)
_CLOUDFRONTS_OWN = ("x-accel-", "x-amz-cf-", "x-cache", "x-edge-", "x-forwarded-proto", "x-real-ip")
"""CloudFront's own headers. A policy can remove neither these nor hop-by-hop headers. Source: Developer Guide, "Remove
headers". Assumed: it cannot set them as custom headers either."""


def _check(account: LocalAccount, config: ResponseHeadersPolicyConfig) -> None:
    _check_cors(config)
    _check_security(account, config)
    timing = config.get("ServerTimingHeadersConfig")
    if timing and timing["Enabled"] and "SamplingRate" not in timing:
        raise APIError("InvalidArgument", "The parameter SamplingRate is required when Server-Timing is enabled.")
    added = config["CustomHeadersConfig"].get("Items", []) if "CustomHeadersConfig" in config else []
    removed = config["RemoveHeadersConfig"].get("Items", []) if "RemoveHeadersConfig" in config else []
    quotas = account.quotas
    _check_names([h["Header"] for h in added], quotas.custom_headers_per_response_headers_policy, "CustomHeaders")
    _check_names([h["Header"] for h in removed], quotas.removed_headers_per_response_headers_policy, "RemoveHeaders")


def _check_cors(config: ResponseHeadersPolicyConfig) -> None:
    if cors := config.get("CorsConfig"):
        methods = cors["AccessControlAllowMethods"]["Items"]
        if not methods or ("ALL" in methods and len(methods) > 1) or len(set(methods)) < len(methods):
            message = (
                f"AccessControlAllowMethods must have each method once, or only ALL; it has {', '.join(methods)!r}."
            )
            raise APIError("InvalidArgument", message)
        if not cors["AccessControlAllowOrigins"]["Items"]:
            raise APIError("InvalidArgument", "AccessControlAllowOrigins must have at least one origin.")
        if cors.get("AccessControlMaxAgeSec", 0) < 0:
            raise APIError("InvalidArgument", "AccessControlMaxAgeSec must not be negative.")


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
        if not _HEADER_NAME.fullmatch(header) or header in _HOP_BY_HOP or header.startswith(_CLOUDFRONTS_OWN):
            raise APIError("InvalidArgument", f"{kind}Config cannot have the header {header[:200]!r}.")
        if lower.count(header) > 1:
            raise APIError("InvalidArgument", f"{kind}Config has the header {header!r} twice.")


FAMILY: Family[ResponseHeadersPolicyConfig] = policy_family(
    "response headers",
    table=lambda store: store.response_headers_policies,
    quota=lambda quotas: quotas.response_headers_policies,
    managed=RESPONSE_HEADERS_POLICIES,
    check=_check,
)
OPERATIONS = operations(FAMILY)
