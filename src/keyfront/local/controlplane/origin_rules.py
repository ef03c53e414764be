"""CloudFront's rules for the origins and origin groups of a distribution.

Sources: the API model's error and member descriptions; Developer Guide, "Origin settings", "Add custom headers to
origin requests", "Optimize high availability with CloudFront origin failover"; "Quotas".
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.header_names import HEADER_NAME
from keyfront.local.controlplane.trust import IDENTITY_PREFIX, access_controls, distributions_with_control

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import CustomHeaders, DistributionConfig, Origin, OriginGroup

_HOST = re.compile(
    r"(?=.{1,253}$)(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)*[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?", re.IGNORECASE
)
_NUMBERS_ONLY = re.compile(r"[0-9.]+")
_S3_HOST = re.compile(
    r"[a-z0-9][a-z0-9.-]*\.s3(?:-[a-z0-9-]+)?(?:\.[a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?", re.IGNORECASE
)
_S3_WEBSITE = re.compile(r"\.s3-(?:website|accelerate)", re.IGNORECASE)

_CONTROL_HOSTS = {
    "s3": _S3_HOST,
    "mediastore": re.compile(r".+\.data\.mediastore\..+", re.IGNORECASE),
    "mediapackagev2": re.compile(r".+\.mediapackagev2\..+", re.IGNORECASE),
    "lambda": re.compile(r".+\.lambda-url\..+", re.IGNORECASE),
}
"""The domain names for each type of origin access control (Developer Guide, "Restrict access to …")."""

_FAILOVER_STATUSES = {403, 404, 416, 429, 500, 502, 503, 504}
_FORBIDDEN_HEADERS = frozenset(
    {
        *("cache-control", "connection", "content-length", "cookie", "host", "if-match", "if-modified-since"),
        *("if-none-match", "if-range", "if-unmodified-since", "max-forwards", "pragma", "proxy-authenticate"),
        *("proxy-authorization", "proxy-connection", "range", "request-range", "te", "trailer"),
        *("transfer-encoding", "upgrade", "via", "x-real-ip"),
    }
)
_FORBIDDEN_PREFIXES = ("x-amz-", "x-edge-")
_CONTROL = re.compile("[\x00-\x08\x0a-\x1f\x7f]")
"""What HTTP does not allow in a header's value (RFC 9110, section 5.5)."""


def check_origins(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    """Check every origin and origin group. In an update, `distribution` is the distribution's id.

    Raises `APIError` with the code of the first broken rule.
    """
    origins, quotas = config["Origins"].get("Items", []), account.quotas
    if not origins:
        raise APIError("InvalidArgument", "A distribution must have at least one origin.")
    if len(origins) > quotas.origins_per_distribution:
        message = f"A distribution may have {quotas.origins_per_distribution} origins; this one has {len(origins)}."
        raise APIError("TooManyOrigins", message)
    for origin in origins:
        _check_kind(account, origin)
        _check_domain(origin)
        _check_timing(origin)
        _check_custom_headers(account, origin["Id"], origin["CustomHeaders"])
        _check_access(account, origin)
    _check_control_quota(account, config, distribution)
    _check_groups(account, config)


def _check_kind(account: LocalAccount, origin: Origin) -> None:
    kinds = [k for k in ("S3OriginConfig", "CustomOriginConfig", "VpcOriginConfig") if k in origin]
    if len(kinds) != 1:
        raise APIError(
            "InvalidOrigin",
            "Exactly one of S3OriginConfig, CustomOriginConfig and VpcOriginConfig must be specified; the origin "
            f"{origin['Id']!r} has {' and '.join(kinds) or 'none of them'}. For a bucket with an origin access "
            "control, specify S3OriginConfig with an empty OriginAccessIdentity.",
        )
    if "VpcOriginConfig" in origin:
        found(account.store.vpc_origins, origin["VpcOriginConfig"]["VpcOriginId"], "EntityNotFound", "VPC origin")


def _check_domain(origin: Origin) -> None:
    domain, path = origin["DomainName"], origin["OriginPath"]
    if "S3OriginConfig" in origin and (not _S3_HOST.fullmatch(domain) or _S3_WEBSITE.search(domain)):
        raise APIError("InvalidArgument", "The parameter Origin DomainName does not refer to a valid S3 bucket.")
    if ":" in domain:
        message = f"The parameter origin name cannot contain a colon: {domain[:200]!r}. Give only the name, "
        raise APIError("InvalidArgument", f"{message}without a scheme, and set the port in HTTPPort or HTTPSPort.")
    if _NUMBERS_ONLY.fullmatch(domain):
        raise APIError("InvalidArgument", f"The parameter origin name cannot be an IP address: {domain[:200]!r}.")
    # Assumed: a name with one label (localhost) is fine on a laptop.
    if not _HOST.fullmatch(domain):
        raise APIError("InvalidArgument", f"The parameter origin name must be a domain name: {domain[:200]!r}.")
    # Assumed: the code. InvalidRelativePath is for error pages.
    if path and (not path.startswith("/") or path.endswith("/") or len(path) > 255):
        message = "The parameter OriginPath must begin with /, not end with /, and have at most 255 characters: "
        raise APIError("InvalidArgument", f"{message}{path[:300]!r}.")


def _check_timing(origin: Origin) -> None:
    _check_range(origin["ConnectionAttempts"], "ConnectionAttempts", 1, 3)
    _check_range(origin["ConnectionTimeout"], "ConnectionTimeout", 1, 10)
    read_timeout = origin.get("S3OriginConfig", {}).get("OriginReadTimeout", 30)
    if custom := origin.get("CustomOriginConfig"):
        read_timeout = custom["OriginReadTimeout"]
        _check_range(
            custom["OriginKeepaliveTimeout"], "OriginKeepaliveTimeout", 1, 120, "InvalidOriginKeepaliveTimeout"
        )
        for name, port in (("HTTPPort", custom["HTTPPort"]), ("HTTPSPort", custom["HTTPSPort"])):
            if port not in (80, 443) and not 1024 <= port <= 65535:
                message = f"The parameter {name} must be 80, 443 or 1024 to 65535; it is {port}."
                raise APIError("InvalidArgument", message)
    if "VpcOriginConfig" in origin:
        read_timeout = origin["VpcOriginConfig"]["OriginReadTimeout"]
        keepalive = origin["VpcOriginConfig"]["OriginKeepaliveTimeout"]
        _check_range(keepalive, "OriginKeepaliveTimeout", 1, 120, "InvalidOriginKeepaliveTimeout")
    _check_range(int(str(read_timeout)), "OriginReadTimeout", 1, 120, "InvalidOriginReadTimeout")
    if (completion := origin.get("ResponseCompletionTimeout")) is not None and completion < int(str(read_timeout)):
        message = f"ResponseCompletionTimeout ({completion}) must not be less than OriginReadTimeout ({read_timeout})."
        raise APIError("InvalidArgument", message)
    if origin["OriginShield"]["Enabled"] and not origin["OriginShield"].get("OriginShieldRegion"):
        raise APIError("InvalidArgument", "The parameter OriginShieldRegion is required when Origin Shield is enabled.")


def _check_range(value: int, name: str, low: int, high: int, code: str = "InvalidArgument") -> None:
    if not low <= value <= high:
        raise APIError(code, f"The parameter {name} must be {low} to {high}; it is {value}.")


def _check_custom_headers(account: LocalAccount, origin: str, headers: CustomHeaders) -> None:
    quotas, given = account.quotas, headers.get("Items", [])
    if len(given) > quotas.custom_headers_per_origin:
        message = f"An origin may have {quotas.custom_headers_per_origin} custom headers; {origin!r} has {len(given)}."
        raise APIError("TooManyOriginCustomHeaders", message)
    names = [header["HeaderName"].lower() for header in given]
    for name, value in ((header["HeaderName"], header["HeaderValue"]) for header in given):
        if not HEADER_NAME.fullmatch(name) or len(name) > quotas.custom_header_name_characters:
            raise APIError("InvalidArgument", f"{name[:300]!r} is not a header name.")
        if name.lower() in _FORBIDDEN_HEADERS or name.lower().startswith(_FORBIDDEN_PREFIXES):
            raise APIError("InvalidArgument", f"The parameter HeaderName : {name} is not allowed.")
        if names.count(name.lower()) > 1:
            raise APIError("InvalidArgument", f"The origin {origin!r} has the custom header {name} twice.")
        # The value is often a secret that the origin checks, so no message shows it.
        if len(value) > quotas.custom_header_value_characters or _CONTROL.search(value):
            message = f"The value of the custom header {name} is too long, or has a control character."
            raise APIError("InvalidArgument", message)
    total = sum(len(header["HeaderName"]) + len(header["HeaderValue"]) for header in given)
    if total > quotas.custom_headers_characters:
        message = f"The custom headers of the origin {origin!r} have {total} characters in total; the maximum is "
        raise APIError("InvalidArgument", f"{message}{quotas.custom_headers_characters}.")


def _check_access(account: LocalAccount, origin: Origin) -> None:
    identity, control = _identity(origin), origin["OriginAccessControlId"]
    if identity:
        known = identity.startswith(IDENTITY_PREFIX) and account.store.origin_access_identities.get(
            identity.removeprefix(IDENTITY_PREFIX)
        )
        if not known:
            raise APIError(
                "InvalidOriginAccessIdentity",
                f"The origin access identity is not valid or doesn't exist: {identity[:200]!r}. "
                f"The form is {IDENTITY_PREFIX}ID.",
            )
        if control:
            raise APIError(
                "IllegalOriginAccessConfiguration",
                "An origin cannot contain both an origin access control (OAC) and an origin access identity (OAI): "
                f"{origin['Id']!r}.",
            )
    if control:
        _check_control(account, origin, control)


def _identity(origin: Origin) -> str:
    return origin["S3OriginConfig"]["OriginAccessIdentity"] if "S3OriginConfig" in origin else ""


def _check_control(account: LocalAccount, origin: Origin, identifier: str) -> None:
    control = account.store.origin_access_controls.get(identifier)
    if control is None:
        message = f"The origin access control is not valid: {identifier[:100]!r} does not exist."
        raise APIError("InvalidOriginAccessControl", message)
    kind = control.config["OriginAccessControlOriginType"]
    if not _CONTROL_HOSTS[kind].fullmatch(origin["DomainName"]):
        raise APIError(
            "InvalidDomainNameForOriginAccessControl",
            f"The origin access control {identifier} is for origins of type {kind}; {origin['DomainName']!r} is "
            "not such an origin.",
        )


def _check_control_quota(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    quota = account.quotas.distributions_per_origin_access_control
    for control in access_controls(config):
        others = [d for d in distributions_with_control(account.store, control) if d.id != distribution]
        if len(others) >= quota:
            message = f"{quota} distributions use the origin access control {control} already, which is the quota."
            raise APIError("TooManyDistributionsAssociatedToOriginAccessControl", message)


def _check_groups(account: LocalAccount, config: DistributionConfig) -> None:
    groups, quota = config["OriginGroups"].get("Items", []), account.quotas.origin_groups_per_distribution
    if len(groups) > quota:
        message = f"A distribution may have {quota} origin groups; this one has {len(groups)}."
        raise APIError("TooManyOriginGroupsPerDistribution", message)
    origins = [origin["Id"] for origin in config["Origins"]["Items"]]
    identifiers = [*origins, *(group["Id"] for group in groups)]
    for identifier in identifiers:
        if not identifier or len(identifier) > 128:
            raise APIError(
                "InvalidArgument", f"The id of an origin must have 1 to 128 characters: {identifier[:200]!r}."
            )
        if identifiers.count(identifier) > 1:
            message = f"The id of an origin or origin group must be unique in its distribution: {identifier!r}."
            raise APIError("InvalidArgument", message)
    for group in groups:
        _check_group(group, origins)


def _check_group(group: OriginGroup, origins: list[str]) -> None:
    members = [member["OriginId"] for member in group["Members"]["Items"]]
    if missing := [member for member in members if member not in origins]:
        raise APIError(
            "NoSuchOrigin",
            f"One or more of your origins do not exist: the origin group {group['Id']!r} has {missing[0]!r}.",
        )
    if len(set(members)) < len(members):
        raise APIError("InvalidArgument", f"The origin group {group['Id']!r} has the same origin twice.")
    statuses = group["FailoverCriteria"]["StatusCodes"]["Items"]
    if bad := [status for status in statuses if status not in _FAILOVER_STATUSES]:
        allowed = ", ".join(str(status) for status in sorted(_FAILOVER_STATUSES))
        raise APIError("InvalidArgument", f"An origin group can fail over on {allowed}, not on {bad[0]}.")
