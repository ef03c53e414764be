"""Lists of what an account on the laptop cannot have, through boto3."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from botocore import xform_name

from keyfront.local.controlplane import empty_lists

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_cloudfront import CloudFrontClient

GIVEN: dict[str, dict[str, Any]] = {
    "ListDistributionsByAnycastIpListId": {"AnycastIpListId": "aip_1"},
    "ListDistributionsByConnectionFunction": {"ConnectionFunctionIdentifier": "cf_1"},
    "ListDistributionsByOwnedResource": {"ResourceArn": "arn:aws:cloudfront::123456789012:vpcorigin/vo_1"},
    "ListDistributionsByTrustStore": {"TrustStoreIdentifier": "ts_1"},
}
"""What an operation needs."""
NAMED = {
    *("list_anycast_ip_lists", "list_connection_functions", "list_connection_groups", "list_distribution_tenants"),
    *("list_distribution_tenants_by_customization", "list_distributions_by_anycast_ip_list_id"),
    *("list_distributions_by_connection_function", "list_distributions_by_owned_resource"),
    *("list_distributions_by_trust_store", "list_streaming_distributions", "list_trust_stores"),
}


@pytest.mark.parametrize(
    "operation", sorted(empty_lists.OPERATIONS.keys() - {"ListInvalidationsForDistributionTenant"})
)
def test_a_list_is_empty_and_has_every_member_that_the_model_requires(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str], operation: str
) -> None:
    make_distribution()
    assert xform_name(operation) in NAMED
    answer = getattr(cloudfront, xform_name(operation))(**GIVEN.get(operation, {}))
    answer.pop("ResponseMetadata")
    shape: Any = cloudfront.meta.service_model.operation_model(operation).output_shape
    payload = shape.serialization.get("payload")
    listing, members = (answer[payload], shape.members[payload]) if payload else (answer, shape)
    assert set(members.required_members) <= listing.keys()
    assert not listing.get("Items")
    assert {name: listing[name] for name in ("Quantity", "IsTruncated") if name in listing}.items() <= {
        "Quantity": 0,
        "IsTruncated": False,
    }.items()


def test_a_tenant_that_cannot_exist_has_no_invalidations(cloudfront: CloudFrontClient) -> None:
    with pytest.raises(cloudfront.exceptions.EntityNotFound, match="dt_1"):
        cloudfront.list_invalidations_for_distribution_tenant(Id="dt_1")


def test_distributions_are_listed_by_their_connection_mode(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str]
) -> None:
    made = make_distribution()
    direct = cloudfront.list_distributions_by_connection_mode(ConnectionMode="direct", MaxItems=5)["DistributionList"]
    assert [item["Id"] for item in direct["Items"]] == [made]
    tenants = cloudfront.list_distributions_by_connection_mode(ConnectionMode="tenant-only")["DistributionList"]
    assert tenants["Quantity"] == 0
