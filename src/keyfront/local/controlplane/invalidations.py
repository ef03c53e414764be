"""Invalidations, which remove files from the edges' caches before they expire: operations and rules."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import COMMENT_CHARACTERS, LocalAccount, Operation, check_length, found
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_invalidation_id
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.store import Resource

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import InvalidationBatch, InvalidationRequest

_PATH = re.compile(r"/[^\s*]*\*?")
"""A path begins with a slash. `*` is a wildcard only as the last character (Developer Guide, "Invalidate files")."""


def create(account: LocalAccount, request: InvalidationRequest) -> Mapping[str, object]:
    """CreateInvalidation: a repeated request returns the existing invalidation."""
    distribution, batch = _distribution(account, request), request["InvalidationBatch"]
    _check_paths(batch)
    for invalidation in _of(account, distribution):
        if invalidation.config["CallerReference"] == batch["CallerReference"]:
            if invalidation.config == batch:
                return _created(account, invalidation)
            message = (
                f"The caller reference {batch['CallerReference']!r} belongs to an invalidation with other paths: "
                f"{invalidation.id}."
            )
            raise APIError("InvalidationBatchAlreadyExists", message)
    _check_quotas(account, batch)
    now = account.clock()
    invalidation = Resource(new_invalidation_id(), "", batch, now, now, parent=distribution)
    account.store.invalidations.put(invalidation)
    account.propagation.changed(invalidation.id, invalidation.id)
    return _created(account, invalidation)


def get(account: LocalAccount, request: InvalidationRequest) -> Mapping[str, object]:
    """GetInvalidation."""
    distribution = _distribution(account, request)
    invalidation = found(account.store.invalidations, request["Id"], "NoSuchInvalidation", "invalidation")
    if invalidation.parent != distribution:
        message = f"The invalidation {invalidation.id} does not belong to the distribution {distribution}."
        raise APIError("NoSuchInvalidation", message)
    return {"Invalidation": _describe(account, invalidation)}


def list_all(account: LocalAccount, request: InvalidationRequest) -> Mapping[str, object]:
    """ListInvalidations."""
    listing = page(
        _of(account, _distribution(account, request)),
        request,
        lambda i: {"Id": i.id, "CreateTime": i.created, "Status": _status(account, i.id)},
    )
    return {"InvalidationList": listing}


OPERATIONS: Mapping[str, Operation] = {
    "CreateInvalidation": create,
    "GetInvalidation": get,
    "ListInvalidations": list_all,
}


def in_progress(account: LocalAccount, distribution: str) -> int:
    """Return the number of the distribution's invalidations that have not reached every edge."""
    return sum(_status(account, invalidation.id) == "InProgress" for invalidation in _of(account, distribution))


def remove_all(account: LocalAccount, distribution: str) -> None:
    """Remove the invalidations of a deleted distribution."""
    for invalidation in _of(account, distribution):
        account.store.invalidations.remove(invalidation.id)
        account.propagation.removed(invalidation.id)


def _distribution(account: LocalAccount, request: InvalidationRequest) -> str:
    table, identifier = account.store.distributions, request["DistributionId"]
    return found(table, identifier, "NoSuchDistribution", "distribution").id


def _of(account: LocalAccount, distribution: str) -> list[Resource[InvalidationBatch]]:
    return [i for i in account.store.invalidations if i.parent == distribution]


def _status(account: LocalAccount, invalidation: str) -> str:
    return "InProgress" if account.propagation.under_way(invalidation, invalidation) else "Completed"


def _describe(account: LocalAccount, invalidation: Resource[InvalidationBatch]) -> Mapping[str, object]:
    return {
        "Id": invalidation.id,
        "Status": _status(account, invalidation.id),
        "CreateTime": invalidation.created,
        "InvalidationBatch": invalidation.config,
    }


def _created(account: LocalAccount, invalidation: Resource[InvalidationBatch]) -> Mapping[str, object]:
    return {
        "Invalidation": _describe(account, invalidation),
        "Location": location(f"distribution/{invalidation.parent}/invalidation/{invalidation.id}"),
    }


def _check_paths(batch: InvalidationBatch) -> None:
    check_length(batch["CallerReference"], "CallerReference", COMMENT_CHARACTERS, 1)
    paths = batch["Paths"].get("Items", [])
    if not paths:
        raise APIError("InvalidArgument", "An invalidation must have at least one path.")
    if bad := [path for path in paths if not _PATH.fullmatch(path)]:
        raise APIError(
            "InvalidArgument",
            f"Your request contains the invalid invalidation path {bad[0][:200]!r}: a path must begin with a slash, "
            "must not have spaces, and can have * only as its last character.",
        )


def _check_quotas(account: LocalAccount, batch: InvalidationBatch) -> None:
    quotas, paths = account.quotas, batch["Paths"].get("Items", [])
    if len(paths) > quotas.invalidation_paths_in_progress:
        message = f"An invalidation may have {quotas.invalidation_paths_in_progress} paths; this one has {len(paths)}."
        raise APIError("BatchTooLarge", message)
    under_way = [
        path
        for invalidation in account.store.invalidations
        if _status(account, invalidation.id) == "InProgress"
        for path in invalidation.config["Paths"].get("Items", [])
    ]
    wildcards = sum(path.endswith("*") for path in [*under_way, *paths])
    if wildcards > quotas.invalidation_wildcards_in_progress:
        message = f"At most {quotas.invalidation_wildcards_in_progress} wildcard invalidations may be in progress."
        raise APIError("TooManyInvalidationsInProgress", message)
    if len(under_way) + len(paths) - wildcards > quotas.invalidation_paths_in_progress:
        message = f"At most {quotas.invalidation_paths_in_progress} paths may be in progress."
        raise APIError("TooManyInvalidationsInProgress", message)
