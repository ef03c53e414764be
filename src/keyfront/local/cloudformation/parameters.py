"""The parameters of a stack: their values, checked against the template, and its rules."""

import re
from collections.abc import Callable, Mapping
from typing import Any, Final

from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.template import Template

HIDDEN: Final = "****"
"""The value of a parameter with `NoEcho` in every response."""
_SSM: Final = "AWS::SSM::Parameter::Value<"
_LISTS: Final = ("CommaDelimitedList", "List<")


def values(
    template: Template, given: Mapping[str, str], previous: Mapping[str, str], keep: frozenset[str]
) -> dict[str, str]:
    """Return the values as text. `keep` names the parameters that use their previous value."""
    declared = template.section("Parameters")
    if extra := sorted(given.keys() - declared.keys()):
        raise StackError(f"Parameters: [{', '.join(extra)}] do not exist in the template")
    found: dict[str, str] = {}
    missing: list[str] = []
    for name, described in declared.items():
        if name in given:
            found[name] = given[name]
        elif name in keep and name in previous:
            found[name] = previous[name]
        elif "Default" in described:
            default = described["Default"]
            found[name] = str(default).lower() if isinstance(default, bool) else str(default)
        else:
            missing.append(name)
    if missing:
        raise StackError(f"Parameters: [{', '.join(missing)}] must have values")
    for name, value in found.items():
        _check(name, value, declared[name])
    return found


def shown(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    """Return the values as responses have them."""
    declared = template.section("Parameters")
    return {name: HIDDEN if _is_hidden(declared.get(name, {})) else value for name, value in given.items()}


def hidden(template: Template, given: Mapping[str, str]) -> list[str]:
    """Return the values that no response may have, the longest first."""
    declared = template.section("Parameters")
    found = [value for name, value in given.items() if value and _is_hidden(declared.get(name, {}))]
    return sorted(found, key=len, reverse=True)


def used(template: Template, given: Mapping[str, str], from_ssm: Callable[[str], str]) -> dict[str, Any]:
    """Return the values as functions of the template see them: lists as lists, SSM parameters with their values."""
    found: dict[str, Any] = {}
    for name, value in given.items():
        kind = str(template.section("Parameters").get(name, {}).get("Type", "String"))
        if kind.startswith(_SSM):
            value, kind = from_ssm(value), kind.removeprefix(_SSM).removesuffix(">")
        found[name] = [each.strip() for each in value.split(",")] if kind.startswith(_LISTS) else value
    return found


def _is_hidden(described: Mapping[str, Any]) -> bool:
    return str(described.get("NoEcho", False)).lower() == "true"


def _check(name: str, value: str, described: Mapping[str, Any]) -> None:
    kind = described.get("Type", "String")
    told = HIDDEN if _is_hidden(described) else value
    if kind == "Number" and not re.fullmatch(r"[+-]?(\d+(\.\d*)?|\.\d+)", value):
        raise StackError(f"Parameter '{name}' must be a number.")
    said = described.get("ConstraintDescription")

    def refuse(reason: str) -> StackError:
        return StackError(f"Parameter {name} failed to satisfy constraint: {said or reason}")

    allowed = described.get("AllowedValues")
    if allowed is not None and any(each not in map(str, allowed) for each in _items(kind, value)):
        raise StackError(
            f"Parameter '{name}' must be one of AllowedValues" + (f": {said}" if said else f", not {told}")
        )
    if (pattern := described.get("AllowedPattern")) and not re.fullmatch(str(pattern), value):
        raise refuse(f"must match pattern {pattern}")
    if "MinLength" in described and len(value) < int(described["MinLength"]):
        raise refuse(f"must have at least {described['MinLength']} characters")
    if "MaxLength" in described and len(value) > int(described["MaxLength"]):
        raise refuse(f"must have at most {described['MaxLength']} characters")
    if "MinValue" in described and float(value) < float(described["MinValue"]):
        raise refuse(f"must be at least {described['MinValue']}")
    if "MaxValue" in described and float(value) > float(described["MaxValue"]):
        raise refuse(f"must be at most {described['MaxValue']}")


def _items(kind: str, value: str) -> list[str]:
    return [each.strip() for each in value.split(",")] if kind.startswith(_LISTS) else [value]
