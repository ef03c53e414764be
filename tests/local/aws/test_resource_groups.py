"""The Resource Groups Tagging API over CloudFront's resources, through real clients of both services."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane, Journal
from keyfront.local.controlplane.asgi import application
from keyfront.web.serving import Listener, bind

DISTRIBUTION: dict[str, Any] = {
    "CallerReference": "one",
    "Comment": "",
    "Enabled": True,
    "Origins": {
        "Quantity": 1,
        "Items": [
            {
                "Id": "shop",
                "DomainName": "localhost",
                "CustomOriginConfig": {"HTTPPort": 8000, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
            }
        ],
    },
    "DefaultCacheBehavior": {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    },
}
TEAM_A = {"Items": [{"Key": "team", "Value": "a"}]}


@dataclass(frozen=True)
class Account:
    """An account whose CloudFront is kept in the file `kept`."""

    url: str
    journal: Journal
    kept: Path

    def client(self, service: str, region: str = "us-east-1") -> Any:
        settings = Config(retries={"total_max_attempts": 1})
        session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=region)
        return session.client(service, endpoint_url=self.url, config=settings)  # type: ignore[call-overload]

    def found(self, region: str = "us-east-1", **filters: Any) -> dict[str, dict[str, str]]:
        """What GetResources finds: tags by ARN."""
        pages = self.client("resourcegroupstaggingapi", region).get_paginator("get_resources").paginate(**filters)
        resources = [resource for page in pages for resource in page["ResourceTagMappingList"]]
        return {each["ResourceARN"]: {tag["Key"]: tag["Value"] for tag in each["Tags"]} for each in resources}


@pytest.fixture
def account(tmp_path: Path) -> Iterator[Account]:
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    journal = Journal.open(tmp_path / "cloudfront")
    plane = ControlPlane(journal=journal)
    endpoint = Endpoint(application(plane), plane=plane)

    async def listen() -> Listener:
        listener = Listener(endpoint, bind("127.0.0.1", 0))
        listener.start()
        return listener

    listener = asyncio.run_coroutine_threadsafe(listen(), loop).result(30)
    yield Account(f"http://127.0.0.1:{listener.port}", journal, tmp_path / "cloudfront")
    endpoint.reset()
    loop.call_soon_threadsafe(endpoint.close)
    asyncio.run_coroutine_threadsafe(listener.stop(), loop).result(30)
    loop.call_soon_threadsafe(loop.stop)
    thread.join()
    loop.close()
    journal.close()


@pytest.fixture
def distribution(account: Account) -> str:
    """The ARN of a distribution with a tag."""
    given = {"DistributionConfig": DISTRIBUTION, "Tags": TEAM_A}
    made = account.client("cloudfront").create_distribution_with_tags(DistributionConfigWithTags=given)
    arn: str = made["Distribution"]["ARN"]
    return arn


def test_what_is_tagged_in_cloudfront_is_found_beside_what_is_tagged_elsewhere(
    account: Account, distribution: str
) -> None:
    cloudfront = account.client("cloudfront")
    store = cloudfront.create_key_value_store(Name="store", Tags=TEAM_A)["KeyValueStore"]["ARN"]
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0"}
    cloudfront.create_function(Name="untagged", FunctionConfig=config, FunctionCode=b"//")
    topic = account.client("sns").create_topic(Name="topic", Tags=TEAM_A["Items"])["TopicArn"]
    team = {"team": "a"}
    assert account.found() == {distribution: team, store: team, topic: team}
    assert account.found(ResourceTypeFilters=["cloudfront:distribution"]) == {distribution: team}
    assert account.found(ResourceTypeFilters=["cloudfront"], ResourcesPerPage=1) == {distribution: team, store: team}
    assert account.found(TagFilters=[{"Key": "team", "Values": ["b"]}]) == {}
    tagging = account.client("resourcegroupstaggingapi")
    assert set(tagging.get_tag_values(Key="team")["TagValues"]) == {"a"}
    assert account.found("eu-central-1") == {}, "CloudFront belongs to no Region"


def test_resources_are_tagged_and_untagged_from_there_and_it_is_kept(account: Account, distribution: str) -> None:
    tagging, cloudfront = account.client("resourcegroupstaggingapi"), account.client("cloudfront")
    topic = account.client("sns").create_topic(Name="topic")["TopicArn"]
    both = [distribution, topic]
    assert tagging.tag_resources(ResourceARNList=both, Tags={"stage": "live"})["FailedResourcesMap"] == {}
    assert account.found(TagFilters=[{"Key": "stage"}]).keys() == set(both)
    assert tagging.untag_resources(ResourceARNList=both, TagKeys=["team"])["FailedResourcesMap"] == {}
    tags = cloudfront.list_tags_for_resource(Resource=distribution)["Tags"]["Items"]
    assert tags == [{"Key": "stage", "Value": "live"}]
    account.journal.close()
    again = Journal.open(account.kept)
    kept = ControlPlane(journal=again)
    again.close()
    assert [dict(resource.tags) for resource in kept.tagged()] == [{"stage": "live"}]


def test_a_resource_that_cannot_be_tagged_is_named_and_the_others_are_tagged(
    account: Account, distribution: str
) -> None:
    tagging = account.client("resourcegroupstaggingapi")
    missing = f"{distribution.rpartition('/')[0]}/ENOTTHERE"
    failed = tagging.tag_resources(ResourceARNList=[missing, distribution], Tags={"a": "b"})["FailedResourcesMap"]
    assert list(failed) == [missing]
    assert (failed[missing]["StatusCode"], failed[missing]["ErrorCode"]) == (404, "InvalidParameterException")
    assert "NoSuchResource" in failed[missing]["ErrorMessage"]
    assert account.found()[distribution] == {"team": "a", "a": "b"}

    many = {f"key-{number}": "" for number in range(50)}
    failed = tagging.tag_resources(ResourceARNList=[distribution], Tags=many)["FailedResourcesMap"]
    assert "InvalidTagging" in failed[distribution]["ErrorMessage"]
    assert account.found()[distribution] == {"team": "a", "a": "b"}
