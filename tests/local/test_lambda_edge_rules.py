"""Lambda functions that CloudFront does not associate, with Amazon's texts."""

from __future__ import annotations

from typing import Any

import pytest

from keyfront.local.lambda_edge_rules import refusal

ARN = "arn:aws:lambda:us-east-1:123456789012:function:f:1"
FINE: dict[str, Any] = {
    "Runtime": "nodejs22.x",
    "Timeout": 30,
    "MemorySize": 1024,
    "CodeSize": 50 * 1024 * 1024,
    "Role": "arn:aws:iam::123456789012:role/r",
    "VpcConfig": {"SubnetIds": [], "VpcId": ""},
    "Layers": [],
    "Environment": {"Variables": {}},
    "TracingConfig": {"Mode": "PassThrough"},
    "EphemeralStorage": {"Size": 512},
    "Architectures": ["x86_64"],
    "PackageType": "Zip",
}
TRUSTED = '{"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}'


def test_a_function_within_every_limit_is_associated() -> None:
    assert refusal(FINE, TRUSTED, ARN) == ""
    assert refusal({"Runtime": "python3.13", "Role": ""}, TRUSTED, ARN) == ""


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ({"Environment": {"Variables": {"A": "secret"}}}, "The function cannot have environment variables."),
        ({"Layers": [{"Arn": "x"}]}, "The function cannot have a layer."),
        ({"VpcConfig": {"SubnetIds": ["s"]}}, "The function cannot have a VPC configuration."),
        ({"DeadLetterConfig": {"TargetArn": "q"}}, "a dead letter queue"),
        ({"TracingConfig": {"Mode": "Active"}}, "X-Ray"),
        ({"PackageType": "Image"}, "a container image"),
        ({"Runtime": "java21"}, "a runtime that is not supported by Lambda@Edge: java21"),
        ({"Architectures": ["arm64"]}, "does not support functions with an architecture of arm64"),
        (
            {"Timeout": 31},
            "The function timeout is larger than the maximum allowed for functions that are triggered by a CloudFront "
            "event: 31 Max allowed: 30 Function: " + ARN,
        ),
        (
            {"CodeSize": 52428801},
            "The function code size is larger than the maximum allowed size for functions that are triggered by a "
            "CloudFront event: 52428801 Max allowed: 52428800 Function: " + ARN,
        ),
        ({"EphemeralStorage": {"Size": 1024}}, "ephemeral storage is larger"),
    ],
)
def test_a_function_beyond_a_limit_is_refused(change: dict[str, Any], text: str) -> None:
    told = refusal({**FINE, **change}, TRUSTED, ARN)

    assert text in told
    assert ARN in told
    assert "secret" not in told


def test_the_role_must_trust_lambda_at_the_edge() -> None:
    told = refusal(FINE, '{"Service": "lambda.amazonaws.com"}', ARN)

    assert "must be assumable with edgelambda.amazonaws.com" in told
    assert FINE["Role"] in told
