"""Routing tables out of an inventory: everything a request needs is worked out once, when the account changes.

A configuration is a value. The edge holds one and takes another in one step, so no request sees half of a change.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final, Literal

from keyfront.core.keys import PublicKey
from keyfront.core.paths import path_matcher, written
from keyfront.core.urls import split_host
from keyfront.edge.cache_rules import CacheRules, cache_rules, response_headers_policy
from keyfront.edge.response.header_rules import HeaderRules, header_rules
from keyfront.edge.response.pages import Headers
from keyfront.edge.server.locations import ALONE
from keyfront.inventory import (
    CacheBehavior,
    CustomErrorResponse,
    GeoRestriction,
    Inventory,
    Origin,
    OriginAccessControl,
)
from keyfront.inventory import Distribution as AccountDistribution

_log = logging.getLogger(__name__)

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


@dataclass(frozen=True, slots=True)
class Behavior:
    """A cache behavior, ready to be used."""

    pattern: str
    matches: Callable[[str], object]
    """Takes a normalised path without its first slash; true or false."""
    keys: Mapping[str, PublicKey] | None
    """Key-pair ids and keys that it trusts; `None` for a public behavior."""
    viewer_protocol_policy: str
    methods: frozenset[str]
    cached_methods: frozenset[str]
    rules: CacheRules
    origin: Origin | None
    """`None` when the configuration names an origin that is not there."""
    signing: Literal["always", "never", "no-override"]
    """Whether requests to the origin are signed, as its access control or identity says."""
    acts_for: str = ""
    """The ARN in whose name they are signed: of the distribution, or of its origin access identity."""
    response_headers: HeaderRules | None = None
    failover: "Failover | None" = None
    """Where a request goes on to when the origin fails, if that is in an origin group."""


@dataclass(frozen=True, slots=True)
class Failover:
    """The second member of an origin group."""

    behavior: Behavior
    """The same behavior with the second origin."""
    statuses: frozenset[int]
    """The first origin's answers with which it has failed; silence and a missing connection are failures too."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """A distribution, ready to be used."""

    id: str
    domain_name: str
    """As the API gives it, in lower case: it may hold a port."""
    names: frozenset[str]
    """Host names (lower case, without port) that it answers to; aliases may begin with `*.`."""
    enabled: bool
    root: str
    """Path of the default root object, or empty."""
    behaviors: tuple[Behavior, ...]
    """In the order in which they are tried; the default behavior is the last."""
    errors: Mapping[int, CustomErrorResponse]
    geo_restriction: GeoRestriction | None
    """`None` where viewers of every country are served."""
    via: bytes
    marks: Headers
    """What every answer says of the way it took: `Via`, and the edge location in `X-Amz-Cf-Pop`."""
    etag: str

    def behavior(self, path: str) -> Behavior:
        """The first behavior whose pattern matches a normalised path."""
        relative = path[1:]
        for behavior in self.behaviors:
            if behavior.matches(relative):
                return behavior
        raise AssertionError("the default behavior matches every path")

    @property
    def port(self) -> int | None:
        """The port of its own that its domain name (`localhost:PORT`) says, or `None`."""
        name, port = split_host(self.domain_name) or ("", None)
        return port if name == "localhost" else None


@dataclass(frozen=True, slots=True)
class Configuration:
    """Every distribution, and the way from a Host header to it."""

    distributions: Mapping[str, Distribution]
    """By distribution id."""
    hosts: Mapping[str, Distribution]
    """By host name in lower case, `localhost` with a port; also `*.` aliases."""
    closed: bool = False
    """Whether it stands for one that is too old to be used: every request is refused."""

    def distribution(self, name: str, port: int | None) -> Distribution | None:
        """The distribution that a host name (in lower case) and its port stand for, or `None`.

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
        """What is being served: distribution ids and the ETags of their configurations."""
        return {each.id: each.etag for each in self.distributions.values()}


EMPTY: Final = Configuration({}, {})
CLOSED: Final = Configuration({}, {}, closed=True)


def configure(inventory: Inventory, location: str = ALONE.name) -> Configuration:
    """The tables for `inventory`, at the edge location of that name.

    What cannot be served as configured is logged, and refused rather than opened.
    """
    distributions = {each.id: _prepared(each, inventory, location) for each in inventory.distributions}
    hosts: dict[str, Distribution] = {}
    for distribution in distributions.values():
        if distribution.port is not None:
            hosts.setdefault(distribution.domain_name, distribution)
        for name in distribution.names:
            if hosts.setdefault(name, distribution) is not distribution:
                _log.warning(
                    "%s is a name of distribution %s already, not of %s", name, hosts[name].id, distribution.id
                )
    for distribution in distributions.values():
        if distribution.port is not None:
            # Its port for plain HTTP: whoever asks another port of this edge for it means it as well.
            hosts.setdefault(f"localhost:{distribution.port + 1}", distribution)
    return Configuration(distributions, hosts)


def is_loopback(name: str) -> bool:
    """Whether `name` is one by which a port of this machine is reached."""
    return name in _LOOPBACK


def marks(via: bytes, location: str) -> Headers:
    """The headers by which an answer can be told to have come from here."""
    return [(b"via", via), (b"x-amz-cf-pop", location.encode("ascii"))]


def _prepared(distribution: AccountDistribution, inventory: Inventory, location: str) -> Distribution:
    domain_name = distribution.domain_name.lower()
    name, _ = split_host(domain_name) or ("", None)
    # Its own name under .localhost reaches it whatever its domain name is: at a port, or at Amazon.
    names = {*map(str.lower, distribution.aliases), f"{distribution.id.lower()}.cloudfront.localhost"}
    names |= {name} if name and name != "localhost" else set()
    behaviors = [*distribution.behaviors, distribution.default_behavior]
    root, via = distribution.default_root_object, _via(distribution.id)
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
    )


def _behavior(behavior: CacheBehavior, distribution: AccountDistribution, inventory: Inventory) -> Behavior:
    where = f"distribution {distribution.id}, path pattern {behavior.path_pattern}"
    keys = inventory.trusted_keys(behavior) if behavior.protected else None
    if behavior.trusted_signers:
        _log.warning(
            "%s: trusted signers (%s) cannot be checked, since their keys belong to accounts' root users; "
            "what they signed is refused: use trusted key groups",
            where,
            ", ".join(behavior.trusted_signers),
        )
    elif keys is not None and not keys:
        _log.warning("%s: no key of its trusted key groups can be used; every request is refused", where)
    if behavior.functions:
        _log.warning("%s: functions do not run here: %s", where, ", ".join(behavior.functions))
    group = next((each for each in distribution.origin_groups if each.id == behavior.target_origin_id), None)
    members = group.members if group else (behavior.target_origin_id,)
    origins = [_origin(each, distribution) for each in members]
    for name, origin in zip(members, origins, strict=True):
        if origin is None:
            _log.warning("%s: there is no origin %s; requests to it are answered 502", where, name)
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
    )
    targets = [_towards(ready, each, distribution, inventory, where) for each in origins]
    if group is None or len(targets) < 2:
        return targets[0] if targets else ready
    return replace(targets[0], failover=Failover(targets[1], frozenset(group.statuses)))


def _towards(
    behavior: Behavior, origin: Origin | None, distribution: AccountDistribution, inventory: Inventory, where: str
) -> Behavior:
    """`behavior`, with requests going to `origin`."""
    if origin is None:
        return behavior
    signing = _signing(origin, inventory.access_controls, where)
    return replace(behavior, origin=origin, signing=signing, acts_for=_acts_for(origin, distribution))


def _origin(origin_id: str, distribution: AccountDistribution) -> Origin | None:
    return next((origin for origin in distribution.origins if origin.id == origin_id), None)


def _geo_restriction(distribution: AccountDistribution) -> GeoRestriction | None:
    restriction = distribution.geo_restriction
    if restriction.mode == "none":
        return None
    _log.warning(
        "distribution %s: geo restriction (%s %s) is enforced for addresses whose country is known (`countries`); "
        "every other viewer is served, as CloudFront serves those it cannot locate",
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
    control = controls.get(origin.access_control)
    if control is None or control.origin_type != "s3" or origin.custom is not None:
        what = f"is for {control.origin_type}" if control else "does not exist"
        _log.warning(
            "%s: origin access control %s %s; requests to S3 buckets alone are signed here, these are not",
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
    """`Via`, with 32 characters that stay the same for a distribution."""
    name = blake2b(distribution_id.encode(), digest_size=16).hexdigest()
    return f"1.1 {name}.cloudfront.net (CloudFront)".encode("ascii")
