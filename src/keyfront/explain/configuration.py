"""The parts of a distribution that `explain` needs: its names, its behaviors, and the keys that they trust."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from keyfront.core.keys import PublicKey
from keyfront.core.paths import normalise, path_matcher, written

if TYPE_CHECKING:
    from keyfront import inventory

_WITHOUT_QUERY: Final = frozenset(
    (
        "658327ea-f89d-4fab-a63d-7e88639e58f6",  # CachingOptimized
        "b2884449-e4de-46a7-ac36-70bc7f1ddd6d",  # CachingOptimizedForUncompressedObjects
        "4135ea2d-6df8-44a3-9df3-4b5a84be39ad",  # CachingDisabled
        "88a5eaf4-2fd4-4709-b370-b4c650ea3fcf",  # CORS-S3Origin
        "acba4595-bd28-49b8-b9fe-13317c0390fa",  # UserAgentRefererHeaders
        "bf0718e1-ba1e-49d1-88b1-f726733018ae",  # HostHeaderOnly
    )
)
"""Managed policies that hand on no query parameter. Source: Developer Guide, "Use managed cache policies"."""


@dataclass(frozen=True, slots=True)
class Behavior:
    """A cache behavior and the keys that it trusts."""

    pattern: str
    protected: bool
    groups: tuple[str, ...] = ()
    """Ids of the trusted key groups."""
    keys: Mapping[str, PublicKey] | None = None
    """Key-pair ids and keys of these groups; `None` if only the groups' ids are known."""
    signers: tuple[str, ...] = ()
    """Trusted signers: AWS accounts, the older method."""
    viewer_protocol_policy: str = "allow-all"
    methods: tuple[str, ...] = ("GET", "HEAD")
    s3_without_access: bool = False
    """Whether its origin is an S3 bucket without origin access control or identity."""
    origin: str = ""
    """The host name of its origin, if known."""
    origin_path: str = ""
    associations: "tuple[inventory.FunctionAssociation, ...]" = ()
    """The functions that run on its requests and responses."""
    handed_on: "tuple[inventory.Selection, ...] | None" = None
    """The query parameters that reach the origin: those that any of these selects. `None` if not known."""

    def hands_on(self, parameter: str) -> bool:
        """Return whether a query parameter reaches the origin. If that is not known, it does."""
        return self.handed_on is None or any(parameter in each for each in self.handed_on)


@dataclass(frozen=True)
class Distribution:
    """A distribution's configuration. The default behavior is the last of `behaviors`."""

    behaviors: tuple[Behavior, ...]
    id: str = ""
    domain_name: str = ""
    aliases: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    """Host names of its origins."""
    root: str = ""
    """Path of the default root object; empty if there is none."""
    enabled: bool = True
    deployed: bool = True
    custom_errors: "tuple[inventory.CustomErrorResponse, ...]" = ()
    geo_restriction: "inventory.GeoRestriction | None" = None
    """The countries that get no content; `None` if all do."""

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the distribution's host names in lower case; empty if no name is known."""
        return tuple(name.lower() for name in (self.domain_name, *self.aliases) if name)

    def blocks(self, country: str) -> bool:
        """Return whether viewers in `country` (two letters, upper case) get no content."""
        restriction = self.geo_restriction
        if restriction is None or not country:
            return False
        return (country in restriction.countries) != (restriction.mode == "whitelist")

    def masking(self, status: int) -> "tuple[inventory.CustomErrorResponse, ...]":
        """Return the custom error responses that replace an error with a page and this status."""
        return tuple(each for each in self.custom_errors if each.page_path and each.response_code == status)

    def answers_to(self, host: str) -> bool:
        """Return whether a request for `host` (lower case) reaches the distribution.

        If the domain name is not known, every name under `cloudfront.net` counts. On the laptop, a name such as
        `id.cloudfront.localhost:8443` is also served by the port for HTTP, and `localhost:8444` by the next port.
        """
        bare, _, port = host.partition(":")
        if host in self.names or bare in self.names:
            return True
        if bare == "localhost" and port.isdecimal() and f"localhost:{int(port) - 1}" in self.names:
            return True
        if bare.endswith(".localhost") and any(name.partition(":")[0] == bare for name in self.names):
            return True
        if not self.domain_name and bare.endswith(".cloudfront.net"):
            return True
        return any(
            name.startswith("*.") and bare.partition(".")[2] and bare.endswith(name[1:]) and bare != name[2:]
            for name in self.names
        )

    def asked(self, path: str) -> str:
        """Return the path that is checked for `path`: the default root object for `/` (assumed)."""
        return self.root if self.root and path == "/" else path

    def matching(self, path: str) -> tuple[Behavior, ...]:
        """Return every behavior with a pattern that matches `path` as sent, in order. The first one counts."""
        return self.taking(normalise(self.asked(path)))

    def taking(self, normalised: str) -> tuple[Behavior, ...]:
        """Return the same for a normalised path."""
        return tuple(each for each in self.behaviors if path_matcher(each.pattern)(normalised[1:]))


def from_inventory(
    distribution: "inventory.Distribution", account: "inventory.Inventory | None" = None
) -> Distribution:
    """Convert a distribution from `keyfront.inventory`. Without the account, the groups' keys are not known."""
    origins = {origin.id: origin for origin in distribution.origins}

    def behavior(each: "inventory.CacheBehavior") -> Behavior:
        origin = origins.get(each.target_origin_id)
        bare = origin is not None and origin.custom is None and not (origin.access_control or origin.access_identity)
        return Behavior(
            pattern=each.path_pattern,
            protected=each.protected,
            groups=each.trusted_key_groups,
            keys=account.trusted_keys(each) if account else None,
            signers=each.trusted_signers,
            viewer_protocol_policy=each.viewer_protocol_policy,
            methods=each.allowed_methods,
            s3_without_access=bare,
            origin=origin.domain_name if origin else "",
            origin_path=origin.path if origin else "",
            associations=each.associations,
            handed_on=_handed_on(each, account),
        )

    return Distribution(
        behaviors=tuple(behavior(each) for each in (*distribution.behaviors, distribution.default_behavior)),
        id=distribution.id,
        domain_name=distribution.domain_name,
        aliases=distribution.aliases,
        origins=tuple(origin.domain_name for origin in distribution.origins),
        root=written(f"/{distribution.default_root_object.removeprefix('/')}")
        if distribution.default_root_object
        else "",
        enabled=distribution.enabled,
        deployed=distribution.status == "Deployed",
        custom_errors=distribution.custom_errors,
        geo_restriction=None if distribution.geo_restriction.mode == "none" else distribution.geo_restriction,
    )


def _handed_on(
    behavior: "inventory.CacheBehavior", account: "inventory.Inventory | None"
) -> "tuple[inventory.Selection, ...] | None":
    """Return the selections of query parameters that reach the origin; `None` if a policy is not known."""
    if behavior.forwarded_values is not None:
        return () if not behavior.forwarded_values.query_string else None
    caching, requesting = behavior.cache_policy_id, behavior.origin_request_policy_id
    if not caching:
        return None
    found = []
    for wanted, known in (
        (caching, account.cache_policies if account else {}),
        (requesting, account.origin_request_policies if account else {}),
    ):
        policy = known.get(wanted)
        if policy is not None:
            found.append(policy.query_strings)
        elif wanted and wanted not in _WITHOUT_QUERY:
            return None
    return tuple(found)
