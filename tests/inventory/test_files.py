"""An account from files: what the AWS CLI prints, and a folder of public keys."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.core.keys import SigningKey
from keyfront.errors import InputError
from keyfront.inventory.files import Reading, SavedInventory, read_files

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
    with pytest.raises(InputError, match=r"does not say which group has which keys.*group-a, group-b"):
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
        ("shop.json", "{", "is not JSON"),
        ("shop.json", "[]", "does not hold a JSON object"),
        ("shop.json", {"Users": []}, "is not a known kind of document"),
        ("shop.json", {"DistributionConfig": {}}, "not a distribution configuration"),
        ("group.json", {"KeyGroup": {"Id": "g"}}, "holds no usable KeyGroup"),
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
    with pytest.raises(InputError, match="is not a folder"):
        read_files([file], keys=tmp_path / "missing")
    with pytest.raises(InputError, match="there is no origin 'video': the configuration has files"):
        read_files([save("open.json", config())], origins={"video": "http://127.0.0.1"})
    save("keys/K1.pem", KEY.pem())
    with pytest.raises(InputError, match=r"K1\.pem' is not a public key"):
        read_files([file], keys=tmp_path / "keys")
    group = save("group.json", {"KeyGroup": {"Id": "group-1", "KeyGroupConfig": {"Name": "g", "Items": ["K7"]}}})
    with pytest.raises(InputError, match="holds K7, but no file has that public key"):
        read_files([file, group])
    save("b/shop.json", config())
    with pytest.raises(InputError, match="two files hold a distribution shop"):
        read_files([save("shop.json", config()), tmp_path / "b" / "shop.json"])


# Read again and again


def fingers(reading: Reading) -> list[str]:
    """The ids of the keys that the first distribution trusts."""
    (distribution,) = reading.inventory.distributions
    return sorted(reading.inventory.trusted_keys(distribution.default_behavior))


@pytest.fixture
def account(save: Any, tmp_path: Path) -> SavedInventory:
    """A saved account that was read once, and trusts K1 and K2."""
    save("keys/group-1/K1.pem", KEY.public_key.pem)
    save("keys/group-1/K2.pem", KEY.public_key.pem)
    made = SavedInventory([save("shop.json", config("group-1"))], keys=tmp_path / "keys")
    assert fingers(made.read()) == ["K1", "K2"]
    return made


def removed(path: Path) -> None:
    path.unlink()


def junk(path: Path) -> None:
    path.write_text("-----BEGIN PUBLIC KEY-----\nhalf")


def not_a_file(path: Path) -> None:
    path.unlink()
    path.mkdir()


def unreadable(path: Path) -> None:
    """As root reads what it may not, this cannot be read by anybody."""
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize("fault", [removed, junk, not_a_file, unreadable])
def test_a_key_that_is_gone_or_unreadable_is_trusted_no_more_and_the_others_are(
    account: SavedInventory, tmp_path: Path, fault: Callable[[Path], None]
) -> None:
    fault(tmp_path / "keys" / "group-1" / "K1.pem")
    reading = account.read()
    assert fingers(reading) == ["K2"]
    assert reading.kept == ()
    assert bool(reading.untrusted) is (fault is not removed)
    (tmp_path / "keys" / "group-1" / "K2.pem").unlink()
    reading = account.read()
    assert fingers(reading) == []
    assert "no key of the key group group-1 is known" in reading.untrusted[-1]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_key_that_may_not_be_read_any_more_is_trusted_no_more(account: SavedInventory, tmp_path: Path) -> None:
    (tmp_path / "keys" / "group-1" / "K1.pem").chmod(0)
    assert fingers(account.read()) == ["K2"]
    (tmp_path / "keys" / "group-1").chmod(0)
    assert fingers(account.read()) == []
    (tmp_path / "keys" / "group-1").chmod(0o700)


@pytest.mark.parametrize("folder", ["keys", "keys/group-1"])
def test_a_folder_that_is_gone_takes_its_keys_with_it(account: SavedInventory, tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).rename(tmp_path / "elsewhere")
    reading = account.read()
    assert fingers(reading) == []
    assert reading.untrusted
    (tmp_path / "elsewhere").rename(tmp_path / folder)
    assert fingers(account.read()) == ["K1", "K2"]


@pytest.mark.parametrize("text", ["", '{"DistributionConfig": {', "[]", '{"KeyGroupList": {"Items": []}}', None])
def test_a_configuration_that_cannot_be_read_stays_and_its_keys_go_on_being_read(
    account: SavedInventory, save: Any, tmp_path: Path, text: str | None
) -> None:
    if text is None:
        (tmp_path / "shop.json").unlink()
    else:
        save("shop.json", text)
    (tmp_path / "keys" / "group-1" / "K1.pem").unlink()
    reading = account.read()
    assert reading.inventory.distributions[0].id == "shop"
    assert fingers(reading) == ["K2"]
    assert len(reading.kept) == 1
    save("shop.json", config("group-1"))
    assert account.read().kept == ()


@pytest.mark.parametrize("name", ["group.json", "key.json"])
def test_groups_and_keys_in_files_of_their_own_are_not_kept_either(save: Any, tmp_path: Path, name: str) -> None:
    item = {"Id": "K1", "PublicKeyConfig": {"Name": "one", "EncodedKey": KEY.public_key.pem}}
    group = {"Id": "group-1", "KeyGroupConfig": {"Name": "g", "Items": ["K1"]}}
    files = [
        save("shop.json", config("group-1")),
        save("group.json", {"KeyGroup": group}),
        save("key.json", {"PublicKey": item}),
    ]
    account = SavedInventory(files)
    assert fingers(account.read()) == ["K1"]
    save(name, "{")
    reading = account.read()
    assert fingers(reading) == []
    assert reading.kept == ()
    assert f"{name}' is not JSON" in reading.untrusted[0]


def test_a_change_of_the_same_size_and_time_is_seen(account: SavedInventory, tmp_path: Path) -> None:
    file = tmp_path / "keys" / "group-1" / "K1.pem"
    before = file.stat()
    file.write_text("x" * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert fingers(account.read()) == ["K2"]
