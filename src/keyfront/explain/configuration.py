"""A distribution as far as a diagnosis needs it: its names, its behaviors, and whom each of them trusts."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from keyfront.core.keys import PublicKey
from keyfront.core.paths import normalise, path_matcher, written

if TYPE_CHECKING:
    from keyfront import inventory


@dataclass(frozen=True, slots=True)
class Behavior:
    """A cache behavior and the keys that it trusts."""

    pattern: str
    protected: bool
    groups: tuple[str, ...] = ()
    """Ids of the trusted key groups."""
    keys: Mapping[str, PublicKey] | None = None
    """Key-pair ids and keys of these groups; `None` when only the groups' ids are known."""
    signers: tuple[str, ...] = ()
    """Trusted signers: accounts, the older way."""
    viewer_protocol_policy: str = "allow-all"
    methods: tuple[str, ...] = ("GET", "HEAD")
    s3_without_access: bool = False
    """Whether its origin is an S3 bucket that CloudFront does not sign its requests to."""


@dataclass(frozen=True)
class Distribution:
    """What is configured. The default behavior is the last of `behaviors`."""

    behaviors: tuple[Behavior, ...]
    id: str = ""
    domain_name: str = ""
    aliases: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    """Host names of its origins."""
    root: str = ""
    """Path of the default root object, or empty."""
    enabled: bool = True
    deployed: bool = True

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Host names that it answers to, in lower case; empty if not even its domain name is known."""
        return tuple(name.lower() for name in (self.domain_name, *self.aliases) if name)

    def answers_to(self, host: str) -> bool:
        """Whether a request for `host` (lower case) reaches it. A configuration without domain name hides one name."""
        bare = host.partition(":")[0]
        if host in self.names or bare in self.names:
            return True
        if not self.domain_name and bare.endswith(".cloudfront.net"):
            return True
        return any(
            name.startswith("*.") and bare.partition(".")[2] and bare.endswith(name[1:]) and bare != name[2:]
            for name in self.names
        )

    def asked(self, path: str) -> str:
        """What is judged for `path`: what `/` stands for is judged like the object itself (assumed)."""
        return self.root if self.root and path == "/" else path

    def matching(self, path: str) -> tuple[Behavior, ...]:
        """Every behavior whose pattern matches `path` as sent, in order: the first is the one that counts."""
        return self.taking(normalise(self.asked(path)))

    def taking(self, normalised: str) -> tuple[Behavior, ...]:
        """The same for a path in its normalised form."""
        return tuple(each for each in self.behaviors if path_matcher(each.pattern)(normalised[1:]))


def from_inventory(
    distribution: "inventory.Distribution", account: "inventory.Inventory | None" = None
) -> Distribution:
    """`distribution` as `keyfront.inventory` reads it. Without the account the groups' keys are not known."""
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
    )
