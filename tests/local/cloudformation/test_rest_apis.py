"""REST APIs in stacks: as SAM describes them, and part by part, as the Serverless Framework and the CDK do."""

from __future__ import annotations

import json
from collections.abc import Callable
from http.client import HTTPConnection
from typing import Any

import pytest

pytestmark = pytest.mark.large
_CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': event['path']}\n"
_API = {"Ref": "Api"}


def _ask(laptop: Any, path: str, method: str = "GET") -> tuple[int, bytes]:
    (api,) = laptop.client("apigateway").get_rest_apis()["items"]
    connection = HTTPConnection(laptop.url.removeprefix("http://"), timeout=60)
    try:
        connection.request(method, path, headers={"Host": f"{api['id']}.execute-api.us-east-1.localhost"})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _in_sync(stacks: Any) -> bool:
    detection = stacks.detect_stack_drift(StackName="s")["StackDriftDetectionId"]
    found = stacks.describe_stack_drift_detection_status(StackDriftDetectionId=detection)
    return bool(found["StackDriftStatus"] == "IN_SYNC")


def _status(stacks: Any) -> str:
    return str(stacks.describe_stacks(StackName="s")["Stacks"][0]["StackStatus"])


def test_sams_api_answers_at_its_paths(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    def template(path: str) -> str:
        properties = {
            "Runtime": "python3.12",
            "Handler": "index.handler",
            "InlineCode": _CODE,
            "Events": {"Get": {"Type": "Api", "Properties": {"Path": path, "Method": "get"}}},
        }
        function = {"Type": "AWS::Serverless::Function", "Properties": properties}
        cors = {"Api": {"Cors": "'https://shop.example'"}}
        document = {"Transform": "AWS::Serverless-2016-10-31", "Globals": cors, "Resources": {"Hello": function}}
        return json.dumps(document)

    capabilities = ["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"]
    stacks.create_stack(StackName="s", TemplateBody=template("/a/{b}/c"), Capabilities=capabilities)
    assert _status(stacks) == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    assert _ask(laptop, "/Prod/a/1/c") == (200, b"/a/1/c")
    assert _ask(laptop, "/Prod/a/1/c", "OPTIONS")[0] == 200
    assert _ask(laptop, "/Prod/a/1")[0] == 403
    assert _in_sync(stacks)
    stacks.update_stack(StackName="s", TemplateBody=template("/other"), Capabilities=capabilities)
    assert _status(stacks) == "UPDATE_COMPLETE", told("s", "UPDATE_FAILED")
    assert _ask(laptop, "/Prod/other") == (200, b"/other")
    assert _ask(laptop, "/Prod/a/1/c")[0] == 403
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    assert laptop.client("apigateway").get_rest_apis()["items"] == []


def _parts(number: int, path: str) -> str:
    function = {"Fn::GetAtt": ["Function", "Arn"]}
    uri = [
        "arn:aws:apigateway:",
        {"Ref": "AWS::Region"},
        ":lambda:path/2015-03-31/functions/",
        function,
        "/invocations",
    ]
    integration = {"Type": "AWS_PROXY", "IntegrationHttpMethod": "POST", "Uri": {"Fn::Join": ["", uri]}}
    trust = {"Version": "2012-10-17", "Statement": []}
    resources = {
        "Role": {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trust}},
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.12",
                "Handler": "index.handler",
                "Role": {"Fn::GetAtt": ["Role", "Arn"]},
                "Code": {"ZipFile": _CODE},
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": function,
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
            },
        },
        "Api": {"Type": "AWS::ApiGateway::RestApi", "Properties": {"Name": "dev-shop", "Policy": ""}},
        "Hello": {
            "Type": "AWS::ApiGateway::Resource",
            "Properties": {"RestApiId": _API, "ParentId": {"Fn::GetAtt": ["Api", "RootResourceId"]}, "PathPart": path},
        },
        "HelloGet": {
            "Type": "AWS::ApiGateway::Method",
            "Properties": {
                "RestApiId": _API,
                "ResourceId": {"Ref": "Hello"},
                "HttpMethod": "GET",
                "AuthorizationType": "NONE",
                "Integration": integration,
                "MethodResponses": [],
            },
        },
        f"Deployment{number}": {
            "Type": "AWS::ApiGateway::Deployment",
            "Properties": {"RestApiId": _API, "StageName": "dev"},
            "DependsOn": ["HelloGet"],
        },
    }
    return json.dumps({"Resources": resources})


def test_a_rest_api_is_made_part_by_part(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    stacks.create_stack(StackName="s", TemplateBody=_parts(1, "hello"), Capabilities=["CAPABILITY_IAM"])
    assert _status(stacks) == "CREATE_COMPLETE", told("s", "CREATE_FAILED")
    assert _ask(laptop, "/dev/hello") == (200, b"/hello")
    assert _in_sync(stacks)
    stacks.update_stack(StackName="s", TemplateBody=_parts(2, "hi"), Capabilities=["CAPABILITY_IAM"])
    assert _status(stacks) == "UPDATE_COMPLETE", told("s", "UPDATE_FAILED")
    assert told("s", "DELETE_FAILED") == []
    assert _ask(laptop, "/dev/hi") == (200, b"/hi")
    assert _ask(laptop, "/dev/hello")[0] == 403
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == [], told("s", "DELETE_FAILED")
