"""A resource type: how a resource of it is created, changed and deleted, by calls of the endpoint's own services."""

import secrets
import string
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Final, Protocol, cast

import jmespath
from botocore import xform_name
from botocore.config import Config

from keyfront.local.clients import session
from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.stack import Made

_LETTERS: Final = string.ascii_uppercase + string.digits
_SUFFIX: Final = 12


@dataclass(frozen=True)
class Task:
    """One resource of one stack, and what to make of it."""

    stack_id: str
    stack_name: str
    account: str
    region: str
    logical_id: str
    kind: str
    properties: Mapping[str, Any]
    """Without functions."""
    url: str
    """The address of the endpoint."""
    tags: Mapping[str, str] = field(default_factory=dict)
    """The stack's tags."""

    def client(self, service: str) -> Any:
        """Return a boto3 client for a service of this endpoint."""
        return _client(service, self.region, self.url)

    def call(self, service: str, operation: str, given: Mapping[str, Any]) -> Any:
        """Call an operation by its name, such as `CreateKey`."""
        return getattr(self.client(service), xform_name(operation))(**given)

    def new_name(self, longest: int = 64, *, lower: bool = False) -> str:
        """Return a name as CloudFormation makes it: the stack, the logical id, and twelve random characters."""
        suffix = "".join(secrets.choice(_LETTERS) for _ in range(_SUFFIX))
        spare = longest - _SUFFIX - 2
        stack = self.stack_name[: max(spare - len(self.logical_id), spare // 2)]
        name = f"{stack}-{self.logical_id[: spare - len(stack)]}-{suffix}"
        return name.lower() if lower else name


class Kind(Protocol):
    """A resource type. Each call raises `ResourceError`, or an error of boto3."""

    def create(self, task: Task) -> Made:
        """Create a resource."""
        ...

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the resource `made`, which has the properties `before`."""
        ...

    def delete(self, task: Task, made: Made) -> None:
        """Delete the resource `made`. One that is already deleted is not an error."""
        ...


@contextmanager
def deleted_on_failure(kind: Kind, task: Task, made: Made) -> Iterator[None]:
    """Delete `made` again if the block, which sets it up, raises."""
    try:
        yield
    except Exception:
        kind.delete(task, made)
        raise


Prepare = Callable[[Task, dict[str, Any]], dict[str, Any]]
After = Callable[[Task, Made, Mapping[str, Any]], None]


@dataclass(frozen=True)
class Described:
    """A resource type with one operation for each step, whose input has the template's names.

    Expressions are JMESPath. Those for `physical` and `attributes` see `In` and `Out` of the last call. Those for
    `identity` see the properties, and `Id` for the physical id.
    """

    service: str
    create_operation: str
    delete_operation: str
    physical: str
    identity: Mapping[str, str]
    """The parameters that name the resource in the calls to change and delete it."""
    update_operations: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    named: str = ""
    """The property that gets a made-up name if the template does not have it."""
    longest: int = 64
    prepare: Prepare = lambda _, properties: properties
    """Returns the properties with the names of the API."""
    after: After = lambda *_: None
    """Makes the settings that have operations of their own. It is called after a creation and a change."""
    apart: frozenset[str] = frozenset()
    """The properties that `after` sets, or that mean nothing here."""

    def create(self, task: Task) -> Made:
        """Create a resource."""
        properties = dict(task.properties)
        if self.named and self.named not in properties:
            properties[self.named] = task.new_name(self.longest)
        properties = self.prepare(task, properties)
        given = self._accepted(task, self.create_operation, properties)
        if left := properties.keys() - self.apart - {name for name in properties if _has(given, name)}:
            raise ValueError(f"the property {min(left)} is not supported at this endpoint")
        seen = {"In": given, "Out": task.call(self.service, self.create_operation, given)}
        made = Made(str(jmespath.search(self.physical, seen)), self._attributes(seen))
        self.after(task, made, {})
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change a resource."""
        properties = self.prepare(task, {**task.properties, **self._name(made)})
        attributes = dict(made.attributes)
        for operation in self.update_operations:
            given = {**self._accepted(task, operation, properties), **self._identity(task, made)}
            seen = {"In": given, "Out": task.call(self.service, operation, given)}
            attributes |= self._attributes(seen)
        changed = Made(made.physical_id, attributes)
        self.after(task, changed, before)
        return changed

    def delete(self, task: Task, made: Made) -> None:
        """Delete a resource."""
        task.call(self.service, self.delete_operation, self._identity(task, made))

    def _name(self, made: Made) -> dict[str, str]:
        return {self.named: made.physical_id} if self.named and ":" not in made.physical_id else {}

    def _accepted(self, task: Task, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
        return api_input.accepted(task.client(self.service).meta.service_model.operation_model(operation), properties)

    def _attributes(self, seen: Mapping[str, Any]) -> dict[str, Any]:
        found = {name: jmespath.search(expression, seen) for name, expression in self.attributes.items()}
        return {name: value for name, value in found.items() if value is not None}

    def _identity(self, task: Task, made: Made) -> dict[str, Any]:
        seen = {**task.properties, **made.attributes, "Id": made.physical_id}
        found = {name: jmespath.search(expression, seen) for name, expression in self.identity.items()}
        return {name: value for name, value in found.items() if value is not None}


@dataclass(frozen=True)
class Nothing:
    """A resource type that makes nothing, as on Amazon."""

    def create(self, task: Task) -> Made:
        """Return a made-up id."""
        return Made(task.new_name())

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change nothing."""
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete nothing."""


def tag_list(properties: Mapping[str, Any], stack: Mapping[str, str]) -> list[dict[str, str]]:
    """Return the tags of a resource, with those of its stack."""
    own = properties.get("Tags") or []
    pairs = own.items() if isinstance(own, dict) else ((each["Key"], each["Value"]) for each in own)
    return [{"Key": key, "Value": str(value)} for key, value in {**stack, **dict(pairs)}.items()]


def _has(given: Mapping[str, Any], name: str) -> bool:
    return any(each.lower() == name.lower() for each in given)


@lru_cache(64)
def _client(service: str, region: str, url: str) -> Any:
    config = Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}, read_timeout=300)
    return cast("Any", session(region)).client(service, endpoint_url=url, config=config)
