"""Origin access controls, which let CloudFront sign its requests to an origin: the family and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import LocalAccount, check_length
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_id
from keyfront.local.controlplane.trust import distributions_with_control

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import OriginAccessControlConfig
    from keyfront.local.controlplane.store import Resource

_NAME_CHARACTERS = 64
"""The maximum length (API model, OriginAccessControlConfig: "You can specify up to 64 characters")."""
_DESCRIPTION_CHARACTERS = 256
"""The maximum length. Assumed: the API model does not give one."""


def _accept(_account: LocalAccount, config: OriginAccessControlConfig, _before: object) -> OriginAccessControlConfig:
    check_length(config["Name"], "Name", _NAME_CHARACTERS, 1)
    check_length(config.get("Description", ""), "Description", _DESCRIPTION_CHARACTERS)
    return config


def _check(
    account: LocalAccount, config: OriginAccessControlConfig, before: Resource[OriginAccessControlConfig] | None
) -> None:
    """Check that the origin type of a control in use does not change (assumed). Everything else can change."""
    if before is None or config["OriginAccessControlOriginType"] == before.config["OriginAccessControlOriginType"]:
        return
    if using := [distribution.id for distribution in distributions_with_control(account.store, before.id)]:
        message = f"The origin type cannot change while the distributions {', '.join(using)} use this control."
        raise APIError("IllegalUpdate", message)


FAMILY: Family[OriginAccessControlConfig] = Family(
    noun="OriginAccessControl",
    plural="OriginAccessControls",
    title="origin access control",
    path="origin-access-control",
    table=lambda store: store.origin_access_controls,
    quota=lambda quotas: quotas.origin_access_controls,
    too_many="This account has {quota} origin access controls, which is the quota: delete one first.",
    new_id=new_id,
    accept=_accept,
    taken="An origin access control named {value!r} already exists: {id}.",
    check=_check,
    users=distributions_with_control,
    in_use="Cannot delete the origin access control because it's in use by {users}.",
    summary=lambda control: {"Description": "", **control.config, "Id": control.id},
    markers=True,
)
OPERATIONS = FAMILY.operations()
