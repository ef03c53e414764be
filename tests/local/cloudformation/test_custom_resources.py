"""CloudFormation's custom resources: their functions run, and a stack ends as it does on Amazon when one fails."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import WaiterError
from tests.needs import program

from keyfront.local.aws import pickling

_FUNCTION = """
import json, urllib.request

SEEN = "/aws/custom"

def handler(event, context):
    print("EVENT " + json.dumps(event, sort_keys=True))
    wanted = event["ResourceProperties"].get("Do", "")
    if wanted == "raise":
        raise ValueError("the function is wrong")
    if wanted == "nothing":
        return
    status = "FAILED" if wanted == f"fail {event['RequestType']}" else "SUCCESS"
    answer = {
        "Status": status, "Reason": "it was asked to", "RequestId": event["RequestId"], "StackId": event["StackId"],
        "LogicalResourceId": event["LogicalResourceId"],
        "PhysicalResourceId": "thing-" + event["ResourceProperties"].get("Name", ""),
        "Data": {"Answer": event["ResourceProperties"].get("Name", "") + "!"},
    }
    body = "{" if wanted == "no json" else json.dumps(answer)
    asked = urllib.request.Request(event["ResponseURL"], data=body.encode(), method="PUT", headers={"Content-Type": ""})
    assert urllib.request.urlopen(asked).status == 200
"""


_IAM = ["CAPABILITY_IAM"]


def _template(kind: str = "Custom::Thing", **properties: Any) -> str:
    code = {"ZipFile": _FUNCTION}
    function = {"Runtime": "python3.12", "Handler": "index.handler", "Code": code, "Role": {"Fn::GetAtt": ["R", "Arn"]}}
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    role = {"AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]}}
    thing = {"ServiceToken": {"Fn::GetAtt": ["F", "Arn"]}, **properties}
    resources = {
        "R": {"Type": "AWS::IAM::Role", "Properties": role},
        "F": {"Type": "AWS::Lambda::Function", "Properties": function},
        "Thing": {"Type": kind, "Properties": thing},
        "P": {
            "Type": "AWS::SSM::Parameter",
            "Properties": {"Name": "/made", "Type": "String", "Value": {"Fn::GetAtt": ["Thing", "Answer"]}},
        },
    }
    outputs = {"Id": {"Value": {"Ref": "Thing"}}, "Answer": {"Value": {"Fn::GetAtt": ["Thing", "Answer"]}}}
    return json.dumps({"Resources": resources, "Outputs": outputs})


def _stack(stacks: Any, name: str = "s") -> Any:
    return stacks.describe_stacks(StackName=name)["Stacks"][0]


def _outputs(stack: Any) -> dict[str, str]:
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def _events(laptop: Any) -> list[dict[str, Any]]:
    """What the functions were called with."""
    logs = laptop.client("logs")
    groups = [each["logGroupName"] for each in logs.describe_log_groups()["logGroups"]]
    lines = [event["message"] for name in groups for event in logs.filter_log_events(logGroupName=name)["events"]]
    return [json.loads(line.partition("EVENT ")[2]) for line in lines if "EVENT " in line]


def _reasons(stacks: Any, name: str, status: str) -> list[str]:
    told = stacks.describe_stack_events(StackName=name)["StackEvents"]
    return [each.get("ResourceStatusReason", "") for each in told if each["ResourceStatus"] == status]


@pytest.mark.parametrize("kind", ["Custom::Thing", "AWS::CloudFormation::CustomResource"])
def test_it_is_made_changed_and_deleted(laptop: Any, stacks: Any, kind: str) -> None:
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(kind, Name="one", Size=3, Flag=True))
    stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    assert _outputs(_stack(stacks)) == {"Id": "thing-one", "Answer": "one!"}
    assert laptop.client("ssm").get_parameter(Name="/made")["Parameter"]["Value"] == "one!"

    stacks.update_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(kind, Name="two"))
    assert _stack(stacks)["StackStatus"] == "UPDATE_COMPLETE"
    assert _outputs(_stack(stacks))["Id"] == "thing-two"
    stack_id = _stack(stacks)["StackId"]
    stacks.delete_stack(StackName="s")
    assert _stack(stacks, stack_id)["StackStatus"] == "DELETE_COMPLETE"

    made, changed, cleaned, deleted = _wait_for(lambda: _events(laptop), 4)
    assert (made["RequestType"], made["ResourceType"], made["LogicalResourceId"]) == ("Create", kind, "Thing")
    properties = made["ResourceProperties"]
    assert (properties["Name"], properties["Size"], properties["Flag"]) == ("one", "3", "true")
    assert properties["ServiceToken"] == made["ServiceToken"]
    assert made["StackId"] == stack_id
    assert (changed["RequestType"], changed["PhysicalResourceId"]) == ("Update", "thing-one")
    assert changed["OldResourceProperties"]["Name"] == "one"
    assert (cleaned["RequestType"], cleaned["PhysicalResourceId"]) == ("Delete", "thing-one")
    assert (deleted["RequestType"], deleted["PhysicalResourceId"]) == ("Delete", "thing-two")


def _wait_for(look: Callable[[], list[Any]], count: int) -> list[Any]:
    """What a function prints comes into its log a moment after its answer."""
    for _ in range(500):
        if len(found := look()) >= count:
            return found
        threading.Event().wait(0.02)
    raise AssertionError(f"{len(found)} of {count} came")


@pytest.mark.parametrize(
    ("wanted", "reason"),
    [
        ("fail Create", "Received response status [FAILED] from custom resource. Message returned: it was asked to"),
        ("raise", "the function is wrong"),
        ("nothing", "without sending a response to the event's ResponseURL"),
        ("no json", "The response object is not JSON."),
    ],
)
def test_a_stack_whose_resource_fails_is_rolled_back(
    laptop: Any, stacks: Any, capfd: pytest.CaptureFixture[str], wanted: str, reason: str
) -> None:
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Do=wanted))
    with pytest.raises(WaiterError):
        stacks.get_waiter("stack_create_complete").wait(StackName="s", WaiterConfig={"Delay": 1, "MaxAttempts": 5})
    assert _stack(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert any(reason in each for each in _reasons(stacks, "s", "CREATE_FAILED"))
    assert laptop.client("lambda").list_functions()["Functions"] == []
    assert laptop.client("iam").list_roles()["Roles"] == []
    assert stacks.describe_stack_resources(StackName="s")["StackResources"] == []
    stacks.delete_stack(StackName="s")
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Name="again"))
    assert _stack(stacks)["StackStatus"] == "CREATE_COMPLETE"
    assert "Traceback" not in capfd.readouterr().err


def test_a_token_that_names_no_function_is_told(stacks: Any) -> None:
    for token in ("arn:aws:lambda:us-east-1:123456789012:function:none", "arn:aws:sns:us-east-1:123456789012:topic"):
        template = {"Resources": {"T": {"Type": "Custom::Thing", "Properties": {"ServiceToken": token}}}}
        stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=json.dumps(template))
        assert _stack(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
        (reason,) = _reasons(stacks, "s", "CREATE_FAILED")
        assert reason.startswith("Invalid service token")
        stacks.delete_stack(StackName="s")


def test_an_attribute_that_is_not_in_the_answer_fails_the_stack(stacks: Any) -> None:
    template = json.loads(_template(Name="x"))
    template["Outputs"]["Other"] = {"Value": {"Fn::GetAtt": ["Thing", "Nowhere"]}}
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=json.dumps(template))
    assert _stack(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "doesn't contain Nowhere attribute" in _reasons(stacks, "s", "ROLLBACK_IN_PROGRESS")[0]


def test_a_change_that_fails_can_be_made_again(laptop: Any, stacks: Any) -> None:
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Name="one"))
    stacks.update_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Name="two", Do="fail Update"))
    assert _stack(stacks)["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "it was asked to" in _reasons(stacks, "s", "UPDATE_FAILED")[-1]
    assert _outputs(_stack(stacks))["Id"] == "thing-one"
    stacks.update_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Name="two"))
    assert _outputs(_stack(stacks))["Id"] == "thing-two"


def test_a_stack_that_cannot_be_deleted_stays(stacks: Any) -> None:
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Do="fail Delete"))
    stacks.delete_stack(StackName="s")
    assert _stack(stacks)["StackStatus"] == "DELETE_FAILED"
    assert "it was asked to" in _reasons(stacks, "s", "DELETE_FAILED")[-1]


def test_a_change_set_makes_it(stacks: Any) -> None:
    for name, properties, status in (
        ("good", {"Name": "one"}, "CREATE_COMPLETE"),
        ("bad", {"Do": "raise"}, "ROLLBACK_COMPLETE"),
    ):
        stacks.create_change_set(
            StackName=name,
            ChangeSetName=f"{name}-set",
            ChangeSetType="CREATE",
            Capabilities=_IAM,
            TemplateBody=_template(**properties),
        )
        stacks.execute_change_set(ChangeSetName=f"{name}-set", StackName=name)
        assert _stack(stacks, name)["StackStatus"] == status
        stacks.delete_stack(StackName=name)


def test_it_is_part_of_the_state_that_is_kept(laptop: Any, stacks: Any) -> None:
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=_template(Name="one"))
    stack_id = _stack(stacks)["StackId"]
    content, _ = pickling.dump(pickling.services())
    laptop.endpoint.reset()
    pickling.load(content)
    assert _outputs(_stack(stacks)) == {"Id": "thing-one", "Answer": "one!"}
    stacks.delete_stack(StackName="s")
    assert _stack(stacks, stack_id)["StackStatus"] == "DELETE_COMPLETE"
    assert _wait_for(lambda: _events(laptop), 2)[1]["RequestType"] == "Delete"


def test_an_answer_counts_once_and_with_its_token(laptop: Any) -> None:
    for method in ("PUT", "GET"):
        status, body = laptop.send(method, "/cloudformation-custom-resource-response/guessed", b"{}")
        assert status == 403
        assert b"<Code>AccessDenied</Code>" in body


_MODULES = {
    "python3.12": """
import cfnresponse

def handler(event, context):
    cfnresponse.send(event, context, cfnresponse.SUCCESS, {"Answer": "python"}, "thing")
""",
    "nodejs20.x": """
const response = require("cfn-response");
exports.handler = (event, context) => response.send(event, context, response.SUCCESS, { Answer: "node" }, "thing");
""",
    # As the CDK's own functions do it: by HTTPS, and without the port.
    "nodejs22.x": """
const https = require("https");
exports.handler = (event) => new Promise((resolve, reject) => {
  const { hostname, pathname } = new URL(event.ResponseURL);
  const { StackId, RequestId, LogicalResourceId } = event;
  const named = { StackId, RequestId, LogicalResourceId, PhysicalResourceId: "thing" };
  const body = JSON.stringify({ Status: "SUCCESS", ...named, Data: { Answer: "cdk" } });
  const headers = { "content-length": body.length };
  const asked = https.request({ hostname, path: pathname, method: "PUT", headers }, () => resolve());
  asked.on("error", reject);
  asked.end(body);
});
""",
}


@pytest.mark.parametrize("runtime", _MODULES)
def test_functions_send_their_results_with_amazons_module(stacks: Any, runtime: str) -> None:
    if runtime.startswith("nodejs"):
        program("node")
    template = json.loads(_template())
    template["Resources"]["F"]["Properties"] |= {"Runtime": runtime, "Code": {"ZipFile": _MODULES[runtime]}}
    stacks.create_stack(StackName="s", Capabilities=_IAM, TemplateBody=json.dumps(template))
    assert _stack(stacks)["StackStatus"] == "CREATE_COMPLETE", _reasons(stacks, "s", "CREATE_FAILED")
    assert _outputs(_stack(stacks))["Answer"] in ("python", "node", "cdk")
    stacks.delete_stack(StackName="s")
