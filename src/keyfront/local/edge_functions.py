"""What the laptop's control plane needs for CloudFront functions and cannot do itself: run one, and read S3."""

import asyncio
import json
from typing import Final

from keyfront.edge.functions.runtime import Execution, Runtime
from keyfront.errors import ServiceError
from keyfront.inventory import EdgeFunction, KeyValues
from keyfront.local.clients import CREDENTIALS, REGION
from keyfront.local.controlplane.account import FunctionTest, FunctionTestResult

COULD_NOT_RUN: Final = (
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
        return FunctionTestResult("", f"{COULD_NOT_RUN} {done.error}", done.logs, done.utilization)
    value = done.value
    if not isinstance(value, dict) or not ("uri" in value or "statusCode" in value):
        error = "The CloudFront function returned an invalid value: it must be the request or a response."
        return FunctionTestResult("", error, done.logs, done.utilization)
    kind = "response" if "statusCode" in value else "request"
    output = json.dumps({kind: value}, separators=(",", ":"), ensure_ascii=False)
    return FunctionTestResult(output, "", done.logs, done.utilization)


def read_object(endpoint: str, bucket: str, key: str) -> bytes:
    """Return an object of the laptop's S3. Raises `ServiceError`. Blocks."""
    import boto3
    from botocore.config import Config
    from botocore.exceptions import BotoCoreError, ClientError

    client = boto3.client(
        "s3",
        endpoint_url=endpoint,
        aws_access_key_id=CREDENTIALS[0],
        aws_secret_access_key=CREDENTIALS[1],
        region_name=REGION,
        config=Config(proxies={}, retries={"total_max_attempts": 1}, s3={"addressing_style": "path"}),
    )
    try:
        return client.get_object(Bucket=bucket, Key=key)["Body"].read()
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"s3://{bucket}/{key} cannot be read: {error}") from None


async def _run(function: EdgeFunction, test: FunctionTest) -> Execution:
    runtime = Runtime()
    try:
        return await runtime.run(function, test.event)
    finally:
        await runtime.aclose()
