"""What a plan would change in a stack, before anything is changed: the content of a change set."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from keyfront.local.cloudformation import schemas
from keyfront.local.cloudformation.faults import NotYetKnownError, StackError
from keyfront.local.cloudformation.intrinsics import NO_VALUE, Scope, resolve
from keyfront.local.cloudformation.kinds.custom_resources import is_custom
from keyfront.local.cloudformation.scopes import scope, wanted
from keyfront.local.cloudformation.stack import Change, Member, Plan, Stack, Stacks
from keyfront.local.cloudformation.template import Resource

_UNKNOWN = object()


def changes(stacks: Stacks, stack: Stack, plan: Plan, url: str) -> list[Change]:
    """Return the changes of resources. Raises `StackError` if the type of a resource changes."""
    unknown: set[str] = set()
    known = scope(stacks, stack, plan, url, unknown)
    names = wanted(plan, known)
    found: list[Change] = []
    for name in names:
        resource, member = plan.template.resources[name], stack.members.get(name)
        if member is None or member.made is None:
            unknown.add(name)
            found.append(Change("Add", name, resource.kind))
        else:
            check_type(member, resource)
            found += _changed(known, unknown, resource, member)
    gone = [member for name, member in stack.members.items() if name not in names and member.made]
    found += [Change("Remove", each.logical_id, each.kind, each.made.physical_id) for each in gone if each.made]
    return found


def differs(stacks: Stacks, stack: Stack, plan: Plan, url: str) -> bool:
    """Return whether a plan changes anything: a resource, an output, a tag or a policy."""
    before = stack.plan
    if before is None or changes(stacks, stack, plan, url):
        return True
    documents = [{**each.template.document, "Metadata": None, "Description": None} for each in (before, plan)]
    policies = [
        {name: (each.deletion_policy, each.replace_policy) for name, each in one.template.resources.items()}
        for one in (before, plan)
    ]
    same_outputs = documents[0].get("Outputs") == documents[1].get("Outputs")
    return not same_outputs or policies[0] != policies[1] or before.tags != plan.tags or before.values != plan.values


def replaced_by(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """Return the changed properties that mean a new resource."""
    if is_custom(kind):
        return []
    schema = schemas.find(kind)
    paths = schema.create_only if schema else ()
    return [path[0] for path in paths if _at(before, path) != _at(after, path)]


def check_type(member: Member, resource: Resource) -> None:
    """Refuse another type for a logical id."""
    if member.kind != resource.kind:
        raise StackError(
            "Update of resource type is not permitted. The new template modifies resource type of the following "
            f"resources: [{resource.logical_id}]"
        )


def _changed(known: Scope, unknown: set[str], resource: Resource, member: Member) -> Iterator[Change]:
    after = {name: _value(known, value) for name, value in resource.properties.items()}
    plain = {name: value for name, value in after.items() if value is not NO_VALUE}
    names = [
        name
        for name in {**member.properties, **plain}
        if plain.get(name) is _UNKNOWN or member.properties.get(name) != plain.get(name)
    ]
    if not names:
        return
    replacing = replaced_by(resource.kind, member.properties, plain)
    if replacing:
        unknown.add(resource.logical_id)
    sure = all(plain.get(name) is not _UNKNOWN for name in replacing)
    replacement = ("True" if sure else "Conditional") if replacing else "False"
    assert member.made is not None
    where = (resource.logical_id, resource.kind, member.made.physical_id)
    yield Change("Modify", *where, replacement=replacement, properties=tuple(names))


def _value(known: Scope, value: Any) -> Any:
    try:
        return resolve(known, value)
    except NotYetKnownError:
        return _UNKNOWN


def _at(value: Any, path: Sequence[str]) -> Any:
    for part in path:
        if not isinstance(value, Mapping):
            return value if value is _UNKNOWN else None
        value = value.get(part)
    return value
