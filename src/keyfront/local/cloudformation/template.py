"""Reads a template: its text, its sections, and the order of its resources.

Source: CloudFormation User Guide, "Template anatomy". The texts of errors are the service's.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from typing import Any, Final

import yaml

from keyfront.local.cloudformation.faults import StackError

LARGEST: Final = 1_000_000
"""The largest template in bytes (Quotas: 1 MB from S3; 51,200 in the request)."""
LARGEST_IN_REQUEST: Final = 51_200
_SECTIONS: Final = frozenset(
    {
        *("AWSTemplateFormatVersion", "Description", "Metadata", "Parameters", "Rules", "Mappings", "Conditions"),
        *("Transform", "Globals", "Resources", "Outputs", "Hooks"),
    }
)
_LOGICAL_ID: Final = re.compile(r"[A-Za-z0-9]{1,255}")
_POLICIES: Final = ("Delete", "Retain", "Snapshot", "RetainExceptOnCreate")
_IN_SUB: Final = re.compile(r"\$\{([^!}][^}]*)\}")


@dataclass(frozen=True)
class Resource:
    """A resource of a template, with its intrinsic functions."""

    logical_id: str
    kind: str
    properties: Mapping[str, Any] = field(default_factory=dict)
    depends_on: tuple[str, ...] = ()
    condition: str | None = None
    deletion_policy: str = "Delete"
    replace_policy: str = "Delete"

    @property
    def is_retained(self) -> bool:
        """Whether the resource stays when it leaves the stack or the stack is deleted."""
        return self.deletion_policy in ("Retain", "RetainExceptOnCreate")


@dataclass(frozen=True)
class Template:
    """A template without macros."""

    document: Mapping[str, Any]
    resources: Mapping[str, Resource]

    def section(self, name: str) -> Mapping[str, Any]:
        """Return a section. A section that the template does not have is empty."""
        found: Mapping[str, Any] = self.document.get(name) or {}
        return found

    def order(self) -> list[str]:
        """Return the logical ids, each after those that it needs."""
        graph = {name: needed(resource) & self.resources.keys() for name, resource in self.resources.items()}
        return list(TopologicalSorter({name: sorted(graph[name]) for name in sorted(graph)}).static_order())


def load(text: str) -> dict[str, Any]:
    """Return the document of a template's text, JSON or YAML with the tags of functions (`!Ref`)."""
    try:
        document = json.loads(text) if text.lstrip().startswith("{") else yaml.load(text, _Loader)  # noqa: S506  it is safe
    except json.JSONDecodeError as error:
        raise StackError(f"Template format error: JSON not well-formed. ({error})") from None
    except yaml.YAMLError as error:
        raise StackError(f"Template format error: YAML not well-formed. ({error})") from None
    except RecursionError:
        raise StackError("Template format error: the template is nested too deeply.") from None
    if not isinstance(document, dict):
        raise StackError("Template format error: unsupported structure.")
    return document


def read(document: Mapping[str, Any]) -> Template:
    """Return the checked template of a document."""
    if unknown := sorted(str(each) for each in document.keys() - _SECTIONS):
        raise StackError(f"Invalid template property or properties [{', '.join(unknown)}]")
    for name in _SECTIONS - {"AWSTemplateFormatVersion", "Description", "Transform"}:
        if not isinstance(document.get(name) or {}, dict):
            raise StackError(f"Template format error: {name} must be an object.")
    listed = document.get("Resources")
    if not listed:
        raise StackError("Template format error: At least one Resources member must be defined.")
    template = Template(document, {name: _resource(name, value) for name, value in listed.items()})
    _check_references(template)
    try:
        template.order()
    except CycleError as error:
        names = ", ".join(dict.fromkeys(error.args[1]))
        raise StackError(f"Circular dependency between resources: [{names}]") from None
    return template


def needed(resource: Resource) -> set[str]:
    """Return the logical ids that a resource names."""
    return {*resource.depends_on, *(name for name in references(resource.properties))} - {resource.logical_id}


def references(value: Any) -> Iterator[str]:
    """Yield each logical id that a value refers to: parameters and resources."""
    if isinstance(value, list):
        for item in value:
            yield from references(item)
    if not isinstance(value, dict):
        return
    for name, item in value.items():
        if name == "Ref" and isinstance(item, str):
            yield item
        elif name == "Fn::GetAtt":
            yield str(item).split(".")[0] if isinstance(item, str) else str(item[0]) if item else ""
        elif name == "Fn::Sub":
            yield from _in_sub(item)
        else:
            yield from references(item)


def _in_sub(item: Any) -> Iterator[str]:
    text, given = (item[0], item[1]) if isinstance(item, list) and len(item) == 2 else (item, {})
    yield from references(given)
    for name in _IN_SUB.findall(str(text)):
        if name.strip() not in given:
            yield name.strip().split(".")[0]


def _resource(name: str, value: Any) -> Resource:
    if not _LOGICAL_ID.fullmatch(str(name)):
        raise StackError(f"Template format error: Resource name {name} is non alphanumeric.")
    if not isinstance(value, dict) or not isinstance(value.get("Type"), str):
        raise StackError(
            f"Template format error: [/Resources/{name}] Every Resources object must contain a Type member."
        )
    depends = value.get("DependsOn") or []
    return Resource(
        name,
        value["Type"],
        value.get("Properties") or {},
        tuple(depends if isinstance(depends, list) else [depends]),
        value.get("Condition"),
        _policy(name, "DeletionPolicy", value),
        _policy(name, "UpdateReplacePolicy", value),
    )


def _policy(name: str, attribute: str, value: Mapping[str, Any]) -> str:
    found = value.get(attribute, "Delete")
    if found not in _POLICIES:
        raise StackError(f"Template format error: Unrecognized {attribute} {found} for resource {name}")
    return str(found)


def _check_references(template: Template) -> None:
    known = template.resources.keys() | template.section("Parameters").keys()
    unknown: list[str] = []
    for resource in template.resources.values():
        unknown += [each for each in resource.depends_on if each not in template.resources]
        unknown += [each for each in references(resource.properties) if each not in known and "::" not in each]
        if resource.condition is not None and resource.condition not in template.section("Conditions"):
            raise StackError(
                f"Template format error: Unresolved condition {resource.condition} in resource {resource.logical_id}"
            )
    if unknown:
        names = ", ".join(dict.fromkeys(unknown))
        raise StackError(
            f"Template format error: Unresolved resource dependencies [{names}] in the Resources block of the template"
        )
    for name, output in template.section("Outputs").items():
        if not isinstance(output, dict) or "Value" not in output:
            raise StackError(f"Template format error: Output {name} is malformed. It must have a Value.")
        if missing := [each for each in references(output) if each not in known and "::" not in each]:
            raise StackError(
                f"Template format error: Unresolved resource dependencies [{', '.join(missing)}] in the Outputs block "
                "of the template"
            )


class _Loader(yaml.SafeLoader):
    """YAML as CloudFormation reads it: with its tags, dates as text, and without aliases."""

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Refuse aliases, which could grow without limit."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("YAML aliases are not allowed in CloudFormation templates")
        return super().compose_node(parent, index)


def _function(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        scalar = loader.construct_scalar(node)
        return {name: scalar.split(".", 1) if name == "Fn::GetAtt" else scalar}
    if isinstance(node, yaml.SequenceNode):
        return {name: loader.construct_sequence(node, deep=True)}
    assert isinstance(node, yaml.MappingNode)
    return {name: loader.construct_mapping(node, deep=True)}


_Loader.add_multi_constructor("!", _function)
_Loader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag != "tag:yaml.org,2002:timestamp"]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
