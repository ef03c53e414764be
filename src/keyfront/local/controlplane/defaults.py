"""The defaults that CloudFront fills into a distribution's configuration.

Sources: the API model's defaults, and the response of `CreateDistribution` in the AWS CLI Reference.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        AnyBehavior,
        DistributionConfig,
        ForwardedValues,
        Origin,
        ViewerCertificate,
    )

_NONE: Mapping[str, object] = {"Quantity": 0}
_NOBODY: Mapping[str, object] = {"Enabled": False, "Quantity": 0}
_READ: Mapping[str, object] = {"Quantity": 2, "Items": ["HEAD", "GET"]}

_DISTRIBUTION: Mapping[str, object] = {
    "Aliases": _NONE,
    "DefaultRootObject": "",
    "OriginGroups": _NONE,
    "CacheBehaviors": _NONE,
    "CustomErrorResponses": _NONE,
    "Logging": {"Enabled": False, "IncludeCookies": False, "Bucket": "", "Prefix": ""},
    "PriceClass": "PriceClass_All",
    "ViewerCertificate": {"CloudFrontDefaultCertificate": True},
    "Restrictions": {"GeoRestriction": {"RestrictionType": "none", "Quantity": 0}},
    "WebACLId": "",
    "HttpVersion": "http2",
    "IsIPV6Enabled": True,
    "ContinuousDeploymentPolicyId": "",
    "Staging": False,
}
_ORIGIN: Mapping[str, object] = {
    "OriginPath": "",
    "CustomHeaders": _NONE,
    "ConnectionAttempts": 3,
    "ConnectionTimeout": 10,
    "OriginShield": {"Enabled": False},
    "OriginAccessControlId": "",
}
_CUSTOM_ORIGIN: Mapping[str, object] = {
    "OriginSslProtocols": {"Quantity": 3, "Items": ["TLSv1", "TLSv1.1", "TLSv1.2"]},
    "OriginReadTimeout": 30,
    "OriginKeepaliveTimeout": 5,
}
_BEHAVIOR: Mapping[str, object] = {
    "TrustedSigners": _NOBODY,
    "TrustedKeyGroups": _NOBODY,
    "AllowedMethods": {**_READ, "CachedMethods": _READ},
    "SmoothStreaming": False,
    "Compress": False,
    "LambdaFunctionAssociations": _NONE,
    "FunctionAssociations": _NONE,
    "FieldLevelEncryptionId": "",
    "GrpcConfig": {"Enabled": False},
}
_FORWARDED_VALUES: Mapping[str, object] = {"Headers": _NONE, "QueryStringCacheKeys": _NONE}

_ONE_DAY = 86_400
_ONE_YEAR = 31_536_000


def with_defaults(config: DistributionConfig) -> DistributionConfig:
    """Return a copy of `config` with CloudFront's defaults. Given values do not change.

    Two exceptions: an empty `Items` beside a `Quantity` of 0 is removed (CloudFront's responses do not have it), and
    the bucket and prefix of a disabled log are emptied (API model, LoggingConfig).
    """
    full = cast("DistributionConfig", _fill(_without_empty_items(config), _DISTRIBUTION))
    for origin in full["Origins"].get("Items", []):
        _complete_origin(origin)
    _complete_behavior(full["DefaultCacheBehavior"])
    for behavior in full["CacheBehaviors"].get("Items", []):
        _complete_behavior(behavior)
    full["ViewerCertificate"] = _certificate(full["ViewerCertificate"])
    _fill_in(full["Logging"], cast("Mapping[str, object]", _DISTRIBUTION["Logging"]))
    if not full["Logging"]["Enabled"]:
        full["Logging"] |= {"Bucket": "", "Prefix": ""}
    return full


def _complete_origin(origin: Origin) -> None:
    _fill_in(origin, _ORIGIN)
    if not origin["OriginShield"].get("OriginShieldRegion", "absent"):
        del origin["OriginShield"]["OriginShieldRegion"]
    if "CustomOriginConfig" in origin:
        _fill_in(origin["CustomOriginConfig"], _CUSTOM_ORIGIN)
    if "S3OriginConfig" in origin:
        _fill_in(origin["S3OriginConfig"], {"OriginReadTimeout": 30})
    if "VpcOriginConfig" in origin:
        _fill_in(origin["VpcOriginConfig"], {"OriginReadTimeout": 30, "OriginKeepaliveTimeout": 5})


def _complete_behavior(behavior: AnyBehavior) -> None:
    _fill_in(behavior, _BEHAVIOR)
    _fill_in(behavior["AllowedMethods"], {"CachedMethods": _READ})
    if not behavior.get("CachePolicyId") and "ForwardedValues" in behavior:
        _complete_legacy_caching(behavior, behavior["ForwardedValues"])


def _complete_legacy_caching(behavior: AnyBehavior, forwarded: ForwardedValues) -> None:
    """Fill in the TTLs. Each is at least the one before (Developer Guide, "Default TTL", "Maximum TTL")."""
    _fill_in(forwarded, _FORWARDED_VALUES)
    if "MinTTL" in behavior:
        behavior.setdefault("DefaultTTL", max(_ONE_DAY, behavior["MinTTL"]))
        behavior.setdefault("MaxTTL", max(_ONE_YEAR, behavior["DefaultTTL"]))


def _certificate(given: ViewerCertificate) -> ViewerCertificate:
    """Return the certificate in both forms: the newer (`ACMCertificateArn`) and the older (`CertificateSource`)."""
    older = {given.get("CertificateSource", "cloudfront"): given.get("Certificate", "")}
    custom: ViewerCertificate = {"CloudFrontDefaultCertificate": False, "MinimumProtocolVersion": "TLSv1", **given}
    if arn := given.get("ACMCertificateArn") or older.get("acm"):
        return {**custom, "ACMCertificateArn": arn, "Certificate": arn, "CertificateSource": "acm"}
    if identifier := given.get("IAMCertificateId") or older.get("iam"):
        return {**custom, "IAMCertificateId": identifier, "Certificate": identifier, "CertificateSource": "iam"}
    return {
        "CloudFrontDefaultCertificate": given.get("CloudFrontDefaultCertificate", True),
        "SSLSupportMethod": "vip",
        "MinimumProtocolVersion": "TLSv1",
        "CertificateSource": "cloudfront",
    }


def _fill(given: object, defaults: Mapping[str, object]) -> dict[str, object]:
    return {**copy.deepcopy(dict(defaults)), **cast("dict[str, object]", given)}


def _fill_in(structure: object, defaults: Mapping[str, object]) -> None:
    members = cast("dict[str, object]", structure)
    for name, value in defaults.items():
        if name not in members:
            members[name] = copy.deepcopy(value)


def _without_empty_items(value: object) -> object:
    """Return a deep copy without empty `Items` beside a `Quantity` of 0."""
    if isinstance(value, dict):
        counted = value.get("Quantity") == 0
        return {k: _without_empty_items(v) for k, v in value.items() if not (counted and k == "Items" and v == [])}
    if isinstance(value, list):
        return [_without_empty_items(item) for item in value]
    return value
