"""Reads cache policies and origin request policies from the CloudFront API's structures."""

from collections.abc import Iterable, Mapping
from typing import Any

from keyfront.inventory.values import CachePolicy, OriginRequestPolicy, Selection

Document = Mapping[str, Any]
"""A structure of the CloudFront API."""


def items(document: Document, name: str) -> list[Any]:
    """Return the items of a list in an API structure; none if the list is left out."""
    return (document.get(name) or {}).get("Items") or []


def cache_policy(item: Document) -> CachePolicy:
    """Return the policy in a `CachePolicy` structure."""
    config = item["CachePolicyConfig"]
    counted = config.get("ParametersInCacheKeyAndForwardedToOrigin") or {}
    return CachePolicy(
        id=item["Id"],
        name=config["Name"],
        min_ttl=config["MinTTL"],
        default_ttl=config.get("DefaultTTL", 86400),
        max_ttl=config.get("MaxTTL", 31536000),
        gzip=bool(counted.get("EnableAcceptEncodingGzip")),
        brotli=bool(counted.get("EnableAcceptEncodingBrotli")),
        **_selections(counted),
    )


def origin_request_policy(item: Document) -> OriginRequestPolicy:
    """Return the policy in an `OriginRequestPolicy` structure."""
    config = item["OriginRequestPolicyConfig"]
    return OriginRequestPolicy(id=item["Id"], name=config["Name"], **_selections(config))


def _selections(config: Document) -> dict[str, Selection]:
    query = config.get("QueryStringsConfig") or {}
    cookies = config.get("CookiesConfig") or {}
    headers = config.get("HeadersConfig") or {}
    return {
        "query_strings": selection(query.get("QueryStringBehavior", "none"), items(query, "QueryStrings")),
        "cookies": selection(cookies.get("CookieBehavior", "none"), items(cookies, "Cookies")),
        "headers": selection(
            headers.get("HeaderBehavior", "none"), [name.lower() for name in items(headers, "Headers")]
        ),
    }


def selection(behavior: str, names: Iterable[str]) -> Selection:
    """Return the selection for a behavior of the API model.

    The behaviors are `none`, `whitelist`, `allExcept`, `all`, and for headers `allViewer[AndWhitelistCloudFront]`.
    """
    if behavior == "whitelist":
        chosen = frozenset(names)
        return Selection("some", chosen) if chosen else Selection()
    if behavior == "allExcept":
        return Selection("all-but", frozenset(names))
    return Selection("all", frozenset(names)) if behavior.startswith("all") else Selection()
