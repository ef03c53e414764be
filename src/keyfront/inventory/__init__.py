"""An account's distributions, key groups, keys and origin access settings, read through the CloudFront API.

The same values come from a live account (`read`) and from the JSON that `aws cloudfront get-distribution-config`
saves (`parse_distribution`).
"""

from keyfront.inventory.account import read
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.values import (
    CacheBehavior,
    CachePolicy,
    CustomErrorResponse,
    CustomOrigin,
    Distribution,
    ForwardedValues,
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
    "CacheBehavior",
    "CachePolicy",
    "CustomErrorResponse",
    "CustomOrigin",
    "Distribution",
    "ForwardedValues",
    "Inventory",
    "KeyGroup",
    "Origin",
    "OriginAccessControl",
    "OriginAccessIdentity",
    "OriginGroup",
    "OriginRequestPolicy",
    "Selection",
    "TrustedKey",
    "parse_distribution",
    "read",
]
