"""Compares the properties of a template with those of a resource.

Only what the template sets is compared. Source: CloudFormation User Guide, "Detect unmanaged configuration changes to
stacks and resources with drift detection".
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

_OLD_NAMES: Final = {"CustomHeaders": "OriginCustomHeaders", "IsIPV6Enabled": "IPV6Enabled"}
"""CloudFront's names in the API, and those of templates."""
_LISTS: Final = frozenset({"Enabled", "Items", "Quantity"})
_DYNAMIC: Final = "{{resolve:"


@dataclass(frozen=True)
class Difference:
    """A property that is not as the template has it."""

    path: str
    expected: Any
    actual: Any
    kind: str
    """`ADD`, `REMOVE` or `NOT_EQUAL`."""


def differences(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> list[Difference]:
    """Return the differences of two sets of properties, by their paths."""
    return list(_compare(plain(expected), plain(actual), ""))


def plain(value: Any) -> Any:
    """Return a value in the form that templates and APIs share: lists without a quantity, documents as objects."""
    if isinstance(value, Mapping):
        if "Items" in value and value.keys() <= _LISTS:
            return plain(value["Items"])
        if "Quantity" in value and value.keys() <= _LISTS:
            return []
        found = {_OLD_NAMES.get(name, name): each for name, each in value.items() if name != "Quantity"}
        if "RestrictionType" in found and "Items" in found:
            found["Locations"] = found.pop("Items")
        methods = found.get("AllowedMethods")
        if isinstance(methods, Mapping) and "CachedMethods" in methods:
            found |= {"AllowedMethods": methods.get("Items", []), "CachedMethods": methods["CachedMethods"]}
        return {name: plain(each) for name, each in found.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    if isinstance(value, str) and value.lstrip().startswith("{") and _DYNAMIC not in value:
        try:
            return plain(json.loads(value))
        except ValueError:
            return value
    return value


def _compare(expected: Any, actual: Any, path: str) -> Iterator[Difference]:
    if isinstance(expected, str) and _DYNAMIC in expected:
        # The value is not part of the stack, and must not be shown.
        return
    if isinstance(expected, Mapping) and isinstance(actual, Mapping):
        names = {str(name).lower(): name for name in actual}
        for name, value in expected.items():
            other = actual.get(names.get(str(name).lower(), name))
            yield from _compare(value, other, f"{path}/{name}")
    elif isinstance(expected, list) and isinstance(actual, list):
        yield from _compare_lists(expected, actual, path)
    elif actual is None:
        if expected not in (None, "", [], {}) and _text(expected) != "false":
            yield Difference(path, expected, None, "REMOVE")
    elif _text(expected) != _text(actual):
        yield Difference(path, expected, actual, "NOT_EQUAL")


def _compare_lists(expected: Sequence[Any], actual: Sequence[Any], path: str) -> Iterator[Difference]:
    """Compare lists of which the order does not matter, item by item."""
    left = list(enumerate(actual))
    missing: list[tuple[int, Any]] = []
    for number, item in enumerate(expected):
        same = next((each for each in left if not any(_compare(item, each[1], ""))), None)
        if same is None:
            missing.append((number, item))
        else:
            left.remove(same)
    for (number, item), (_, other) in zip(missing, left, strict=False):
        yield from _compare(item, other, f"{path}/{number}")
    for number, item in missing[len(left) :]:
        yield Difference(f"{path}/{number}", item, None, "REMOVE")
    for number, item in left[len(missing) :]:
        yield Difference(f"{path}/{number}", None, item, "ADD")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.strip() if isinstance(value, str) else json.dumps(value, sort_keys=True, default=str)
