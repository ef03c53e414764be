"""Tags of distributions, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]


def _tags(client: CloudFrontClient, arn: str) -> dict[str, str]:
    items = client.list_tags_for_resource(Resource=arn)["Tags"].get("Items", [])
    return {tag["Key"]: tag.get("Value", "") for tag in items}


@pytest.fixture
def arn(cloudfront: CloudFrontClient, make_distribution: Callable[..., str]) -> str:
    return cloudfront.get_distribution(Id=make_distribution())["Distribution"]["ARN"]


def test_a_distribution_is_created_with_tags(cloudfront: CloudFrontClient, config: Callable[..., Any]) -> None:
    tags: Any = {"Items": [{"Key": "team", "Value": "Bücher / more"}, {"Key": "empty", "Value": ""}, {"Key": "bare"}]}
    made = cloudfront.create_distribution_with_tags(
        DistributionConfigWithTags={"DistributionConfig": config(), "Tags": tags}
    )
    assert made["Location"].endswith(made["Distribution"]["Id"])
    assert _tags(cloudfront, made["Distribution"]["ARN"]) == {"team": "Bücher / more", "empty": "", "bare": ""}
    assert cloudfront.get_distribution(Id=made["Distribution"]["Id"])["ETag"] == made["ETag"]


def test_tags_are_added_replaced_and_removed(cloudfront: CloudFrontClient, arn: str) -> None:
    assert _tags(cloudfront, arn) == {}
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "a", "Value": "1"}, {"Key": "b", "Value": "2"}]})
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "b", "Value": "3"}, {"Key": "c", "Value": "4"}]})
    assert _tags(cloudfront, arn) == {"a": "1", "b": "3", "c": "4"}
    cloudfront.untag_resource(Resource=arn, TagKeys={"Items": ["a", "nowhere"]})
    assert _tags(cloudfront, arn) == {"b": "3", "c": "4"}


def test_tagging_does_not_move_the_distribution(cloudfront: CloudFrontClient, arn: str) -> None:
    identifier = arn.rpartition("/")[2]
    before = cloudfront.get_distribution(Id=identifier)["ETag"]
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "a"}]})
    assert cloudfront.get_distribution(Id=identifier)["ETag"] == before


@pytest.mark.parametrize(
    ("tags", "code"),
    [
        ([{"Key": "a!", "Value": ""}], "InvalidTagging"),
        ([{"Key": "a", "Value": "<b>"}], "InvalidTagging"),
        ([{"Key": "aws:a", "Value": ""}], "InvalidTagging"),
        ([{"Key": "a"}, {"Key": "a"}], "InvalidTagging"),
        ([{"Key": f"key-{number}"} for number in range(51)], "InvalidTagging"),
        ([{"Key": "k" * 129}], "MalformedXML"),
        ([{"Key": "k", "Value": "v" * 257}], "MalformedXML"),
        ([{"Key": ""}], "MalformedXML"),
        ([{"Value": "v"}], "MalformedXML"),
    ],
    ids=["character", "value", "reserved", "twice", "51 tags", "long key", "long value", "empty key", "no key"],
)
def test_a_tag_that_may_not_be_is_refused(
    careless: CloudFrontClient, refused: Refusal, arn: str, tags: list[dict[str, str]], code: str
) -> None:
    assert refused(careless.tag_resource, Resource=arn, Tags={"Items": tags})[:2] == (code, 400)
    assert _tags(careless, arn) == {}


def test_bad_tags_keep_a_distribution_from_being_made(
    cloudfront: CloudFrontClient, refused: Refusal, config: Callable[..., Any]
) -> None:
    given = {"DistributionConfig": config(), "Tags": {"Items": [{"Key": "aws:a"}]}}
    answer = refused(cloudfront.create_distribution_with_tags, DistributionConfigWithTags=given)
    assert answer[:2] == ("InvalidTagging", 400)
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0


def test_a_quota_of_tags_takes_the_whole_request_back(
    cloudfront: CloudFrontClient, refused: Refusal, config: Callable[..., Any]
) -> None:
    """The distribution is stored before its tags are counted: none of it may stay."""
    tags = {"Items": [{"Key": f"key-{number}"} for number in range(51)]}
    given = {"DistributionConfig": config(), "Tags": tags}
    answer = refused(cloudfront.create_distribution_with_tags, DistributionConfigWithTags=given)
    assert answer[:2] == ("InvalidTagging", 400)
    assert cloudfront.list_distributions()["DistributionList"]["Quantity"] == 0


@pytest.mark.parametrize(
    ("resource", "code", "status"),
    [
        ("arn:aws:cloudfront::123456789012:distribution/E0000000000000", "NoSuchResource", 404),
        ("arn:aws:cloudfront::123456789012:key-group/a", "NoSuchResource", 404),
        ("arn:aws:s3:::bucket", "InvalidArgument", 400),
        ("shop", "InvalidArgument", 400),
    ],
)
def test_only_a_distribution_that_exists_has_tags(
    cloudfront: CloudFrontClient, refused: Refusal, resource: str, code: str, status: int
) -> None:
    assert refused(cloudfront.list_tags_for_resource, Resource=resource)[:2] == (code, status)


def test_another_account_s_distribution_is_not_ours(cloudfront: CloudFrontClient, refused: Refusal, arn: str) -> None:
    foreign = arn.replace("123456789012", "210987654321")
    assert refused(cloudfront.list_tags_for_resource, Resource=foreign)[:2] == ("NoSuchResource", 404)


def test_tags_go_with_their_distribution(
    cloudfront: CloudFrontClient, refused: Refusal, config: Callable[..., Any]
) -> None:
    given: Any = {"DistributionConfig": config(Enabled=False), "Tags": {"Items": [{"Key": "a"}]}}
    made = cloudfront.create_distribution_with_tags(DistributionConfigWithTags=given)
    cloudfront.delete_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"])
    answer = refused(cloudfront.list_tags_for_resource, Resource=made["Distribution"]["ARN"])
    assert answer[:2] == ("NoSuchResource", 404)
