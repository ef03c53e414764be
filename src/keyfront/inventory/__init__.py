"""An account's distributions, key groups, keys and origin access settings, read through the CloudFront API.

The same values come from a live account (`read`) and from the JSON that `aws cloudfront get-distribution-config`
saves (`parse_distribution`).
"""

from keyfront.inventory.account import read
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.response_headers import AddedHeader, Cors, ResponseHeadersPolicy
from keyfront.inventory.values import (
    CacheBehavior,
    CachePolicy,
    CustomErrorResponse,
    CustomOrigin,
    Distribution,
    ForwardedValues,
    GeoRestriction,
    Inventory,
    KeyGroup,
    Origin,
    OriginAccessControl,
    OriginAccessIdentity,
    OriginGroup,
    OriginRequestPolicy,
    Selection,
    TrustedKey,
)

__all__ = [
    "AddedHeader",
    "CacheBehavior",
    "CachePolicy",
    "Cors",
    "CustomErrorResponse",
    "CustomOrigin",
    "Distribution",
    "ForwardedValues",
    "GeoRestriction",
    "Inventory",
    "KeyGroup",
    "Origin",
    "OriginAccessControl",
    "OriginAccessIdentity",
    "OriginGroup",
    "OriginRequestPolicy",
    "ResponseHeadersPolicy",
    "Selection",
    "TrustedKey",
    "parse_distribution",
    "read",
]
