"""Why a request is refused, on a page: explain's own report, and the clock."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.console.conftest import Browser
from tests.keys import shared_rsa

from keyfront import Signer

NOW = 1_893_456_000


@pytest.fixture
def signed(cloudfront: Any, trusting: Callable[..., str]) -> str:
    """A link for an hour, to a distribution that trusts its key."""
    pem = shared_rsa().public_key.pem
    config = {"CallerReference": "why", "Name": "why", "EncodedKey": pem}
    key = cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]
    group = cloudfront.create_key_group(KeyGroupConfig={"Name": "why", "Items": [key]})["KeyGroup"]["Id"]
    domain = cloudfront.get_distribution(Id=trusting(group))["Distribution"]["DomainName"]
    signer = Signer(key, shared_rsa(), clock=lambda: NOW)
    return signer.sign_url(f"https://{domain}/book.epub", expires=NOW + 3600)


def _why(page: Browser, request: str, **form: str) -> Any:
    answer = page.post("/ask/why", request=request, **form)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_clock_shows_when_a_link_is_allowed(page: Browser, signed: str) -> None:
    allowed = _why(page, signed, at=str(NOW + 10))
    assert allowed["outcome"] == "allowed"
    assert allowed["from"] < NOW + 10 < NOW + 3600 < allowed["to"]
    expired = _why(page, signed, at=str(NOW + 3700))
    assert expired["outcome"] == "refused"
    assert "CloudFront answers 403 AccessDenied" in expired["html"]
    assert signed.partition("Signature=")[2][:40] not in expired["html"]


@pytest.mark.parametrize("form", ["curl '{}'", "$ curl -i '{}'", " {}\n"])
def test_what_is_pasted_is_read_as_what_it_is(page: Browser, signed: str, form: str) -> None:
    assert _why(page, form.format(signed), at=str(NOW + 10))["outcome"] == "allowed"


def test_a_har_file_brings_its_own_time_and_response(page: Browser, signed: str) -> None:
    body = "<Error><Code>AccessDenied</Code><Message>Access denied</Message></Error>"
    entry = {
        "startedDateTime": "2035-01-01T00:00:00Z",
        "request": {"method": "GET", "url": signed, "headers": []},
        "response": {"status": 403, "headers": [], "content": {"text": body}},
    }
    told = _why(page, json.dumps({"log": {"entries": [entry]}}))
    assert told["outcome"] == "refused"
    assert "expired" in told["html"]


@pytest.mark.parametrize("text", ["", "hello", "{}", "curl"])
def test_what_is_no_request_is_an_error_in_one_sentence(page: Browser, text: str) -> None:
    answer = page.post("/ask/why", request=text)
    assert answer.status_code == 400
    assert answer.json()["error"].endswith(".")


def test_hostile_text_in_a_url_stays_text(page: Browser, signed: str) -> None:
    told = _why(page, signed.replace("book.epub", '"><img src=x onerror=alert(1)>'))
    assert "<img" not in told["html"]
    assert "<script" not in _why(page, "<script>alert(1)</script>")["html"]


def test_a_link_that_a_mail_program_changed_is_repaired_first_as_the_command_does(page: Browser, signed: str) -> None:
    told = _why(page, f"Here it is: <{signed.replace('&', '&amp;')}>", at=str(NOW + 10))
    assert "&amp;amp;" in told["html"] or "amp" in told["html"]
