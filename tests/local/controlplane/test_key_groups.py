"""Key groups, through boto3."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient


def test_a_key_group_is_created_read_listed_and_deleted(
    cloudfront: CloudFrontClient, make_key: Callable[[], str]
) -> None:
    config: Any = {"Name": "readers", "Items": [make_key(), make_key()], "Comment": "who may read"}
    created = cloudfront.create_key_group(KeyGroupConfig=config)
    group = created["KeyGroup"]
    assert str(uuid.UUID(group["Id"])) == group["Id"]
    assert group["KeyGroupConfig"] == config
    assert created["Location"].endswith(f"/key-group/{group['Id']}")
    got = cloudfront.get_key_group(Id=group["Id"])
    assert (got["KeyGroup"], got["ETag"]) == (group, created["ETag"])
    assert cloudfront.get_key_group_config(Id=group["Id"])["KeyGroupConfig"] == config
    listed = cloudfront.list_key_groups()["KeyGroupList"]
    assert listed == {"MaxItems": 100, "Quantity": 1, "Items": [{"KeyGroup": group}]}
    cloudfront.delete_key_group(Id=group["Id"], IfMatch=created["ETag"])
    assert cloudfront.list_key_groups()["KeyGroupList"] == {"MaxItems": 100, "Quantity": 0}


def test_an_update_replaces_the_keys_and_shows_in_the_distributions_that_trust_the_group(
    cloudfront: CloudFrontClient,
    make_key: Callable[[], str],
    make_group: Callable[..., str],
    trusting: Callable[..., str],
) -> None:
    old, new = make_key(), make_key()
    group = make_group(old)
    distribution = trusting(group)
    before = cloudfront.get_distribution(Id=distribution)
    got = cloudfront.get_key_group(Id=group)
    config: Any = {**got["KeyGroup"]["KeyGroupConfig"], "Items": [old, new]}
    updated = cloudfront.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=config)
    assert updated["ETag"] != got["ETag"]
    assert updated["KeyGroup"]["LastModifiedTime"] >= got["KeyGroup"]["LastModifiedTime"]
    after = cloudfront.get_distribution(Id=distribution)
    assert after["ETag"] != before["ETag"]
    assert after["Distribution"]["ActiveTrustedKeyGroups"] == {
        "Enabled": True,
        "Quantity": 1,
        "Items": [{"KeyGroupId": group, "KeyPairIds": {"Quantity": 2, "Items": [old, new]}}],
    }


def test_a_group_keeps_its_name_through_an_update(cloudfront: CloudFrontClient, make_group: Callable[..., str]) -> None:
    group = make_group()
    got: Any = cloudfront.get_key_group_config(Id=group)
    updated = cloudfront.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=got["KeyGroupConfig"])
    assert updated["KeyGroup"]["KeyGroupConfig"] == got["KeyGroupConfig"]


def test_the_distributions_that_trust_a_group_are_listed_by_id(
    cloudfront: CloudFrontClient,
    make_group: Callable[..., str],
    trusting: Callable[..., str],
    make_distribution: Callable[..., str],
) -> None:
    group, other = make_group(), make_group()
    make_distribution()
    trusted_by = sorted([trusting(group), trusting(other, group)])
    trusting(other)
    listed = cloudfront.list_distributions_by_key_group(KeyGroupId=group)["DistributionIdList"]
    assert (listed["Quantity"], listed["Items"], listed["IsTruncated"]) == (2, trusted_by, False)
