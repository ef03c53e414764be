"""Monitoring subscriptions: whether a distribution has CloudWatch's additional metrics. keyfront measures none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount, Operation, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import MonitoringRequest, MonitoringSubscription


def create(account: LocalAccount, request: MonitoringRequest) -> Mapping[str, object]:
    """CreateMonitoringSubscription: also changes an existing one, which the AWS provider for Terraform relies on.

    Assumed: `MonitoringSubscriptionAlreadyExists` is for an identical one.
    """
    distribution, given = _distribution(account, request), request["MonitoringSubscription"]
    if "RealtimeMetricsSubscriptionConfig" not in given:
        message = "The parameter RealtimeMetricsSubscriptionConfig is required, with the status Enabled or Disabled."
        raise APIError("InvalidArgument", message)
    before, now = account.store.monitoring_subscriptions.get(distribution), account.clock()
    if before and before.config == given:
        message = f"A monitoring subscription already exists for the specified distribution: {distribution}."
        raise APIError("MonitoringSubscriptionAlreadyExists", message)
    account.store.monitoring_subscriptions.put(Resource(distribution, "", given, now, now))
    return {"MonitoringSubscription": given}


def get(account: LocalAccount, request: MonitoringRequest) -> Mapping[str, object]:
    """GetMonitoringSubscription."""
    return {"MonitoringSubscription": _find(account, request).config}


def delete(account: LocalAccount, request: MonitoringRequest) -> Mapping[str, object]:
    """DeleteMonitoringSubscription."""
    account.store.monitoring_subscriptions.remove(_find(account, request).id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateMonitoringSubscription": create,
    "GetMonitoringSubscription": get,
    "DeleteMonitoringSubscription": delete,
}


def forget(account: LocalAccount, distribution: str) -> None:
    """Remove the subscription of a deleted distribution."""
    if account.store.monitoring_subscriptions.get(distribution):
        account.store.monitoring_subscriptions.remove(distribution)


def _distribution(account: LocalAccount, request: MonitoringRequest) -> str:
    table, identifier = account.store.distributions, request["DistributionId"]
    return found(table, identifier, "NoSuchDistribution", "distribution").id


def _find(account: LocalAccount, request: MonitoringRequest) -> Resource[MonitoringSubscription]:
    table, distribution = account.store.monitoring_subscriptions, _distribution(account, request)
    return found(table, distribution, "NoSuchMonitoringSubscription", "monitoring subscription")
