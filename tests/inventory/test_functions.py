"""CloudFront functions and their stores, read from an API that answers, refuses, or cannot be signed for."""

from __future__ import annotations

from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import boto3
import pytest
from botocore.exceptions import MissingDependencyException
from botocore.stub import Stubber

from keyfront.errors import ServiceError
from keyfront.inventory.functions import read_functions

ARN = "arn:aws:cloudfront::123456789012:function/f"
STORE = "arn:aws:cloudfront::123456789012:key-value-store/s1"
WHEN = datetime(2026, 1, 1, tzinfo=UTC)


def client() -> tuple[Any, Stubber]:
    made = boto3.client("cloudfront", "us-east-1", aws_access_key_id="test", aws_secret_access_key="test")
    return made, Stubber(made)


def listed() -> dict[str, Any]:
    associations = {"Quantity": 1, "Items": [{"KeyValueStoreARN": STORE}]}
    config = {"Comment": "", "Runtime": "cloudfront-js-2.0", "KeyValueStoreAssociations": associations}
    metadata = {"FunctionARN": ARN, "LastModifiedTime": WHEN}
    items = [{"Name": "f", "FunctionConfig": config, "FunctionMetadata": metadata}]
    return {"FunctionList": {"MaxItems": 100, "Quantity": 1, "Items": items}}


class Stores:
    """A client for pairs that counts how often they were listed."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error, self.listings = error, 0

    def describe_key_value_store(self, **_: str) -> dict[str, Any]:
        if self.error:
            raise self.error
        return {"ETag": "KV1", "Created": WHEN}

    def get_paginator(self, _: str) -> Stores:
        return self

    def paginate(self, **_: str) -> list[dict[str, Any]]:
        self.listings += 1
        return [{"Items": [{"Key": "a", "Value": "1"}]}, {}]


def test_what_has_not_changed_is_read_once() -> None:
    cloudfront, stub = client()
    stores = Stores()
    with stub:
        stub.add_response("list_functions", listed(), {"Stage": "LIVE"})
        stub.add_response("get_function", {"FunctionCode": BytesIO(b"code")}, {"Name": "f", "Stage": "LIVE"})
        first = read_functions(cloudfront, lambda: stores, [ARN, "arn:aws:lambda:us-east-1:1:function:f:1"], {})
        stub.add_response("list_functions", listed(), {"Stage": "LIVE"})
        second = read_functions(cloudfront, lambda: stores, [ARN], first)

    assert first == second
    assert (first[ARN].code, stores.listings) == ("code", 1)
    store = first[ARN].store
    assert store is not None
    assert store.values == (("a", "1"),)


def test_without_functions_nothing_is_asked() -> None:
    assert read_functions(client()[0], Stores, ["arn:aws:lambda:us-east-1:1:function:f:1"], {}) == {}


def test_an_account_that_may_not_list_functions_has_none() -> None:
    cloudfront, stub = client()
    with stub:
        stub.add_client_error("list_functions", "AccessDenied", http_status_code=403)
        assert read_functions(cloudfront, Stores, [ARN], {}) == {}
        stub.add_client_error("list_functions", "Throttling", http_status_code=503)
        with pytest.raises(ServiceError, match="cannot read the CloudFront functions"):
            read_functions(cloudfront, Stores, [ARN], {})


def test_a_store_that_cannot_be_signed_for_is_missing() -> None:
    cloudfront, stub = client()
    with stub:
        stub.add_response("list_functions", listed(), {"Stage": "LIVE"})
        stub.add_response("get_function", {"FunctionCode": BytesIO(b"code")}, {"Name": "f", "Stage": "LIVE"})
        found = read_functions(cloudfront, lambda: Stores(MissingDependencyException(msg="crt")), [ARN], {})

    assert found[ARN].store is None
