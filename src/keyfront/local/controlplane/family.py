"""A family of resources, such as key groups: its description, and the operations that follow from it.

Every family has the same operations: create, get, get the configuration, list, update and delete. Each family's module
has the description and the rules that only this family has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from keyfront.local.controlplane.account import LocalAccount, Operation, check_version, found, renew_version
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_etag
from keyfront.local.controlplane.model import location
from keyfront.local.controlplane.paging import page, short_page
from keyfront.local.controlplane.store import Resource, Table

if TYPE_CHECKING:
    from keyfront.local.controlplane.quotas import Quotas
    from keyfront.local.controlplane.shapes import FamilyRequest, UsersRequest
    from keyfront.local.controlplane.store import Store

Config = TypeVar("Config", bound=Mapping[str, object])


def _no_rules(*_: object) -> None:
    """Refuse nothing."""


@dataclass(frozen=True)
class Family(Generic[Config]):
    """A family's names, its table in the account, and its rules. Messages have placeholders in braces."""

    noun: str
    """The name in operations, members and error codes: `KeyGroup`."""
    plural: str
    """The plural in error codes: `KeyGroups`."""
    title: str
    """The name in messages: `key group`."""
    path: str
    """The path before the id: `key-group`."""
    table: Callable[[Store], Table[Config]]
    quota: Callable[[Quotas], int]
    too_many: str
    """The message at the quota, with `{quota}`."""
    new_id: Callable[[], str]
    accept: Callable[[LocalAccount, Config, Resource[Config] | None], Config]
    """Returns the configuration to store for the given one. The resource is the one to update; `None` for a new one.

    Raises `APIError` for a configuration that breaks a rule.
    """
    users: Callable[[Store, str], Sequence[Resource[Any]]]
    """Returns the users of the resource with an id. A resource in use cannot be deleted."""
    in_use: str
    """The message for a resource in use, with `{users}`, the ids of the users."""
    check: Callable[[LocalAccount, Config, Resource[Config] | None], None] = _no_rules
    """Checks the rules that come after the check that the name is free. Raises `APIError`."""
    beside: Callable[[Resource[Config]], Mapping[str, object]] = lambda _: {}
    """Returns the members that a resource has in addition to its id and configuration."""
    summary: Callable[[Resource[Config]], Mapping[str, object]] | None = None
    """Returns a resource as lists show it. Default: the whole resource, below its noun."""
    unique: Sequence[str] = ("Name",)
    """The members that must be unique."""
    taken: str = "The {member} {value!r} belongs to another resource: {id}."
    """The message for a taken `{member}`, with its `{value}` and the `{id}` of the other resource."""
    renews_users: bool = False
    """Whether an update changes the ETags of the users, which are distributions."""
    repeatable: bool = False
    """Whether repeating a create request returns the existing resource."""
    markers: bool = False
    """Whether lists have `Marker` and `IsTruncated`."""
    error_noun: str = ""
    """The noun in the error codes for a missing resource and a resource in use, if it differs."""
    managed: Mapping[str, Resource[Config]] = field(default_factory=dict)
    """Amazon's own resources, by id. Every account has them, and nobody can change them."""

    @property
    def member(self) -> str:
        """The member of requests and cache behaviors that has a resource's id: `CachePolicyId`."""
        return f"{self.noun}Id"

    def operations(self) -> Mapping[str, Operation]:
        """Return the family's operations, by name."""
        return {
            f"Create{self.noun}": self._create,
            f"Get{self.noun}": self._get,
            f"Get{self.noun}Config": self._get_config,
            f"List{self.plural}": self._list,
            f"Update{self.noun}": self._update,
            f"Delete{self.noun}": self._delete,
        }

    def find(self, account: LocalAccount, identifier: str) -> Resource[Config]:
        """Return the resource. Raise `APIError` `NoSuchKeyGroup` (or the family's code) if it does not exist."""
        if identifier in self.managed:
            return self.managed[identifier]
        return found(self.table(account.store), identifier, f"NoSuch{self.error_noun or self.noun}", self.title)

    def list_users(self, account: LocalAccount, request: UsersRequest) -> Mapping[str, object]:
        """ListDistributionsBy…: the ids of the distributions that use a resource."""
        resource = self.find(account, str(request.get(self.member)))
        users = self.users(account.store, resource.id)
        return {"DistributionIdList": page(users, request, lambda distribution: distribution.id)}

    def _create(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        table, config = self.table(account.store), self.accept(account, self._config(request), None)
        same = next((each for each in table if each.config == config), None) if self.repeatable else None
        return self._created(same or self._new(account, table, config))

    def _get(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        return self._output(self.find(account, request["Id"]))

    def _get_config(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        resource = self.find(account, request["Id"])
        return {f"{self.noun}Config": resource.config, "ETag": resource.etag}

    def _list(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        kind = request.get("Type")
        listed = [each for each in self._all(account) if kind in (None, self._type(each))]
        return {f"{self.noun}List": (page if self.markers else short_page)(listed, request, self._summary)}

    def _update(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        resource = self.find(account, request["Id"])
        if resource.id in self.managed:
            what = f"{resource.id} is a managed {self.title}"
            raise APIError("IllegalUpdate", f"The update contains modifications that are not allowed: {what}.")
        check_version(resource, request.get("IfMatch"))
        config = self.accept(account, self._config(request), resource)
        self._check(account, config, resource)
        changed = replace(resource, config=config, etag=new_etag(), modified=account.clock())
        self.table(account.store).put(changed)
        for user in self.users(account.store, changed.id) if self.renews_users else ():
            renew_version(account, user)
        return self._output(changed)

    def _delete(self, account: LocalAccount, request: FamilyRequest) -> Mapping[str, object]:
        resource = self.find(account, request["Id"])
        if resource.id in self.managed:
            raise APIError("IllegalDelete", f"You cannot delete a managed {self.title}: {resource.id}.")
        check_version(resource, request.get("IfMatch"))
        if users := [user.id for user in self.users(account.store, resource.id)]:
            code = f"{self.error_noun or self.noun}InUse"
            raise APIError(code, self.in_use.format(users=", ".join(users)))
        self.table(account.store).remove(resource.id)
        return {}

    def _new(self, account: LocalAccount, table: Table[Config], config: Config) -> Resource[Config]:
        self._check(account, config, None)
        if len(table) >= (quota := self.quota(account.quotas)):
            raise APIError(f"TooMany{self.plural}", self.too_many.format(quota=quota))
        now = account.clock()
        resource = Resource(self.new_id(), new_etag(), config, now, now)
        table.put(resource)
        return resource

    def _check(self, account: LocalAccount, config: Config, before: Resource[Config] | None) -> None:
        for other in self._all(account):
            for member in self.unique:
                if other.config[member] == config[member] and not (before and other.id == before.id):
                    why = self.taken.format(member=member, value=config[member], id=other.id)
                    raise APIError(f"{self.noun}AlreadyExists", why)
        self.check(account, config, before)

    def _config(self, request: FamilyRequest) -> Config:
        given: Config = request[f"{self.noun}Config"]  # type: ignore[literal-required]
        return given

    def _all(self, account: LocalAccount) -> list[Resource[Config]]:
        """Return every resource, including Amazon's own, sorted by id."""
        return sorted([*self.managed.values(), *self.table(account.store)], key=lambda resource: resource.id)

    def _type(self, resource: Resource[Config]) -> str:
        return "managed" if resource.id in self.managed else "custom"

    def _summary(self, resource: Resource[Config]) -> Mapping[str, object]:
        if self.summary:
            return self.summary(resource)
        kind = {"Type": self._type(resource)} if self.managed else {}
        return {**kind, self.noun: self._described(resource)}

    def _created(self, resource: Resource[Config]) -> Mapping[str, object]:
        return {**self._output(resource), "Location": location(f"{self.path}/{resource.id}")}

    def _output(self, resource: Resource[Config]) -> Mapping[str, object]:
        return {self.noun: self._described(resource), "ETag": resource.etag}

    def _described(self, resource: Resource[Config]) -> Mapping[str, object]:
        return {"Id": resource.id, **self.beside(resource), f"{self.noun}Config": resource.config}
