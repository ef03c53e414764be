"""The public half of a key in KMS, as PEM. CloudFormation cannot read it, so a small function does."""

from typing import Final, cast

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

_TYPE: Final = "Custom::KMSPublicKey"
_ID: Final = "KeyfrontKMSPublicKeys"
_CODE: Final = """
import base64, json, textwrap, urllib.request
import boto3


def handler(event, context):
    arn = event["ResourceProperties"]["KeyArn"]
    answer = {name: event[name] for name in ("RequestId", "StackId", "LogicalResourceId")}
    answer["PhysicalResourceId"] = event.get("PhysicalResourceId", arn)
    try:
        if event["RequestType"] != "Delete":
            region = arn.split(":")[3]
            der = boto3.client("kms", region_name=region).get_public_key(KeyId=arn)["PublicKey"]
            lines = textwrap.wrap(base64.b64encode(der).decode(), 64)
            answer["PhysicalResourceId"] = arn
            answer["Data"] = {
                "Pem": "\\n".join(["-----BEGIN PUBLIC KEY-----", *lines, "-----END PUBLIC KEY-----", ""])
            }
        answer["Status"] = "SUCCESS"
    except Exception as error:
        answer |= {"Status": "FAILED", "Reason": f"the public half of {arn} cannot be read: {error}"}
    request = urllib.request.Request(
        event["ResponseURL"], data=json.dumps(answer).encode(), method="PUT", headers={"Content-Type": ""}
    )
    urllib.request.urlopen(request, timeout=30).read()
"""


class KMSPublicKey(Construct):  # type: ignore[misc]
    """The public half of one key. Every one of a stack uses the same function, which may read these keys only."""

    def __init__(self, scope: Construct, id: str, *, key_arn: str) -> None:  # noqa: A002  the CDK's name
        super().__init__(scope, id)
        function = _function(self)
        policy = iam.Policy(
            self,
            "Read",
            statements=[iam.PolicyStatement(sid="ReadPublicKey", actions=["kms:GetPublicKey"], resources=[key_arn])],
        )
        policy.attach_to_role(cast("iam.IRole", function.role))
        resource = CustomResource(
            self,
            "Pem",
            service_token=function.function_arn,
            resource_type=_TYPE,
            properties={"KeyArn": key_arn},
        )
        resource.node.add_dependency(policy)
        self.pem: str = resource.get_att_string("Pem")
        """The public key as PEM, known during the deployment."""


def own_log(group: logs.ILogGroup) -> iam.PolicyStatement:
    """Return the permission to write one log. AWSLambdaBasicExecutionRole can write to every log of the account."""
    actions = ["logs:CreateLogStream", "logs:PutLogEvents"]
    return iam.PolicyStatement(sid="WriteOwnLog", actions=actions, resources=[group.log_group_arn])


def _function(scope: Construct) -> lambda_.Function:
    stack = Stack.of(scope)
    found = stack.node.try_find_child(_ID)
    if found is not None:
        return cast("lambda_.Function", found)
    log = logs.LogGroup(
        stack, f"{_ID}Log", retention=logs.RetentionDays.ONE_MONTH, removal_policy=RemovalPolicy.DESTROY
    )
    role = iam.Role(stack, f"{_ID}Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
    role.add_to_policy(own_log(log))
    return lambda_.Function(
        stack,
        _ID,
        role=role,
        log_group=log,
        description="Reads the public halves of signing keys in KMS for CloudFront",
        runtime=lambda_.Runtime.PYTHON_3_13,
        handler="index.handler",
        code=lambda_.Code.from_inline(_CODE),
        timeout=Duration.seconds(60),
    )
