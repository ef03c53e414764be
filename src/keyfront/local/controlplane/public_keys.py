"""Public keys: the family and its rules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from keyfront.core.keys import PublicKey
from keyfront.errors import KeyLoadError
from keyfront.local.controlplane.account import COMMENT_CHARACTERS, NAME_CHARACTERS, LocalAccount, check_length
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_public_key_id
from keyfront.local.controlplane.trust import profiles_with_key

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import PublicKeyConfig
    from keyfront.local.controlplane.store import Resource, Store


def _accept(
    _account: LocalAccount, config: PublicKeyConfig, before: Resource[PublicKeyConfig] | None
) -> PublicKeyConfig:
    """Check that CloudFront accepts the key. Only the comment of an existing key can change."""
    if before:
        _check_only_comment_changes(before.config, config)
        check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
        return {**config, "EncodedKey": before.config["EncodedKey"]}
    check_length(config["CallerReference"], "CallerReference", NAME_CHARACTERS, 1)
    check_length(config["Name"], "Name", NAME_CHARACTERS, 1)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    try:
        PublicKey.load(config["EncodedKey"])
    except KeyLoadError as error:
        raise APIError("InvalidArgument", f"The parameter EncodedKey is not valid: {error}.") from None
    return {"Comment": "", **config, "EncodedKey": _ended(config["EncodedKey"])}


def _ended(pem: str) -> str:
    """Return the key as CloudFront answers it: with a line end (AWS provider for Terraform, issues 40295, 47204)."""
    return pem if pem.endswith("\n") else f"{pem}\n"


def _check_only_comment_changes(old: PublicKeyConfig, new: PublicKeyConfig) -> None:
    changed = [member for member in ("Name", "CallerReference") if old[member] != new[member]]
    if old["EncodedKey"] != new["EncodedKey"] and not _same_key(old["EncodedKey"], new["EncodedKey"]):
        changed.append("EncodedKey")
    if changed:
        raise APIError(
            "CannotChangeImmutablePublicKeyFields",
            f"You can't change {' and '.join(changed)} of a public key, only its comment: create a new key.",
        )


def _same_key(old: str, new: str) -> bool:
    try:
        return PublicKey.load(old) == PublicKey.load(new)
    except KeyLoadError:
        return False


def _users(store: Store, key: str) -> list[Resource[Any]]:
    """Return the key groups and the profiles for field-level encryption with the key."""
    groups = [group for group in store.key_groups if key in group.config["Items"]]
    return [*groups, *profiles_with_key(store, key)]


FAMILY: Family[PublicKeyConfig] = Family(
    noun="PublicKey",
    plural="PublicKeys",
    title="public key",
    path="public-key",
    table=lambda store: store.public_keys,
    quota=lambda quotas: quotas.public_keys,
    too_many="This account has {quota} public keys, which is the quota: delete one first.",
    new_id=new_public_key_id,
    accept=_accept,
    unique=("Name", "CallerReference"),
    taken="The {member} that you are using to create a CloudFront public key, {value!r}, is associated with another "
    "public key in your account: {id}.",
    users=_users,
    in_use="The specified public key is in use: it is associated with the key groups or profiles {users}. Remove it "
    "from them first.",
    beside=lambda key: {"CreatedTime": key.created},
    summary=lambda key: {
        "Id": key.id,
        "Name": key.config["Name"],
        "CreatedTime": key.created,
        "EncodedKey": key.config["EncodedKey"],
        "Comment": key.config.get("Comment"),
    },
)
OPERATIONS = FAMILY.operations()
