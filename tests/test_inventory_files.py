"""An account from files: what the AWS CLI prints, and a folder of public keys."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.errors import InputError
from keyfront.inventory.files import read_files
from keyfront.keys import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

KEY = SigningKey.generate("ecdsa")


def config(*groups: str, **changes: Any) -> dict[str, Any]:
    """A `DistributionConfig` as the service writes it."""
    behavior = {
        "TargetOriginId": "files",
        "TrustedSigners": {"Enabled": False, "Quantity": 0},
        "TrustedKeyGroups": {"Enabled": bool(groups), "Quantity": len(groups), "Items": list(groups)},
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    bucket = {
        "Id": "files",
        "DomainName": "shop.s3.eu-central-1.amazonaws.com",
        "OriginPath": "/v1",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": "E1OAC",
    }
    origins = {"Quantity": 1, "Items": [bucket]}
    return {"CallerReference": "1", "Enabled": True, "Origins": origins, "DefaultCacheBehavior": behavior, **changes}


@pytest.fixture
def save(tmp_path: Path) -> Callable[[str, Any], Path]:
    def write(name: str, document: Any) -> Path:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(document if isinstance(document, str) else json.dumps(document))
        return path

    return write


def test_a_configuration_as_the_cli_prints_it_and_its_only_groups_key(save: Any, tmp_path: Path) -> None:
    file = save("shop.json", {"ETag": "E2", "DistributionConfig": config("group-1")})
    save("keys/K1.pem", KEY.public_key.pem)
    inventory = read_files([file], keys=tmp_path / "keys")
    (distribution,) = inventory.distributions
    assert (distribution.id, distribution.etag) == ("shop", "E2")
    assert distribution.domain_name == "shop.cloudfront.localhost"
    trusted = inventory.trusted_keys(distribution.default_behavior)
    assert {name: key.fingerprint for name, key in trusted.items()} == {"K1": KEY.public_key.fingerprint}


def test_each_groups_keys_are_in_a_folder_of_its_name(save: Any, tmp_path: Path) -> None:
    second = {**config()["DefaultCacheBehavior"], "PathPattern": "/b/*"}
    second["TrustedKeyGroups"] = {"Enabled": True, "Quantity": 1, "Items": ["group-b"]}
    file = save("shop.json", config("group-a", CacheBehaviors={"Quantity": 1, "Items": [second]}))
    save("keys/group-a/KA.pem", KEY.public_key.pem)
    save("keys/group-b/KB.pem", KEY.public_key.pem)
    inventory = read_files([file], keys=tmp_path / "keys")
    (distribution,) = inventory.distributions
    assert list(inventory.trusted_keys(distribution.default_behavior)) == ["KA"]
    assert list(inventory.trusted_keys(distribution.behaviors[0])) == ["KB"]


def test_two_groups_and_keys_that_are_nobodys_are_refused(save: Any, tmp_path: Path) -> None:
    file = save("shop.json", config("group-a", "group-b"))
    save("keys/K1.pem", KEY.public_key.pem)
    with pytest.raises(InputError, match=r"does not say whose its keys are.*group-a, group-b"):
        read_files([file], keys=tmp_path / "keys")


def test_groups_keys_and_policies_may_be_what_the_cli_prints(save: Any) -> None:
    policy = {"Name": "mine", "MinTTL": 5, "DefaultTTL": 6, "MaxTTL": 7}
    file = save("shop.json", {"Distribution": {"Id": "E1", "DistributionConfig": config("g1")}})
    key = {"Id": "K1", "Name": "one", "EncodedKey": KEY.public_key.pem}
    inventory = read_files(
        [
            file,
            save(
                "group.json", {"ETag": "1", "KeyGroup": {"Id": "g1", "KeyGroupConfig": {"Name": "g", "Items": ["K1"]}}}
            ),
            save("keys.json", {"PublicKeyList": {"Quantity": 1, "Items": [key]}}),
            save("policy.json", {"CachePolicy": {"Id": "p1", "CachePolicyConfig": policy}}),
        ]
    )
    assert inventory.distributions[0].id == "E1"
    assert list(inventory.trusted_keys(inventory.distributions[0].default_behavior)) == ["K1"]
    assert inventory.cache_policies["p1"].min_ttl == 5


def test_an_origin_may_be_somewhere_else(save: Any) -> None:
    file = save("shop.json", config())
    (distribution,) = read_files([file], origins={"files": "http://127.0.0.1:9000/base"}).distributions
    (origin,) = distribution.origins
    assert (origin.domain_name, origin.path, origin.access_control) == ("127.0.0.1", "/base/v1", "")
    assert origin.custom is not None
    assert (origin.custom.protocol_policy, origin.custom.http_port) == ("http-only", 9000)


@pytest.mark.parametrize("url", ["ftp://host", "127.0.0.1:9000", "http://", "http://host:many", "http://h/?q=1"])
def test_an_origin_needs_an_address(save: Any, url: str) -> None:
    with pytest.raises(InputError, match="the origin files cannot be at"):
        read_files([save("shop.json", config())], origins={"files": url})


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("shop.json", "{", "is no JSON"),
        ("shop.json", "[]", "holds no JSON object"),
        ("shop.json", {"Users": []}, "is nothing that is known here"),
        ("shop.json", {"DistributionConfig": {}}, "no distribution configuration"),
        ("group.json", {"KeyGroup": {"Id": "g"}}, "holds no KeyGroup that can be used"),
        ("policies.json", {"CachePolicyList": {"Items": []}}, "no file holds a distribution"),
    ],
)
def test_a_file_that_cannot_be_used_is_named(save: Any, name: str, content: Any, says: str) -> None:
    with pytest.raises(InputError, match=says):
        read_files([save(name, content)])


def test_what_does_not_fit_together_is_said(save: Any, tmp_path: Path) -> None:
    file = save("shop.json", config("group-1"))
    with pytest.raises(InputError, match="no key of the key group group-1 is known"):
        read_files([file])
    with pytest.raises(InputError, match="cannot be read: No such file"):
        read_files([tmp_path / "missing.json"])
    with pytest.raises(InputError, match="is no folder"):
        read_files([file], keys=tmp_path / "missing")
    with pytest.raises(InputError, match="there is no origin 'video': the configuration has files"):
        read_files([save("open.json", config())], origins={"video": "http://127.0.0.1"})
    save("keys/K1.pem", KEY.pem())
    with pytest.raises(InputError, match=r"K1\.pem' is no public key"):
        read_files([file], keys=tmp_path / "keys")
    group = save("group.json", {"KeyGroup": {"Id": "group-1", "KeyGroupConfig": {"Name": "g", "Items": ["K7"]}}})
    with pytest.raises(InputError, match="holds K7, and no file has that public key"):
        read_files([file, group])
    save("b/shop.json", config())
    with pytest.raises(InputError, match="two files hold a distribution shop"):
        read_files([save("shop.json", config()), tmp_path / "b" / "shop.json"])
