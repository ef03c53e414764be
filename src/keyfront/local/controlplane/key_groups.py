"""Key groups: the family and its rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from keyfront.local.controlplane.account import (
    COMMENT_CHARACTERS,
    NAME_CHARACTERS,
    LocalAccount,
    Operation,
    check_length,
)
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_key_group_id
from keyfront.local.controlplane.trust import distributions_trusting

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import KeyGroupConfig


def _accept(account: LocalAccount, config: KeyGroupConfig, _before: object) -> KeyGroupConfig:
    """Check that the keys exist, and that no key is listed twice."""
    check_length(config["Name"], "Name", NAME_CHARACTERS, 1)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    keys, quota = config["Items"], account.quotas.public_keys_per_key_group
    if not keys:
        raise APIError("InvalidArgument", "A key group must have at least one public key: Items is empty.")
    if len(set(keys)) < len(keys):
        raise APIError("InvalidArgument", "A public key may be in a key group only once: Items has one twice.")
    if missing := [key for key in keys if account.store.public_keys.get(key) is None]:
        raise APIError("InvalidArgument", f"These public keys do not exist: {', '.join(missing)[:500]}.")
    if len(keys) > quota:
        message = f"A key group may have {quota} public keys; this one would have {len(keys)}."
        raise APIError("TooManyPublicKeysInKeyGroup", message)
    return config


FAMILY: Family[KeyGroupConfig] = Family(
    noun="KeyGroup",
    plural="KeyGroups",
    title="key group",
    path="key-group",
    table=lambda store: store.key_groups,
    quota=lambda quotas: quotas.key_groups,
    too_many="This account has {quota} key groups, which is the quota: delete one first.",
    new_id=new_key_group_id,
    accept=_accept,
    taken="A key group named {value!r} already exists: {id}. Names must be unique.",
    users=distributions_trusting,
    renews_users=True,
    in_use="Cannot delete this resource because it is in use: the distributions {users} trust it.",
    error_noun="Resource",
    beside=lambda group: {"LastModifiedTime": group.modified},
)
OPERATIONS: Mapping[str, Operation] = {**FAMILY.operations(), "ListDistributionsByKeyGroup": FAMILY.list_users}
