"""Cache behaviors, ready for use: their keys, rules, functions and origins."""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal

from keyfront.core.api_hosts import api_host
from keyfront.core.keys import PublicKey
from keyfront.core.paths import path_matcher
from keyfront.edge.cache_rules import CacheRules, cache_rules, response_headers_policy
from keyfront.edge.response.header_rules import HeaderRules, header_rules
from keyfront.inventory import (
    CacheBehavior,
    Distribution,
    EdgeFunction,
    FunctionAssociation,
    Inventory,
    Origin,
    OriginAccessControl,
    RealtimeLog,
)

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Behavior:
    """A cache behavior, ready for use."""

    pattern: str
    matches: Callable[[str], object]
    """Takes a normalised path without its first slash. The result is used as a boolean."""
    keys: Mapping[str, PublicKey] | None
    """The trusted keys by their key-pair ids; `None` for a public behavior."""
    viewer_protocol_policy: str
    methods: frozenset[str]
    cached_methods: frozenset[str]
    rules: CacheRules
    origin: Origin | None
    """`None` if the configuration names an origin that does not exist."""
    signing: Literal["always", "never", "no-override"]
    """Whether requests to the origin are signed, as its access control or identity says."""
    acts_for: str = ""
    """The ARN that requests to the origin are signed for: the distribution's, or its origin access identity's."""
    response_headers: HeaderRules | None = None
    failover: "Failover | None" = None
    """The next origin if this one fails and is in an origin group."""
    functions: "BehaviorFunctions | None" = None
    """`None` if no function runs on its requests."""
    realtime_log: RealtimeLog | None = None
    host_header: str = ""
    """The Host header for the origin that a function chose. If empty, the other settings decide."""
    server_name: str = ""
    """The name in TLS to the origin that a function chose. If empty, it is `host_header` or the origin's name."""


@dataclass(frozen=True, slots=True)
class BehaviorFunctions:
    """The functions that run on a behavior's requests and responses."""

    distribution_id: str
    domain_name: str
    """The distribution's."""
    targets: Mapping[str, Behavior]
    """The behavior with each of the distribution's origins, by origin id. A function may choose one."""
    viewer_request: EdgeFunction | FunctionAssociation | None = None
    """An association is one with a Lambda function."""
    viewer_response: EdgeFunction | FunctionAssociation | None = None
    origin_request: FunctionAssociation | None = None
    origin_response: FunctionAssociation | None = None


@dataclass(frozen=True, slots=True)
class Failover:
    """The second member of an origin group."""

    behavior: Behavior
    """The same behavior with the second origin."""
    statuses: frozenset[int]
    """The status codes that count as a failure of the first origin, as a timeout and a failed connection do."""


def prepared(behavior: CacheBehavior, distribution: Distribution, inventory: Inventory) -> Behavior:
    """Return a cache behavior of `distribution`, ready for use. A warning is logged for what cannot be served."""
    where = f"distribution {distribution.id}, path pattern {behavior.path_pattern}"
    keys = inventory.trusted_keys(behavior) if behavior.protected else None
    if behavior.trusted_signers:
        _log.warning(
            "%s: trusted signers (%s) cannot be checked, since their keys belong to accounts' root users; "
            "their signatures are refused: use trusted key groups",
            where,
            ", ".join(behavior.trusted_signers),
        )
    elif keys is not None and not keys:
        _log.warning("%s: no key of its trusted key groups can be used; every request is refused", where)
    group = next((each for each in distribution.origin_groups if each.id == behavior.target_origin_id), None)
    members = group.members if group else (behavior.target_origin_id,)
    origins = [_origin(each, distribution) for each in members]
    for name, origin in zip(members, origins, strict=True):
        if origin is None:
            _log.warning("%s: there is no origin %s that the edge can reach; requests to it get 502", where, name)
    ready = Behavior(
        pattern=behavior.path_pattern,
        matches=path_matcher(behavior.path_pattern),
        keys=keys,
        viewer_protocol_policy=behavior.viewer_protocol_policy,
        methods=frozenset(behavior.allowed_methods),
        cached_methods=frozenset(behavior.cached_methods),
        rules=cache_rules(behavior, inventory),
        origin=None,
        signing="never",
        response_headers=header_rules(response_headers_policy(behavior, inventory)),
        realtime_log=inventory.realtime_logs.get(behavior.realtime_log),
    )
    targets = [_towards(ready, each, distribution, inventory, where) for each in origins]
    functions = _functions(behavior, ready, distribution, inventory, where)
    if functions is not None:
        targets = [replace(each, functions=functions) for each in targets]
    if group is None or len(targets) < 2:
        return targets[0] if targets else ready
    return replace(targets[0], failover=Failover(targets[1], frozenset(group.statuses)))


def _functions(
    behavior: CacheBehavior, ready: Behavior, distribution: Distribution, inventory: Inventory, where: str
) -> BehaviorFunctions | None:
    """Return the functions that run, or `None`. One that does not exist is empty, so that every request fails."""
    if not behavior.associations:
        return None
    if inventory.functions is None:
        _log.warning("%s: functions do not run here: %s", where, ", ".join(behavior.functions))
        return None
    found: dict[str, EdgeFunction | FunctionAssociation] = {}
    for each in behavior.associations:
        function = each if each.is_lambda else inventory.functions.get(each.arn)
        if function is None:
            _log.warning("%s: the function %s is not published; every request gets 503", where, each.arn)
        found[each.event_type] = function or EdgeFunction(each.arn, each.arn.rpartition("/")[2], "", "", "")
    lambdas = {kind: each for kind, each in found.items() if isinstance(each, FunctionAssociation)}
    return BehaviorFunctions(
        distribution.id,
        distribution.domain_name.lower().partition(":")[0],
        {each.id: _towards(ready, each, distribution, inventory, where) for each in _reachable(distribution)},
        viewer_request=found.get("viewer-request"),
        viewer_response=found.get("viewer-response"),
        origin_request=lambdas.get("origin-request"),
        origin_response=lambdas.get("origin-response"),
    )


def _towards(
    behavior: Behavior, origin: Origin | None, distribution: Distribution, inventory: Inventory, where: str
) -> Behavior:
    """Return `behavior` with its requests going to `origin`."""
    if origin is None:
        return behavior
    signing = _signing(origin, inventory.access_controls, where)
    return replace(behavior, origin=origin, signing=signing, acts_for=_acts_for(origin, distribution))


def _origin(origin_id: str, distribution: Distribution) -> Origin | None:
    return next((origin for origin in _reachable(distribution) if origin.id == origin_id), None)


def _reachable(distribution: Distribution) -> list[Origin]:
    """Return the origins that are not in a private network."""
    return [origin for origin in distribution.origins if not origin.vpc_origin]


def _signing(
    origin: Origin, controls: Mapping[str, OriginAccessControl], where: str
) -> Literal["always", "never", "no-override"]:
    if not origin.access_control:
        return "always" if origin.access_identity else "never"
    control, named = controls.get(origin.access_control), api_host(origin.domain_name.lower())
    kind = "s3" if origin.custom is None else "lambda" if named and named.kind == "lambda-url" else ""
    if control is None or control.origin_type != kind:
        what = f"is for {control.origin_type}" if control else "does not exist"
        _log.warning(
            "%s: origin access control %s %s; only requests to S3 buckets and function URLs are signed, each with "
            "an access control of its type, so these are not",
            where,
            origin.access_control,
            what,
        )
        return "never"
    return control.signing_behavior


def _acts_for(origin: Origin, distribution: Distribution) -> str:
    if origin.access_identity and not origin.access_control:
        return f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {origin.access_identity}"
    return distribution.arn
