"""`keyfront keys` and `keyfront groups` against a CloudFront API on a socket."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import boto3
import pytest

from keyfront.core.keys import PublicKey, SigningKey
from keyfront.local.controlplane import Quotas

Run = Callable[..., tuple[int, str, str]]
Execute = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def upload(run: Run, service: Any, tmp_path: Path) -> Callable[[str], str]:
    """Uploads a new key of that name; its id."""

    def upload(name: str) -> str:
        SigningKey.generate("ecdsa").write(tmp_path / name)
        status, out, err = run("keys", "upload", tmp_path / name / "public_key.pem", "--name", name)
        assert (status, err) == (0, "")
        return out.strip()

    return upload


def listed(run: Run, what: str) -> list[dict[str, Any]]:
    status, out, err = run(what, "list", "--json")
    assert (status, err) == (0, "")
    answer: list[dict[str, Any]] = json.loads(out)
    return answer


def trusting(service: Any, group: str) -> str:
    """A distribution that trusts the group in a cache behavior; its id."""
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    behavior: Any = {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    }
    config: Any = {
        "CallerReference": group,
        "Comment": "",
        "Enabled": True,
        "Origins": {
            "Quantity": 1,
            "Items": [
                {
                    "Id": "shop",
                    "DomainName": "localhost",
                    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"},
                }
            ],
        },
        "DefaultCacheBehavior": behavior,
        "CacheBehaviors": {
            "Quantity": 1,
            "Items": [
                {
                    **behavior,
                    "PathPattern": "/paid/*",
                    "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
                }
            ],
        },
    }
    return client.create_distribution(DistributionConfig=config)["Distribution"]["Id"]


def test_upload_prints_the_id_and_nothing_else(execute: Execute, service: Any, rsa: Path) -> None:
    made = execute("keys", "upload", rsa / "public_key.pem", "--name", "shop", "--comment", "for the shop")
    assert (made.returncode, made.stderr) == (0, "")
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    config = client.get_public_key_config(Id=made.stdout.strip())["PublicKeyConfig"]
    assert (config["Name"], config["Comment"]) == ("shop", "for the shop")
    assert PublicKey.load(config["EncodedKey"]) == PublicKey.load((rsa / "public_key.pem").read_bytes())


def test_the_endpoint_comes_from_the_option_or_the_environment(
    run: Run, service: Any, rsa: Path, no_aws: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_aws.delenv("AWS_ENDPOINT_URL")
    assert run("keys", "list", "--json", "--endpoint-url", service.url)[0] == 0
    no_aws.setenv("AWS_ENDPOINT_URL_CLOUDFRONT", service.url)
    assert run("keys", "list", "--json")[0] == 0
    no_aws.delenv("AWS_ENDPOINT_URL_CLOUDFRONT")
    no_aws.delenv("AWS_ACCESS_KEY_ID")
    no_aws.delenv("AWS_SECRET_ACCESS_KEY")
    (tmp_path / "aws-config").write_text(f"[profile lab]\nendpoint_url = {service.url}\nregion = eu-west-1\n")
    (tmp_path / "aws-credentials").write_text("[lab]\naws_access_key_id = a\naws_secret_access_key = b\n")
    assert run("keys", "upload", rsa / "public_key.pem", "--name", "shop", "--profile", "lab")[0] == 0
    assert [key["name"] for key in listed(lambda *a: run(*a, "--profile", "lab", "--region", "us-east-1"), "keys")] == [
        "shop"
    ]


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("private", "this is a private key, which only the signer needs; give its public key"),
        ("both", "this is a private key"),
        ("garbage", "found no PEM block; needed: a public key"),
        (None, "cannot read the public key file"),
    ],
)
def test_what_is_no_public_key_is_never_sent(
    run: Run, service: Any, rsa: Path, tmp_path: Path, content: str | None, complaint: str
) -> None:
    seen: list[str] = []
    service.before = lambda method, path: seen.append(path)
    private, public = (rsa / "private_key.pem").read_text(), (rsa / "public_key.pem").read_text()
    if content is not None:
        texts = {"private": private, "both": public + private, "garbage": "no key"}
        (tmp_path / "key.pem").write_text(texts[content])
    status, out, err = run("keys", "upload", tmp_path / "key.pem", "--name", "shop")
    assert (status, out) == (2, "")
    assert complaint in err
    assert private.splitlines()[1] not in err
    assert seen == []


def test_keys_are_listed_with_the_groups_that_hold_them(
    run: Run, service: Any, upload: Callable[[str], str], rsa: Path
) -> None:
    first, second = upload("first"), upload("second")
    third = run("keys", "upload", rsa / "public_key.pem", "--name", "third", "--comment", "old")[1].strip()
    one = run("groups", "create", "one", first, second)[1].strip()
    two = run("groups", "create", "two", first)[1].strip()
    status, out, err = run("keys", "list")
    assert (status, err) == (0, "")
    head, *rows = out.splitlines()
    assert head.split() == ["ID", "NAME", "TYPE", "FINGERPRINT", "CREATED", "(UTC)", "KEY", "GROUPS"]
    assert {tuple(row.split()[:3]) for row in rows} == {
        (first, "first", "ecdsa"),
        (second, "second", "ecdsa"),
        (third, "third", "rsa"),
    }
    assert any(row.endswith("  one, two") and row.startswith(first) for row in rows)
    assert len({row.index("SHA256:") for row in rows}) == 1
    by_id = {key["id"]: key for key in listed(run, "keys")}
    assert by_id[third].pop("created").startswith("20")
    assert by_id[third] == {
        "id": third,
        "name": "third",
        "comment": "old",
        "type": "rsa",
        "fingerprint": PublicKey.load((rsa / "public_key.pem").read_bytes()).fingerprint,
        "key_groups": [],
    }
    assert sorted(group["id"] for group in by_id[first]["key_groups"]) == sorted([one, two])


def test_an_empty_account_says_what_to_do_next(run: Run, service: Any) -> None:
    status, out, err = run("keys", "list")
    assert (status, out) == (0, "")
    assert "keyfront keys upload" in err
    status, out, err = run("groups", "list")
    assert (status, out) == (0, "")
    assert "keyfront groups create" in err
    assert listed(run, "keys") == []
    assert listed(run, "groups") == []


def test_lists_of_several_pages_are_whole(run: Run, service: Any, rsa: Path) -> None:
    service.clear(Quotas(public_keys=130, key_groups=130))
    pem, ask = (rsa / "public_key.pem").read_text(), service.plane.perform
    for number in range(105):
        config = {"CallerReference": str(number), "Name": f"key-{number}", "EncodedKey": pem}
        key = ask("CreatePublicKey", {"PublicKeyConfig": config})["PublicKey"]["Id"]
        ask("CreateKeyGroup", {"KeyGroupConfig": {"Name": f"group-{number}", "Items": [key]}})
    keys = listed(run, "keys")
    assert {key["name"] for key in keys} == {f"key-{number}" for number in range(105)}
    assert all(len(key["key_groups"]) == 1 for key in keys)
    assert run("groups", "delete", "group-104")[0] == 0


def test_groups_are_listed_with_their_keys(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    first, second = upload("first"), upload("second")
    made = run("groups", "create", "shop signers", first, second, "--comment", "why")[1].strip()
    (group,) = listed(run, "groups")
    assert group.pop("modified").startswith("20")
    assert group == {"id": made, "name": "shop signers", "comment": "why", "keys": [first, second]}
    status, out, _ = run("groups", "list")
    assert status == 0
    assert out.splitlines()[1].startswith(f"{made}  shop signers  ")
    assert out.splitlines()[1].endswith(f"  {first}, {second}")


@pytest.mark.parametrize("by", ["id", "name"])
def test_a_key_is_added_and_removed(run: Run, service: Any, upload: Callable[[str], str], by: str) -> None:
    first, second = upload("first"), upload("second")
    made = run("groups", "create", "shop", first, "--comment", "kept")[1].strip()
    group = made if by == "id" else "shop"

    status, out, _ = run("groups", "add", group, second)
    assert (status, out) == (0, f"shop ({made}) now has {first}, {second}.\n")
    status, out, _ = run("groups", "add", group, second)
    assert (status, out) == (0, f"{second} was already in shop ({made}), which has {first}, {second}.\n")
    status, out, _ = run("groups", "add", group, second, "--json")
    assert json.loads(out) == {"id": made, "name": "shop", "keys": [first, second], "changed": False}
    status, out, _ = run("groups", "remove", group, first, "--json")
    assert json.loads(out) == {"id": made, "name": "shop", "keys": [second], "changed": True}
    (listed_group,) = listed(run, "groups")
    assert (listed_group["keys"], listed_group["comment"]) == ([second], "kept")


def test_adding_twice_sends_no_update(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    key = upload("first")
    run("groups", "create", "shop", key)
    seen: list[str] = []
    service.before = lambda method, path: seen.append(method)
    assert run("groups", "add", "shop", key)[0] == 0
    assert set(seen) == {"GET"}


def test_the_last_key_stays(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    key = upload("first")
    made = run("groups", "create", "shop", key)[1].strip()
    status, out, err = run("groups", "remove", "shop", key)
    assert (status, out) == (1, "")
    assert f"{key} is the last key of shop ({made}), and CloudFront allows no empty group" in err
    assert listed(run, "groups")[0]["keys"] == [key]


def test_removing_a_key_that_is_not_there_does_not_look_like_success(
    run: Run, service: Any, upload: Callable[[str], str]
) -> None:
    first, second = upload("first"), upload("second")
    run("groups", "create", "shop", first)
    status, out, err = run("groups", "remove", "shop", second)
    assert (status, out) == (2, "")
    assert f"{second} is not in shop (" in err
    assert f"which has {first}" in err


def test_an_unknown_group_is_answered_with_those_that_exist(
    run: Run, service: Any, upload: Callable[[str], str]
) -> None:
    key = upload("first")
    made = run("groups", "create", "shop", key)[1].strip()
    for command in (("add", "nowhere", key), ("remove", "nowhere", key), ("delete", "nowhere")):
        status, out, err = run("groups", *command)
        assert (status, out) == (2, "")
        assert f"there is no key group 'nowhere'; there are: shop ({made})" in err


def test_a_change_by_somebody_else_in_between_is_kept(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    first, second, third = upload("first"), upload("second"), upload("third")
    made = run("groups", "create", "shop", first)[1].strip()
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    puts = 0

    def interfere(method: str, path: str) -> None:
        nonlocal puts
        if method == "PUT":
            puts += 1
            if puts == 1:
                now = client.get_key_group_config(Id=made)
                client.update_key_group(
                    Id=made, IfMatch=now["ETag"], KeyGroupConfig={"Name": "shop", "Items": [first, third]}
                )

    service.before = interfere
    status, out, _ = run("groups", "add", "shop", second, "--json")
    assert status == 0
    assert json.loads(out)["keys"] == [first, third, second]
    assert listed(run, "groups")[0]["keys"] == [first, third, second]
    assert puts == 3


def test_a_group_that_never_holds_still_is_given_up(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    first, second = upload("first"), upload("second")
    made = run("groups", "create", "shop", first)[1].strip()
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    theirs = "keyfront"

    def interfere(method: str, path: str) -> None:
        nonlocal theirs
        if method == "PUT" and theirs != "now":
            number, theirs = len(theirs), "now"
            now = client.get_key_group_config(Id=made)
            client.update_key_group(
                Id=made,
                IfMatch=now["ETag"],
                KeyGroupConfig={"Name": "shop", "Items": [first], "Comment": f"{number}{now['ETag']}"},
            )
            theirs = "keyfront"

    service.before = interfere
    status, _, err = run("groups", "add", "shop", second)
    assert status == 1
    assert "something else changed it at the same time: try again" in err


def test_a_key_in_use_names_its_groups(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    key = upload("first")
    made = run("groups", "create", "shop", key)[1].strip()
    status, out, err = run("keys", "delete", key)
    assert (status, out) == (1, "")
    assert err == (
        f"error: the key {key} is still in shop ({made}); remove it first: keyfront groups remove shop {key}\n"
    )
    assert run("groups", "delete", "shop")[0] == 0
    status, out, _ = run("keys", "delete", key)
    assert (status, out) == (0, f"Deleted {key}.\n")
    assert listed(run, "keys") == []


def test_a_group_in_use_names_its_distributions(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    key = upload("first")
    made = run("groups", "create", "shop", key)[1].strip()
    distribution = trusting(service, made)
    status, out, err = run("groups", "delete", made)
    assert (status, out) == (1, "")
    assert f"shop ({made}) is still trusted by {distribution}: first remove it" in err
    assert [group["id"] for group in listed(run, "groups")] == [made]


def test_deletions_as_json(run: Run, service: Any, upload: Callable[[str], str]) -> None:
    key = upload("first")
    made = run("groups", "create", "shop", key, "--json")[1]
    assert json.loads(made)["keys"] == [key]
    deleted = json.loads(run("groups", "delete", "shop", "--json")[1])
    assert deleted == {"id": json.loads(made)["id"], "name": "shop", "deleted": True}
    assert json.loads(run("keys", "delete", key, "--json")[1]) == {"id": key, "deleted": True}


@pytest.mark.parametrize(
    ("command", "status", "complaint"),
    [
        (["keys", "delete", "KNOWHERE"], 2, "NoSuchPublicKey"),
        (["groups", "create", "shop", "KNOWHERE"], 2, "KNOWHERE"),
        (["groups", "create", "taken", "{key}"], 1, "KeyGroupAlreadyExists"),
        (["groups", "add", "taken", "KNOWHERE"], 2, "KNOWHERE"),
        (["keys", "upload", "{pem}", "--name", "first"], 1, "PublicKeyAlreadyExists"),
        (["keys", "upload", "{pem}", "--name", "x", "--comment", "c" * 129], 2, "InvalidArgument"),
    ],
)
def test_what_the_service_refuses_is_one_clear_line(
    run: Run,
    service: Any,
    upload: Callable[[str], str],
    tmp_path: Path,
    command: list[str],
    status: int,
    complaint: str,
) -> None:
    key = upload("first")
    run("groups", "create", "taken", key)
    filled = [part.format(key=key, pem=tmp_path / "first" / "public_key.pem") for part in command]
    answer, out, err = run(*filled)
    assert (answer, out) == (status, "")
    assert complaint in err
    assert err.count("\n") == 1
    answer, out, err = run(*filled, "--json")
    assert (answer, out) == (status, "")
    assert complaint in json.loads(err)["error"]


def test_an_endpoint_on_this_machine_needs_no_credentials(run: Run, service: Any, no_aws: pytest.MonkeyPatch) -> None:
    no_aws.delenv("AWS_ACCESS_KEY_ID")
    no_aws.delenv("AWS_SECRET_ACCESS_KEY")
    status, out, _ = run("groups", "list", "--json", "--endpoint-url", service.url)
    assert (status, json.loads(out)) == (0, [])
