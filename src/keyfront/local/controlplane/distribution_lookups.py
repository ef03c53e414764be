"""Operations that find distributions by a web ACL, a real-time log, a mode, or an overlapping alternate domain name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane import distributions
from keyfront.local.controlplane.account import LocalAccount, Operation, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import realtime_log_config_arn
from keyfront.local.controlplane.paging import page, short_page
from keyfront.local.controlplane.trust import distributions_with_realtime_log

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        ConflictingAliasesRequest,
        ConnectionModeRequest,
        DistributionConfig,
        DomainConflictsRequest,
        ListRequest,
        NumberedPage,
        RealtimeLogUsersRequest,
        WebACLUsersRequest,
    )
    from keyfront.local.controlplane.store import Resource

_NO_WEB_ACL = "null"
"""For distributions without a web ACL (API model, ListDistributionsByWebACLId: "specify null")."""


def list_by_web_acl(account: LocalAccount, request: WebACLUsersRequest) -> Mapping[str, object]:
    """ListDistributionsByWebACLId: a web ACL that does not exist gets an empty list."""
    wanted = "" if request["WebACLId"] == _NO_WEB_ACL else request["WebACLId"]
    having = [d for d in account.store.distributions if d.config["WebACLId"] == wanted]
    return {"DistributionList": page(having, request, lambda d: distributions.summarise(account, d))}


def list_by_realtime_log(account: LocalAccount, request: RealtimeLogUsersRequest) -> Mapping[str, object]:
    """ListDistributionsByRealtimeLogConfig. Assumed: one that does not exist gets an empty list."""
    name, arn = request.get("RealtimeLogConfigName", ""), request.get("RealtimeLogConfigArn", "")
    if not name and not arn:
        raise APIError("InvalidArgument", "Specify RealtimeLogConfigName or RealtimeLogConfigArn.")
    using = distributions_with_realtime_log(
        account.store, realtime_log_config_arn(account.number, name) if name else arn
    )
    return {"DistributionList": page(using, request, lambda d: distributions.summarise(account, d))}


def list_by_connection_mode(account: LocalAccount, request: ConnectionModeRequest) -> Mapping[str, object]:
    """ListDistributionsByConnectionMode: keyfront has no multi-tenant distributions, so all are `direct`."""
    having = account.store.distributions if request["ConnectionMode"] == "direct" else ()
    return {"DistributionList": page(having, _asked(request), lambda d: distributions.summarise(account, d))}


def list_conflicting_aliases(account: LocalAccount, request: ConflictingAliasesRequest) -> Mapping[str, object]:
    """ListConflictingAliases: aliases of other distributions that equal the given one, cover it, or are covered by it.

    Ids are partly hidden, as the API model says. The distribution must have its own certificate, which proves the
    right to the alias. Assumed: the code if it does not have one, and that its own aliases do not conflict.
    """
    conflicts = _sorted_conflicts(account, request["DistributionId"], request["Alias"], "NoSuchDistribution")
    listing = short_page(
        conflicts,
        _asked(request),
        lambda conflict: {
            "Alias": conflict.id,
            "DistributionId": _hidden(conflict.parent, 7),
            "AccountId": _hidden(account.number, 6),
        },
    )
    return {"ConflictingAliasesList": listing}


def list_domain_conflicts(account: LocalAccount, request: DomainConflictsRequest) -> Mapping[str, object]:
    """ListDomainConflicts: like `list_conflicting_aliases`, in another form. There are no distribution tenants."""
    proof = request["DomainControlValidationResource"]
    conflicts = _sorted_conflicts(account, proof.get("DistributionId", ""), request["Domain"], "EntityNotFound")
    listing = page(
        conflicts,
        _asked(request),
        lambda conflict: {
            "Domain": conflict.id,
            "ResourceType": "distribution",
            "ResourceId": _hidden(conflict.parent, 7),
            "AccountId": _hidden(account.number, 6),
        },
    )
    return {"DomainConflicts": listing.get("Items", []), "NextMarker": listing.get("NextMarker")}


OPERATIONS: Mapping[str, Operation] = {
    "ListDistributionsByWebACLId": list_by_web_acl,
    "ListDistributionsByRealtimeLogConfig": list_by_realtime_log,
    "ListDistributionsByConnectionMode": list_by_connection_mode,
    "ListConflictingAliases": list_conflicting_aliases,
    "ListDomainConflicts": list_domain_conflicts,
}


def _asked(request: NumberedPage) -> ListRequest:
    """Return the page that a request asks for, whose `MaxItems` is a number."""
    asked: ListRequest = {"Marker": request.get("Marker", "")}
    if "MaxItems" in request:
        asked["MaxItems"] = str(request["MaxItems"])
    return asked


def _sorted_conflicts(
    account: LocalAccount, identifier: str, alias: str, code: str
) -> list[Resource[DistributionConfig]]:
    """Return the aliases that conflict with an alias, for a distribution whose certificate proves the right to it."""
    distribution = found(account.store.distributions, identifier, code, "distribution")
    if distribution.config["ViewerCertificate"].get("CloudFrontDefaultCertificate"):
        message = (
            f"The distribution {identifier} has CloudFront's default certificate: attach one that covers the alias."
        )
        raise APIError("InvalidArgument", message)
    return sorted(_conflicts(account, distribution.id, alias), key=lambda conflict: conflict.id)


def _conflicts(account: LocalAccount, distribution: str, alias: str) -> Iterator[Resource[DistributionConfig]]:
    """Yield each conflicting alias, as a resource with the alias as its id. Aliases are unique."""
    for other in account.store.distributions:
        if other.id != distribution:
            for taken in other.config["Aliases"].get("Items", []):
                if _overlap(taken.lower(), alias.lower()):
                    yield replace(other, id=taken, parent=other.id)


def _overlap(one: str, other: str) -> bool:
    """Return whether the two names share a host."""
    return one == other or _covers(one, other) or _covers(other, one)


def _covers(wildcard: str, name: str) -> bool:
    """Return whether `wildcard` covers `name`. Its `*` matches any number of labels.

    Source: Developer Guide, "Use the * wildcard in alternate domain names".
    """
    return wildcard.startswith("*.") and name.endswith(wildcard[1:])


def _hidden(identifier: str, characters: int) -> str:
    return "*" * characters + identifier[characters:]
