"""The cache rules of a behavior: what it caches, under which key, and what it sends to the origin.

Sources: Developer Guide, "Cache content based on query string parameters" (cookies, request headers), "Control the
cache key", "Serve compressed files".
"""

import logging
from dataclasses import dataclass
from typing import Final

from keyfront.edge.managed_policies import (
    CACHING_DISABLED,
    MANAGED_CACHE_POLICIES,
    MANAGED_ORIGIN_REQUEST_POLICIES,
    MANAGED_RESPONSE_HEADERS_POLICIES,
)
from keyfront.edge.request.viewer_headers import PREFIX
from keyfront.inventory import (
    CacheBehavior,
    ForwardedValues,
    Inventory,
    OriginRequestPolicy,
    ResponseHeadersPolicy,
    Selection,
)

_log = logging.getLogger(__name__)

_NONE: Final = Selection()
_ALL: Final = Selection("all")


def _some(*names: str) -> Selection:
    return Selection("some", frozenset(names))


@dataclass(frozen=True, slots=True)
class CacheRules:
    """One behavior's settings, in one form for policies and legacy `ForwardedValues`."""

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
    """Whether these are legacy settings, which also send headers that they do not name. Policies do not."""
    encodings: tuple[str, ...] = ()
    """The ones of `br` and `gzip` that are part of the cache key and that the origin is asked for."""
    made_headers: frozenset[str] = frozenset()
    """CloudFront's own headers that the settings name. The edge makes them (see `viewer_headers`)."""
    compresses: bool = False
    """Whether the edge compresses objects that the origin did not, with one of `encodings`."""

    @property
    def caches(self) -> bool:
        """Whether anything may be cached. Legacy settings that forward all headers turn caching off (the guide)."""
        return self.max_ttl > 0 and self.key_headers.mode != "all"


def cache_rules(behavior: CacheBehavior, inventory: Inventory) -> CacheRules:
    """Return the rules of `behavior`. With an unknown cache policy, nothing is cached, and a warning is logged."""
    if not behavior.cache_policy_id:
        return _legacy_rules(behavior, behavior.forwarded_values or ForwardedValues())
    policy = inventory.cache_policies.get(behavior.cache_policy_id)
    policy = policy or MANAGED_CACHE_POLICIES.get(behavior.cache_policy_id)
    if policy is None:
        # Assumed: a response must not go to another viewer if its cache key is unknown.
        _log.warning(
            "cache policy %s (path pattern %s) is unknown: its objects are not cached",
            behavior.cache_policy_id,
            behavior.path_pattern,
        )
        policy = MANAGED_CACHE_POLICIES[CACHING_DISABLED]
    extra = OriginRequestPolicy("", "")
    if behavior.origin_request_policy_id:
        named = inventory.origin_request_policies.get(behavior.origin_request_policy_id)
        named = named or MANAGED_ORIGIN_REQUEST_POLICIES.get(behavior.origin_request_policy_id)
        if named is None:
            _log.warning(
                "origin request policy %s (path pattern %s) is unknown: the origin gets only what is in the cache key",
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
        encodings=tuple(name for name, on in (("br", policy.brotli), ("gzip", policy.gzip)) if on),
        made_headers=_made(policy.headers, extra.headers),
        compresses=behavior.compress and (policy.brotli or policy.gzip),
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
        # Legacy settings know only gzip, and only with `Compress`.
        encodings=("gzip",) if behavior.compress else (),
        made_headers=_made(values.headers),
        compresses=behavior.compress,
    )


def _made(*selections: Selection) -> frozenset[str]:
    named = (name for each in selections if each.mode in ("some", "all") for name in each.names)
    return frozenset(name for name in named if name.startswith(PREFIX))


def union(one: Selection, other: Selection) -> Selection:
    """Return a selection of everything that either one selects."""
    if "all" in (one.mode, other.mode):
        return _ALL
    if one.mode == "all-but" and other.mode == "all-but":
        return Selection("all-but", one.names & other.names)
    if "all-but" in (one.mode, other.mode):
        but, some = (one, other) if one.mode == "all-but" else (other, one)
        return Selection("all-but", but.names - some.names)
    names = one.names | other.names
    return Selection("some", names) if names else _NONE


def response_headers_policy(behavior: CacheBehavior, inventory: Inventory) -> ResponseHeadersPolicy | None:
    """Return the response headers policy of `behavior`. An unknown one is left out, and a warning is logged."""
    if not behavior.response_headers_policy_id:
        return None
    policy = inventory.response_headers_policies.get(behavior.response_headers_policy_id)
    policy = policy or MANAGED_RESPONSE_HEADERS_POLICIES.get(behavior.response_headers_policy_id)
    if policy is None:
        _log.warning(
            "response headers policy %s (path pattern %s) is unknown: the origin's headers are sent unchanged",
            behavior.response_headers_policy_id,
            behavior.path_pattern,
        )
    return policy
