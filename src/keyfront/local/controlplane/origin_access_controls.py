"""Origin access controls, how CloudFront signs its requests to an origin: operations and rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_id
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page
from keyfront.local.controlplane.resources import Account, Operation, check_length, check_version, found
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_with_control

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest, OriginAccessControlConfig, OriginAccessControlRequest

_NAME_CHARACTERS = 64
"""API model, OriginAccessControlConfig: "You can specify up to 64 characters"."""
_DESCRIPTION_CHARACTERS = 256
"""Assumed: the API model gives no length."""


def create(account: Account, request: OriginAccessControlRequest) -> Mapping[str, object]:
    """CreateOriginAccessControl: names are unique."""
    config = request["OriginAccessControlConfig"]
    _check_config(account, config, except_for=None)
    if len(account.store.origin_access_controls) >= account.quotas.origin_access_controls:
        quota = account.quotas.origin_access_controls
        message = f"This account may have {quota} origin access controls, and has them: delete one first."
        raise APIError("TooManyOriginAccessControls", message)
    now = account.clock()
    control = Resource(new_id(), new_etag(), config, now, now)
    account.store.origin_access_controls.put(control)
    return {
        "OriginAccessControl": _describe(control),
        "ETag": control.etag,
        "Location": location(f"origin-access-control/{control.id}"),
    }


def get(account: Account, request: OriginAccessControlRequest) -> Mapping[str, object]:
    """GetOriginAccessControl."""
    control = _find(account, request["Id"])
    return {"OriginAccessControl": _describe(control), "ETag": control.etag}


def get_config(account: Account, request: OriginAccessControlRequest) -> Mapping[str, object]:
    """GetOriginAccessControlConfig."""
    control = _find(account, request["Id"])
    return {"OriginAccessControlConfig": control.config, "ETag": control.etag}


def list_all(account: Account, request: ListRequest) -> Mapping[str, object]:
    """ListOriginAccessControls."""
    return {"OriginAccessControlList": page(account.store.origin_access_controls, request, _summarise)}


def update(account: Account, request: OriginAccessControlRequest) -> Mapping[str, object]:
    """UpdateOriginAccessControl: everything can change, but for the origin type of a control in use (assumed)."""
    control, config = _find(account, request["Id"]), request["OriginAccessControlConfig"]
    check_version(control, request.get("IfMatch"))
    _check_config(account, config, except_for=control.id)
    other_type = config["OriginAccessControlOriginType"] != control.config["OriginAccessControlOriginType"]
    if other_type and (using := _users(account, control.id)):
        message = f"The origin type cannot change while the distributions {', '.join(using)} use this control."
        raise APIError("IllegalUpdate", message)
    changed = replace(control, config=config, etag=new_etag(), modified=account.clock())
    account.store.origin_access_controls.put(changed)
    return {"OriginAccessControl": _describe(changed), "ETag": changed.etag}


def delete(account: Account, request: OriginAccessControlRequest) -> Mapping[str, object]:
    """DeleteOriginAccessControl: not while a distribution uses it."""
    control = _find(account, request["Id"])
    check_version(control, request.get("IfMatch"))
    if using := _users(account, control.id):
        message = f"Cannot delete the origin access control because it's in use by {', '.join(using)}."
        raise APIError("OriginAccessControlInUse", message)
    account.store.origin_access_controls.remove(control.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateOriginAccessControl": create,
    "GetOriginAccessControl": get,
    "GetOriginAccessControlConfig": get_config,
    "ListOriginAccessControls": list_all,
    "UpdateOriginAccessControl": update,
    "DeleteOriginAccessControl": delete,
}


def _find(account: Account, identifier: str) -> Resource[OriginAccessControlConfig]:
    table = account.store.origin_access_controls
    return found(table, identifier, "NoSuchOriginAccessControl", "origin access control")


def _users(account: Account, identifier: str) -> list[str]:
    return [d.id for d in distributions_with_control(account.store, identifier)]


def _describe(control: Resource[OriginAccessControlConfig]) -> Mapping[str, object]:
    return {"Id": control.id, "OriginAccessControlConfig": control.config}


def _summarise(control: Resource[OriginAccessControlConfig]) -> Mapping[str, object]:
    return {"Description": "", **control.config, "Id": control.id}


def _check_config(account: Account, config: OriginAccessControlConfig, except_for: str | None) -> None:
    check_length(config["Name"], "Name", _NAME_CHARACTERS, 1)
    check_length(config.get("Description", ""), "Description", _DESCRIPTION_CHARACTERS)
    for control in account.store.origin_access_controls:
        if control.config["Name"] == config["Name"] and control.id != except_for:
            message = f"An origin access control named {config['Name']!r} already exists: {control.id}."
            raise APIError("OriginAccessControlAlreadyExists", message)
