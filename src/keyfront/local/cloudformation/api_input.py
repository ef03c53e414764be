"""Turns the properties of a template into the input of an API operation, as botocore's model describes it.

Templates and APIs differ in a few ways, and always in the same ones: lists with a `Quantity`, the case of letters,
JSON documents as text, tags as a list or a mapping, and numbers as text.
"""

import json
from collections.abc import Mapping
from typing import Any, Final

from botocore.model import ListShape, MapShape, OperationModel, Shape, StructureShape

_PORTS: Final = {"HTTPPort": 80, "HTTPSPort": 443}
"""Defaults of templates that are not empty. Source: Template Reference, "CustomOriginConfig"."""
_TAGS: Final = (("Key", "Value"), ("key", "value"), ("TagKey", "TagValue"))


def accepted(operation: OperationModel, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of `operation`, from the properties that it accepts. Others are left out."""
    shape = operation.input_shape
    assert shape is not None
    names = {name: _member(shape, name) for name in properties}
    return {
        member: convert(shape.members[member], properties[name]) for name, member in names.items() if member is not None
    }


def convert(shape: Shape, value: Any) -> Any:
    """Return a template's value as the API takes it. Raises `ValueError` for a value of another type."""
    if isinstance(shape, StructureShape):
        return _structure(shape, value)
    if isinstance(shape, ListShape):
        return [_item(shape.member, each) for each in (value if isinstance(value, list) else [value])]
    if isinstance(shape, MapShape):
        return {name: convert(shape.value, each) for name, each in _pairs(value)}
    return _scalar(shape.type_name, value)


def _structure(shape: StructureShape, value: Any) -> dict[str, Any]:
    if "Quantity" in shape.members and isinstance(value, list):
        value = {"Items": value}
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not an object")
    found: dict[str, Any] = {}
    for name, each in value.items():
        member = _member(shape, name)
        if member is None:
            raise ValueError(f"the property {name} is not supported at this endpoint")
        found[member] = convert(shape.members[member], each)
    if "Quantity" in shape.members:
        found["Quantity"] = len(found.get("Items", []))
        if "Enabled" in shape.required_members:
            found.setdefault("Enabled", bool(found["Quantity"]))
    for member in shape.required_members:
        if member not in found:
            found[member] = _PORTS.get(member, _empty(shape.members[member]))
    return found


def _item(shape: Shape, value: Any) -> Any:
    """Return an item of a list. A tag's members have other names in some APIs."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping) and set(value) == {"Key", "Value"}:
        names = next((names for names in _TAGS if set(names) == set(shape.members)), None)
        if names is not None:
            return {names[0]: str(value["Key"]), names[1]: _text(value["Value"])}
    return convert(shape, value)


def _empty(shape: Shape) -> Any:
    if isinstance(shape, StructureShape):
        return _structure(shape, {})
    if isinstance(shape, ListShape):
        return []
    if isinstance(shape, MapShape):
        return {}
    return {"boolean": False, "integer": 0, "long": 0, "float": 0.0, "double": 0.0}.get(shape.type_name, "")


def _member(shape: StructureShape, name: str) -> str | None:
    members: Mapping[str, Shape] = shape.members
    if name in members:
        return name
    return next((each for each in members if each.lower() == name.lower()), None)


def _pairs(value: Any) -> list[tuple[str, Any]]:
    if isinstance(value, list):
        return [(each["Key"], each["Value"]) for each in value]
    if not isinstance(value, Mapping):
        raise ValueError(f"{value!r} is not an object")
    return list(value.items())


def _scalar(kind: str, value: Any) -> Any:
    if kind in ("integer", "long"):
        return int(value)
    if kind in ("float", "double"):
        return float(value)
    if kind == "boolean":
        return value if isinstance(value, bool) else _text(value).lower() == "true"
    if kind == "blob":
        return value if isinstance(value, bytes) else _text(value).encode()
    return _text(value) if kind in ("string", "character") else value


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value if isinstance(value, str) else json.dumps(value) if isinstance(value, dict | list) else str(value)
