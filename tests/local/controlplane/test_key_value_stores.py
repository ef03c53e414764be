"""Key value stores: made, changed, associated with functions, tagged and deleted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

CODE = b"function handler(event) { return event.request; }"


class Refusal(Protocol):
    def __call__(self, call: Any, /, **arguments: Any) -> tuple[str, int, str]: ...


def test_a_store_is_made_described_listed_changed_and_deleted(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    made = cloudfront.create_key_value_store(Name="prices", Comment="of today")
    store = made["KeyValueStore"]
    assert (store["Name"], store["Comment"], store["Status"]) == ("prices", "of today", "READY")
    assert store["ARN"] == f"arn:aws:cloudfront::123456789012:key-value-store/{store['Id']}"
    assert made["Location"].endswith(f"/key-value-store/{store['Id']}")
    described = cloudfront.describe_key_value_store(Name="prices")
    assert (described["KeyValueStore"], described["ETag"]) == (store, made["ETag"])
    assert cloudfront.list_key_value_stores()["KeyValueStoreList"]["Items"] == [store]
    assert cloudfront.list_key_value_stores(Status="PROVISIONING")["KeyValueStoreList"]["Quantity"] == 0
    changed = cloudfront.update_key_value_store(Name="prices", Comment="", IfMatch=made["ETag"])
    assert (changed["KeyValueStore"]["Comment"], changed["KeyValueStore"]["Id"]) == ("", store["Id"])
    stale = {"Name": "prices", "IfMatch": made["ETag"]}
    assert refused(cloudfront.delete_key_value_store, **stale)[:2] == ("PreconditionFailed", 412)
    cloudfront.delete_key_value_store(Name="prices", IfMatch=changed["ETag"])
    assert refused(cloudfront.describe_key_value_store, Name="prices")[:2] == ("EntityNotFound", 404)


def test_a_function_holds_its_store(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    made = cloudfront.create_key_value_store(Name="prices")
    stores: Any = {"Quantity": 1, "Items": [{"KeyValueStoreARN": made["KeyValueStore"]["ARN"]}]}
    config: Any = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": stores}
    create = {"Name": "reader", "FunctionCode": CODE}
    older = {**config, "Runtime": "cloudfront-js-1.0"}
    assert refused(cloudfront.create_function, FunctionConfig=older, **create)[:2] == ("InvalidArgument", 400)
    two = {**config, "KeyValueStoreAssociations": {"Quantity": 2, "Items": stores["Items"] * 2}}
    assert refused(cloudfront.create_function, FunctionConfig=two, **create)[:2] == ("InvalidArgument", 400)
    function = cloudfront.create_function(Name="reader", FunctionCode=CODE, FunctionConfig=config)
    deletion = {"Name": "prices", "IfMatch": made["ETag"]}
    assert refused(cloudfront.delete_key_value_store, **deletion)[:2] == ("CannotDeleteEntityWhileInUse", 409)
    cloudfront.delete_function(Name="reader", IfMatch=function["ETag"])
    cloudfront.delete_key_value_store(Name="prices", IfMatch=made["ETag"])


def test_a_stores_tags_go_with_it(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    made = cloudfront.create_key_value_store(Name="prices", Tags={"Items": [{"Key": "team", "Value": "shop"}]})
    arn = made["KeyValueStore"]["ARN"]
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "stage", "Value": "test"}]})
    tags = cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"]
    assert {tag["Key"]: tag.get("Value") for tag in tags} == {"team": "shop", "stage": "test"}
    cloudfront.delete_key_value_store(Name="prices", IfMatch=made["ETag"])
    assert refused(cloudfront.list_tags_for_resource, Resource=arn)[:2] == ("NoSuchResource", 404)


def test_what_no_store_can_be_is_refused(
    cloudfront: CloudFrontClient, careless: CloudFrontClient, refused: Refusal, with_plane: Any
) -> None:
    with_plane(Quotas(key_value_stores=1))
    source: Any = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::bucket/pairs.json"}
    imported = refused(cloudfront.create_key_value_store, Name="prices", ImportSource=source)
    assert imported[:2] == ("InvalidArgument", 400)
    cloudfront.create_key_value_store(Name="prices")
    assert refused(cloudfront.create_key_value_store, Name="prices")[:2] == ("EntityAlreadyExists", 409)
    assert refused(cloudfront.create_key_value_store, Name="other")[:2] == ("EntityLimitExceeded", 400)
    assert refused(careless.create_key_value_store, Name="a b")[:2] == ("MalformedXML", 400)


@pytest.mark.parametrize("operation", ["update_key_value_store", "delete_key_value_store"])
def test_changes_need_the_stores_version(cloudfront: CloudFrontClient, refused: Refusal, operation: str) -> None:
    arn = cloudfront.create_key_value_store(Name="prices")["KeyValueStore"]["ARN"]
    given = {"Name": "prices", "IfMatch": arn} | ({"Comment": ""} if operation.startswith("update") else {})
    assert refused(getattr(cloudfront, operation), **given)[:2] == ("InvalidIfMatchVersion", 400)
