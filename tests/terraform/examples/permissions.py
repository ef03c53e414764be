"""Which IAM actions on which resources a request to AWS needs, and whether a policy allows them.

The request becomes an operation by botocore's service models; the operation becomes actions by the Service
Authorization Reference: most are named after their operation, and those that are not stand in `_S3` and below it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import parse_qs, parse_qsl, unquote, urlsplit

from botocore.loaders import Loader
from botocore.model import ServiceModel

ACCOUNT, REGION = "123456789012", "us-east-1"

_S3 = {
    **dict.fromkeys(("HeadBucket", "ListObjects", "ListObjectsV2"), "ListBucket"),
    "ListObjectVersions": "ListBucketVersions",
    "ListBuckets": "ListAllMyBuckets",
    "GetBucketCors": "GetBucketCORS",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    **dict.fromkeys(("PutPublicAccessBlock", "DeletePublicAccessBlock"), "PutBucketPublicAccessBlock"),
    "DeleteBucketOwnershipControls": "PutBucketOwnershipControls",
    "DeleteBucketTagging": "PutBucketTagging",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    **dict.fromkeys(("PutBucketEncryption", "DeleteBucketEncryption"), "PutEncryptionConfiguration"),
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    **dict.fromkeys(("PutBucketLifecycleConfiguration", "DeleteBucketLifecycle"), "PutLifecycleConfiguration"),
    "HeadObject": "GetObject",
}
_S3_VERSIONS = {"HeadObject", "GetObject", "GetObjectTagging", "DeleteObject", "DeleteObjectTagging"}
_S3_HEADERS = {
    ("CreateBucket", "x-amz-acl"): "PutBucketAcl",
    ("CreateBucket", "x-amz-object-ownership"): "PutBucketOwnershipControls",
    ("PutObject", "x-amz-acl"): "PutObjectAcl",
    ("PutObject", "x-amz-tagging"): "PutObjectTagging",
}
_NO_PERMISSION_NEEDED = {("sts", "GetCallerIdentity")}


class Needed(NamedTuple):
    """An action that a request needs, such as `s3:GetObject`, and the ARN of what it needs it on."""

    action: str
    resource: str


class _Request(NamedTuple):
    service: str
    method: str
    path: str
    query: dict[str, str]
    headers: Mapping[str, str]
    body: bytes

    def given(self) -> dict[str, Any]:
        """The arguments in the body."""
        if self.service in ("iam", "sts"):
            return dict(parse_qsl(self.body.decode(), keep_blank_values=True))
        document: dict[str, Any] = json.loads(self.body or b"{}")
        return document


def needed(method: str, target: str, headers: Mapping[str, str], body: bytes) -> list[Needed]:
    """What a signed request needs, which has its service's name in its signature. `headers` by lower-case name."""
    scope = re.search(r"Credential=[^/]+/\d+/[^/]+/([^/]+)/", headers["authorization"])
    assert scope, headers["authorization"]
    parts = urlsplit(target)
    query = {name: values[0] for name, values in parse_qs(parts.query, keep_blank_values=True).items()}
    request = _Request(scope[1], method, parts.path, query, headers, body)
    return list(_BY_SERVICE[request.service](request))


def allows(policy: Mapping[str, Any], wanted: Needed) -> bool:
    """Whether a statement allows it. The only condition that is understood is for whom a role is passed: Lambda."""
    for statement in policy["Statement"]:
        resources = statement["Resource"]
        resources = [resources] if isinstance(resources, str) else resources
        condition = statement.get("Condition", {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}})
        assert statement["Effect"] == "Allow"
        assert condition == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        if wanted.action in statement["Action"] and any(fnmatchcase(wanted.resource, each) for each in resources):
            return True
    return False


def _cloudfront(request: _Request) -> Iterator[Needed]:
    name = _operation(request)
    for action in ("CreateDistribution", "TagResource") if name == "CreateDistributionWithTags" else (name,):
        yield Needed(f"cloudfront:{action}", "*")


def _s3(request: _Request) -> Iterator[Needed]:
    bucket, _, key = unquote(request.path).removeprefix("/").partition("/")
    # Some of a bucket's requests end in a slash, which is no object.
    name = _operation(_Request("s3", request.method, request.path.rstrip("/") or "/", *_rest(request)))
    if name == "ListBuckets":
        yield Needed("s3:ListAllMyBuckets", "*")
        return
    on = f"arn:aws:s3:::{bucket}" + (f"/{key}" if key else "")
    if name == "DeleteObjects":
        for tag, action in ((b"<Key>", "DeleteObject"), (b"<VersionId>", "DeleteObjectVersion")):
            if tag in request.body:
                yield Needed(f"s3:{action}", f"{on}/every")
        return
    action = _S3.get(name, name)
    if name in _S3_VERSIONS and "versionId" in request.query:
        action = action.replace("Object", "ObjectVersion")
    yield Needed(f"s3:{action}", on)
    for (operation, header), extra in _S3_HEADERS.items():
        if operation == name and header in request.headers:
            yield Needed(f"s3:{extra}", on)


def _lambda(request: _Request) -> Iterator[Needed]:
    name = _operation(request)
    function = re.search(r"/(?:functions|tags)/([^/]+)", unquote(request.path))
    given = request.given() if request.body else {}
    named = function[1].rpartition(":")[2] if function else given["FunctionName"]
    yield Needed(f"lambda:{name}", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}")
    if name == "CreateFunction" and given.get("Tags"):
        yield Needed("lambda:TagResource", f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{named}")
    if "Role" in given:
        yield Needed("iam:PassRole", given["Role"])


def _iam(request: _Request) -> Iterator[Needed]:
    given = request.given()
    role = f"arn:aws:iam::{ACCOUNT}:role/{given['RoleName']}"
    yield Needed(f"iam:{given['Action']}", role)
    if given["Action"] == "CreateRole" and any(name.startswith("Tags.") for name in given):
        yield Needed("iam:TagRole", role)


def _kms(request: _Request) -> Iterator[Needed]:
    name, given = _target(request), request.given()
    every = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/"
    key = given.get("KeyId", given.get("TargetKeyId", "new"))
    if name == "ListAliases":
        yield Needed("kms:ListAliases", "*")
    elif name == "CreateKey":
        yield Needed("kms:CreateKey", "*")
        if given.get("Tags"):
            yield Needed("kms:TagResource", f"{every}new")
    else:
        yield Needed(f"kms:{name}", key if key.startswith("arn:") else f"{every}{key}")
    if "AliasName" in given:
        yield Needed(f"kms:{name}", f"arn:aws:kms:{REGION}:{ACCOUNT}:{given['AliasName']}")


def _ssm(request: _Request) -> Iterator[Needed]:
    name, given = _target(request), request.given()
    if name == "DescribeParameters":
        yield Needed("ssm:DescribeParameters", "*")
        return
    for named in given.get("Names", [given.get("Name", given.get("ResourceId"))]):
        on = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/{named.removeprefix('/')}"
        yield Needed(f"ssm:{name}", on)
        if given.get("Tags") and name == "PutParameter":
            yield Needed("ssm:AddTagsToResource", on)


def _dynamodb(request: _Request) -> Iterator[Needed]:
    name, given = _target(request), request.given()
    table = f"arn:aws:dynamodb:{REGION}:{ACCOUNT}:table/{given.get('TableName')}"
    yield Needed(f"dynamodb:{name}", given.get("ResourceArn") or table)
    if given.get("Tags") and name == "CreateTable":
        yield Needed("dynamodb:TagResource", table)


def _logs(request: _Request) -> Iterator[Needed]:
    name, given = _target(request), request.given()
    if name == "DescribeLogGroups":
        yield Needed("logs:DescribeLogGroups", "*")
        return
    on = given.get("resourceArn") or f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{given['logGroupName']}"
    yield Needed(f"logs:{name}", on)
    if given.get("tags") and name == "CreateLogGroup":
        yield Needed("logs:TagResource", on)


def _apigateway(request: _Request) -> Iterator[Needed]:
    # Its actions are HTTP methods, and its resources paths without the version, as they are sent.
    path = request.path.removeprefix("/v2")
    yield Needed(f"apigateway:{request.method}", f"arn:aws:apigateway:{REGION}::{path}")


def _sts(request: _Request) -> Iterator[Needed]:
    assert ("sts", request.given()["Action"]) in _NO_PERMISSION_NEEDED
    yield from ()


_BY_SERVICE = {
    "cloudfront": _cloudfront,
    "s3": _s3,
    "lambda": _lambda,
    "dynamodb": _dynamodb,
    "iam": _iam,
    "kms": _kms,
    "ssm": _ssm,
    "logs": _logs,
    "apigateway": _apigateway,
    "sts": _sts,
}


def _rest(request: _Request) -> tuple[dict[str, str], Mapping[str, str], bytes]:
    return request.query, request.headers, request.body


def _target(request: _Request) -> str:
    return request.headers["x-amz-target"].rpartition(".")[2]


def _operation(request: _Request) -> str:
    """The operation that the request is: of several with its method and path the one that asks for most beside."""
    fitting = [
        (each.name, len(each.fixed) + len(each.required))
        for each in _operations(request.service)
        if each.method == request.method
        and re.fullmatch(each.pattern, request.path)
        and all(request.query.get(name) == value for name, value in each.fixed.items())
        and all(name in request.query or name in request.headers for name in each.required)
    ]
    assert fitting, f"no operation of {request.service} is {request.method} {request.path} {request.query}"
    return max(fitting, key=lambda each: each[1])[0]


class _Operation(NamedTuple):
    name: str
    method: str
    pattern: str
    fixed: dict[str, str]
    """Query parameters that are part of the address."""
    required: list[str]
    """Query parameters and headers that it cannot be without."""


@cache
def _operations(service: str) -> list[_Operation]:
    # Read anew: clients of boto3 change the paths of S3's operations, in the models that they share.
    model = ServiceModel(Loader().load_service_model(service, "service-2"), service)
    found = []
    for name in model.operation_names:
        operation = model.operation_model(name)
        if operation.deprecated:
            continue
        path, _, query = operation.http["requestUri"].partition("?")
        pattern = "".join(
            (".+" if part.endswith("+}") else "[^/]+") if part.startswith("{") else re.escape(part)
            for part in re.split(r"(\{[^}]+\})", path.rstrip("/") or "/")
        )
        given = operation.input_shape
        members = [given.members[name].serialization for name in given.required_members] if given else []
        required = [each["name"] for each in members if each.get("location") == "querystring"]
        required += [each["name"].lower() for each in members if each.get("location") == "header"]
        found.append(_Operation(name, operation.http["method"], pattern + "/?", dict(parse_qsl(query, True)), required))
    return found
