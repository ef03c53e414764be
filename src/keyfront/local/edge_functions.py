"""What the laptop's control plane needs for edge functions and cannot do itself: run one, read S3, look into Lambda."""

import asyncio
import json
from typing import Any, Final

from keyfront.edge.functions.lambda_edge import LAMBDA_EDGE_REGION
from keyfront.edge.functions.runtime import Execution, Runtime
from keyfront.errors import ServiceError
from keyfront.inventory import EdgeFunction, KeyValues
from keyfront.local.clients import CREDENTIALS
from keyfront.local.controlplane.account import FunctionTest, FunctionTestResult
from keyfront.local.lambda_edge_rules import refusal

_COULD_NOT_RUN: Final = (
    "The CloudFront function associated with the CloudFront distribution is invalid or could not run."
)
"""The first sentence of CloudFront's message; the engine's follows."""


def run_function(test: FunctionTest) -> FunctionTestResult:
    """Run a function once, in a process of its own. Blocks."""
    store = None
    if test.store_id:
        store = KeyValues(test.store_id, "", "", "", tuple(sorted(test.pairs.items())))
    function = EdgeFunction(test.name, test.name, test.runtime, test.code, "", store)
    done = asyncio.run(_run(function, test))
    if done.error:
        return FunctionTestResult("", f"{_COULD_NOT_RUN} {done.error}", done.logs, done.utilization)
    value = done.value
    if not isinstance(value, dict) or not ("uri" in value or "statusCode" in value):
        error = "The CloudFront function returned an invalid value: it must be the request or a response."
        return FunctionTestResult("", error, done.logs, done.utilization)
    kind = "response" if "statusCode" in value else "request"
    output = json.dumps({kind: value}, separators=(",", ":"), ensure_ascii=False)
    return FunctionTestResult(output, "", done.logs, done.utilization)


def read_object(endpoint: str, bucket: str, key: str) -> bytes:
    """Return an object of the laptop's S3. Raises `ServiceError`. Blocks."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        content: bytes = _client("s3", endpoint).get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"s3://{bucket}/{key} cannot be read: {error}") from None
    return content


def lambda_refusal(endpoint: str, arn: str) -> str:
    """Return why a version of a Lambda function cannot run at the edge, or an empty text. Blocks.

    The rules are in `lambda_edge_rules`.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        found = _client("lambda", endpoint).get_function_configuration(FunctionName=arn)
        role = _client("iam", endpoint).get_role(RoleName=found["Role"].rpartition("/")[2])["Role"]
    except (BotoCoreError, ClientError):
        return (
            "Lambda@Edge cannot retrieve the specified Lambda function. Update the IAM policy to add permission: "
            f"lambda:GetFunction for resource: {arn} and try again."
        )
    return refusal(found, json.dumps(role["AssumeRolePolicyDocument"]), arn)


def _client(service: str, endpoint: str) -> Any:
    import boto3
    from botocore.config import Config

    return boto3.client(
        service,  # type: ignore[call-overload]
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS[0],
        aws_secret_access_key=CREDENTIALS[1],
        region_name=LAMBDA_EDGE_REGION,
        config=Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )


async def _run(function: EdgeFunction, test: FunctionTest) -> Execution:
    runtime = Runtime()
    try:
        return await runtime.run(function, test.event)
    finally:
        await runtime.aclose()
