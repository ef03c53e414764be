"""The service model's rules for every input: required members, value sets, lengths, patterns, quantities.

These rules hold for every operation. The rules of one kind of resource are in that resource's module.
"""

import re
from collections.abc import Iterator, Mapping
from functools import cache

from botocore.model import ListShape, Shape, StructureShape

from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.reading import Value, item_of, path_to

_EMPTY_IS_ABSENT = frozenset({"OriginShieldRegion"})
"""Shapes for which an empty text means no value. Assumed: the AWS provider for Terraform sends one as the region of a
disabled Origin Shield, and CloudFront accepts it. The API model alone would refuse it."""

_SHOWN = 10
"""How many violations a message shows. An input can have thousands."""


def validate(shape: StructureShape, given: Mapping[str, Value]) -> None:
    """Check an operation's whole input against its shape.

    Raises `APIError`: `InvalidArgument` for a member in the path, the query or a header; `MalformedXML` for one in the
    body, with AWS's message; `InconsistentQuantities` if `Quantity` and `Items` differ.
    """
    problems: dict[str, list[str]] = {"InvalidArgument": [], "MalformedXML": []}
    for name, member in shape.members.items():
        code = "InvalidArgument" if "location" in member.serialization else "MalformedXML"
        required = name in shape.required_members
        problems[code] += _member(member, given.get(name), path_to("", name), required=required)
    for code, found in problems.items():
        if found:
            plural = "" if len(found) == 1 else "s"
            rest = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
            raise APIError(code, f"{len(found)} validation error{plural} detected: {'; '.join(found[:_SHOWN])}{rest}")
    if mismatch := next(_mismatches(dict(given), ""), None):
        raise APIError("InconsistentQuantities", mismatch)


def _member(shape: Shape, value: Value | None, path: str, *, required: bool) -> Iterator[str]:
    if value is None or (value == "" and shape.name in _EMPTY_IS_ABSENT):
        if required:
            yield f"Value null at '{path}' failed to satisfy constraint: Member must not be null"
        return
    shown = "" if isinstance(value, dict | list) or shape.metadata.get("sensitive") else f" '{str(value)[:100]}'"
    for constraint in _violated(shape, value):
        yield f"Value{shown} at '{path}' failed to satisfy constraint: Member must {constraint}"
    if isinstance(shape, StructureShape) and isinstance(value, dict):
        for name, member in shape.members.items():
            named = name in shape.required_members
            yield from _member(member, value.get(name), path_to(path, name), required=named)
    elif isinstance(shape, ListShape) and isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from _member(shape.member, item, item_of(path, index), required=True)


def _violated(shape: Shape, value: Value) -> Iterator[str]:
    limits, size = shape.metadata, _size(value)
    measure = "value" if isinstance(value, int | float) else "length"
    if size is not None and "min" in limits and size < limits["min"]:
        yield f"have {measure} greater than or equal to {limits['min']}"
    if size is not None and "max" in limits and size > limits["max"]:
        yield f"have {measure} less than or equal to {limits['max']}"
    if "enum" in limits and value not in limits["enum"]:
        yield f"satisfy enum value set: [{', '.join(limits['enum'])}]"
    if isinstance(value, str) and "pattern" in limits and not _matches(limits["pattern"], value):
        yield f"satisfy regular expression pattern: {limits['pattern']}"


def _size(value: Value) -> float | None:
    """Return the value that `min` and `max` limit: a number, or the length of a text or a list."""
    if isinstance(value, str | bytes | list):
        return len(value)
    return value if isinstance(value, int | float) else None


def _matches(pattern: str, value: str) -> bool:
    compiled = _compiled(pattern)
    return compiled is None or compiled.fullmatch(value) is not None


@cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    """Return the pattern. None if `re` does not support it (`\\p{L}` in tags, which `tags` checks)."""
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _mismatches(value: Value, path: str) -> Iterator[str]:
    """Yield a message for every structure in which `Quantity` and `Items` differ."""
    if isinstance(value, dict):
        quantity, items = value.get("Quantity"), value.get("Items", [])
        if isinstance(quantity, int) and isinstance(items, list) and quantity != len(items):
            yield f"The value of Quantity ({quantity}) and the size of Items ({len(items)}) don't match in '{path}'."
        for name, member in value.items():
            yield from _mismatches(member, path_to(path, name))
    elif isinstance(value, list):
        for index, item in enumerate(value, 1):
            yield from _mismatches(item, item_of(path, index))
