"""Key groups: the operations, and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_key_group_id
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import short_page
from keyfront.local.controlplane.resources import (
    COMMENT_CHARACTERS,
    NAME_CHARACTERS,
    Account,
    Operation,
    check_length,
    check_version,
    found,
)
from keyfront.local.controlplane.store import Resource
from keyfront.local.controlplane.trust import distributions_trusting

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import KeyGroupConfig, KeyGroupRequest, ListRequest


def create(account: Account, request: KeyGroupRequest) -> Mapping[str, object]:
    """CreateKeyGroup: names are unique, and its keys exist."""
    config = request["KeyGroupConfig"]
    _check_config(account, config)
    _check_unique(account, config, except_for=None)
    if len(account.store.key_groups) >= account.quotas.key_groups:
        message = f"This account may have {account.quotas.key_groups} key groups, and has them: delete one first."
        raise APIError("TooManyKeyGroups", message)
    now = account.clock()
    group = Resource(new_key_group_id(), new_etag(), config, now, now)
    account.store.key_groups.put(group)
    return {
        "KeyGroup": _describe(group),
        "ETag": group.etag,
        "Location": location(f"key-group/{group.id}"),
    }


def get(account: Account, request: KeyGroupRequest) -> Mapping[str, object]:
    """GetKeyGroup."""
    group = find(account, request["Id"])
    return {"KeyGroup": _describe(group), "ETag": group.etag}


def get_config(account: Account, request: KeyGroupRequest) -> Mapping[str, object]:
    """GetKeyGroupConfig."""
    group = find(account, request["Id"])
    return {"KeyGroupConfig": group.config, "ETag": group.etag}


def list_all(account: Account, request: ListRequest) -> Mapping[str, object]:
    """ListKeyGroups."""
    listing = short_page(account.store.key_groups, request, lambda group: {"KeyGroup": _describe(group)})
    return {"KeyGroupList": listing}


def update(account: Account, request: KeyGroupRequest) -> Mapping[str, object]:
    """UpdateKeyGroup: name, comment and keys are replaced; the distributions that trust it do not move."""
    group, config = find(account, request["Id"]), request["KeyGroupConfig"]
    check_version(group, request.get("IfMatch"))
    _check_config(account, config)
    _check_unique(account, config, except_for=group.id)
    changed = replace(group, config=config, etag=new_etag(), modified=account.clock())
    account.store.key_groups.put(changed)
    return {"KeyGroup": _describe(changed), "ETag": changed.etag}


def delete(account: Account, request: KeyGroupRequest) -> Mapping[str, object]:
    """DeleteKeyGroup: not while a distribution trusts it."""
    group = find(account, request["Id"])
    check_version(group, request.get("IfMatch"))
    if trusting := [distribution.id for distribution in distributions_trusting(account.store, group.id)]:
        raise APIError(
            "ResourceInUse",
            f"Cannot delete this resource because it is in use: the distributions {', '.join(trusting)} trust it.",
        )
    account.store.key_groups.remove(group.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreateKeyGroup": create,
    "GetKeyGroup": get,
    "GetKeyGroupConfig": get_config,
    "ListKeyGroups": list_all,
    "UpdateKeyGroup": update,
    "DeleteKeyGroup": delete,
}


def find(account: Account, identifier: str) -> Resource[KeyGroupConfig]:
    """The key group; `APIError` `NoSuchResource` when there is none."""
    return found(account.store.key_groups, identifier, "NoSuchResource", "key group")


def _describe(group: Resource[KeyGroupConfig]) -> Mapping[str, object]:
    return {"Id": group.id, "LastModifiedTime": group.modified, "KeyGroupConfig": group.config}


def _check_config(account: Account, config: KeyGroupConfig) -> None:
    check_length(config["Name"], "Name", NAME_CHARACTERS, 1)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    keys, quota = config["Items"], account.quotas.public_keys_per_key_group
    if not keys:
        raise APIError("InvalidArgument", "A key group must have at least one public key: Items is empty.")
    if len(set(keys)) < len(keys):
        raise APIError("InvalidArgument", "A public key may be in a key group once: Items names one twice.")
    if missing := [key for key in keys if account.store.public_keys.get(key) is None]:
        raise APIError("InvalidArgument", f"These public keys do not exist: {', '.join(missing)[:500]}.")
    if len(keys) > quota:
        message = f"A key group may have {quota} public keys; this one would have {len(keys)}."
        raise APIError("TooManyPublicKeysInKeyGroup", message)


def _check_unique(account: Account, config: KeyGroupConfig, except_for: str | None) -> None:
    for group in account.store.key_groups:
        if group.config["Name"] == config["Name"] and group.id != except_for:
            message = f"A key group named {config['Name']!r} already exists: {group.id}. Names must be unique."
            raise APIError("KeyGroupAlreadyExists", message)
