"""What an update of a distribution must bring, and may not change."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]

REQUIRED_FOR_UPDATES = [
    *("Aliases", "DefaultRootObject", "CacheBehaviors", "CustomErrorResponses", "Logging", "PriceClass"),
    *("ViewerCertificate", "Restrictions", "WebACLId", "HttpVersion"),
    "DefaultCacheBehavior.AllowedMethods",
    "DefaultCacheBehavior.Compress",
    "DefaultCacheBehavior.LambdaFunctionAssociations",
    "DefaultCacheBehavior.FieldLevelEncryptionId",
    "Origins.Items.0.CustomOriginConfig.OriginReadTimeout",
    "Origins.Items.0.CustomOriginConfig.OriginKeepaliveTimeout",
]


@pytest.mark.parametrize("path", REQUIRED_FOR_UPDATES)
def test_an_update_must_be_complete(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str], path: str
) -> None:
    made = make_distribution()
    got = cloudfront.get_distribution_config(Id=made)
    *parents, last = path.split(".")
    target: Any = got["DistributionConfig"]
    for name in parents:
        target = target[int(name)] if name.isdigit() else target[name]
    del target[last]
    code, status, message = refused(
        cloudfront.update_distribution, Id=made, IfMatch=got["ETag"], DistributionConfig=got["DistributionConfig"]
    )
    assert (code, status) == ("IllegalUpdate", 400)
    assert f"{last} is required for updates" in message


@pytest.mark.parametrize(
    ("member", "text"),
    [
        ("SmoothStreaming", "The parameter SmoothStreaming flag is missing."),
        ("OriginSslProtocols", "The parameter OriginSslProtocols is required."),
    ],
)
def test_two_members_are_missed_in_other_words(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str], member: str, text: str
) -> None:
    got: Any = cloudfront.get_distribution_config(Id=make_distribution())
    config = got["DistributionConfig"]
    config["DefaultCacheBehavior"].pop(member, None)
    config["Origins"]["Items"][0]["CustomOriginConfig"].pop(member, None)
    made = cloudfront.list_distributions()["DistributionList"]["Items"][0]["Id"]
    refusal = refused(cloudfront.update_distribution, Id=made, IfMatch=got["ETag"], DistributionConfig=config)
    assert refusal[:2] == ("InvalidArgument", 400)
    assert refusal[2].startswith(text)


def test_an_update_keeps_the_caller_reference(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    made = make_distribution()
    got = cloudfront.get_distribution_config(Id=made)
    changed = {**got["DistributionConfig"], "CallerReference": "another"}
    answer = refused(cloudfront.update_distribution, Id=made, IfMatch=got["ETag"], DistributionConfig=changed)
    assert answer[:2] == ("IllegalUpdate", 400)
