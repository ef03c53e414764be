"""What the three families of policies share: the operations, and the rules that differ in their words alone.

Cache policies, origin request policies and response headers policies each come in two types: Amazon's own, which
every account has and nobody can change (`managed`), and an account's (`custom`).
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag, new_policy_id
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page, short_page
from keyfront.local.controlplane.resources import (
    COMMENT_CHARACTERS,
    Account,
    Operation,
    check_length,
    check_version,
    found,
)
from keyfront.local.controlplane.store import Resource, Table
from keyfront.local.controlplane.trust import distributions_with_policy

if TYPE_CHECKING:
    from keyfront.local.controlplane.quotas import Quotas
    from keyfront.local.controlplane.shapes import ListPoliciesRequest, PolicyRequest, PolicyUsersRequest
    from keyfront.local.controlplane.store import Store

Config = TypeVar("Config", bound=Mapping[str, object])

_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")
"""A policy's name. Assumed: the length. The characters are those that CloudFormation and the CDK document."""

_MANAGED_SINCE = datetime(2020, 7, 22, tzinfo=UTC)
"""When Amazon's policies were last modified. Assumed: the day that policies were announced, for all of them."""


@dataclass(frozen=True)
class Family(Generic[Config]):
    """One of the three families: its words, its place in the account, and its own rules."""

    noun: str
    """As the API writes it in operations, members and error codes: `CachePolicy`."""
    plural: str
    """`CachePolicies`."""
    title: str
    """As a person writes it: `cache policy`."""
    path: str
    """The first segment of its addresses: `cache-policy`."""
    table: Callable[[Store], Table[Config]]
    quota: Callable[[Quotas], int]
    managed: Mapping[str, Config]
    complete: Callable[[Config], Config]
    """A configuration with what CloudFront fills in."""
    check: Callable[[Account, Config], None]
    """The rules of this family alone; `APIError`."""

    @property
    def member(self) -> str:
        """The member of a cache behavior that names such a policy: `CachePolicyId`."""
        return f"{self.noun}Id"

    def operations(self) -> Mapping[str, Operation]:
        """The family's operations by their names."""
        return {
            f"Create{self.noun}": partial(_create, self),
            f"Get{self.noun}": partial(_get, self),
            f"Get{self.noun}Config": partial(_get_config, self),
            f"List{self.plural}": partial(_list, self),
            f"Update{self.noun}": partial(_update, self),
            f"Delete{self.noun}": partial(_delete, self),
            f"ListDistributionsBy{self.member}": partial(_list_users, self),
        }

    def find(self, account: Account, identifier: str) -> Resource[Config]:
        """The policy, managed or custom; `APIError` `NoSuchCachePolicy` (…) when there is none."""
        if identifier in self.managed:
            return _managed(identifier, self.managed[identifier])
        return found(self.table(account.store), identifier, f"NoSuch{self.noun}", self.title)


def _create(family: Family[Config], account: Account, request: PolicyRequest) -> Mapping[str, object]:
    """Create…: names are unique, Amazon's included."""
    table, config = family.table(account.store), _checked(family, account, request, except_for=None)
    if len(table) >= family.quota(account.quotas):
        message = f"This account has {len(table)} {family.title} resources of its own, and may have no more."
        raise APIError(f"TooMany{family.plural}", message)
    now = account.clock()
    policy = Resource(new_policy_id(), new_etag(), config, now, now)
    table.put(policy)
    return {
        family.noun: _describe(family, policy),
        "ETag": policy.etag,
        "Location": location(f"{family.path}/{policy.id}"),
    }


def _get(family: Family[Config], account: Account, request: PolicyRequest) -> Mapping[str, object]:
    policy = family.find(account, request["Id"])
    return {family.noun: _describe(family, policy), "ETag": policy.etag}


def _get_config(family: Family[Config], account: Account, request: PolicyRequest) -> Mapping[str, object]:
    policy = family.find(account, request["Id"])
    return {f"{family.noun}Config": policy.config, "ETag": policy.etag}


def _list(family: Family[Config], account: Account, request: ListPoliciesRequest) -> Mapping[str, object]:
    """List…: both types, or the one that `Type` asks for."""
    kind = request.get("Type")
    listed = [policy for policy in _all(family, account) if kind in (None, _type(family, policy))]
    summary = short_page(
        listed, request, lambda policy: {"Type": _type(family, policy), family.noun: _describe(family, policy)}
    )
    return {f"{family.noun}List": summary}


def _update(family: Family[Config], account: Account, request: PolicyRequest) -> Mapping[str, object]:
    """Update…: the whole configuration is replaced; the distributions that use it do not move."""
    policy = family.find(account, request["Id"])
    if policy.id in family.managed:
        message = f"The update contains modifications that are not allowed: {policy.id} is a managed {family.title}."
        raise APIError("IllegalUpdate", message)
    check_version(policy, request.get("IfMatch"))
    config = _checked(family, account, request, except_for=policy.id)
    changed = replace(policy, config=config, etag=new_etag(), modified=account.clock())
    family.table(account.store).put(changed)
    return {family.noun: _describe(family, changed), "ETag": changed.etag}


def _delete(family: Family[Config], account: Account, request: PolicyRequest) -> Mapping[str, object]:
    """Delete…: not while a cache behavior names it."""
    policy = family.find(account, request["Id"])
    if policy.id in family.managed:
        raise APIError("IllegalDelete", f"You cannot delete a managed {family.title}: {policy.id}.")
    check_version(policy, request.get("IfMatch"))
    if using := [d.id for d in distributions_with_policy(account.store, family.member, policy.id)]:
        message = f"Cannot delete the {family.title} because it is attached to cache behaviors of {', '.join(using)}."
        raise APIError(f"{family.noun}InUse", message)
    family.table(account.store).remove(policy.id)
    return {}


def _list_users(family: Family[Config], account: Account, request: PolicyUsersRequest) -> Mapping[str, object]:
    """ListDistributionsBy…: the ids of the distributions with a cache behavior that names the policy."""
    policy = family.find(account, str(request.get(family.member)))
    using = distributions_with_policy(account.store, family.member, policy.id)
    return {"DistributionIdList": page(using, request, lambda distribution: distribution.id)}


def _checked(family: Family[Config], account: Account, request: PolicyRequest, except_for: str | None) -> Config:
    """The configuration of the request, complete and found good."""
    given: Config = request[f"{family.noun}Config"]  # type: ignore[literal-required]
    config = family.complete(given)
    name = str(config["Name"])
    if not _NAME.fullmatch(name):
        message = f"The parameter Name has 1 to 128 letters, digits, hyphens and underscores: {name[:200]!r}."
        raise APIError("InvalidArgument", message)
    check_length(str(config.get("Comment", "")), "Comment", COMMENT_CHARACTERS)
    for policy in _all(family, account):
        if policy.config["Name"] == name and policy.id != except_for:
            message = f"A {family.title} named {name!r} already exists: {policy.id}. Names must be unique."
            raise APIError(f"{family.noun}AlreadyExists", message)
    family.check(account, config)
    return config


def _all(family: Family[Config], account: Account) -> Iterator[Resource[Config]]:
    """Every policy of both types, in the order of the ids."""
    managed = [_managed(identifier, config) for identifier, config in family.managed.items()]
    return iter(sorted([*managed, *family.table(account.store)], key=lambda policy: policy.id))


def _managed(identifier: str, config: Config) -> Resource[Config]:
    """One of Amazon's policies as a resource; its ETag stays the same for ever."""
    digits = hashlib.sha256(identifier.encode()).hexdigest().upper()
    return Resource(identifier, f"E{digits[:13]}", config, _MANAGED_SINCE, _MANAGED_SINCE)


def _type(family: Family[Config], policy: Resource[Config]) -> str:
    return "managed" if policy.id in family.managed else "custom"


def _describe(family: Family[Config], policy: Resource[Config]) -> Mapping[str, object]:
    return {"Id": policy.id, "LastModifiedTime": policy.modified, f"{family.noun}Config": policy.config}
