"""The pairs of key value stores, through boto3's client for `cloudfront-keyvaluestore`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import boto3
import pytest

from keyfront.errors import ServiceError
from keyfront.inventory.functions import key_value_store_client

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from tests.local.controlplane.conftest import Endpoint, WithPlane


class Refusal(Protocol):
    def __call__(self, call: Any, /, **arguments: Any) -> tuple[str, int, str]: ...


@pytest.fixture(scope="module")
def _pairs_client(_running: Endpoint) -> Any:
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return key_value_store_client(session, _running.url)


@pytest.fixture
def pairs(endpoint: Endpoint, _pairs_client: Any) -> Any:
    return _pairs_client


@pytest.fixture
def arn(cloudfront: CloudFrontClient) -> str:
    return cloudfront.create_key_value_store(Name="prices")["KeyValueStore"]["ARN"]


def test_pairs_are_put_read_listed_and_deleted(pairs: Any, arn: str) -> None:
    empty = pairs.describe_key_value_store(KvsARN=arn)
    assert (empty["ItemCount"], empty["TotalSizeInBytes"], empty["KvsARN"]) == (0, 0, arn)

    put = pairs.put_key(KvsARN=arn, Key="a/b c", Value="1é", IfMatch=empty["ETag"])
    assert (put["ItemCount"], put["TotalSizeInBytes"]) == (1, 8)
    assert put["ETag"] != empty["ETag"]
    assert pairs.get_key(KvsARN=arn, Key="a/b c")["Value"] == "1é"
    assert pairs.describe_key_value_store(KvsARN=arn)["ETag"] == put["ETag"]
    assert pairs.list_keys(KvsARN=arn)["Items"] == [{"Key": "a/b c", "Value": "1é"}]

    gone = pairs.delete_key(KvsARN=arn, Key="a/b c", IfMatch=put["ETag"])
    assert gone["ItemCount"] == 0


def test_many_pairs_change_at_once_or_not_at_all(pairs: Any, arn: str, refused: Refusal) -> None:
    etag = pairs.describe_key_value_store(KvsARN=arn)["ETag"]
    puts = [{"Key": f"k{number:02}", "Value": str(number)} for number in range(30)]

    made = pairs.update_keys(KvsARN=arn, Puts=puts, IfMatch=etag)
    assert made["ItemCount"] == 30
    both = {"Puts": [{"Key": "new", "Value": "1"}], "Deletes": [{"Key": "none"}]}
    assert refused(pairs.update_keys, KvsARN=arn, IfMatch=made["ETag"], **both)[:2] == (
        "ResourceNotFoundException",
        404,
    )
    assert pairs.describe_key_value_store(KvsARN=arn)["ETag"] == made["ETag"]
    pages = pairs.get_paginator("list_keys").paginate(KvsARN=arn, PaginationConfig={"PageSize": 12})
    found = [[each["Key"] for each in page["Items"]] for page in pages]
    assert [len(page) for page in found] == [12, 12, 6]
    assert sum(found, []) == [each["Key"] for each in puts]  # noqa: RUF017
    changed = pairs.update_keys(
        KvsARN=arn, Puts=[{"Key": "k00", "Value": "x"}], Deletes=[{"Key": "k01"}], IfMatch=made["ETag"]
    )
    assert changed["ItemCount"] == 29


def test_bad_changes_are_refused(pairs: Any, arn: str, refused: Refusal) -> None:
    etag = pairs.describe_key_value_store(KvsARN=arn)["ETag"]
    good = {"KvsARN": arn, "Key": "a", "Value": "1", "IfMatch": etag}

    assert refused(pairs.put_key, **{**good, "IfMatch": "KVX"})[:2] == ("ConflictException", 409)
    assert refused(pairs.put_key, **{**good, "Key": "a" * 513})[:2] == ("ValidationException", 400)
    assert refused(pairs.put_key, **{**good, "Value": "a" * 1025})[:2] == ("ValidationException", 400)
    assert refused(pairs.put_key, **{**good, "KvsARN": f"{arn}x"})[:2] == ("ResourceNotFoundException", 404)
    assert refused(pairs.get_key, KvsARN=arn, Key="a")[:2] == ("ResourceNotFoundException", 404)
    twice = [{"Key": "a", "Value": "1"}] * 2
    assert refused(pairs.update_keys, KvsARN=arn, Puts=twice, IfMatch=etag)[:2] == ("ValidationException", 400)
    many = [{"Key": str(number), "Value": "1"} for number in range(51)]
    assert refused(pairs.update_keys, KvsARN=arn, Puts=many, IfMatch=etag)[:2] == ("ValidationException", 400)
    assert pairs.describe_key_value_store(KvsARN=arn)["ItemCount"] == 0


def test_a_store_is_made_from_a_file_on_s3(
    cloudfront: CloudFrontClient, pairs: Any, refused: Refusal, with_plane: WithPlane
) -> None:
    files = {"good.json": b'{"data": [{"key": "a", "value": "1"}]}', "bad.json": b'{"data": [{"key": 1}]}'}

    def read(bucket: str, key: str) -> bytes:
        if key not in files:
            raise ServiceError(f"s3://{bucket}/{key} cannot be read")
        return files[key]

    with_plane(read_object=read)
    source = {"SourceType": "S3", "SourceARN": "arn:aws:s3:::files/good.json"}
    made = cloudfront.create_key_value_store(Name="prices", ImportSource=source)  # type: ignore[arg-type]

    assert pairs.get_key(KvsARN=made["KeyValueStore"]["ARN"], Key="a")["Value"] == "1"
    for wrong in ("arn:aws:s3:::files/bad.json", "arn:aws:s3:::files/none.json", "arn:aws:s3:::files", "x"):
        given = {"SourceType": "S3", "SourceARN": wrong}
        assert refused(cloudfront.create_key_value_store, Name="other", ImportSource=given)[:2] == (
            "InvalidArgument",
            400,
        )
    assert cloudfront.list_key_value_stores()["KeyValueStoreList"]["Quantity"] == 1


def test_a_deleted_store_leaves_no_pairs(cloudfront: CloudFrontClient, pairs: Any, arn: str) -> None:
    etag = pairs.describe_key_value_store(KvsARN=arn)["ETag"]
    pairs.put_key(KvsARN=arn, Key="a", Value="1", IfMatch=etag)
    cloudfront.delete_key_value_store(Name="prices", IfMatch=cloudfront.describe_key_value_store(Name="prices")["ETag"])

    again = cloudfront.create_key_value_store(Name="prices")["KeyValueStore"]["ARN"]

    assert pairs.describe_key_value_store(KvsARN=again)["ItemCount"] == 0
