"""Intrinsic functions: what a value of a template means in one stack.

Source: Template Reference, "Intrinsic functions" and "Pseudo parameters". A function that is missing here fails the
stack by its name.
"""

import base64
import ipaddress
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyfront.local.cloudformation.faults import StackError

NO_VALUE: Final = object()
"""`AWS::NoValue`: the property is left out."""
_VARIABLE: Final = re.compile(r"\$\{(!?)([^}]+)\}")


@dataclass(frozen=True)
class Scope:
    """Everything that the functions of one stack can name."""

    pseudo: Mapping[str, Any]
    parameters: Mapping[str, Any]
    mappings: Mapping[str, Any]
    conditions: Mapping[str, Any]
    reference: Callable[[str], Any]
    """Returns a resource's `Ref` by its logical id. Raises `NotYetKnownError`."""
    attribute: Callable[[str, str], Any]
    """Returns an attribute of a resource. Raises `NotYetKnownError`."""
    exported: Callable[[str], Any]

    def holds(self, name: str) -> bool:
        """Return whether a condition of the template is true."""
        if name not in self.conditions:
            raise StackError(f"Template format error: Unresolved condition dependency {name}.")
        return _holds(self, self.conditions[name])


def resolve(scope: Scope, value: Any) -> Any:
    """Return a value without functions. Raises `NotYetKnownError` if it needs a resource that does not exist yet."""
    if isinstance(value, list):
        return [each for each in (resolve(scope, item) for item in value) if each is not NO_VALUE]
    if not isinstance(value, dict):
        return value
    if len(value) == 1:
        ((name, given),) = value.items()
        if name == "Ref":
            return _referred(scope, given)
        if name == "Condition" and isinstance(given, str) and given in scope.conditions:
            return scope.holds(given)
        if isinstance(name, str) and name.startswith("Fn::"):
            return _called(scope, name, given)
    found = {name: resolve(scope, item) for name, item in value.items()}
    return {name: item for name, item in found.items() if item is not NO_VALUE}


def _called(scope: Scope, name: str, given: Any) -> Any:
    if name not in _FUNCTIONS:
        raise StackError(f"Template format error: the function {name} is not supported at this endpoint.")
    try:
        return _FUNCTIONS[name](scope, given)
    except (IndexError, KeyError, TypeError, ValueError, AttributeError):
        raise StackError(
            f"Template error: every {name} object must have valid arguments, not {_short(given)}"
        ) from None


def _referred(scope: Scope, name: Any) -> Any:
    if name == "AWS::NoValue":
        return NO_VALUE
    for known in (scope.pseudo, scope.parameters):
        if name in known:
            return known[name]
    return scope.reference(str(name))


def _attribute(scope: Scope, given: Any) -> Any:
    parts = given.split(".", 1) if isinstance(given, str) else given
    name, attribute = parts
    return scope.attribute(str(name), str(resolve(scope, attribute)))


def _sub(scope: Scope, given: Any) -> str:
    text, own = (given[0], resolve(scope, given[1])) if isinstance(given, list) else (given, {})

    def put(found: re.Match[str]) -> str:
        literal, name = found.group(1), found.group(2).strip()
        if literal:
            return f"${{{found.group(2)}}}"
        if name in own:
            return _as_text(own[name])
        if "." in name:
            return _as_text(_attribute(scope, name))
        return _as_text(_referred(scope, name))

    return _VARIABLE.sub(put, text)


def _join(scope: Scope, given: Any) -> str:
    separator, items = given
    listed = resolve(scope, items)
    if not isinstance(listed, list):
        raise TypeError
    return str(separator).join(_as_text(each) for each in listed)


def _select(scope: Scope, given: Any) -> Any:
    index, items = resolve(scope, given[0]), resolve(scope, given[1])
    if not isinstance(items, list) or not 0 <= int(index) < len(items):
        raise StackError(f"Template error: Fn::Select cannot select nonexistent value at index {index}")
    return items[int(index)]


def _split(scope: Scope, given: Any) -> list[str]:
    separator, text = given
    return str(resolve(scope, text)).split(str(separator))


def _if(scope: Scope, given: Any) -> Any:
    condition, then, otherwise = given
    return resolve(scope, then if scope.holds(condition) else otherwise)


def _find_in_map(scope: Scope, given: Any) -> Any:
    name, first, second = (resolve(scope, each) for each in given[:3])
    try:
        return resolve(scope, scope.mappings[name][first][second])
    except (KeyError, TypeError):
        if len(given) > 3 and "DefaultValue" in given[3]:
            return resolve(scope, given[3]["DefaultValue"])
        raise StackError(
            f"Template error: Unable to get mapping for {name}::{first}::{second}",
        ) from None


def _zones(scope: Scope, given: Any) -> list[str]:
    region = resolve(scope, given) or scope.pseudo["AWS::Region"]
    return [f"{region}{letter}" for letter in "abc"]


def _cidr(scope: Scope, given: Any) -> list[str]:
    block, count, *bits = resolve(scope, given)
    network = ipaddress.ip_network(str(block))
    prefix = network.max_prefixlen - int(bits[0] if bits else 8)
    return [str(subnet) for subnet, _ in zip(network.subnets(new_prefix=prefix), range(int(count)), strict=False)]


def _holds(scope: Scope, value: Any) -> bool:
    found = resolve(scope, value)
    return found if isinstance(found, bool) else str(found).lower() == "true"


def _contains(scope: Scope, given: Any) -> bool:
    items, wanted = resolve(scope, given)
    return wanted in items


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if value is NO_VALUE or isinstance(value, dict):
        raise TypeError
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


def _equals(scope: Scope, given: Any) -> bool:
    first, second = (resolve(scope, each) for each in given)
    simple = all(isinstance(each, str | int | float | bool) for each in (first, second))
    return _as_text(first) == _as_text(second) if simple else bool(first == second)


def _short(value: Any) -> str:
    return json.dumps(value, default=str)[:200]


_FUNCTIONS: Final[Mapping[str, Callable[[Scope, Any], Any]]] = {
    "Fn::And": lambda scope, given: all(_holds(scope, each) for each in given),
    "Fn::Base64": lambda scope, given: base64.b64encode(str(resolve(scope, given)).encode()).decode(),
    "Fn::Cidr": _cidr,
    "Fn::Contains": _contains,
    "Fn::EachMemberEquals": lambda scope, given: all(
        each == resolve(scope, given[1]) for each in resolve(scope, given[0])
    ),
    "Fn::EachMemberIn": lambda scope, given: set(resolve(scope, given[0])) <= set(resolve(scope, given[1])),
    "Fn::Equals": _equals,
    "Fn::FindInMap": _find_in_map,
    "Fn::GetAZs": _zones,
    "Fn::GetAtt": _attribute,
    "Fn::If": _if,
    "Fn::ImportValue": lambda scope, given: scope.exported(str(resolve(scope, given))),
    "Fn::Join": _join,
    "Fn::Length": lambda scope, given: len(resolve(scope, given)),
    "Fn::Not": lambda scope, given: not _holds(scope, given[0]),
    "Fn::Or": lambda scope, given: any(_holds(scope, each) for each in given),
    "Fn::Select": _select,
    "Fn::Split": _split,
    "Fn::Sub": _sub,
    "Fn::ToJsonString": lambda scope, given: json.dumps(resolve(scope, given), separators=(",", ":")),
}
