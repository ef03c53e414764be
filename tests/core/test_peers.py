"""Facts from the tests of other signers and of another emulator; docs/comparison.md tells the differences."""

import tomllib
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.core.judged import ECDSA, KEY_ID, NOW, judge

from keyfront import Policy, Signer, SigningKey
from keyfront.core.encoding import encode
from keyfront.core.networks import network
from keyfront.core.paths import normalise, path_matcher
from keyfront.core.resource import covers
from keyfront.core.urls import resource_pattern, without_signing_parameters
from keyfront.errors import PolicyError, URLError

ROOT = Path(__file__).parents[2]
FACTS: dict[str, list[dict[str, Any]]] = tomllib.loads(
    (Path(__file__).parent / "data" / "peers.toml").read_text("utf-8")
)
SIGNER = Signer(KEY_ID, ECDSA, clock=lambda: 1_700_000_000)
URL = "https://media.example.com/private/a.jpg"

pytestmark = pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")


def facts(kind: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("fact", FACTS[kind], ids=lambda fact: str(fact.get("why", ""))[:40] or None)


@facts("policy")
def test_a_policy_is_signed_in_the_same_bytes(fact: dict[str, Any]) -> None:
    terms = {name: fact[name] for name in ("starts", "ip") if name in fact}
    policy = Policy.custom(fact["resource"], expires=fact["expires"], now=0, **terms)
    assert policy.to_bytes().decode() == fact["json"]
    assert Policy.parse(fact["json"].encode()) == policy


@facts("address")
def test_an_address_is_one_or_is_refused(fact: dict[str, Any]) -> None:
    if fact["refused"]:
        with pytest.raises(PolicyError):
            network(fact["given"])
    else:
        assert network(fact["given"]) == f"{fact['given']}/32"


@facts("url")
def test_a_url_is_signed_as_it_is_sent_or_refused(fact: dict[str, Any]) -> None:
    terms: Any = {"starts": 0} if "custom" in fact else {}
    if "refused" in fact:
        with pytest.raises(URLError) as refused:
            SIGNER.sign_url(fact["given"], expires=timedelta(hours=1), **terms)
        assert refused.value.reason == fact["refused"]
        return
    link = SIGNER.sign_url(fact["given"], expires=timedelta(hours=1), **terms)
    mark = "&" if "?" in fact["link"] else "?"
    assert link.startswith(f"{fact['link']}{mark}{'Policy' if terms else 'Expires'}=")


@facts("resource")
def test_a_resource_covers_what_the_guide_says_and_can_be_signed(fact: dict[str, Any]) -> None:
    pattern = fact["pattern"]
    assert resource_pattern(pattern) == pattern
    assert [url for url in fact["opens"] if not covers(pattern, url)] == []
    assert [url for url in fact["refuses"] if covers(pattern, url)] == []


@facts("request")
def test_a_request_is_answered(fact: dict[str, Any]) -> None:
    policy = fact["policy"].replace("LATER", str(NOW + 3600)).replace("NOW", str(NOW)).encode()
    parts = {"Policy": encode(policy), "Signature": encode(ECDSA.sign(policy)), "Key-Pair-Id": KEY_ID}
    for where in fact["in"]:
        if where == "url":
            url, cookie = f"{URL}?{'&'.join(f'{name}={value}' for name, value in parts.items())}", ""
        else:
            url, cookie = URL, "; ".join(f"CloudFront-{name}={value}" for name, value in parts.items())
        assert judge(url, cookie, fact.get("ip", "")).reason == fact["reason"]


@facts("query")
def test_the_origin_gets_the_viewers_own_parameters(fact: dict[str, Any]) -> None:
    assert without_signing_parameters(fact["given"]) == fact["origin"]


@facts("pattern")
def test_a_path_pattern_matches(fact: dict[str, Any]) -> None:
    matches = path_matcher(fact["pattern"])
    assert [path for path in fact["matches"] if not matches(normalise(path)[1:])] == []
    assert [path for path in fact["misses"] if matches(normalise(path)[1:])] == []


@pytest.mark.parametrize("missing", ["Policy", "Signature", "Key-Pair-Id"])
def test_one_signing_parameter_in_the_url_hides_complete_cookies(missing: str) -> None:
    cookies = SIGNER.sign_cookies(URL, expires=NOW + 60)
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    assert judge(URL, cookie).allowed
    assert not judge(f"{URL}?{missing}=x", cookie).allowed


@pytest.mark.parametrize("source", [None, ""])
def test_a_key_and_its_id_are_needed(source: str | None) -> None:
    for make in (lambda: SigningKey.load(source), lambda: Signer(source, ECDSA)):  # type: ignore[arg-type]
        with pytest.raises(ValueError, match=r"nothing at all|is missing or not text"):
            make()


def test_the_page_tells_every_difference() -> None:
    page = (ROOT / "docs" / "comparison.md").read_text("utf-8")
    for kind, rows in FACTS.items():
        for fact in rows:
            if "theirs" in fact:
                given = next(fact[name] for name in ("given", "pattern", "policy") if name in fact)
                shown = given.replace("\n", "\\n")
                assert f"`{shown}`" in page, f"{kind}: {shown}"
