"""How the operations find stacks and refuse input, in the service's words."""

from __future__ import annotations

from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.cloudformation.test_stacks import _parameter, _text

pytestmark = pytest.mark.large
_PARAMETERS = {"Which": {"Type": "String", "Default": "one"}}
_CONDITIONS = {"One": {"Fn::Equals": [{"Ref": "Which"}, "one"]}}
_OTHER = [{"ParameterKey": "Which", "ParameterValue": "other"}]


def _conditional(value: Any) -> str:
    resources = {"P": {**_parameter(), "Condition": "One"}, "Q": _parameter(name="/q")}
    return _text(resources, Parameters=_PARAMETERS, Conditions=_CONDITIONS, Outputs={"Name": {"Value": value}})


def test_a_stack_is_found_by_its_name_its_id_or_a_resource(stacks: Any) -> None:
    stack_id = stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter()}))["StackId"]
    (found,) = stacks.describe_stack_resources(PhysicalResourceId="/p")["StackResources"]
    assert (found["StackId"], found["LogicalResourceId"]) == (stack_id, "P")
    assert "Outputs" not in stacks.describe_stacks(StackName="s")["Stacks"][0]
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks(StackName=stack_id)["Stacks"][0]["StackStatus"] == "DELETE_COMPLETE"
    assert stacks.describe_stack_events(StackName=stack_id)["StackEvents"][0]["ResourceStatus"] == "DELETE_COMPLETE"
    assert stacks.list_stacks(StackStatusFilter=["CREATE_COMPLETE"])["StackSummaries"] == []
    (deleted,) = stacks.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"]
    assert deleted["StackId"] == stack_id


@pytest.mark.parametrize(
    ("operation", "given", "said"),
    [
        ("describe_stacks", {"StackName": "no"}, "Stack with id no does not exist"),
        ("describe_stack_events", {"StackName": "no"}, "Stack [no] does not exist"),
        ("update_stack", {"StackName": "no", "UsePreviousTemplate": True}, "Stack [no] does not exist"),
        ("describe_stack_resources", {"PhysicalResourceId": "no"}, "Stack for no does not exist"),
        ("get_stack_policy", {"StackName": "no"}, "Stack: no does not exist"),
        ("list_stacks", {"StackStatusFilter": ["NO"]}, "Value '[NO]' at 'stackStatusFilter' failed"),
        ("detect_stack_drift", {"StackName": "no"}, "Stack with id no does not exist"),
    ],
)
def test_something_that_is_missing_is_named(stacks: Any, operation: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ClientError) as refused:
        getattr(stacks, operation)(**given)
    assert refused.value.response["Error"]["Code"] == "ValidationError"
    assert said in str(refused.value)


def test_long_lists_have_pages(stacks: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("keyfront.local.cloudformation.request._PAGE", 2)
    stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter()}))
    pages = list(stacks.get_paginator("describe_stack_events").paginate(StackName="s"))
    found = [each["EventId"] for page in pages for each in page["StackEvents"]]
    assert [len(page["StackEvents"]) for page in pages] == [2, 2, 1]
    assert len(set(found)) == 5
    for token in ("no", "1000", "²", "9" * 5000):
        with pytest.raises(ClientError, match="The NextToken is not valid"):
            stacks.describe_stack_events(StackName="s", NextToken=token)


def test_a_reference_to_a_resource_that_a_condition_leaves_out_is_refused(stacks: Any) -> None:
    with pytest.raises(ClientError, match=r"Unresolved resource dependencies \[P\] in the Outputs block"):
        stacks.create_stack(StackName="s", TemplateBody=_conditional({"Ref": "P"}), Parameters=_OTHER)
    assert stacks.describe_stacks()["Stacks"] == []
    chosen = {"Fn::If": ["One", {"Ref": "P"}, {"Ref": "Q"}]}
    stacks.create_stack(StackName="s", TemplateBody=_conditional(chosen), Parameters=_OTHER)
    assert stacks.describe_stacks()["Stacks"][0]["Outputs"][0]["OutputValue"] == "/q"
    for update in (stacks.update_stack, lambda **given: stacks.create_change_set(ChangeSetName="c", **given)):
        with pytest.raises(ClientError, match="Either Template URL or Template Body must be specified"):
            update(StackName="s")
        with pytest.raises(ClientError, match="Cannot specify usePreviousValue as true and non empty value"):
            update(StackName="s", UsePreviousTemplate=True, Parameters=[{**_OTHER[0], "UsePreviousValue": True}])
