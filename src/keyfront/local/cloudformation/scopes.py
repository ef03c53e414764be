"""What the functions of a stack's template can name: parameters, resources, exports and pseudo parameters."""

from collections.abc import Callable, Mapping, Set
from typing import Any

from keyfront.local.cloudformation import parameters
from keyfront.local.cloudformation.faults import NotYetKnownError, StackError
from keyfront.local.cloudformation.intrinsics import NO_VALUE, Scope, resolve
from keyfront.local.cloudformation.kinds.custom_resources import is_custom
from keyfront.local.cloudformation.kinds.kind import Task
from keyfront.local.cloudformation.stack import Output, Plan, Stack, Stacks
from keyfront.local.cloudformation.template import references

Read = Callable[[str], str]


def scope(stacks: Stacks, stack: Stack, plan: Plan, url: str, unknown: Set[str] = frozenset()) -> Scope:
    """Return the scope of a plan. `unknown` are the resources that will get another physical id."""

    def made(name: str) -> Any:
        member = stack.members.get(name)
        if member is None or member.made is None or name in unknown:
            raise NotYetKnownError(name)
        return member.made

    def attribute(name: str, key: str) -> Any:
        found: Any = made(name).attributes
        if key in found:
            return found[key]
        for part in key.split("."):
            if not isinstance(found, Mapping) or part not in found:
                raise StackError(_missing(stack, name, key))
            found = found[part]
        return found

    def exported(name: str) -> Any:
        found = stacks.exports().get(name)
        if found is None:
            raise StackError(f"No export named {name} found.")
        return found[1].value

    return Scope(
        pseudo={
            "AWS::AccountId": stack.account,
            "AWS::NotificationARNs": [],
            "AWS::Partition": "aws",
            "AWS::Region": stack.region,
            "AWS::StackId": stack.id,
            "AWS::StackName": stack.name,
            "AWS::URLSuffix": "amazonaws.com",
        },
        parameters=parameters.used(plan.template, plan.values, lambda name: _from_ssm(stack, url, name)),
        mappings=plan.template.section("Mappings"),
        conditions=plan.template.section("Conditions"),
        reference=lambda name: made(name).physical_id,
        attribute=attribute,
        exported=exported,
    )


def wanted(plan: Plan, known: Scope) -> list[str]:
    """Return the logical ids of the resources that the plan has, in their order."""
    resources = plan.template.resources
    return [
        name
        for name in plan.template.order()
        if resources[name].condition is None or known.holds(str(resources[name].condition))
    ]


def check_references(plan: Plan, known: Scope) -> None:
    """Raise `StackError` if something refers to a resource that its condition leaves out."""
    resources = plan.template.resources
    absent = resources.keys() - set(wanted(plan, known))
    sections = {
        "Resources": [each.properties for name, each in resources.items() if name not in absent],
        "Outputs": [
            each["Value"]
            for each in plan.template.section("Outputs").values()
            if "Condition" not in each or known.holds(each["Condition"])
        ],
    }
    for section, values in sections.items():
        used = {name for value in values for name in references(_chosen(known, value))}
        if missing := sorted(used & absent):
            raise StackError(
                f"Unresolved resource dependencies [{', '.join(missing)}] in the {section} block of the template"
            )


def outputs(plan: Plan, known: Scope) -> list[Output]:
    """Return the outputs of a plan whose resources exist."""
    found: list[Output] = []
    for name, described in plan.template.section("Outputs").items():
        if "Condition" in described and not known.holds(described["Condition"]):
            continue
        value = resolve(known, described["Value"])
        if value is NO_VALUE or isinstance(value, dict | list):
            raise StackError(f"Template format error: The Value field of output {name} must evaluate to a String.")
        export = resolve(known, described.get("Export", {}).get("Name"))
        text = str(value).lower() if isinstance(value, bool) else str(value)
        found.append(Output(name, text, described.get("Description"), export))
    return found


def check_rules(plan: Plan, known: Scope) -> None:
    """Check the template's rules. Raises `StackError` with the text of the first assertion that fails."""
    for name, rule in plan.template.section("Rules").items():
        if "RuleCondition" in rule and resolve(known, rule["RuleCondition"]) is not True:
            continue
        for assertion in rule.get("Assertions", []):
            if resolve(known, assertion["Assert"]) is not True:
                said = assertion.get("AssertDescription", f"the rule {name}")
                raise StackError(f"Template error: {said}")


def _from_ssm(stack: Stack, url: str, name: str) -> str:
    task = Task(stack.id, stack.name, stack.account, stack.region, "", "", {}, url)
    client = task.client("ssm")
    try:
        return str(client.get_parameter(Name=name)["Parameter"]["Value"])
    except client.exceptions.ClientError as error:
        if error.response["Error"]["Code"] != "ParameterNotFound":
            raise
        raise StackError(f"Unable to fetch parameters [{name}] from parameter store for this account.") from None


def _missing(stack: Stack, name: str, key: str) -> str:
    if is_custom(stack.members[name].kind):
        where = f"{stack.id}|{name}"
        return f"CustomResource attribute error: Vendor response doesn't contain {key} attribute in object {where}"
    return f"Template error: resource {name} does not support attribute type {key} in Fn::GetAtt"


def _chosen(known: Scope, value: Any) -> Any:
    """Return a value with the branches that its conditions choose."""
    if isinstance(value, list):
        return [_chosen(known, each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if set(value) == {"Fn::If"} and isinstance(value["Fn::If"], list) and len(value["Fn::If"]) == 3:
        condition, then, otherwise = value["Fn::If"]
        return _chosen(known, then if known.holds(str(condition)) else otherwise)
    return {name: _chosen(known, each) for name, each in value.items()}
