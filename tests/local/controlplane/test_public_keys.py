"""Public keys, through boto3."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.core.keys import SigningKey

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]


@pytest.fixture
def key_config(pems: list[str]) -> dict[str, Any]:
    return {"CallerReference": "one", "Name": "signer", "EncodedKey": pems[0], "Comment": "mine & yours <3"}


def test_a_public_key_is_created_read_listed_and_deleted(
    cloudfront: CloudFrontClient, key_config: dict[str, Any]
) -> None:
    before = datetime.now(UTC)
    created = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    key = created["PublicKey"]
    assert re.fullmatch("K[A-Z0-9]{13}", key["Id"])
    assert re.fullmatch("E[A-Z0-9]{13}", created["ETag"])
    assert created["Location"].endswith(f"/2020-05-31/public-key/{key['Id']}")
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert (key["CreatedTime"] - before).total_seconds() < 60
    assert key["PublicKeyConfig"] == key_config

    got = cloudfront.get_public_key(Id=key["Id"])
    assert (got["PublicKey"], got["ETag"]) == (key, created["ETag"])
    config = cloudfront.get_public_key_config(Id=key["Id"])
    assert (config["PublicKeyConfig"], config["ETag"]) == (key_config, created["ETag"])

    listed = cloudfront.list_public_keys()["PublicKeyList"]
    assert (listed["Quantity"], listed["MaxItems"]) == (1, 100)
    assert listed["Items"][0] == {
        "Id": key["Id"],
        "Name": "signer",
        "CreatedTime": key["CreatedTime"],
        "EncodedKey": key_config["EncodedKey"],
        "Comment": key_config["Comment"],
    }

    deleted = cloudfront.delete_public_key(Id=key["Id"], IfMatch=created["ETag"])
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    assert cloudfront.list_public_keys()["PublicKeyList"]["Quantity"] == 0


def test_an_update_changes_the_comment_and_the_etag(cloudfront: CloudFrontClient, key_config: dict[str, Any]) -> None:
    created = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    changed: Any = {**key_config, "Comment": "retired"}
    updated = cloudfront.update_public_key(
        PublicKeyConfig=changed, Id=created["PublicKey"]["Id"], IfMatch=created["ETag"]
    )
    assert updated["PublicKey"]["PublicKeyConfig"]["Comment"] == "retired"
    assert updated["PublicKey"]["CreatedTime"] == created["PublicKey"]["CreatedTime"]
    assert updated["ETag"] != created["ETag"]
    assert cloudfront.get_public_key(Id=created["PublicKey"]["Id"])["ETag"] == updated["ETag"]


def test_the_same_key_with_other_line_ends_is_no_change(
    cloudfront: CloudFrontClient, key_config: dict[str, Any]
) -> None:
    created = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    changed: Any = {**key_config, "EncodedKey": key_config["EncodedKey"].strip()}
    updated = cloudfront.update_public_key(
        PublicKeyConfig=changed, Id=created["PublicKey"]["Id"], IfMatch=created["ETag"]
    )
    assert updated["PublicKey"]["PublicKeyConfig"]["EncodedKey"] == key_config["EncodedKey"]


@pytest.mark.parametrize("member", ["Name", "CallerReference", "EncodedKey"])
def test_nothing_but_the_comment_can_change(
    cloudfront: CloudFrontClient, refused: Refusal, key_config: dict[str, Any], pems: list[str], member: str
) -> None:
    created = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    changed = {**key_config, member: pems[1] if member == "EncodedKey" else "another"}
    code, status, message = refused(
        cloudfront.update_public_key,
        PublicKeyConfig=changed,
        Id=created["PublicKey"]["Id"],
        IfMatch=created["ETag"],
    )
    assert (code, status) == ("CannotChangeImmutablePublicKeyFields", 400)
    assert member in message


@pytest.mark.parametrize("same", ["Name", "CallerReference"])
def test_names_and_caller_references_are_unique(
    cloudfront: CloudFrontClient, refused: Refusal, key_config: dict[str, Any], pems: list[str], same: str
) -> None:
    first = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    other = {"CallerReference": "two", "Name": "other", "EncodedKey": pems[1]} | {same: key_config[same]}
    code, status, message = refused(cloudfront.create_public_key, PublicKeyConfig=other)
    assert (code, status) == ("PublicKeyAlreadyExists", 409)
    assert first["PublicKey"]["Id"] in message


@pytest.mark.parametrize(
    ("encoded", "found"),
    [
        ("", "nothing at all"),
        ("ssh-rsa AAAA", "OpenSSH"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", "cannot be read"),
        (SigningKey.generate("ecdsa").pem(), "private key"),
    ],
    ids=["empty", "openssh", "garbage", "private"],
)
def test_what_is_no_public_key_is_refused_with_what_was_found(
    cloudfront: CloudFrontClient, refused: Refusal, key_config: dict[str, Any], encoded: str, found: str
) -> None:
    code, status, message = refused(cloudfront.create_public_key, PublicKeyConfig={**key_config, "EncodedKey": encoded})
    assert (code, status) == ("InvalidArgument", 400)
    assert found in message


def test_a_private_key_sent_by_mistake_is_not_repeated_in_the_answer(
    cloudfront: CloudFrontClient, refused: Refusal, key_config: dict[str, Any]
) -> None:
    private = SigningKey.generate("ecdsa").pem()
    _, _, message = refused(cloudfront.create_public_key, PublicKeyConfig={**key_config, "EncodedKey": private})
    assert private.splitlines()[1] not in message


def test_a_name_is_free_again_once_its_key_is_deleted(cloudfront: CloudFrontClient, key_config: dict[str, Any]) -> None:
    first = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    cloudfront.delete_public_key(Id=first["PublicKey"]["Id"], IfMatch=first["ETag"])
    second = cloudfront.create_public_key(PublicKeyConfig=key_config)  # type: ignore[arg-type]
    assert second["PublicKey"]["Id"] != first["PublicKey"]["Id"]
