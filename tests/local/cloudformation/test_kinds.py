"""The resource types beside CloudFront's: created, changed in place and deleted."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

pytestmark = pytest.mark.large

_TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}],
}
_CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': '%s'}\n"


def _policy(*actions: str) -> dict[str, Any]:
    statement = {"Effect": "Allow", "Action": list(actions), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _resources(text: str = "one", days: int = 7, **more: Any) -> dict[str, Any]:
    """A function with a role, an address and an HTTP API, and what keeps values."""
    return {
        "Role": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": _TRUST,
                "Policies": [{"PolicyName": "own", "PolicyDocument": _policy(f"s3:{text.title()}")}],
            },
        },
        "Policy": {
            "Type": "AWS::IAM::Policy",
            "Properties": {"PolicyName": "p", "PolicyDocument": _policy("sts:*"), "Roles": [{"Ref": "Role"}]},
        },
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": _CODE % text},
                "Environment": {"Variables": {"TEXT": text}},
                "Timeout": "7",
            },
        },
        "Url": {
            "Type": "AWS::Lambda::Url",
            "Properties": {"TargetFunctionArn": {"Ref": "Function"}, "AuthType": "NONE"},
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "Action": "lambda:InvokeFunctionUrl",
                "Principal": "*",
                "FunctionUrlAuthType": "NONE",
            },
        },
        "Api": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": text, "ProtocolType": "HTTP"}},
        "Integration": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": {"Fn::GetAtt": ["Function", "Arn"]},
                "PayloadFormatVersion": "2.0",
            },
        },
        "Route": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                "ApiId": {"Ref": "Api"},
                "RouteKey": "$default",
                "Target": {"Fn::Sub": "integrations/${Integration}"},
            },
        },
        "Stage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {"ApiId": {"Ref": "Api"}, "StageName": "$default", "AutoDeploy": True},
        },
        "Key": {
            "Type": "AWS::KMS::Key",
            "Properties": {"KeySpec": "RSA_2048", "KeyUsage": "SIGN_VERIFY", "Description": text},
        },
        "Alias": {
            "Type": "AWS::KMS::Alias",
            "Properties": {"AliasName": "alias/shop", "TargetKeyId": {"Ref": "Key"}},
        },
        "Log": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "log", "RetentionInDays": days}},
        "Certificate": {"Type": "AWS::CertificateManager::Certificate", "Properties": {"DomainName": "a.example.com"}},
        "Images": {"Type": "AWS::ECR::Repository", "Properties": {"RepositoryName": "images"}},
        "Table": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "TableName": "table",
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "TimeToLiveSpecification": {"AttributeName": "expires_at", "Enabled": True},
            },
        },
        "Metadata": {"Type": "AWS::CDK::Metadata", "Properties": {"Analytics": "v2"}},
        **more,
    }


def _deploy(call: Any, resources: dict[str, Any]) -> None:
    call(StackName="s", TemplateBody=json.dumps({"Resources": resources}), Capabilities=["CAPABILITY_IAM"])


def _stack(stacks: Any) -> Any:
    return stacks.describe_stacks(StackName="s")["Stacks"][0]


def test_they_are_created_changed_in_place_and_deleted(laptop: Any, stacks: Any, told: Any) -> None:
    _deploy(stacks.create_stack, _resources())
    assert _stack(stacks)["StackStatus"] == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    ids = {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in _listed(stacks)}
    function = laptop.client("lambda").get_function(FunctionName=ids["Function"])
    assert function["Configuration"]["Timeout"] == 7
    first = function["Configuration"]["CodeSha256"]

    _deploy(stacks.update_stack, _resources("two", 14))
    assert _stack(stacks)["StackStatus"] == "UPDATE_COMPLETE", told("s", "UPDATE_FAILED")
    assert {each["LogicalResourceId"]: each["PhysicalResourceId"] for each in _listed(stacks)} == ids
    changed = laptop.client("lambda").get_function(FunctionName=ids["Function"])["Configuration"]
    assert changed["CodeSha256"] != first
    assert changed["Environment"]["Variables"] == {"TEXT": "two"}
    assert laptop.client("logs").describe_log_groups()["logGroups"][0]["retentionInDays"] == 14
    assert laptop.client("apigatewayv2").get_api(ApiId=ids["Api"])["Name"] == "two"
    inline = laptop.client("iam").get_role_policy(RoleName=ids["Role"], PolicyName="own")["PolicyDocument"]
    assert inline["Statement"][0]["Action"] == ["s3:Two"]

    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == [], told("s", "DELETE_FAILED")
    assert laptop.client("lambda").list_functions()["Functions"] == []
    assert laptop.client("iam").list_roles()["Roles"] == []
    assert laptop.client("apigatewayv2").get_apis()["Items"] == []
    assert laptop.client("ecr").describe_repositories()["repositories"] == []
    assert laptop.client("dynamodb").list_tables()["TableNames"] == []
    assert laptop.client("kms").describe_key(KeyId=ids["Key"])["KeyMetadata"]["KeyState"] == "PendingDeletion"


def _listed(stacks: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stacks.list_stack_resources(StackName="s")["StackResourceSummaries"]
    return found


def test_sams_function_answers_at_its_api(laptop: Any, stacks: Any, told: Any) -> None:
    function = {
        "Type": "AWS::Serverless::Function",
        "Properties": {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "InlineCode": _CODE % "sam",
            "FunctionUrlConfig": {"AuthType": "NONE"},
            "Events": {"Any": {"Type": "HttpApi", "Properties": {"Path": "/x", "Method": "get"}}},
        },
    }
    text = json.dumps({"Transform": "AWS::Serverless-2016-10-31", "Resources": {"Hello": function}})
    stacks.create_change_set(
        StackName="s", ChangeSetName="c", ChangeSetType="CREATE", TemplateBody=text, Capabilities=["CAPABILITY_IAM"]
    )
    stacks.execute_change_set(StackName="s", ChangeSetName="c")
    assert _stack(stacks)["StackStatus"] == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    (api,) = laptop.client("apigatewayv2").get_apis()["Items"]
    (route,) = laptop.client("apigatewayv2").get_routes(ApiId=api["ApiId"])["Items"]
    assert route["RouteKey"] == "GET /x"
    (integration,) = laptop.client("apigatewayv2").get_integrations(ApiId=api["ApiId"])["Items"]
    assert integration["IntegrationUri"].startswith("arn:aws:lambda:")


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            {"Type": "AWS::S3::Bucket", "Properties": {"ReplicationConfiguration": {"Role": "r", "Rules": []}}},
            "not supported",
        ),
        ({"Type": "AWS::S3::Bucket", "Properties": {"Bucket": "a"}}, r"extraneous key \[Bucket\] is not permitted"),
        (
            {"Type": "AWS::Lambda::Url", "Properties": {"TargetFunctionArn": "no", "AuthType": "NONE"}},
            "HandlerErrorCode: NotFound",
        ),
        (
            {"Type": "AWS::SSM::Parameter", "Properties": {"Type": "String", "Value": "{{resolve:ssm:/none}}"}},
            "Could not read the dynamic reference {{resolve:ssm:/none}}",
        ),
    ],
)
def test_a_property_that_cannot_be_made_fails_by_its_name(stacks: Any, told: Any, resource: Any, said: str) -> None:
    _deploy(stacks.create_stack, {"A": resource})
    assert _stack(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    (failed,) = told("s", "CREATE_FAILED")
    assert re.search(said.replace("{", r"\{").replace("}", r"\}"), failed), failed


def test_a_nested_stack_gives_its_outputs_and_fails_its_parent(laptop: Any, stacks: Any, told: Any) -> None:
    s3 = laptop.client("s3")
    s3.create_bucket(Bucket="templates")
    value = {"Parameters": {"V": {"Type": "String"}}, "Outputs": {"Name": {"Value": {"Ref": "P"}}}}
    for name, kind in (("good", "String"), ("bad", "SecureString")):
        inner = {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/in", "Type": kind, "Value": {"Ref": "V"}}}
        s3.put_object(Bucket="templates", Key=name, Body=json.dumps({**value, "Resources": {"P": inner}}).encode())

    def nested(name: str, text: str) -> dict[str, Any]:
        url = f"https://templates.s3.us-east-1.amazonaws.com/{name}"
        child = {"Type": "AWS::CloudFormation::Stack", "Properties": {"TemplateURL": url, "Parameters": {"V": text}}}
        outer = {"Name": "/out", "Type": "String", "Value": {"Fn::GetAtt": ["Child", "Outputs.Name"]}}
        return {"Child": child, "Q": {"Type": "AWS::SSM::Parameter", "Properties": outer}}

    _deploy(stacks.create_stack, nested("good", "one"))
    assert _stack(stacks)["StackStatus"] == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    assert laptop.client("ssm").get_parameter(Name="/out")["Parameter"]["Value"] == "/in"
    _deploy(stacks.update_stack, nested("good", "two"))
    assert laptop.client("ssm").get_parameter(Name="/in")["Parameter"]["Value"] == "two"
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    _deploy(stacks.create_stack, nested("bad", "one"))
    assert _stack(stacks)["StackStatus"] == "ROLLBACK_COMPLETE"
    assert "was not successful" in told("s", "CREATE_FAILED")[0]
