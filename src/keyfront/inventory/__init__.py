"""An account's distributions, key groups, keys and origin access settings, as values.

They come from a live account through the CloudFront API (`read`), or from the JSON of
`aws cloudfront get-distribution-config` (`parse_distribution`).
"""

from keyfront.inventory.account import read
from keyfront.inventory.continuous_deployment import DeploymentPolicy
from keyfront.inventory.documents import parse_distribution
from keyfront.inventory.functions import EdgeFunction, FunctionAssociation, KeyValues
from keyfront.inventory.realtime_logs import RealtimeLog
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
    "DeploymentPolicy",
    "Distribution",
    "EdgeFunction",
    "ForwardedValues",
    "FunctionAssociation",
    "GeoRestriction",
    "Inventory",
    "KeyGroup",
    "KeyValues",
    "Origin",
    "OriginAccessControl",
    "OriginAccessIdentity",
    "OriginGroup",
    "OriginRequestPolicy",
    "RealtimeLog",
    "ResponseHeadersPolicy",
    "Selection",
    "TrustedKey",
    "parse_distribution",
    "read",
]
