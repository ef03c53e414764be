"""What a behavior caches, under which key, and what of a request its origin gets to see.

Sources: Developer Guide, "Use managed cache policies", "Use managed origin request policies", "Cache content
based on query string parameters" (cookies, request headers), "Control the cache key".
"""

import logging
from dataclasses import dataclass
from typing import Final

from keyfront.inventory import (
    CacheBehavior,
    CachePolicy,
    ForwardedValues,
    Inventory,
    OriginRequestPolicy,
    Selection,
)

_log = logging.getLogger(__name__)

_NONE: Final = Selection()
_ALL: Final = Selection("all")
_YEAR: Final = 31_536_000


def _some(*names: str) -> Selection:
    return Selection("some", frozenset(names))


_ORIGINS_HEADERS = _some("host", "origin", "x-http-method", "x-http-method-override", "x-method-override")

MANAGED_CACHE_POLICIES: Final = {
    policy.id: policy
    for policy in (
        CachePolicy("658327ea-f89d-4fab-a63d-7e88639e58f6", "Managed-CachingOptimized", 1, 86_400, _YEAR),
        CachePolicy(
            "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",
            "Managed-CachingOptimizedForUncompressedObjects",
            1,
            86_400,
            _YEAR,
        ),
        CachePolicy("4135ea2d-6df8-44a3-9df3-4b5a84be39ad", "Managed-CachingDisabled", 0, 0, 0),
        CachePolicy(
            "08627262-05a9-4f76-9ded-b50ca2e3a84f",
            "Managed-Elemental-MediaPackage",
            0,
            86_400,
            _YEAR,
            query_strings=_some("aws.manifestfilter", "start", "end", "m"),
            headers=_some("origin"),
        ),
        CachePolicy(
            "2e54312d-136d-493c-8eb9-b001f22f67d2",
            "Managed-Amplify",
            2,
            2,
            600,
            query_strings=_ALL,
            cookies=_ALL,
            headers=_some("authorization", "cloudfront-viewer-country", "host"),
        ),
        CachePolicy(
            "83da9c7e-98b4-4e11-a168-04f0df8e2c65",
            "UseOriginCacheControlHeaders",
            0,
            0,
            _YEAR,
            cookies=_ALL,
            headers=_ORIGINS_HEADERS,
        ),
        CachePolicy(
            "4cc15a8a-d715-48a4-82b8-cc0b614638fe",
            "UseOriginCacheControlHeaders-QueryStrings",
            0,
            0,
            _YEAR,
            query_strings=_ALL,
            cookies=_ALL,
            headers=_ORIGINS_HEADERS,
        ),
    )
}

_CORS = ("origin", "access-control-request-headers", "access-control-request-method")

MANAGED_ORIGIN_REQUEST_POLICIES: Final = {
    policy.id: policy
    for policy in (
        OriginRequestPolicy("216adef6-5c7f-47e4-b989-5492eafa07d3", "Managed-AllViewer", _ALL, _ALL, _ALL),
        OriginRequestPolicy(
            "b689b0a8-53d0-40ab-baf2-68738e2966ac",
            "Managed-AllViewerExceptHostHeader",
            _ALL,
            _ALL,
            Selection("all-but", frozenset({"host"})),
        ),
        OriginRequestPolicy(
            "33f36d7e-f396-46d9-90e0-52428a34d9dc",
            "Managed-AllViewerAndCloudFrontHeaders-2022-06",
            _ALL,
            _ALL,
            _ALL,
        ),
        OriginRequestPolicy("88a5eaf4-2fd4-4709-b370-b4c650ea3fcf", "Managed-CORS-S3Origin", headers=_some(*_CORS)),
        OriginRequestPolicy(
            "59781a5b-3903-41f3-afcb-af62929ccde1", "Managed-CORS-CustomOrigin", headers=_some("origin")
        ),
        OriginRequestPolicy("bf0718e1-ba1e-49d1-88b1-f726733018ae", "Managed-HostHeaderOnly", headers=_some("host")),
        OriginRequestPolicy(
            "acba4595-bd28-49b8-b9fe-13317c0390fa",
            "Managed-UserAgentRefererHeaders",
            headers=_some("user-agent", "referer"),
        ),
        OriginRequestPolicy(
            "775133bc-15f2-49f9-abea-afb2e0bf67d2",
            "Managed-Elemental-MediaTailor-PersonalizedManifests",
            query_strings=_ALL,
            headers=_some(*_CORS, "user-agent", "x-forwarded-for"),
        ),
    )
}


@dataclass(frozen=True, slots=True)
class CacheRules:
    """One behavior's settings, in one form whether they came from policies or from legacy `ForwardedValues`."""

    min_ttl: int
    default_ttl: int
    max_ttl: int
    key_query: Selection
    key_cookies: Selection
    key_headers: Selection
    sent_query: Selection
    sent_cookies: Selection
    sent_headers: Selection
    legacy: bool
    """Legacy settings let headers that they do not name through to the origin; policies do not."""

    @property
    def caches(self) -> bool:
        """Whether anything may be kept at all. Legacy: forwarding all headers turns caching off (the guide)."""
        return self.max_ttl > 0 and self.key_headers.mode != "all"


def cache_rules(behavior: CacheBehavior, inventory: Inventory) -> CacheRules:
    """The rules of `behavior`. A cache policy that nobody knows is served uncached, with a warning."""
    if not behavior.cache_policy_id:
        return _legacy_rules(behavior, behavior.forwarded_values or ForwardedValues())
    policy = MANAGED_CACHE_POLICIES.get(behavior.cache_policy_id)
    policy = policy or inventory.cache_policies.get(behavior.cache_policy_id)
    if policy is None:
        # Assumed: what cannot be known must not be kept for another viewer.
        _log.warning(
            "cache policy %s (path pattern %s) is unknown: its objects are not cached",
            behavior.cache_policy_id,
            behavior.path_pattern,
        )
        policy = MANAGED_CACHE_POLICIES["4135ea2d-6df8-44a3-9df3-4b5a84be39ad"]
    extra = OriginRequestPolicy("", "")
    if behavior.origin_request_policy_id:
        named = MANAGED_ORIGIN_REQUEST_POLICIES.get(behavior.origin_request_policy_id)
        named = named or inventory.origin_request_policies.get(behavior.origin_request_policy_id)
        if named is None:
            _log.warning(
                "origin request policy %s (path pattern %s) is unknown: the origin gets what is in the cache key",
                behavior.origin_request_policy_id,
                behavior.path_pattern,
            )
        extra = named or extra
    return CacheRules(
        min_ttl=policy.min_ttl,
        default_ttl=policy.default_ttl,
        max_ttl=policy.max_ttl,
        key_query=policy.query_strings,
        key_cookies=policy.cookies,
        key_headers=policy.headers,
        sent_query=union(policy.query_strings, extra.query_strings),
        sent_cookies=union(policy.cookies, extra.cookies),
        sent_headers=union(policy.headers, extra.headers),
        legacy=False,
    )


def _legacy_rules(behavior: CacheBehavior, values: ForwardedValues) -> CacheRules:
    sent_query = _ALL if values.query_string else _NONE
    key_names = values.query_string_cache_keys if values.query_string else ()
    key_query = _some(*key_names) if key_names and "*" not in key_names else sent_query
    return CacheRules(
        min_ttl=behavior.min_ttl,
        default_ttl=behavior.default_ttl,
        max_ttl=behavior.max_ttl,
        key_query=key_query,
        key_cookies=values.cookies,
        key_headers=values.headers,
        sent_query=sent_query,
        sent_cookies=values.cookies,
        sent_headers=values.headers,
        legacy=True,
    )


def union(one: Selection, other: Selection) -> Selection:
    """What either selects."""
    if "all" in (one.mode, other.mode):
        return _ALL
    if one.mode == "all-but" and other.mode == "all-but":
        return Selection("all-but", one.names & other.names)
    if "all-but" in (one.mode, other.mode):
        but, some = (one, other) if one.mode == "all-but" else (other, one)
        return Selection("all-but", but.names - some.names)
    names = one.names | other.names
    return Selection("some", names) if names else _NONE
