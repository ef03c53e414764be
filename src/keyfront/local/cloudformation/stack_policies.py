"""Stack policies: which resources an update may change, replace or delete.

Source: CloudFormation User Guide, "Prevent updates to stack resources". The texts of errors are the service's.
"""

import json
from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import Any, Final

from keyfront.local.cloudformation.faults import StackError

_LARGEST: Final = 16_384
_ACTIONS: Final = frozenset({"Update:*", "Update:Modify", "Update:Replace", "Update:Delete"})
_START: Final = "LogicalResourceId/"
_TYPE: Final = "ResourceType"
_MEMBERS: Final = frozenset(
    {"Action", "Condition", "Effect", "NotAction", "NotResource", "Principal", "Resource", "Sid"}
)


def check(text: str, names: Collection[str]) -> None:
    """Raise `StackError` unless a text is a policy for the resources with these logical ids."""
    if not 1 <= len(text.encode()) <= _LARGEST:
        raise StackError(
            "1 validation error detected: Value at 'stackPolicyBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {_LARGEST}"
        )
    try:
        statements = list(_statements(text))
        valid = all(_is_valid(each) for each in statements)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        valid = False
    if not valid:
        raise StackError("Error validating stack policy: Invalid stack policy")
    for statement in statements:
        for resource in _listed(statement, "Resource") + _listed(statement, "NotResource"):
            name = resource.removeprefix(_START)
            if resource != "*" and not any(sign in name for sign in "*?") and name not in names:
                raise StackError(
                    f"Error validating stack policy: Unknown logical id '{resource}' in statement {{}} - stack "
                    "policies can only be applied to logical ids referenced in the template"
                )


def refusal(text: str | None, action: str, logical_id: str, kind: str) -> str | None:
    """Return why a policy does not allow an action such as `Update:Replace`, or `None` if it does."""
    if text is None:
        return None
    resource, allowed = f"{_START}{logical_id}", False
    for number, statement in enumerate(_statements(text), start=1):
        if not _applies(statement, action, resource, kind):
            continue
        if statement["Effect"] == "Deny":
            said = f"Statement [#{number}] does not allow [{action}] for resource [{resource}]"
            return f"Action denied by stack policy: {said}"
        allowed = True
    return (
        None if allowed else f"Action denied by stack policy: No statement allows [{action}] for resource [{resource}]"
    )


def _applies(statement: Mapping[str, Any], action: str, resource: str, kind: str) -> bool:
    return (
        _names(statement, "Action", action)
        and _names(statement, "Resource", resource)
        and all(
            any(_matches(pattern, kind) for pattern in _listed(values, _TYPE))
            for values in (statement.get("Condition") or {}).values()
        )
    )


def _names(statement: Mapping[str, Any], member: str, value: str) -> bool:
    if f"Not{member}" in statement:
        return not any(_matches(each, value) for each in _listed(statement, f"Not{member}"))
    return any(_matches(each, value) for each in _listed(statement, member))


def _matches(pattern: str, value: str) -> bool:
    # A bracket means itself here.
    return fnmatchcase(value, pattern.replace("[", "[[]"))


def _is_valid(statement: Mapping[str, Any]) -> bool:
    actions = _listed(statement, "Action") + _listed(statement, "NotAction")
    resources = _listed(statement, "Resource") + _listed(statement, "NotResource")
    conditions = statement.get("Condition") or {}
    return (
        statement.keys() <= _MEMBERS
        and statement["Effect"] in ("Allow", "Deny")
        and statement["Principal"] == "*"
        and bool(actions)
        and _ACTIONS.issuperset(actions)
        and bool(resources)
        and all(each == "*" or each.startswith(_START) for each in resources)
        and all(test in ("StringEquals", "StringLike") and set(each) == {_TYPE} for test, each in conditions.items())
    )


def _statements(text: str) -> Iterator[Mapping[str, Any]]:
    found = json.loads(text)["Statement"]
    yield from found if isinstance(found, list) else [found]


def _listed(holder: Mapping[str, Any], member: str) -> list[str]:
    found = holder.get(member) or []
    return [str(each) for each in (found if isinstance(found, list) else [found])]
