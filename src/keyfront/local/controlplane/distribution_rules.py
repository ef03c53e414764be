"""CloudFront's rules for a distribution as a whole: names, certificate, errors, logs, and updates.

Sources: the API model's error and member descriptions; Developer Guide, "Distribution settings", "Custom error pages
and error caching", "Required API fields for creating and updating distributions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

from keyfront.local.controlplane import continuous_deployment
from keyfront.local.controlplane.account import COMMENT_CHARACTERS, LocalAccount, check_length
from keyfront.local.controlplane.behavior_rules import check_behaviors, check_targets
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.origin_rules import check_origins

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        CustomErrorResponse,
        DistributionConfig,
        GeoRestriction,
        ViewerCertificate,
    )

_ALIAS = re.compile(
    r"(?=.{1,253}$)(?:\*\.)?(?:[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\.)+[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?",
    re.IGNORECASE,
)
_ROOT_OBJECT = re.compile(r"(?!/)[A-Za-z0-9_\-.*$/~\"'&]{0,255}")
_WEB_ACL = re.compile(r"arn:aws:wafv2:us-east-1:[0-9]{12}:global/webacl/.+|[0-9a-fA-F-]{36}|")
_COUNTRY = re.compile(r"[A-Z]{2}")

_ERROR_CODES = frozenset({400, 403, 404, 405, 414, 416, 500, 501, 502, 503, 504})
_RESPONSE_CODES = frozenset({"200", *(str(code) for code in _ERROR_CODES)})

_REQUIRED_FOR_UPDATES = (
    "Aliases",
    "DefaultRootObject",
    "CacheBehaviors",
    "CustomErrorResponses",
    "Logging",
    "PriceClass",
    "ViewerCertificate",
    "Restrictions",
    "WebACLId",
    "HttpVersion",
)
_REQUIRED_OF_BEHAVIORS = (
    "AllowedMethods",
    "SmoothStreaming",
    "Compress",
    "LambdaFunctionAssociations",
    "FieldLevelEncryptionId",
)
_REQUIRED_OF_CUSTOM_ORIGINS = ("OriginReadTimeout", "OriginKeepaliveTimeout", "OriginSslProtocols")
_MISSING = {
    "SmoothStreaming": "The parameter SmoothStreaming flag is missing.",
    "OriginSslProtocols": "The parameter OriginSslProtocols is required.",
}
"""Members that get `InvalidArgument` if they are missing, and its text. Both were seen in the field."""
_ACM = re.compile(r"arn:aws[a-z-]*:acm:us-east-1:[0-9]{12}:certificate/.+")


def check_distribution(account: LocalAccount, config: DistributionConfig, distribution: str | None = None) -> None:
    """Check a configuration that has its defaults. In an update, `distribution` is the distribution's id.

    Raises `APIError` with the code of the first broken rule. Assumed: the order of the rules.
    """
    check_length(config["CallerReference"], "CallerReference", COMMENT_CHARACTERS, 1)
    check_length(config["Comment"], "Comment", COMMENT_CHARACTERS)
    if not _ROOT_OBJECT.fullmatch(config["DefaultRootObject"]):
        raise APIError(
            "InvalidDefaultRootObject",
            "The default root object file name is too big (255 characters), begins with a slash, or contains an "
            f"invalid character: {config['DefaultRootObject'][:300]!r}.",
        )
    _check_what_is_not_there(config)
    continuous_deployment.check_distribution(account, config)
    check_targets(config)
    check_origins(account, config, distribution)
    check_behaviors(account, config, distribution)
    _check_aliases(account, config, distribution)
    _check_certificate(config["ViewerCertificate"])
    for response in config["CustomErrorResponses"].get("Items", []):
        _check_error_response(response)
    _check_geography(config["Restrictions"]["GeoRestriction"])
    if config["Logging"]["Enabled"] and not config["Logging"]["Bucket"]:
        raise APIError("InvalidArgument", "The parameter Bucket is required when logging is enabled.")


def check_complete(config: DistributionConfig) -> None:
    """Check that an update has all members. It replaces the whole configuration, so some optional ones are required.

    Raises `APIError` with the message seen in the field: mostly `IllegalUpdate`, which is assumed except for the two
    timeouts.
    """
    for name, path in _absent(config):
        if name in _MISSING:
            raise APIError("InvalidArgument", f"{_MISSING[name]} ({path})")
        raise APIError(
            "IllegalUpdate",
            f"{name} is required for updates ({path}). Get the distribution's configuration, change it, and "
            "send all of it.",
        )


def check_web_acl(identifier: str, code: str) -> None:
    """Raise `APIError` with `code` for a web ACL id that has another form. An empty one means none."""
    if not _WEB_ACL.fullmatch(identifier):
        raise APIError(code, f"A web ACL ID specified is not valid: {identifier[:200]!r}.")


def check_unchanged(old: DistributionConfig, new: DistributionConfig) -> None:
    """Raise `APIError` `IllegalUpdate` for another caller reference (API Reference, UpdateDistribution), or stage."""
    if old["CallerReference"] != new["CallerReference"]:
        message = f"You cannot update the CallerReference: it is {old['CallerReference']!r}."
        raise APIError("IllegalUpdate", message)
    if old["Staging"] != new.get("Staging", old["Staging"]):
        # Assumed: the code. The AWS provider for Terraform replaces the distribution.
        message = f"You cannot update Staging: it is {str(old['Staging']).lower()}."
        raise APIError("IllegalUpdate", message)


def _absent(config: DistributionConfig) -> Iterator[tuple[str, str]]:
    yield from ((n, "DistributionConfig") for n in _REQUIRED_FOR_UPDATES if n not in config)
    behaviors = [config["DefaultCacheBehavior"], *config["CacheBehaviors"].get("Items", [])]
    for behavior in cast("list[Mapping[str, object]]", behaviors):
        where = f"the cache behavior {behavior.get('PathPattern', 'Default (*)')}"
        yield from ((name, where) for name in _REQUIRED_OF_BEHAVIORS if name not in behavior)
    for origin in config["Origins"]["Items"]:
        custom = origin.get("CustomOriginConfig")
        if custom is not None:
            where = f"the origin {origin['Id']}"
            yield from ((name, where) for name in _REQUIRED_OF_CUSTOM_ORIGINS if name not in custom)


def _check_what_is_not_there(config: DistributionConfig) -> None:
    """Refuse references to kinds of resources that keyfront does not have."""
    if addresses := config.get("AnycastIpListId"):
        raise APIError("EntityNotFound", f"The Anycast static IP list was not found: {addresses[:100]!r}.")
    if function := config.get("ConnectionFunctionAssociation"):
        raise APIError("EntityNotFound", f"The connection function was not found: {function['Id'][:100]!r}.")
    if trust_store := config.get("ViewerMtlsConfig", {}).get("TrustStoreConfig"):
        identifier = str(cast("Mapping[str, object]", trust_store)["TrustStoreId"])
        raise APIError("EntityNotFound", f"The trust store was not found: {identifier[:100]!r}.")
    check_web_acl(config["WebACLId"], "InvalidWebACLId")
    if "TenantConfig" in config or config.get("ConnectionMode") == "tenant-only":
        message = "keyfront does not support multi-tenant distributions: leave TenantConfig and ConnectionMode out."
        raise APIError("InvalidArgument", message)


def _check_aliases(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    aliases, quota = config["Aliases"].get("Items", []), account.quotas.aliases_per_distribution
    if len(aliases) > quota:
        message = f"A distribution may have {quota} alternate domain names; this one has {len(aliases)}."
        raise APIError("TooManyDistributionCNAMEs", message)
    if bad := [alias for alias in aliases if not _ALIAS.fullmatch(alias)]:
        raise APIError("InvalidArgument", f"The parameter CNAME is not a domain name: {bad[0][:300]!r}.")
    names = {alias.lower() for alias in aliases}
    if len(names) < len(aliases):
        raise APIError("InvalidArgument", "The parameter CNAME has the same domain twice.")
    for other in account.store.distributions:
        taken = names & {alias.lower() for alias in other.config["Aliases"].get("Items", [])}
        if other.id != distribution and taken:
            raise APIError(
                "CNAMEAlreadyExists",
                "One or more of the CNAMEs you provided are already associated with a different resource: "
                f"{', '.join(sorted(taken))} with {other.id}.",
            )
    if aliases and config["ViewerCertificate"]["CloudFrontDefaultCertificate"]:
        raise APIError(
            "InvalidViewerCertificate",
            "To add an alternate domain name (CNAME) to a CloudFront distribution, you must attach a trusted "
            "certificate that validates your authorization to use the domain name: set ACMCertificateArn or "
            "IAMCertificateId.",
        )


def _check_certificate(certificate: ViewerCertificate) -> None:
    if certificate.get("ACMCertificateArn") and certificate.get("IAMCertificateId"):
        raise APIError("InvalidViewerCertificate", "Specify ACMCertificateArn or IAMCertificateId, not both.")
    if certificate["CertificateSource"] == "cloudfront":
        if not certificate["CloudFrontDefaultCertificate"]:
            message = "CloudFrontDefaultCertificate is false and no other certificate is given: specify one."
            raise APIError("InvalidViewerCertificate", message)
        return
    if certificate["CloudFrontDefaultCertificate"]:
        message = "CloudFrontDefaultCertificate is true and another certificate is given: specify only one."
        raise APIError("InvalidViewerCertificate", message)
    arn = certificate.get("ACMCertificateArn", "")
    if arn and not _ACM.fullmatch(arn):
        raise APIError(
            "InvalidViewerCertificate",
            "The specified SSL certificate doesn't exist, isn't in us-east-1 region, isn't valid, or doesn't include a "
            f"valid certificate chain: {arn[:200]!r}.",
        )
    if "SSLSupportMethod" not in certificate:
        message = "The parameter SSLSupportMethod is required with your own certificate."
        raise APIError("InvalidViewerCertificate", message)
    method, version = certificate["SSLSupportMethod"], certificate["MinimumProtocolVersion"]
    if method == "sni-only" and version == "SSLv3":
        message = "You cannot specify SSLv3 as the minimum protocol version for clients that support SNI only."
        raise APIError("InvalidProtocolSettings", message)
    if method == "vip" and version not in ("TLSv1", "SSLv3"):
        message = f"With SSLSupportMethod vip the minimum protocol version must be TLSv1 or SSLv3; it is {version}."
        raise APIError("InvalidMinimumProtocolVersion", message)


def _check_error_response(response: CustomErrorResponse) -> None:
    if response["ErrorCode"] not in _ERROR_CODES:
        raise APIError("InvalidErrorCode", f"An error page cannot be set for the status {response['ErrorCode']}.")
    page, code = response.get("ResponsePagePath", ""), response.get("ResponseCode", "")
    if bool(page) != bool(code):
        message = f"Error code {response['ErrorCode']} needs both ResponseCode and ResponsePagePath, or neither."
        raise APIError("InvalidResponseCode", message)
    if code and code not in _RESPONSE_CODES:
        raise APIError("InvalidResponseCode", f"A response code is not valid: {code[:20]!r}.")
    if page and (not page.startswith("/") or len(page) > 4096):
        message = f"The relative path is too big, or does not begin with a slash: {page[:200]!r}."
        raise APIError("InvalidRelativePath", message)


def _check_geography(restriction: GeoRestriction) -> None:
    countries, kind = restriction.get("Items", []), restriction["RestrictionType"]
    if (kind == "none") == bool(countries):
        message = f"The restriction type {kind!r} cannot have {len(countries)} locations."
        raise APIError("InvalidGeoRestrictionParameter", message)
    if bad := [country for country in countries if not _COUNTRY.fullmatch(country)]:
        message = f"The location code specified is not valid: {bad[0][:20]!r} (two capital letters, ISO 3166-1)."
        raise APIError("InvalidLocationCode", message)
