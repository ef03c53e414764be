"""Lists of kinds of resources that keyfront does not have. An account has none of them, so the lists are empty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, cast

from botocore.model import StructureShape

from keyfront.local.controlplane.account import LocalAccount, Operation
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.model import service_model
from keyfront.local.controlplane.paging import page

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest

_NAMES = (
    *("ListAnycastIpLists", "ListConnectionFunctions", "ListConnectionGroups", "ListDistributionTenants"),
    *("ListDistributionTenantsByCustomization", "ListDistributionsByAnycastIpListId"),
    *("ListDistributionsByConnectionFunction", "ListDistributionsByOwnedResource", "ListDistributionsByTrustStore"),
    *("ListStreamingDistributions", "ListTrustStores"),
)


def _empty(operation: str) -> Operation:
    """Return an operation whose list is empty. The list is the payload, or the members beside each other."""

    def answer(_account: LocalAccount, request: Mapping[str, object]) -> Mapping[str, object]:
        asked = {name: str(request[name]) for name in ("Marker", "MaxItems") if name in request}
        listing = page((), cast("ListRequest", asked), lambda each: each)
        shape = cast("StructureShape", service_model().operation_model(operation).output_shape)
        payload = shape.serialization.get("payload")
        if payload is None:
            return {}
        members = cast("StructureShape", shape.members[payload]).members
        return {payload: {name: value for name, value in listing.items() if name in members}}

    return answer


def list_tenant_invalidations(_account: LocalAccount, request: Mapping[str, str]) -> Mapping[str, object]:
    """ListInvalidationsForDistributionTenant: there are no distribution tenants."""
    raise APIError("EntityNotFound", f"The distribution tenant was not found: {request['Id'][:100]!r}.")


OPERATIONS: Mapping[str, Operation] = {
    **{name: _empty(name) for name in _NAMES},
    "ListInvalidationsForDistributionTenant": list_tenant_invalidations,
}
