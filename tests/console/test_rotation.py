"""Rotations on a page, with their state in moto's SSM and signers that read a file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tests.console.conftest import Browser, Open, plain
from tests.servers import Quiet, http_server

from keyfront.console.accounts import LiveAccount
from keyfront.core.keys import SigningKey
from keyfront.keystore import SignerDocument

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

pytestmark = pytest.mark.large  # moto and its services take seconds to import

OLD = SigningKey.generate("ecdsa")


class _Allowing(Quiet):
    def do_GET(self) -> None:
        self.answer(200, b"x")


@pytest.fixture
def signer(tmp_path: Path) -> Path:
    return tmp_path / "signer.json"


@pytest.fixture
def group(cloudfront: "CloudFrontClient", signer: Path) -> str:
    """A group of one key, which the signers use."""
    config = {"CallerReference": "old", "Name": "old", "EncodedKey": OLD.public_key.pem}
    old = cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]
    signer.touch(0o600)
    signer.write_text(SignerDocument(old, OLD, "SHA1", 1).to_json())
    return cloudfront.create_key_group(KeyGroupConfig={"Name": "signers", "Items": [old]})["KeyGroup"]["Id"]


@pytest.fixture
def rotating(open_console: Open, cloudfront: "CloudFrontClient") -> Iterator[Browser]:
    def connect(service: str) -> Any:
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service)  # type: ignore[call-overload]

    with mock_aws():
        yield open_console(LiveAccount("an account", lambda: cloudfront, connect))


@pytest.fixture
def probe() -> Iterator[str]:
    with http_server(_Allowing) as port:
        yield f"http://127.0.0.1:{port}/probe"


def test_a_rotation_runs_to_its_end(
    rotating: Browser, cloudfront: "CloudFrontClient", group: str, signer: Path, probe: str
) -> None:
    terms = {"grace": "0s", "propagation": "0s", "signer_ttl": "0s", "probe_url": probe}
    done = rotating.post(f"/rotation/{group}/start", signer=f"file:{signer}", **terms)
    text = plain(done)
    assert done.status_code == 200, text
    assert "Started: a new key will replace K" in text
    assert "is no longer trusted" in text
    document = SignerDocument.parse(signer.read_text(), source="it")
    held = cloudfront.get_key_group(Id=group)["KeyGroup"]["KeyGroupConfig"]["Items"]
    assert held == [document.key_pair_id]


def test_a_rotation_is_watched_while_it_waits_and_can_be_aborted(
    rotating: Browser, group: str, signer: Path, probe: str, cloudfront: "CloudFrontClient"
) -> None:
    before = signer.read_text()
    started = rotating.post(f"/rotation/{group}/start", signer=f"file:{signer}", probe_url=probe)
    assert "now the edge locations are learning of the new key" in plain(started)
    shown = plain(rotating.get(f"/rotation/{group}"))
    assert "it is in key group" in shown
    assert "The next step waits until" in shown
    assert "in progress" in rotating.text("/rotation")
    with rotating.client.stream("GET", f"/rotation/{group}/events") as events:
        assert next(events.iter_lines()) == "event: part"
    assert "PRIVATE" not in rotating.get(f"/rotation/{group}").text
    again = rotating.post(f"/rotation/{group}/start", signer=f"file:{signer}", probe_url=probe)
    assert again.status_code == 400
    assert "in progress" in again.text
    assert "undone: K" in plain(rotating.post(f"/rotation/{group}/abort"))
    assert signer.read_text() == before
    assert len(cloudfront.get_key_group(Id=group)["KeyGroup"]["KeyGroupConfig"]["Items"]) == 1


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({}, "address is missing"),
        ({"signer": "env:X"}, "cannot hold a signer"),
        ({"signer": "file:/nowhere", "grace": "soon"}, "is not a span of time"),
        ({"signer": "file:/nowhere", "grace": "1h", "longest_life": "2h"}, "shorter than the longest lifetime"),
    ],
)
def test_what_cannot_be_started_is_said_and_the_form_keeps_its_values(
    rotating: Browser, group: str, form: dict[str, str], text: str
) -> None:
    answer = rotating.post(f"/rotation/{group}/start", **form)
    assert answer.status_code == 400
    assert text in plain(answer)
    if form.get("grace"):
        assert f'value="{form["grace"]}"' in answer.text


def test_without_a_rotation_there_is_nothing_to_continue(
    rotating: Browser, group: str, make_key: Callable[[], str]
) -> None:
    answer = rotating.post(f"/rotation/{group}/continue")
    assert answer.status_code == 400
    assert "No rotation of this group is in progress" in answer.text
