"""Public keys: the operations, and their rules."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.core.keys import PublicKey
from keyfront.errors import KeyLoadError
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_public_key_id
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

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import ListRequest, PublicKeyConfig, PublicKeyRequest


def create(account: Account, request: PublicKeyRequest) -> Mapping[str, object]:
    """CreatePublicKey: names and caller references are unique, and the key is one that CloudFront takes."""
    config: PublicKeyConfig = {"Comment": "", **request["PublicKeyConfig"]}
    _check_config(config)
    _check_unique(account, config)
    if len(account.store.public_keys) >= account.quotas.public_keys:
        message = f"This account may have {account.quotas.public_keys} public keys, and has them: delete one first."
        raise APIError("TooManyPublicKeys", message)
    now = account.clock()
    key = Resource(new_public_key_id(), new_etag(), config, now, now)
    account.store.public_keys.put(key)
    return {
        "PublicKey": _describe(key),
        "ETag": key.etag,
        "Location": location(f"public-key/{key.id}"),
    }


def get(account: Account, request: PublicKeyRequest) -> Mapping[str, object]:
    """GetPublicKey."""
    key = _find(account, request["Id"])
    return {"PublicKey": _describe(key), "ETag": key.etag}


def get_config(account: Account, request: PublicKeyRequest) -> Mapping[str, object]:
    """GetPublicKeyConfig."""
    key = _find(account, request["Id"])
    return {"PublicKeyConfig": key.config, "ETag": key.etag}


def list_all(account: Account, request: ListRequest) -> Mapping[str, object]:
    """ListPublicKeys."""
    return {"PublicKeyList": short_page(account.store.public_keys, request, _summarise)}


def update(account: Account, request: PublicKeyRequest) -> Mapping[str, object]:
    """UpdatePublicKey: the comment alone can change."""
    key, config = _find(account, request["Id"]), request["PublicKeyConfig"]
    check_version(key, request.get("IfMatch"))
    _check_only_comment_changes(key.config, config)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    changed = replace(
        key,
        config={**config, "EncodedKey": key.config["EncodedKey"]},
        etag=new_etag(),
        modified=account.clock(),
    )
    account.store.public_keys.put(changed)
    return {"PublicKey": _describe(changed), "ETag": changed.etag}


def delete(account: Account, request: PublicKeyRequest) -> Mapping[str, object]:
    """DeletePublicKey: not while a key group holds it."""
    key = _find(account, request["Id"])
    check_version(key, request.get("IfMatch"))
    if groups := [group.id for group in account.store.key_groups if key.id in group.config["Items"]]:
        raise APIError(
            "PublicKeyInUse",
            "The specified public key is in use: it is associated with the key groups "
            f"{', '.join(groups)}. Take it out of them first.",
        )
    account.store.public_keys.remove(key.id)
    return {}


OPERATIONS: Mapping[str, Operation] = {
    "CreatePublicKey": create,
    "GetPublicKey": get,
    "GetPublicKeyConfig": get_config,
    "ListPublicKeys": list_all,
    "UpdatePublicKey": update,
    "DeletePublicKey": delete,
}


def _find(account: Account, identifier: str) -> Resource[PublicKeyConfig]:
    return found(account.store.public_keys, identifier, "NoSuchPublicKey", "public key")


def _describe(key: Resource[PublicKeyConfig]) -> Mapping[str, object]:
    return {"Id": key.id, "CreatedTime": key.created, "PublicKeyConfig": key.config}


def _summarise(key: Resource[PublicKeyConfig]) -> Mapping[str, object]:
    return {
        "Id": key.id,
        "Name": key.config["Name"],
        "CreatedTime": key.created,
        "EncodedKey": key.config["EncodedKey"],
        "Comment": key.config.get("Comment"),
    }


def _check_config(config: PublicKeyConfig) -> None:
    check_length(config["CallerReference"], "CallerReference", NAME_CHARACTERS, 1)
    check_length(config["Name"], "Name", NAME_CHARACTERS, 1)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    try:
        PublicKey.load(config["EncodedKey"])
    except KeyLoadError as error:
        raise APIError("InvalidArgument", f"The parameter EncodedKey is not valid: {error}.") from None


def _check_unique(account: Account, config: PublicKeyConfig) -> None:
    for key in account.store.public_keys:
        for member in ("Name", "CallerReference"):
            if key.config[member] == config[member]:
                raise APIError(
                    "PublicKeyAlreadyExists",
                    f"The {member} that you are using to create a CloudFront public key, {config[member]!r}, "
                    f"is associated with another public key in your account: {key.id}.",
                )


def _check_only_comment_changes(old: PublicKeyConfig, new: PublicKeyConfig) -> None:
    changed = [member for member in ("Name", "CallerReference") if old[member] != new[member]]
    if old["EncodedKey"] != new["EncodedKey"] and not _same_key(old["EncodedKey"], new["EncodedKey"]):
        changed.append("EncodedKey")
    if changed:
        raise APIError(
            "CannotChangeImmutablePublicKeyFields",
            f"You can't change {' and '.join(changed)} of a public key, only its comment: create another key.",
        )


def _same_key(old: str, new: str) -> bool:
    try:
        return PublicKey.load(old) == PublicKey.load(new)
    except KeyLoadError:
        return False
