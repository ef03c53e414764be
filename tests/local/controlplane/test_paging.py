"""Lists, a page at a time, through boto3 and its paginators."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]


@pytest.fixture
def seven(cloudfront: CloudFrontClient, config: Callable[..., Any]) -> list[str]:
    """The ids of seven distributions, in the order in which they are listed."""
    return sorted(
        cloudfront.create_distribution(DistributionConfig=config(Enabled=False))["Distribution"]["Id"] for _ in range(7)
    )


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 8, 100])
def test_the_paginator_sees_every_distribution_once(cloudfront: CloudFrontClient, seven: list[str], size: int) -> None:
    pages = list(cloudfront.get_paginator("list_distributions").paginate(PaginationConfig={"PageSize": size}))
    found = [item["Id"] for page in pages for item in page["DistributionList"]["Items"]]
    assert found == seven
    assert [page["DistributionList"]["IsTruncated"] for page in pages] == [True] * (len(pages) - 1) + [False]
    assert len(pages) == -(-7 // size)


def test_a_page_says_where_the_next_one_begins(cloudfront: CloudFrontClient, seven: list[str]) -> None:
    first = cloudfront.list_distributions(MaxItems="3")["DistributionList"]
    assert (first["Marker"], first["MaxItems"], first["Quantity"], first["IsTruncated"]) == ("", 3, 3, True)
    assert first["NextMarker"] == seven[2]
    rest = cloudfront.list_distributions(MaxItems="4", Marker=first["NextMarker"])["DistributionList"]
    assert (rest["Marker"], rest["IsTruncated"], "NextMarker" in rest) == (seven[2], False, False)
    assert [item["Id"] for item in rest["Items"]] == seven[3:]


def test_pages_hold_while_what_was_listed_is_deleted(cloudfront: CloudFrontClient, seven: list[str]) -> None:
    found, marker = [], ""
    while True:
        page = cloudfront.list_distributions(MaxItems="2", Marker=marker)["DistributionList"]
        for item in page["Items"]:
            found.append(item["Id"])
            cloudfront.delete_distribution(Id=item["Id"], IfMatch=item["ETag"])
        if not page["IsTruncated"]:
            break
        marker = page["NextMarker"]
    assert found == seven


def test_keys_and_groups_are_listed_in_pages_too(
    cloudfront: CloudFrontClient, make_key: Callable[[], str], make_group: Callable[..., str]
) -> None:
    keys = sorted(make_key() for _ in range(3))
    groups = sorted(make_group(keys[0]) for _ in range(3))
    first = cloudfront.list_public_keys(MaxItems="2")["PublicKeyList"]
    assert ([item["Id"] for item in first["Items"]], first["NextMarker"]) == (keys[:2], keys[1])
    second = cloudfront.list_public_keys(MaxItems="2", Marker=first["NextMarker"])["PublicKeyList"]
    assert ([item["Id"] for item in second["Items"]], "NextMarker" in second) == (keys[2:], False)
    paged = cloudfront.list_key_groups(MaxItems="1", Marker=groups[0])["KeyGroupList"]
    assert [item["KeyGroup"]["Id"] for item in paged["Items"]] == [groups[1]]


def test_a_page_has_at_most_a_hundred_items(
    cloudfront: CloudFrontClient, with_plane: Callable[..., object], pems: list[str]
) -> None:
    with_plane(Quotas(public_keys=101))
    for number in range(101):
        config: Any = {"CallerReference": str(number), "Name": str(number), "EncodedKey": pems[1]}
        cloudfront.create_public_key(PublicKeyConfig=config)
    for arguments in ({}, {"MaxItems": "1000"}):
        page = cloudfront.list_public_keys(**arguments)["PublicKeyList"]
        assert (page["Quantity"], page["MaxItems"], len(page["Items"])) == (100, 100, 100)


@pytest.mark.parametrize("size", ["0", "-1", "ten", "1.5", "", "٣", "9" * 5000])
def test_a_page_size_that_is_no_number_is_refused(cloudfront: CloudFrontClient, refused: Refusal, size: str) -> None:
    assert refused(cloudfront.list_distributions, MaxItems=size)[:2] == ("InvalidArgument", 400)


def test_a_marker_past_the_end_gets_an_empty_page(cloudfront: CloudFrontClient, seven: list[str]) -> None:
    page = cloudfront.list_distributions(Marker="Z")["DistributionList"]
    assert (page["Quantity"], page["IsTruncated"], "Items" in page) == (0, False, False)
