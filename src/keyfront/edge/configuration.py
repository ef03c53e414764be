"""Routing tables made from an inventory, once for each change of the account.

A configuration is a value. The edge replaces it in one step, so no request sees half of a change.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal

from keyfront.core.api_hosts import api_host
from keyfront.core.keys import PublicKey
from keyfront.core.paths import path_matcher, written
from keyfront.core.urls import split_host
from keyfront.edge.cache_rules import CacheRules, cache_rules, response_headers_policy
from keyfront.edge.not_run import warn_of_what_does_not_run
from keyfront.edge.request.staging import StagingTraffic, with_staging_traffic
from keyfront.edge.response.header_rules import HeaderRules, header_rules
from keyfront.edge.response.pages import Headers
from keyfront.edge.server.locations import ALONE
from keyfront.inventory import (
    CacheBehavior,
    CustomErrorResponse,
    EdgeFunction,
    FunctionAssociation,
    GeoRestriction,
    Inventory,
    Origin,
    OriginAccessControl,
    RealtimeLog,
)
from keyfront.inventory import Distribution as AccountDistribution

_log = logging.getLogger(__name__)

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


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


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution, ready for use."""

    id: str
    domain_name: str
    """As the API returns it, in lower case. It may contain a port."""
    names: frozenset[str]
    """Its host names (lower case, without port). Aliases may begin with `*.`."""
    enabled: bool
    root: str
    """The path of the default root object, or an empty text."""
    behaviors: tuple[Behavior, ...]
    """In the order in which they are tried. The default behavior is last."""
    errors: Mapping[int, CustomErrorResponse]
    geo_restriction: GeoRestriction | None
    """`None` if viewers of every country are served."""
    via: bytes
    marks: Headers
    """The headers that every response gets: `Via`, and the edge location in `X-Amz-Cf-Pop`."""
    etag: str
    staging: bool = False
    """Whether viewers reach it only through its primary distribution."""
    traffic: StagingTraffic | None = None
    """For a primary distribution whose requests go to a staging distribution in part."""

    def behavior(self, path: str) -> Behavior:
        """Return the first behavior whose pattern matches a normalised path."""
        relative = path[1:]
        for behavior in self.behaviors:
            if behavior.matches(relative):
                return behavior
        raise AssertionError("the default behavior matches every path")

    @property
    def port(self) -> int | None:
        """The distribution's own port, from a domain name `localhost:PORT`, or `None`."""
        name, port = split_host(self.domain_name) or ("", None)
        return port if name == "localhost" else None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every distribution, by id and by host name."""

    distributions: Mapping[str, Distribution]
    """By distribution id."""
    hosts: Mapping[str, Distribution]
    """By host name in lower case (`localhost` with its port), `*.` aliases included."""
    closed: bool = False
    """Whether the last configuration is too old, so that every request is refused."""

    def distribution(self, name: str, port: int | None) -> Distribution | None:
        """Return the distribution for a host name (in lower case) and its port, or `None`.

        An exact name comes before a wildcard alias, and a longer wildcard before a shorter one. Source: Developer
        Guide, "Use custom URLs by adding alternate domain names (CNAMEs)".
        """
        found = self.hosts.get(f"{name}:{port}" if name == "localhost" else name) or self.hosts.get(name)
        while found is None and "." in name:
            name = name.partition(".")[2]
            found = self.hosts.get(f"*.{name}")
        return found

    @property
    def aliases(self) -> frozenset[str]:
        """Every alternate domain name of an enabled distribution."""
        return frozenset(name for each in self.distributions.values() if each.enabled for name in each.names)

    @property
    def etags(self) -> dict[str, str]:
        """The ETag of each distribution's configuration, by distribution id."""
        return {each.id: each.etag for each in self.distributions.values()}


EMPTY: Final = Configuration({}, {})
CLOSED: Final = Configuration({}, {}, closed=True)


def configure(inventory: Inventory, location: str = ALONE.name) -> Configuration:
    """Return the tables for `inventory`, at the edge location named `location`.

    If something cannot be served as configured, it is refused, never opened, and a warning is logged.
    """
    prepared = {each.id: _prepared(each, inventory, location) for each in inventory.distributions}
    distributions = with_staging_traffic(prepared, inventory)
    hosts: dict[str, Distribution] = {}
    reachable = [distribution for distribution in distributions.values() if not distribution.staging]
    for distribution in reachable:
        if distribution.port is not None:
            hosts.setdefault(distribution.domain_name, distribution)
        for name in distribution.names:
            if hosts.setdefault(name, distribution) is not distribution:
                _log.warning(
                    "%s is already a name of distribution %s: it is not used for %s",
                    name,
                    hosts[name].id,
                    distribution.id,
                )
    for distribution in reachable:
        if distribution.port is not None:
            # Its port for plain HTTP. Requests at another port of this edge may name it, too.
            hosts.setdefault(f"localhost:{distribution.port + 1}", distribution)
    return Configuration(distributions, hosts)


def is_loopback(name: str) -> bool:
    """Return whether `name` is a loopback name of this machine."""
    return name in _LOOPBACK


def marks(via: bytes, location: str) -> Headers:
    """Return the headers that name the distribution and the edge location in every response."""
    return [(b"via", via), (b"x-amz-cf-pop", location.encode("ascii"))]


def _prepared(distribution: AccountDistribution, inventory: Inventory, location: str) -> Distribution:
    domain_name = distribution.domain_name.lower()
    name, _ = split_host(domain_name) or ("", None)
    # The name under .localhost always works, even if the domain name is localhost:PORT or Amazon's.
    names = {*map(str.lower, distribution.aliases), f"{distribution.id.lower()}.cloudfront.localhost"}
    names |= {name} if name and name != "localhost" else set()
    behaviors = [*distribution.behaviors, distribution.default_behavior]
    root, via = distribution.default_root_object, _via(distribution.id)
    warn_of_what_does_not_run(distribution)
    return Distribution(
        id=distribution.id,
        domain_name=domain_name,
        names=frozenset(names),
        enabled=distribution.enabled,
        root=written(f"/{root.removeprefix('/')}") if root else "",
        behaviors=tuple(_behavior(each, distribution, inventory) for each in behaviors),
        errors={
            each.error_code: replace(each, page_path=written(each.page_path)) for each in distribution.custom_errors
        },
        geo_restriction=_geo_restriction(distribution),
        via=via,
        marks=marks(via, location),
        etag=distribution.etag,
        staging=distribution.staging,
    )


def _behavior(behavior: CacheBehavior, distribution: AccountDistribution, inventory: Inventory) -> Behavior:
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
    behavior: CacheBehavior, ready: Behavior, distribution: AccountDistribution, inventory: Inventory, where: str
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
        {each.id: _towards(ready, each, distribution, inventory, where) for each in distribution.origins},
        viewer_request=found.get("viewer-request"),
        viewer_response=found.get("viewer-response"),
        origin_request=lambdas.get("origin-request"),
        origin_response=lambdas.get("origin-response"),
    )


def _towards(
    behavior: Behavior, origin: Origin | None, distribution: AccountDistribution, inventory: Inventory, where: str
) -> Behavior:
    """Return `behavior` with its requests going to `origin`."""
    if origin is None:
        return behavior
    signing = _signing(origin, inventory.access_controls, where)
    return replace(behavior, origin=origin, signing=signing, acts_for=_acts_for(origin, distribution))


def _origin(origin_id: str, distribution: AccountDistribution) -> Origin | None:
    reachable = (origin for origin in distribution.origins if not origin.vpc_origin)
    return next((origin for origin in reachable if origin.id == origin_id), None)


def _geo_restriction(distribution: AccountDistribution) -> GeoRestriction | None:
    restriction = distribution.geo_restriction
    if restriction.mode == "none":
        return None
    _log.warning(
        "distribution %s: the geo restriction (%s %s) is enforced only for addresses whose country is known "
        "(--countries); every other viewer is served, as at CloudFront",
        distribution.id,
        restriction.mode,
        ", ".join(sorted(restriction.countries)),
    )
    return restriction


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


def _acts_for(origin: Origin, distribution: AccountDistribution) -> str:
    if origin.access_identity and not origin.access_control:
        return f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {origin.access_identity}"
    return distribution.arn


def _via(distribution_id: str) -> bytes:
    """Return `Via`, with 32 characters that are always the same for a distribution."""
    name = blake2b(distribution_id.encode(), digest_size=16).hexdigest()
    return f"1.1 {name}.cloudfront.net (CloudFront)".encode("ascii")
