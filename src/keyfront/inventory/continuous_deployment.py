"""Continuous deployment policies as values: which requests to a distribution go to its staging distribution.

Sources: API model, `ContinuousDeploymentPolicyConfig`; Developer Guide, "Learn how continuous deployment works".
"""

from dataclasses import dataclass

from keyfront.inventory.response_headers import Document


@dataclass(frozen=True, slots=True)
class DeploymentPolicy:
    """A continuous deployment policy. It has a header, or a weight."""

    id: str
    enabled: bool
    staging_names: tuple[str, ...]
    """The staging distribution's domain names, in lower case."""
    header: tuple[str, str] | None = None
    """The header and the value that select the staging distribution. The name is in lower case."""
    weight: float = 0.0
    """The part of the requests for the staging distribution: 0.1 is every tenth."""
    session_seconds: int = 0
    """How long a viewer stays with one of the two distributions at most; 0 if each request is on its own."""


def deployment_policy(item: Document) -> DeploymentPolicy:
    """Return the policy in a `ContinuousDeploymentPolicy` structure."""
    config = item["ContinuousDeploymentPolicyConfig"]
    traffic = config.get("TrafficConfig") or {}
    weighted, header = traffic.get("SingleWeightConfig") or {}, traffic.get("SingleHeaderConfig")
    return DeploymentPolicy(
        id=item["Id"],
        enabled=config["Enabled"],
        staging_names=tuple(name.lower() for name in config["StagingDistributionDnsNames"].get("Items") or ()),
        header=(header["Header"].lower(), header["Value"]) if header else None,
        weight=float(weighted.get("Weight") or 0),
        session_seconds=(weighted.get("SessionStickinessConfig") or {}).get("MaximumTTL") or 0,
    )
