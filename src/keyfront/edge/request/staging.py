"""Continuous deployment: which requests to a primary distribution go to its staging distribution.

Source: Developer Guide, "Learn how continuous deployment works".
"""

import logging
import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from hashlib import blake2b
from typing import TYPE_CHECKING

from keyfront.edge.request.viewer import Request
from keyfront.inventory import DeploymentPolicy, Inventory

if TYPE_CHECKING:
    from keyfront.edge.configuration import Distribution

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StagingTraffic:
    """A continuous deployment policy that is in effect, with its staging distribution."""

    policy: DeploymentPolicy
    staging: "Distribution"

    def takes(self, viewer: Request, now: float) -> bool:
        """Return whether the staging distribution answers `viewer` at `now` (seconds since the epoch)."""
        policy = self.policy
        if policy.header is not None:
            name, value = policy.header
            return viewer.header(name.encode("latin-1", "replace")) == value
        if policy.session_seconds:
            return _share(f"{policy.id} {viewer.ip} {now // policy.session_seconds}") < policy.weight
        return random.random() < policy.weight  # noqa: S311  a choice of traffic, not a secret


def with_staging_traffic(
    distributions: "Mapping[str, Distribution]", inventory: Inventory
) -> "dict[str, Distribution]":
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


def _share(session: str) -> float:
    """Return a number from 0 to 1 that is always the same for a session, at every edge location.

    Assumed: a session belongs to the viewer's address, and lasts for the policy's maximum time. No source says how
    CloudFront knows a viewer again.
    """
    return int.from_bytes(blake2b(session.encode(), digest_size=8).digest()) / 2**64
