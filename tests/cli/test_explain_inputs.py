"""What people paste into `keyfront explain`, and accounts that do not show everything."""

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import boto3
import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

Run = Callable[..., tuple[int, str, str]]

URL = "https://media.example.com/42/book.epub"
ID = "K2JCJMDEHXQW5F"


@pytest.fixture
def link(ecdsa: Path) -> str:
    return Signer(ID, SigningKey.load(ecdsa / "private_key.pem")).sign_url(URL, expires=timedelta(hours=1))


def _first(out: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(out)["findings"][0]
    return found


@pytest.mark.parametrize("tail", [")", ".", ",", " x", "%20", '"'])
def test_a_key_file_stands_for_no_id_that_a_link_happens_to_name(run: Run, link: str, ecdsa: Path, tail: str) -> None:
    key = ("--public-key", ecdsa / "public_key.pem")
    status, out, err = run("explain", link + tail, *key, "--json")
    if tail == " x":  # a word after the link, which is no part of it
        assert (status, err) == (0, "")
        return
    assert (status, err) == (1, "")
    assert _first(out)["id"] == "key-pair-id-of-another-kind"
    assert "no new signature" in _first(out)["fix"]


@pytest.mark.parametrize(
    ("given", "finding"),
    [
        (ID.lower(), "key-pair-id-of-another-kind"),
        ("E2QWRUHAPOMQZL", "key-pair-id-of-another-kind"),
        ("my-key", "key-not-trusted"),
        ("undefined", "key-pair-id-unset"),
    ],
)
def test_a_key_file_is_only_for_an_id_of_a_key(run: Run, link: str, ecdsa: Path, given: str, finding: str) -> None:
    asked = link.replace(f"Key-Pair-Id={ID}", f"Key-Pair-Id={given}")
    status, out, _ = run("explain", asked, "--public-key", ecdsa / "public_key.pem", "--json")
    assert status == 1
    assert _first(out)["id"] == finding
    step = next(each for each in json.loads(out)["steps"] if each["name"] == "key-pair-id")
    assert step["outcome"] != "passed"


def test_what_is_pasted_is_never_bad_input(run: Run, link: str, ecdsa: Path) -> None:
    key = ("--public-key", ecdsa / "public_key.pem", "--json")
    for text in (
        link.replace("://", ":/"),
        link.partition("://")[2],
        f"See {link} today",
        link[:90] + "\n" + link[90:],
    ):
        status, out, err = run("explain", text, *key)
        assert (status, err) == (0, "")
        assert _first(out)["id"] == "url-not-as-sent"
    for text in ("undefined", "the link", link[link.index("/42/") :]):
        status, out, _ = run("explain", text, *key)
        assert status == 3
        assert _first(out)["id"] == "url-not-as-sent"
    status, out, _ = run("explain", link[link.index("/42/") :], "--host", "media.example.com", *key)
    assert status == 0  # the host is known, so the signature can be checked


def test_a_shell_ends_a_url_without_quotes_at_its_first_ampersand(run: Run, link: str, tmp_path: Path) -> None:
    file = tmp_path / "command.txt"
    file.write_text(f"curl -sS {link} -o book.epub")
    status, out, _ = run("explain", "--curl", file, "--json")
    assert status == 1
    assert "the shell ends it at the first &" in _first(out)["evidence"]
    assert json.loads(out)["verdict"]["code"] == "MissingKey"
    file.write_text(f"curl -sS '{link}' -o book.epub")
    assert run("explain", "--curl", file)[0] == 3


def test_head_is_a_request_like_get(run: Run, link: str, ecdsa: Path, tmp_path: Path) -> None:
    command, answer = tmp_path / "command.txt", tmp_path / "answer.txt"
    command.write_text(f"curl -I '{link}'")
    given = ("explain", "--curl", command, "--public-key", ecdsa / "public_key.pem", "--json")
    assert run(*given)[0] == 0
    answer.write_text(
        "HTTP/2 403 \r\nserver: AmazonS3\r\ncontent-type: application/xml\r\nx-cache: Error from cloudfront\r\n\r\n"
    )
    status, out, _ = run(*given, "--response", answer)
    assert (status, _first(out)["id"]) == (1, "s3-access-denied")
    answer.write_text("HTTP/2 403 \r\nserver: CloudFront\r\ncontent-type: text/xml\r\ncontent-length: 110\r\n")
    status, out, _ = run(*given, "--response", answer, "--at", "2h")
    assert (status, _first(out)["id"]) == (1, "expired")
    assert json.loads(out)["verdict"]["code"] == "AccessDenied"


def _distribution(client: Any, group: str) -> Any:
    behavior: Any = {
        "TargetOriginId": "shop",
        "ViewerProtocolPolicy": "https-only",
        "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
        "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
    }
    ports: Any = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "http-only"}
    origin: Any = {"Id": "shop", "DomainName": "origin.example.com", "CustomOriginConfig": ports}
    return client.create_distribution(
        DistributionConfig={
            "CallerReference": "1",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": 1, "Items": [origin]},
            "DefaultCacheBehavior": behavior,
        }
    )["Distribution"]


@pytest.mark.parametrize(
    ("denied", "outcome"),
    [
        (["origin-access-control"], 0),
        (["origin-access-control", "cache-policy", "origin-access-identity"], 0),
        (["key-group"], 3),  # no key is known then, which is not the same as no trusted key
        (["public-key"], 3),
    ],
)
def test_an_account_that_does_not_show_everything(
    run: Run, service: Any, ecdsa: Path, denied: list[str], outcome: int
) -> None:
    client = boto3.client("cloudfront", "us-east-1", endpoint_url=service.url)
    pem = (ecdsa / "public_key.pem").read_text()
    made = client.create_public_key(PublicKeyConfig={"CallerReference": "1", "Name": "k", "EncodedKey": pem})
    key_id = made["PublicKey"]["Id"]
    group = client.create_key_group(KeyGroupConfig={"Name": "g", "Items": [key_id]})["KeyGroup"]["Id"]
    distribution = _distribution(client, group)
    signer = Signer(key_id, SigningKey.load(ecdsa / "private_key.pem"))
    link = signer.sign_url(f"https://{distribution['DomainName']}/book.epub", expires=timedelta(hours=1))
    refusal = (
        '<?xml version="1.0"?><ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code>'
        "<Message>no</Message></Error></ErrorResponse>"
    )
    service.before = lambda _, path: (403, refusal) if any(path.endswith(each) for each in denied) else None
    status, out, err = run("explain", link, "--distribution", distribution["Id"], "--json")
    assert status == outcome
    assert "not allowed to read all of the account" in err
    assert "the report goes on without that" in err
    assert json.loads(out)["verdict"]["outcome"] == ("allowed" if outcome == 0 else "unknown")
