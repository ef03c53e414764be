"""Continuous deployment: which requests to a primary distribution go to its staging distribution.

Source: Developer Guide, "Learn how continuous deployment works".
"""

import random
from hashlib import blake2b

from keyfront.edge.request.viewer import Request
from keyfront.inventory import DeploymentPolicy


def goes_to_staging(policy: DeploymentPolicy, viewer: Request, now: float) -> bool:
    """Return whether the staging distribution answers `viewer` at `now` (seconds since the epoch)."""
    if policy.header is not None:
        name, value = policy.header
        return viewer.header(name.encode("latin-1", "replace")) == value
    if policy.session_seconds:
        return _share(f"{policy.id} {viewer.ip} {now // policy.session_seconds}") < policy.weight
    return random.random() < policy.weight  # noqa: S311  a choice of traffic, not a secret


def _share(session: str) -> float:
    """Return a number from 0 to 1 that is always the same for a session, at every edge location.

    Assumed: a session belongs to the viewer's address, and lasts for the policy's maximum time. No source says how
    CloudFront knows a viewer again.
    """
    return int.from_bytes(blake2b(session.encode(), digest_size=8).digest()) / 2**64
