"""A stack as the Serverless Framework makes it: first its bucket, then a function with an HTTP API, twice."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from http.client import HTTPConnection
from typing import Any, Final

import pytest

pytestmark = pytest.mark.large
_BUCKET: Final = {"Ref": "ServerlessDeploymentBucket"}
_FUNCTION: Final = {"Fn::GetAtt": ["HelloLambdaFunction", "Arn"]}
_PARTITION: Final = {"Ref": "AWS::Partition"}


def _output(name: str, value: Any, description: str | None = None) -> dict[str, Any]:
    described = {"Description": description} if description else {}
    return {name: {**described, "Value": value, "Export": {"Name": f"sls-shop-dev-{name}"}}}


def _core() -> dict[str, Any]:
    """What `serverless deploy` creates before it uploads anything."""
    encryption = [{"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
    objects = {"Fn::Join": ["", ["arn:", _PARTITION, ":s3:::", _BUCKET, "/*"]]}
    bucket = {"Fn::Join": ["", ["arn:", _PARTITION, ":s3:::", _BUCKET]]}
    only_https = {
        "Action": "s3:*",
        "Effect": "Deny",
        "Principal": "*",
        "Resource": [objects, bucket],
        "Condition": {"Bool": {"aws:SecureTransport": False}},
    }
    return {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "The AWS CloudFormation template for this Serverless application",
        "Resources": {
            "ServerlessDeploymentBucket": {
                "Type": "AWS::S3::Bucket",
                "Properties": {"BucketEncryption": {"ServerSideEncryptionConfiguration": encryption}},
            },
            "ServerlessDeploymentBucketPolicy": {
                "Type": "AWS::S3::BucketPolicy",
                "Properties": {"Bucket": _BUCKET, "PolicyDocument": {"Statement": [only_https]}},
            },
        },
        "Outputs": _output("ServerlessDeploymentBucketName", _BUCKET),
    }


def _service(key: str, package: bytes) -> dict[str, Any]:
    """The template of the whole service."""
    template = _core()
    digest = base64.b64encode(hashlib.sha256(package).digest()).decode()
    version = f"HelloLambdaVersion{hashlib.sha256(package).hexdigest()[:12]}"
    log = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:/aws/lambda/shop-dev*:*"
    write = ["logs:CreateLogStream", "logs:CreateLogGroup", "logs:TagResource"]
    statements = [
        {"Effect": "Allow", "Action": write, "Resource": [{"Fn::Sub": log}]},
        {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": [{"Fn::Sub": f"{log}:*"}]},
    ]
    lambda_service = {"Service": ["lambda.amazonaws.com"]}
    trust = {"Effect": "Allow", "Principal": lambda_service, "Action": ["sts:AssumeRole"]}
    place = [":execute-api:", {"Ref": "AWS::Region"}, ":", {"Ref": "AWS::AccountId"}, ":", {"Ref": "HttpApi"}, "/*"]
    host = ["https://", {"Ref": "HttpApi"}, ".execute-api.", {"Ref": "AWS::Region"}, ".", {"Ref": "AWS::URLSuffix"}]
    api = {"ApiId": {"Ref": "HttpApi"}}
    template["Resources"] |= {
        "HelloLogGroup": {"Type": "AWS::Logs::LogGroup", "Properties": {"LogGroupName": "/aws/lambda/shop-dev-hello"}},
        "IamRoleLambdaExecution": {
            "Type": "AWS::IAM::Role",
            "Properties": {
                "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
                "Policies": [
                    {
                        "PolicyName": {"Fn::Join": ["-", ["shop", "dev", "lambda"]]},
                        "PolicyDocument": {"Version": "2012-10-17", "Statement": statements},
                    }
                ],
                "Path": "/",
                "RoleName": {"Fn::Join": ["-", ["shop", "dev", {"Ref": "AWS::Region"}, "lambdaRole"]]},
            },
        },
        "HelloLambdaFunction": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Code": {"S3Bucket": _BUCKET, "S3Key": key},
                "Handler": "handler.hello",
                "Runtime": "python3.12",
                "FunctionName": "shop-dev-hello",
                "MemorySize": 1024,
                "Timeout": 6,
                "Role": {"Fn::GetAtt": ["IamRoleLambdaExecution", "Arn"]},
            },
            "DependsOn": ["HelloLogGroup"],
        },
        version: {
            "Type": "AWS::Lambda::Version",
            "DeletionPolicy": "Retain",
            "Properties": {"FunctionName": {"Ref": "HelloLambdaFunction"}, "CodeSha256": digest},
        },
        "HttpApi": {"Type": "AWS::ApiGatewayV2::Api", "Properties": {"Name": "dev-shop", "ProtocolType": "HTTP"}},
        "HttpApiStage": {
            "Type": "AWS::ApiGatewayV2::Stage",
            "Properties": {
                **api,
                "StageName": "$default",
                "AutoDeploy": True,
                "DefaultRouteSettings": {"DetailedMetricsEnabled": False},
            },
        },
        "HelloLambdaPermissionHttpApi": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "FunctionName": _FUNCTION,
                "Action": "lambda:InvokeFunction",
                "Principal": "apigateway.amazonaws.com",
                "SourceArn": {"Fn::Join": ["", ["arn:", _PARTITION, *place]]},
            },
        },
        "HttpApiIntegrationHello": {
            "Type": "AWS::ApiGatewayV2::Integration",
            "Properties": {
                **api,
                "IntegrationType": "AWS_PROXY",
                "IntegrationUri": _FUNCTION,
                "PayloadFormatVersion": "2.0",
                "TimeoutInMillis": 30000,
            },
        },
        "HttpApiRouteGetHello": {
            "Type": "AWS::ApiGatewayV2::Route",
            "Properties": {
                **api,
                "RouteKey": "GET /hello",
                "Target": {"Fn::Join": ["/", ["integrations", {"Ref": "HttpApiIntegrationHello"}]]},
            },
            "DependsOn": "HttpApiIntegrationHello",
        },
    }
    template["Outputs"] |= {
        **_output("HelloLambdaFunctionQualifiedArn", {"Ref": version}, "Current Lambda function version"),
        **_output("HttpApiId", {"Ref": "HttpApi"}, "Id of the HTTP API"),
        **_output("HttpApiUrl", {"Fn::Join": ["", host]}, "URL of the HTTP API"),
    }
    return template


def _package(text: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr(
            "handler.py", f"def hello(event, context):\n    return {{'statusCode': 200, 'body': '{text}'}}\n"
        )
    return file.getvalue()


def _apply(stacks: Any, kind: str, **template: str) -> dict[str, str]:
    """Deploy as the framework does, through a change set, and give the outputs."""
    change_set = {"StackName": "shop-dev", "ChangeSetName": "shop-dev-change-set"}
    if kind == "UPDATE":
        # The framework uses one name for all of its change sets.
        stacks.delete_change_set(**change_set)
    stacks.create_change_set(
        **change_set,
        ChangeSetType=kind,
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM"],
        Parameters=[],
        Tags=[{"Key": "STAGE", "Value": "dev"}],
        **template,
    )
    assert stacks.describe_change_set(**change_set)["Status"] == "CREATE_COMPLETE"
    stacks.execute_change_set(**change_set)
    (stack,) = stacks.describe_stacks(StackName="shop-dev")["Stacks"]
    assert stack["StackStatus"] == f"{kind}_COMPLETE", stacks.describe_stack_events(StackName="shop-dev")
    return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}


def _ask(laptop: Any, outputs: Mapping[str, str]) -> tuple[int, bytes]:
    connection = HTTPConnection(laptop.url.removeprefix("http://"), timeout=60)
    try:
        host = outputs["HttpApiUrl"].removeprefix("https://").replace("amazonaws.com", "localhost")
        connection.request("GET", "/hello", headers={"Host": host})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def test_it_is_created_updated_and_removed(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    s3 = laptop.client("s3")
    bucket = _apply(stacks, "CREATE", TemplateBody=json.dumps(_core()))["ServerlessDeploymentBucketName"]
    found = stacks.describe_stack_resource(StackName="shop-dev", LogicalResourceId="ServerlessDeploymentBucket")
    assert found["StackResourceDetail"]["PhysicalResourceId"] == bucket

    def deploy(folder: str, text: str) -> dict[str, str]:
        start, package = f"serverless/shop/dev/{folder}", _package(text)
        template = json.dumps(_service(f"{start}/shop.zip", package))
        s3.put_object(Bucket=bucket, Key=f"{start}/shop.zip", Body=package)
        s3.put_object(Bucket=bucket, Key=f"{start}/compiled-cloudformation-template.json", Body=template.encode())
        url = f"https://s3.amazonaws.com/{bucket}/{start}/compiled-cloudformation-template.json"
        stacks.validate_template(TemplateURL=url)
        return _apply(stacks, "UPDATE", TemplateURL=url)

    first = deploy("1-one", "one")
    assert _ask(laptop, first) == (200, b"one")
    second = deploy("2-two", "two")
    assert _ask(laptop, second) == (200, b"two")
    assert first["HttpApiId"] == second["HttpApiId"]
    assert first["HelloLambdaFunctionQualifiedArn"] != second["HelloLambdaFunctionQualifiedArn"]
    (kept,) = told("shop-dev", "DELETE_SKIPPED")
    assert "HelloLambdaVersion" in kept
    tagged = laptop.client("resourcegroupstaggingapi").get_resources(
        TagFilters=[{"Key": "STAGE", "Values": ["dev"]}], ResourceTypeFilters=["cloudformation:stack"]
    )
    assert [each["ResourceARN"].split("/")[1] for each in tagged["ResourceTagMappingList"]] == ["shop-dev"]

    # `serverless remove` empties the bucket, and deletes the stack.
    for each in s3.list_objects_v2(Bucket=bucket)["Contents"]:
        s3.delete_object(Bucket=bucket, Key=each["Key"])
    stacks.delete_stack(StackName="shop-dev")
    assert stacks.describe_stacks()["Stacks"] == []
    assert s3.list_buckets()["Buckets"] == []
    assert laptop.client("lambda").list_functions()["Functions"] == []
