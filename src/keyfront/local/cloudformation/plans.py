"""Makes a plan from a request: reads the template, expands its macro, and checks all that is known beforehand."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from keyfront.local.cloudformation import parameters, sam, schemas, stack_policies, template
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.kinds import registry
from keyfront.local.cloudformation.stack import Plan, Stack
from keyfront.local.cloudformation.template import Template

_EXTENSIONS: Final = "AWS::LanguageExtensions"
_NAMES: Final = {
    "AWS::IAM::Role": "RoleName",
    "AWS::IAM::User": "UserName",
    "AWS::IAM::ManagedPolicy": "ManagedPolicyName",
}
_IAM: Final = frozenset({*_NAMES, "AWS::IAM::AccessKey", "AWS::IAM::Policy", "AWS::IAM::RolePolicy"})
"""Types that need an acknowledgement. Source: API Reference, "CreateStack", Capabilities."""


@dataclass(frozen=True)
class Wish:
    """What a request says about a stack."""

    text: str | None
    """The template. `None` means the one before."""
    given: Mapping[str, str] = field(default_factory=dict)
    keep: frozenset[str] = frozenset()
    """The parameters that use their previous value."""
    tags: Mapping[str, str] | None = None
    """`None` means the tags before."""
    capabilities: tuple[str, ...] = ()
    role: str | None = None
    on_failure: str = "ROLLBACK"
    expands: bool = True
    """Whether macros need no acknowledgement, as in change sets."""
    policy: str | None = None
    """The stack's policy from now on. `None` means the one before."""
    policy_during_update: str | None = None
    """The policy for this update only."""


def plan(stack: Stack | None, wish: Wish, region: str) -> Plan:
    """Return the plan for a stack, or for a new one. Raises `StackError` if it cannot work."""
    before = stack.plan if stack else None
    text = wish.text if wish.text is not None else before.text if before else None
    if text is None:
        raise StackError("Either Template URL or Template Body must be specified.")
    document = template.load(text)
    transforms = _transforms(document)
    if transforms - {_EXTENSIONS} and not wish.expands and "CAPABILITY_AUTO_EXPAND" not in wish.capabilities:
        raise StackError("Requires capabilities : [CAPABILITY_AUTO_EXPAND]", "InsufficientCapabilitiesException")
    if sam.TRANSFORM in transforms:
        document = sam.expand(document, wish.given, region)
    read = template.read(document)
    _check_types(read)
    _check_capabilities(read, wish.capabilities)
    previous = before.values if before else {}
    values = parameters.values(read, wish.given, previous, wish.keep)
    for policy in (wish.policy, wish.policy_during_update):
        if policy is not None:
            stack_policies.check(policy, {*read.resources, *(before.template.resources if before else ())})
    tags = wish.tags if wish.tags is not None else before.tags if before else {}
    return Plan(text, read, values, tags, wish.capabilities, wish.role, wish.on_failure)


def template_text(body: str | None, url: str | None, read_url: Callable[[str], str]) -> str | None:
    """Return the text of a request's template, or `None` if it has none."""
    if body is not None and url is not None:
        raise StackError("You cannot specify both Template Body and Template URL.")
    if body is not None and len(body.encode()) > template.LARGEST_IN_REQUEST:
        raise StackError(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have "
            f"length less than or equal to {template.LARGEST_IN_REQUEST}"
        )
    text = read_url(url) if url is not None else body
    if text is not None and len(text.encode()) > template.LARGEST:
        raise StackError(f"Template may not exceed {template.LARGEST} bytes in size.")
    return text


def capabilities(read: Template) -> tuple[list[str], str | None]:
    """Return the capabilities that a template needs, and why."""
    types = [resource for resource in read.resources.values() if resource.kind in _IAM]
    if not types:
        return [], None
    named = any(_NAMES.get(resource.kind, "-") in resource.properties for resource in types)
    kinds = ", ".join(sorted({resource.kind for resource in types}))
    reason = f"The following resource(s) require capabilities: [{kinds}]"
    return ["CAPABILITY_NAMED_IAM" if named else "CAPABILITY_IAM"], reason


def _transforms(document: Mapping[str, Any]) -> set[str]:
    given = document.get("Transform") or []
    listed: Sequence[Any] = given if isinstance(given, list) else [given]
    names = {each if isinstance(each, str) else str(each.get("Name", each)) for each in listed}
    if unknown := sorted(names - {_EXTENSIONS, sam.TRANSFORM}):
        raise StackError(f"No transform named {unknown[0]} found.")
    return names


def _check_types(read: Template) -> None:
    unknown = sorted({each.kind for each in read.resources.values() if registry.find(each.kind) is None})
    if not unknown:
        return
    said = f"Template format error: Unrecognized resource types: [{', '.join(unknown)}]"
    if any(schemas.find(each) is not None for each in unknown):
        said += ". keyfront's CloudFormation does not have them: docs/laptop.md lists the types that it has."
    raise StackError(said)


def _check_capabilities(read: Template, given: Sequence[str]) -> None:
    needed, _ = capabilities(read)
    enough = {"CAPABILITY_IAM": {"CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"}}
    missing = [each for each in needed if not enough.get(each, {each}) & set(given)]
    if missing:
        raise StackError(f"Requires capabilities : [{', '.join(missing)}]", "InsufficientCapabilitiesException")
