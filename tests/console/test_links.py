"""Links that are tried on a page: signed by a keystore's key, or by one that stays in the browser."""

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tests.console.conftest import Browser
from tests.keys import shared_rsa

from keyfront.core.verification import ViewerRequest, verify

BASE = "https://d1.cloudfront.net"


def _ask(page: Browser, **form: str) -> Any:
    answer = page.post("/ask/link", base=BASE, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_policy_is_shown_as_it_is_typed(page: Browser) -> None:
    canned = _ask(page, path="/a b.pdf", expires="2030-01-01T00:00:00Z")
    assert canned["kind"] == "canned"
    assert json.loads(canned["policy"])["Statement"][0]["Resource"] == f"{BASE}/a%20b.pdf"
    assert "url" not in canned
    custom = _ask(page, path="/v/1.ts", expires="1893456000", opens="folder", ip="192.0.2.0/24")
    statement = json.loads(custom["policy"])["Statement"][0]
    assert custom["kind"] == "custom"
    assert statement["Resource"] == f"{BASE}/v/*"
    assert statement["Condition"]["IpAddress"] == {"AWS:SourceIp": "192.0.2.0/24"}
    assert any("seven days" in each or "lifetime" in each for each in custom["warnings"])


def test_a_key_in_a_file_signs(page: Browser, tmp_path: Path) -> None:
    key = shared_rsa()
    file = tmp_path / "private_key.pem"
    file.write_text(key.pem())
    file.chmod(0o600)
    made = _ask(page, path="/x", expires="1h", signer=f"file:{file}", key_id="K1", sign="yes")
    assert verify(ViewerRequest(made["url"]), {"K1": key.public_key}, made["expires"] - 5).allowed
    assert made["curl"].startswith("curl -o x 'https://d1.cloudfront.net/x?Expires=")


@pytest.mark.parametrize("hash_name", ["SHA1", "SHA256"])
@pytest.mark.parametrize("more", [{}, {"opens": "folder", "starts": "0s"}])
def test_the_browser_signs_and_only_the_signature_is_sent(page: Browser, hash_name: Any, more: dict[str, str]) -> None:
    key = shared_rsa()
    form = {"path": "/v/1.ts", "expires": "1h", "key": "browser", "key_id": "K1", "hash": hash_name, **more}
    asked = _ask(page, **form)
    signature = base64.b64encode(key.sign(base64.b64decode(asked["bytes"]), hash_name)).decode()
    fixed = {**form, "expires": str(asked["expires"])} | ({"starts": str(asked["starts"])} if "starts" in more else {})
    made = _ask(page, **fixed, signature=signature)
    assert verify(ViewerRequest(made["url"]), {"K1": key.public_key}, made["expires"] - 5).allowed


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ({"expires": "soon"}, "Expires 'soon' is not a time"),
        ({"expires": "1h", "ip": "::1"}, "IPv4"),
        ({"expires": "1h", "opens": "pattern", "resource": "https://other.example/*"}, "does not cover"),
        ({"expires": "1h", "sign": "yes"}, "No key is given"),
        ({"expires": "1h", "sign": "yes", "signer": "ftp:x"}, "The signer's address begins with 'ftp'"),
        ({"expires": "1h", "key": "browser", "signature": "%"}, "is not base64"),
    ],
)
def test_what_cannot_be_signed_is_said(page: Browser, form: dict[str, str], text: str) -> None:
    answer = page.post("/ask/link", base=BASE, path="/x", **form)
    assert answer.status_code in (400, 409, 502)
    assert text in answer.json()["error"]


def test_a_private_key_as_an_address_is_not_shown_again(page: Browser) -> None:
    pem = shared_rsa().pem()
    answer = page.post("/ask/link", base=BASE, path="/x", expires="1h", sign="yes", signer=f"file:{pem}")
    assert answer.status_code == 400
    assert pem.splitlines()[1] not in answer.text


def test_a_url_becomes_a_qr_code_unless_it_is_too_long(page: Browser) -> None:
    assert page.post("/ask/qr", url=f"{BASE}/x").json()["image"].startswith("data:image/svg+xml")
    assert "too long" in page.post("/ask/qr", url=BASE + "x" * 4000).json()["error"]


def test_the_page_proposes_the_account_s_addresses(page: Browser, make_distribution: Callable[..., str]) -> None:
    make_distribution()
    assert "cloudfront.net" in page.get("/link").text
