"""Purchases in DynamoDB: one read tells the item and whether it is the customer's, now."""

from collections.abc import Iterator

import boto3
import pytest
from moto import mock_aws
from mypy_boto3_dynamodb import DynamoDBClient

from keyfront.backend.service.dynamodb import DynamoTable
from keyfront.errors import ServiceError

NOW = 1_800_000_000.0


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamoDBClient]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "id")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "secret")
    with mock_aws():
        client = boto3.client("dynamodb", "eu-central-1")
        client.create_table(
            TableName="shop",
            BillingMode="PAY_PER_REQUEST",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}],
            AttributeDefinitions=[
                {"AttributeName": "pk", "AttributeType": "S"},
                {"AttributeName": "sk", "AttributeType": "S"},
            ],
        )
        item = {"pk": {"S": "ITEM#lamps"}, "sk": {"S": "ITEM"}, "title": {"S": "Lamps"}, "key": {"S": "a/lamps.epub"}}
        client.put_item(TableName="shop", Item={**item, "size": {"N": "95000"}})
        client.put_item(TableName="shop", Item={"pk": {"S": "ITEM#bad"}, "sk": {"S": "ITEM"}, "key": {"S": "/bad"}})
        for customer, until in (("mara", None), ("late", NOW - 1), ("early", NOW + 1)):
            entry = {"pk": {"S": f"CUSTOMER#{customer}"}, "sk": {"S": "ITEM#lamps"}}
            if until is not None:
                entry["expires_at"] = {"N": str(until)}
            client.put_item(TableName="shop", Item=dict(entry))
        client.put_item(
            TableName="shop", Item={"pk": {"S": "CUSTOMER#odd"}, "sk": {"S": "ITEM#lamps"}, "expires_at": {"S": "soon"}}
        )
        yield client


@pytest.fixture
def table(client: DynamoDBClient) -> DynamoTable:
    return DynamoTable("shop", client, now=lambda: NOW)


@pytest.mark.parametrize(
    ("customer", "owned"),
    [("mara", True), ("tomas", False), ("late", False), ("early", True), ("odd", False), (None, False)],
)
def test_an_item_is_theirs_who_have_an_entry_that_lasts(customer: str | None, owned: bool, table: DynamoTable) -> None:
    item, theirs = table.entitlement(customer, "lamps")
    assert item is not None
    assert (item.title, item.key, item.size) == ("Lamps", "a/lamps.epub", 95_000)
    assert theirs is owned


def test_what_is_not_sold_does_not_exist_even_with_an_entry(table: DynamoTable) -> None:
    assert table.entitlement("mara", "nothing") == (None, False)
    assert table.entitlement("mara", "lamps#x") == (None, False)


def test_an_item_whose_key_no_viewer_can_ask_for_is_an_error_and_no_download(table: DynamoTable) -> None:
    with pytest.raises(ServiceError, match="begins with '/'"):
        table.entitlement("mara", "bad")


def test_a_table_that_is_not_there_says_what_to_check(client: DynamoDBClient) -> None:
    with pytest.raises(ServiceError, match="table other could not be read: ResourceNotFoundException: check ENTITLE"):
        DynamoTable("other", client).check()


def test_a_table_that_answers_is_ready(table: DynamoTable) -> None:
    table.check()
