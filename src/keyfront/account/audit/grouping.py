"""Finds the distributions that a finding is about."""

from collections.abc import Iterable

from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.audit.values import Finding
from keyfront.inventory import Distribution, Inventory


def distributions_of(finding: Finding, inventory: Inventory) -> tuple[str, ...]:
    """Return the ids of the distributions; none if the finding is about the account."""
    if finding.distributions:
        return finding.distributions
    named = {finding.resource, *finding.marks}
    return tuple(each.id for each in inventory.distributions if _concerns(named, each, inventory))


def _concerns(named: Iterable[str], distribution: Distribution, inventory: Inventory) -> bool:
    groups = {group for behavior in in_order(distribution) for group in behavior.trusted_key_groups}
    keys = {key for group in groups if group in inventory.key_groups for key in inventory.key_groups[group].keys}
    return any(
        name in groups or name in keys or name.partition(":")[0].partition("/")[0] == distribution.id for name in named
    )


def by_distribution(
    findings: Iterable[Finding], inventory: Inventory
) -> list[tuple[Distribution | None, list[Finding]]]:
    """Return the findings of each distribution, the most urgent distribution first; those of the account are last.

    A finding about several distributions is under the first of them.
    """
    grouped: dict[str, list[Finding]] = {}
    for finding in findings:
        grouped.setdefault((*distributions_of(finding, inventory), "")[0], []).append(finding)
    known = {each.id: each for each in inventory.distributions}
    order = sorted(grouped, key=lambda each: (not each, -max(finding.severity for finding in grouped[each])))
    return [(known.get(each), grouped[each]) for each in order]
