"""Stack policies: what they refuse in an update, and which texts are no policies."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError
from tests.local.cloudformation.test_stacks import _parameter, _text

from keyfront.local.cloudformation.stack_policies import refusal

pytestmark = pytest.mark.large
_ALL = {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}


def _policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Statement": list(statements)})


def _deny(action: str | list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Effect": "Deny", "Action": action, "Principal": "*", "Resource": resource, **more}


def test_an_update_stops_at_the_policy_and_goes_back(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    ssm = laptop.client("ssm")
    stacks.create_stack(
        StackName="s",
        TemplateBody=_text({"P": _parameter(), "Q": _parameter(name="/q")}),
        StackPolicyBody=_policy(_ALL, _deny("Update:*", "LogicalResourceId/P")),
    )
    assert "LogicalResourceId/P" in stacks.get_stack_policy(StackName="s")["StackPolicyBody"]
    changed = _text({"P": _parameter("new"), "Q": _parameter("new", "/q")})
    stacks.update_stack(StackName="s", TemplateBody=changed)
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    said = "Statement [#2] does not allow [Update:Modify] for resource [LogicalResourceId/P]"
    assert told("s", "UPDATE_FAILED") == [f"UPDATE_FAILED P Action denied by stack policy: {said}"]
    assert {ssm.get_parameter(Name=each)["Parameter"]["Value"] for each in ("/p", "/q")} == {"x"}
    # A resource that leaves the template is refused before anything is deleted.
    stacks.update_stack(StackName="s", TemplateBody=_text({"Q": _parameter(name="/q")}))
    assert "does not allow [Update:Delete]" in told("s", "UPDATE_FAILED")[-1]
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "x"
    # For one update, another policy.
    stacks.update_stack(StackName="s", TemplateBody=changed, StackPolicyDuringUpdateBody=_policy(_ALL))
    assert ssm.get_parameter(Name="/p")["Parameter"]["Value"] == "new"
    stacks.set_stack_policy(StackName="s", StackPolicyBody=_policy(_ALL))
    stacks.update_stack(StackName="s", TemplateBody=_text({"P": _parameter("last")}))
    assert stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"] == "UPDATE_COMPLETE"


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("nothing", "Invalid stack policy"),
        ("{}", "Invalid stack policy"),
        (_policy({**_ALL, "Action": "Update:All"}), "Invalid stack policy"),
        (_policy({**_ALL, "Principal": "me"}), "Invalid stack policy"),
        (_policy(_deny("Update:*", "P")), "Invalid stack policy"),
        (_policy(_deny("Update:*", Condition={"StringEquals": {"Owner": "x"}})), "Invalid stack policy"),
        (_policy(_deny("Update:*", "LogicalResourceId/No")), "Unknown logical id 'LogicalResourceId/No'"),
        ("[" * 20_000, "less than or equal to 16384"),
    ],
    ids=["text", "empty", "action", "principal", "resource", "condition", "unknown", "long"],
)
def test_a_text_that_is_no_policy_is_refused(stacks: Any, policy: str, said: str) -> None:
    with pytest.raises(ClientError) as refused:
        stacks.create_stack(StackName="s", TemplateBody=_text({"P": _parameter()}), StackPolicyBody=policy)
    assert said in str(refused.value)
    assert stacks.describe_stacks()["Stacks"] == []


@pytest.mark.parametrize(
    ("policy", "action", "denied"),
    [
        (None, "Update:Delete", None),
        (_policy(_ALL), "Update:Delete", None),
        (_policy({**_ALL, "Action": "Update:Modify"}), "Update:Modify", None),
        (_policy({**_ALL, "Action": "Update:Modify"}), "Update:Replace", "No statement allows [Update:Replace]"),
        (_policy(_ALL, _deny(["Update:Replace", "Update:Delete"])), "Update:Delete", "Statement [#2]"),
        (_policy(_deny("Update:*", "LogicalResourceId/Ta*"), _ALL), "Update:Modify", "Statement [#1]"),
        (_policy(_ALL, _deny("Update:*", "LogicalResourceId/O*")), "Update:Modify", None),
        (
            _policy({"Effect": "Allow", "NotAction": "Update:Delete", "Principal": "*", "Resource": "*"}),
            "Update:Modify",
            None,
        ),
        (
            _policy(
                {"Effect": "Allow", "Action": "Update:*", "Principal": "*", "NotResource": "LogicalResourceId/Table"}
            ),
            "Update:Modify",
            "No statement",
        ),
        (
            _policy(_ALL, _deny("Update:*", Condition={"StringLike": {"ResourceType": ["AWS::DynamoDB::*"]}})),
            "Update:Modify",
            "Statement [#2]",
        ),
        (
            _policy(_ALL, _deny("Update:*", Condition={"StringEquals": {"ResourceType": "AWS::S3::Bucket"}})),
            "Update:Modify",
            None,
        ),
    ],
)
def test_a_policy_allows_or_denies(policy: str | None, action: str, denied: str | None) -> None:
    found = refusal(policy, action, "Table", "AWS::DynamoDB::Table")
    assert found is None if denied is None else found is not None and denied in found
