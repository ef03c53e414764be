"""What resources are now, in a template's terms: the readers behind drift detection.

A property that a reader does not list cannot be compared. One that the resource does not have is `None`.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import jmespath
from botocore.exceptions import ClientError

from keyfront.local.cloudformation.kinds.kind import Task
from keyfront.local.cloudformation.kinds.s3 import current_settings
from keyfront.local.cloudformation.reasons import is_gone
from keyfront.local.cloudformation.stack import Made

Current = Mapping[str, Any]


class GoneError(Exception):
    """A resource that does not exist any more."""


@dataclass(frozen=True)
class Reader:
    """How a type is read: an operation, the parameters that name the resource, and the properties in its output.

    Expressions are JMESPath. Those for `identity` see the properties, the attributes, and `Id` for the physical id.
    """

    service: str
    operation: str
    identity: Mapping[str, str]
    found: str
    """Where the properties are in the output."""
    names: tuple[str, ...]
    """The properties that have the same name in the output, but for the case of letters."""
    renamed: Mapping[str, str] = field(default_factory=dict)
    """Other properties, with their place in the output."""
    gone: str = ""
    """What the output has if the resource is deleted."""

    def __call__(self, task: Task, made: Made) -> Current:
        """Read a resource. Raises `GoneError` if it does not exist."""
        seen = {**task.properties, **made.attributes, "Id": made.physical_id}
        given = {name: jmespath.search(expression, seen) for name, expression in self.identity.items()}
        output = ask(task, self.service, self.operation, {name: each for name, each in given.items() if each})
        if self.gone and jmespath.search(self.gone, output):
            raise GoneError
        found = jmespath.search(self.found, output)
        if found is None:
            raise GoneError
        lower = {name.lower(): value for name, value in found.items()}
        others = {name: jmespath.search(expression, output) for name, expression in self.renamed.items()}
        return {**{name: lower.get(name.lower()) for name in self.names}, **others}


Read = Callable[[Task, Made], Current]


def ask(task: Task, service: str, operation: str, given: Mapping[str, Any]) -> Any:
    """Call an operation. Raises `GoneError` if the resource does not exist."""
    try:
        return task.call(service, operation, given)
    except ClientError as error:
        said = str(error.response["Error"].get("Message", ""))
        # Athena has one error code for everything.
        if is_gone(error) or (service == "athena" and said.endswith(("not found.", "not found"))):
            raise GoneError from None
        raise


def _configured(noun: str) -> Read:
    """Return the reader of a CloudFront type with a configuration."""
    member = f"{noun}Config"
    return Reader("cloudfront", f"Get{noun}", {"Id": "Id"}, noun, (member,))


def _cloudfront_function(task: Task, made: Made) -> Current:
    name = {"Name": task.properties["Name"], "Stage": made.attributes.get("Stage", "DEVELOPMENT")}
    config = ask(task, "cloudfront", "DescribeFunction", name)["FunctionSummary"]["FunctionConfig"]
    code = ask(task, "cloudfront", "GetFunction", name)["FunctionCode"].read().decode()
    return {"FunctionConfig": config, "FunctionCode": code}


def _role(task: Task, made: Made) -> Current:
    name = {"RoleName": made.physical_id}
    found = ask(task, "iam", "GetRole", name)["Role"]
    attached = ask(task, "iam", "ListAttachedRolePolicies", name)["AttachedPolicies"]
    own = ask(task, "iam", "ListRolePolicies", name)["PolicyNames"]
    # Other resources of the stack add policies to a role, which are not the role's.
    wanted = [each["PolicyName"] for each in task.properties.get("Policies") or []]
    documents = {
        each: ask(task, "iam", "GetRolePolicy", {**name, "PolicyName": each})["PolicyDocument"]
        for each in wanted
        if each in own
    }
    names = ("AssumeRolePolicyDocument", "Description", "MaxSessionDuration", "Path")
    return {
        **{each: found.get(each) for each in names},
        "ManagedPolicyArns": [each["PolicyArn"] for each in attached],
        "Policies": [{"PolicyName": each, "PolicyDocument": document} for each, document in documents.items()],
        "PermissionsBoundary": (found.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
    }


def _managed_policy(task: Task, made: Made) -> Current:
    arn = {"PolicyArn": made.physical_id}
    policy = ask(task, "iam", "GetPolicy", arn)["Policy"]
    version = ask(task, "iam", "GetPolicyVersion", {**arn, "VersionId": policy["DefaultVersionId"]})["PolicyVersion"]
    return {"PolicyDocument": version["Document"], "Description": policy.get("Description"), "Path": policy["Path"]}


def _bucket(task: Task, made: Made) -> Current:
    ask(task, "s3", "HeadBucket", {"Bucket": made.physical_id})
    return current_settings(task, made.physical_id)


def _bucket_policy(task: Task, made: Made) -> Current:
    text = ask(task, "s3", "GetBucketPolicy", {"Bucket": made.physical_id})["Policy"]
    return {"PolicyDocument": json.loads(text)}


def _key(task: Task, made: Made) -> Current:
    key = {"KeyId": made.physical_id}
    found = ask(task, "kms", "DescribeKey", key)["KeyMetadata"]
    if found["KeyState"] == "PendingDeletion":
        raise GoneError
    policy = ask(task, "kms", "GetKeyPolicy", {**key, "PolicyName": "default"})["Policy"]
    names = ("Description", "Enabled", "KeySpec", "KeyUsage", "MultiRegion", "Origin")
    return {**{name: found.get(name) for name in names}, "KeyPolicy": json.loads(policy)}


def _log_group(task: Task, made: Made) -> Current:
    groups = ask(task, "logs", "DescribeLogGroups", {"logGroupNamePrefix": made.physical_id})["logGroups"]
    found = next((each for each in groups if each["logGroupName"] == made.physical_id), None)
    if found is None:
        raise GoneError
    return {"RetentionInDays": found.get("retentionInDays"), "KmsKeyId": found.get("kmsKeyId")}


def _http_api(noun: str, *names: str) -> Read:
    """Return the reader of a part of an HTTP API."""
    return Reader("apigatewayv2", f"Get{noun}", {"ApiId": "ApiId", f"{noun}Id": "Id"}, "@", names)


_CONFIGURED: Final = (
    *("PublicKey", "KeyGroup", "OriginAccessControl", "CloudFrontOriginAccessIdentity", "Distribution"),
    *("CachePolicy", "OriginRequestPolicy", "ResponseHeadersPolicy"),
)
_LOGS: Final = ("EndPoints", "Fields", "Name", "SamplingRate")
_FUNCTION: Final = (
    *("Architectures", "Description", "Environment", "FunctionName", "Handler", "MemorySize", "PackageType", "Role"),
    *("Runtime", "Timeout"),
)
_TABLE: Final = ("AttributeDefinitions", "KeySchema", "TableName")
_GROUP: Final = ("Description", "Name", "State")

READERS: Final[Mapping[str, Read]] = {
    **{f"AWS::CloudFront::{noun}": _configured(noun) for noun in _CONFIGURED},
    "AWS::CloudFront::Function": _cloudfront_function,
    "AWS::CloudFront::KeyValueStore": Reader(
        "cloudfront", "DescribeKeyValueStore", {"Name": "Id"}, "KeyValueStore", ("Comment", "Name")
    ),
    "AWS::CloudFront::RealtimeLogConfig": Reader(
        "cloudfront", "GetRealtimeLogConfig", {"ARN": "Id"}, "RealtimeLogConfig", _LOGS
    ),
    "AWS::CloudFront::MonitoringSubscription": Reader(
        *("cloudfront", "GetMonitoringSubscription", {"DistributionId": "Id"}, "@", ("MonitoringSubscription",))
    ),
    "AWS::S3::Bucket": _bucket,
    "AWS::S3::BucketPolicy": _bucket_policy,
    "AWS::Lambda::Function": Reader(
        *("lambda", "GetFunctionConfiguration", {"FunctionName": "Id"}, "@", _FUNCTION), {"Layers": "Layers[].Arn"}
    ),
    "AWS::Lambda::Url": Reader(
        *("lambda", "GetFunctionUrlConfig", {"FunctionName": "TargetFunctionArn"}, "@"), ("AuthType", "Cors")
    ),
    "AWS::Lambda::Alias": Reader(
        *("lambda", "GetAlias", {"FunctionName": "FunctionName", "Name": "Name"}, "@"),
        ("Description", "FunctionVersion"),
    ),
    "AWS::ApiGatewayV2::Api": Reader(
        *("apigatewayv2", "GetApi", {"ApiId": "Id"}, "@"),
        ("CorsConfiguration", "Description", "DisableExecuteApiEndpoint", "Name", "ProtocolType", "Version"),
    ),
    "AWS::ApiGatewayV2::Stage": Reader(
        *("apigatewayv2", "GetStage", {"ApiId": "ApiId", "StageName": "Id"}, "@"),
        ("AccessLogSettings", "AutoDeploy", "DefaultRouteSettings", "Description", "StageName", "StageVariables"),
    ),
    "AWS::ApiGatewayV2::Authorizer": _http_api("Authorizer", "AuthorizerType", "IdentitySource", "JwtConfiguration"),
    "AWS::ApiGatewayV2::Integration": _http_api(
        *("Integration", "ConnectionType", "IntegrationMethod", "IntegrationType", "IntegrationUri"),
        "PayloadFormatVersion",
    ),
    "AWS::ApiGatewayV2::Route": _http_api("Route", "AuthorizationType", "RouteKey", "Target"),
    "AWS::ApiGateway::RestApi": Reader("apigateway", "GetRestApi", {"restApiId": "Id"}, "@", ("Name", "Description")),
    "AWS::ApiGateway::Resource": Reader(
        *("apigateway", "GetResource", {"restApiId": "RestApiId", "resourceId": "Id"}, "@", ("ParentId", "PathPart"))
    ),
    "AWS::ApiGateway::Method": Reader(
        *(
            "apigateway",
            "GetMethod",
            {"restApiId": "RestApiId", "resourceId": "ResourceId", "httpMethod": "HttpMethod"},
        ),
        *("@", ("ApiKeyRequired", "AuthorizationType", "HttpMethod")),
    ),
    "AWS::ApiGateway::Stage": Reader(
        *("apigateway", "GetStage", {"restApiId": "RestApiId", "stageName": "Id"}, "@"),
        ("DeploymentId", "Description", "StageName", "Variables"),
    ),
    "AWS::IAM::Role": _role,
    "AWS::IAM::ManagedPolicy": _managed_policy,
    "AWS::IAM::User": Reader("iam", "GetUser", {"UserName": "Id"}, "User", ("Path", "UserName")),
    "AWS::SecretsManager::Secret": Reader(
        *("secretsmanager", "DescribeSecret", {"SecretId": "Id"}, "@", ("Description", "KmsKeyId", "Name")),
        gone="DeletedDate",
    ),
    "AWS::SSM::Parameter": Reader("ssm", "GetParameter", {"Name": "Id"}, "Parameter", ("Name", "Type", "Value")),
    "AWS::KMS::Key": _key,
    "AWS::Logs::LogGroup": _log_group,
    "AWS::CertificateManager::Certificate": Reader(
        "acm", "DescribeCertificate", {"CertificateArn": "Id"}, "Certificate", ("DomainName",)
    ),
    "AWS::ECR::Repository": Reader(
        *("ecr", "DescribeRepositories", {"repositoryNames": "[Id]"}, "repositories[0]"),
        ("ImageScanningConfiguration", "ImageTagMutability", "RepositoryName"),
    ),
    "AWS::DynamoDB::Table": Reader(
        *("dynamodb", "DescribeTable", {"TableName": "Id"}, "Table", _TABLE),
        {"BillingMode": "Table.BillingModeSummary.BillingMode"},
    ),
    "AWS::Glue::Database": Reader("glue", "GetDatabase", {"Name": "Id"}, "@", (), {"DatabaseInput": "Database"}),
    "AWS::Glue::Table": Reader(
        "glue", "GetTable", {"DatabaseName": "DatabaseName", "Name": "Id"}, "@", (), {"TableInput": "Table"}
    ),
    "AWS::Athena::WorkGroup": Reader(
        *("athena", "GetWorkGroup", {"WorkGroup": "Id"}, "WorkGroup", _GROUP),
        {"WorkGroupConfiguration": "WorkGroup.Configuration"},
    ),
    "AWS::Athena::NamedQuery": Reader(
        *("athena", "GetNamedQuery", {"NamedQueryId": "Id"}, "NamedQuery"),
        ("Database", "Description", "Name", "QueryString", "WorkGroup"),
    ),
}
"""How each type is read. A type that is not here is not checked."""
