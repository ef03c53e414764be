"""What the three families of policies share: their messages, and the rules for their names.

Cache policies, origin request policies and response headers policies have two types: Amazon's own, which every account
has and nobody can change (`managed`), and the account's (`custom`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeVar, cast

from keyfront.local.controlplane.account import COMMENT_CHARACTERS, LocalAccount, Operation, check_length
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_policy_id
from keyfront.local.controlplane.store import Resource, Table
from keyfront.local.controlplane.trust import distributions_with_policy

if TYPE_CHECKING:
    from keyfront.local.controlplane.quotas import Quotas
    from keyfront.local.controlplane.store import Store

Config = TypeVar("Config", bound=Mapping[str, object])

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""A policy's name. Assumed: the length. CloudFormation and the CDK document the characters."""

_MANAGED_SINCE = datetime(2020, 7, 22, tzinfo=UTC)
"""When Amazon's policies were last modified. Assumed: on the day that policies were announced, for all of them."""


def _with_comment(given: Config) -> Config:
    return cast("Config", {"Comment": "", **given})


def policy_family(
    kind: str,
    *,
    table: Callable[[Store], Table[Config]],
    quota: Callable[[Quotas], int],
    managed: Mapping[str, Config],
    check: Callable[[LocalAccount, Config], None],
    complete: Callable[[Config], Config] = _with_comment,
    renews_users: bool = False,
) -> Family[Config]:
    """Return the family for a kind of policies (`cache`, `origin request`), with its own rules.

    `complete` returns a configuration with CloudFront's defaults. `check` raises `APIError`. With `renews_users`, an
    update changes the ETags of the distributions that use the policy.
    """
    title = f"{kind} policy"
    noun = title.title().replace(" ", "")

    def accept(_account: LocalAccount, given: Config, _before: object) -> Config:
        config = complete(given)
        if not _NAME.fullmatch(name := str(config["Name"])):
            message = (
                f"The parameter Name must have 1 to 128 letters, digits, hyphens and underscores; it is {name[:200]!r}."
            )
            raise APIError("InvalidArgument", message)
        check_length(str(config.get("Comment", "")), "Comment", COMMENT_CHARACTERS)
        return config

    return Family(
        noun=noun,
        plural=f"{noun.removesuffix('y')}ies",
        title=title,
        path=title.replace(" ", "-"),
        table=table,
        quota=quota,
        too_many=f"This account has {{quota}} {title} resources of its own, which is the quota: delete one first.",
        new_id=new_policy_id,
        accept=accept,
        taken=f"A {title} named {{value!r}} already exists: {{id}}. Names must be unique.",
        check=lambda account, config, _before: check(account, config),
        users=lambda store, policy: distributions_with_policy(store, f"{noun}Id", policy),
        renews_users=renews_users,
        in_use=f"Cannot delete the {title} because it is attached to cache behaviors of {{users}}.",
        beside=lambda policy: {"LastModifiedTime": policy.modified},
        managed={identifier: _managed(identifier, config) for identifier, config in managed.items()},
    )


def operations(family: Family[Config]) -> Mapping[str, Operation]:
    """Return a family's operations by name, including the list of distributions that use a policy."""
    return {**family.operations(), f"ListDistributionsBy{family.member}": family.list_users}


def _managed(identifier: str, config: Config) -> Resource[Config]:
    """Return one of Amazon's policies as a resource. Its ETag never changes."""
    digits = hashlib.sha256(identifier.encode()).hexdigest().upper()
    return Resource(identifier, f"E{digits[:13]}", config, _MANAGED_SINCE, _MANAGED_SINCE)
