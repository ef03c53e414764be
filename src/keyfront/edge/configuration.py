"""Routing tables made from an inventory, once for each change of the account.

A configuration is a value. The edge replaces it in one step, so no request sees half of a change.
"""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import Final

from keyfront.core.paths import written
from keyfront.core.urls import split_host
from keyfront.edge import behaviors
from keyfront.edge.behaviors import Behavior
from keyfront.edge.not_run import warn_of_what_does_not_run
from keyfront.edge.response.pages import Headers
from keyfront.edge.server.locations import ALONE
from keyfront.inventory import CustomErrorResponse, DeploymentPolicy, GeoRestriction, Inventory
from keyfront.inventory import Distribution as AccountDistribution

_log = logging.getLogger(__name__)

_LOOPBACK: Final = ("localhost", "127.0.0.1", "[::1]")


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
    traffic: "StagingTraffic | None" = None
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
class StagingTraffic:
    """A continuous deployment policy that is in effect, with its staging distribution."""

    policy: DeploymentPolicy
    staging: Distribution


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
    distributions = _with_staging_traffic(prepared, inventory)
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


def _with_staging_traffic(distributions: Mapping[str, Distribution], inventory: Inventory) -> dict[str, Distribution]:
    """Return the distributions, with the continuous deployment policies that are in effect.

    Without a staging distribution that is enabled, the primary distribution answers every request (assumed).
    """
    staging = {each.domain_name: each for each in distributions.values() if each.staging}
    found = dict(distributions)
    for distribution in inventory.distributions:
        policy = inventory.deployment_policies.get(distribution.deployment_policy)
        if not distribution.deployment_policy or (policy is not None and not policy.enabled):
            continue
        target = next((staging[name] for name in policy.staging_names if name in staging), None) if policy else None
        if policy is None or target is None or not target.enabled:
            _log.warning(
                "distribution %s: its continuous deployment policy %s has no staging distribution that is enabled; it "
                "answers every request itself",
                distribution.id,
                distribution.deployment_policy,
            )
            continue
        found[distribution.id] = replace(found[distribution.id], traffic=StagingTraffic(policy, target))
    return found


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
    listed = [*distribution.behaviors, distribution.default_behavior]
    root, via = distribution.default_root_object, _via(distribution.id)
    warn_of_what_does_not_run(distribution)
    return Distribution(
        id=distribution.id,
        domain_name=domain_name,
        names=frozenset(names),
        enabled=distribution.enabled,
        root=written(f"/{root.removeprefix('/')}") if root else "",
        behaviors=tuple(behaviors.prepared(each, distribution, inventory) for each in listed),
        errors={
            each.error_code: replace(each, page_path=written(each.page_path)) for each in distribution.custom_errors
        },
        geo_restriction=_geo_restriction(distribution),
        via=via,
        marks=marks(via, location),
        etag=distribution.etag,
        staging=distribution.staging,
    )


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


def _via(distribution_id: str) -> bytes:
    """Return `Via`, with 32 characters that are always the same for a distribution."""
    name = blake2b(distribution_id.encode(), digest_size=16).hexdigest()
    return f"1.1 {name}.cloudfront.net (CloudFront)".encode("ascii")
