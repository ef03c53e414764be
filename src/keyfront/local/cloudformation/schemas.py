"""Amazon's schemas of resource types, as cfn-lint ships them: properties, required ones, and those that replace.

Source: CloudFormation CLI User Guide, "Resource type schema".
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

_REGION: Final = "us-east-1"
_PREFIX: Final = "/properties/"


@dataclass(frozen=True)
class Schema:
    """The schema of a resource type."""

    document: Mapping[str, Any]

    @property
    def create_only(self) -> tuple[tuple[str, ...], ...]:
        """The paths of properties that cannot change. A new value means a new resource."""
        return tuple(_path(each) for each in self.document.get("createOnlyProperties", []))

    @property
    def read_only(self) -> frozenset[str]:
        """The names for `Fn::GetAtt`, with dots."""
        return frozenset(".".join(_path(each)) for each in self.document.get("readOnlyProperties", []))

    @property
    def write_only(self) -> frozenset[str]:
        """The properties that no API returns."""
        return frozenset(
            path[0] for each in self.document.get("writeOnlyProperties", []) if len(path := _path(each)) == 1
        )

    def problems(self, properties: Mapping[str, Any]) -> list[str]:
        """Return what is wrong with a resource's properties, in CloudFormation's words."""
        return list(_problems(self.document, self.document, properties, "#"))


@cache
def find(kind: str) -> Schema | None:
    """Return the schema of a resource type, or `None` if Amazon does not have the type."""
    folder = _folder()
    name = _names().get(kind)
    if name is None:
        return None
    return Schema(json.loads((folder / "resources" / f"{name}.json").read_text()))


@cache
def _names() -> Mapping[str, str]:
    found: Mapping[str, str] = json.loads((_folder() / "providers" / f"{_REGION}.json").read_text())
    return found


def _folder() -> Path:
    # Importing the package takes a second of CPU time, and only its files are needed.
    spec = find_spec("cfnlint")
    assert spec is not None
    return Path(next(iter(spec.submodule_search_locations or []))) / "data" / "schemas"


def _path(pointer: str) -> tuple[str, ...]:
    return tuple(pointer.removeprefix(_PREFIX).split("/"))


def _problems(root: Mapping[str, Any], schema: Mapping[str, Any], value: Any, where: str) -> Iterator[str]:
    schema = _followed(root, schema)
    if isinstance(value, Mapping):
        yield from _object_problems(root, schema, value, where)
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from _problems(root, schema.get("items", {}), item, f"{where}/{number}")
    elif schema.get("type") in ("object", "array") and schema.get("properties"):
        yield f"{where}: expected type: {_named(schema['type'])}, found: String"
    elif "enum" in schema and value not in schema["enum"] and str(value) not in map(str, schema["enum"]):
        yield f"{where}: {value} is not a valid enum value"


def _object_problems(
    root: Mapping[str, Any], schema: Mapping[str, Any], value: Mapping[str, Any], where: str
) -> Iterator[str]:
    known = schema.get("properties", {})
    for name in schema.get("required", []):
        if name not in value:
            yield f"{where}: required key [{name}] not found"
    for name, item in value.items():
        if name in known:
            yield from _problems(root, known[name], item, f"{where}/{name}")
        elif schema.get("additionalProperties") is False and not schema.get("patternProperties"):
            yield f"{where}: extraneous key [{name}] is not permitted"


def _followed(root: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    while "$ref" in schema:
        found: Any = root
        for part in schema["$ref"].removeprefix("#/").split("/"):
            found = found[part]
        schema = found
    return schema


def _named(kind: str) -> str:
    return {"object": "JSONObject", "array": "JSONArray"}[kind]
