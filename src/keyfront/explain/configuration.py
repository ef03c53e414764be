"""The parts of a distribution that `explain` needs: its names, its behaviors, and the keys that they trust."""

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
    """Key-pair ids and keys of these groups; `None` if only the groups' ids are known."""
    signers: tuple[str, ...] = ()
    """Trusted signers: AWS accounts, the older method."""
    viewer_protocol_policy: str = "allow-all"
    methods: tuple[str, ...] = ("GET", "HEAD")
    s3_without_access: bool = False
    """Whether its origin is an S3 bucket without origin access control or identity."""


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

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Return the distribution's host names in lower case; empty if no name is known."""
        return tuple(name.lower() for name in (self.domain_name, *self.aliases) if name)

    def answers_to(self, host: str) -> bool:
        """Return whether a request for `host` (lower case) reaches the distribution.

        If the domain name is not known, every name under `cloudfront.net` counts.
        """
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
