"""A policy is judged before it is signed: what CloudFront refuses, and what a signer would warn of."""

import base64
import json
from typing import Any

import pytest

from keyfront import Policy, SigningKey, ViewerRequest, verify
from keyfront.core import encoding
from keyfront.errors import InputError, URLError
from keyfront.explain.lint import lint
from keyfront.explain.rules import RULES

NOW = 1_790_000_000
CDN = "https://media.example.com"
FOLDER = f"{CDN}/42/*"
KEY = SigningKey.generate("ecdsa")


def policy(resource: Any = FOLDER, **condition: Any) -> str:
    """A policy for an hour; a time or an address of None leaves it out."""
    values = {"DateLessThan": {"AWS:EpochTime": NOW + 3600}, **condition}
    statement = {"Resource": resource, "Condition": {name: value for name, value in values.items() if value}}
    return json.dumps({"Statement": [{name: value for name, value in statement.items() if value is not None}]})


def until(value: Any) -> dict[str, Any]:
    return {"DateLessThan": {"AWS:EpochTime": value}}


def at(value: Any) -> dict[str, Any]:
    return {"IpAddress": {"AWS:SourceIp": value}}


def ids(text: str, **options: Any) -> list[tuple[str, str]]:
    found = lint(text, now=NOW, **options).findings
    assert all(each.id in RULES for each in found)
    assert all(each.text.endswith((".", "…")) for each in found)
    return [(each.severity, each.id) for each in found]


TWO = json.dumps({"Statement": json.loads(policy())["Statement"] * 2})
IAM = policy().replace('"Resource"', '"Effect": "Allow", "Resource"')
TEXT = policy(**until(str(NOW + 3600)))
REFUSED = [
    (TWO, ["policy-several-statements"]),
    (policy(["https://a.example/*"]), ["policy-several-statements"]),
    (IAM, ["policy-iam-style"]),
    (IAM.replace(str(NOW + 3600), f'"{NOW + 3600}"'), ["time-is-text", "policy-iam-style"]),
    (policy(DateLessThan=None), ["policy-without-expiry"]),
    (TEXT, ["time-is-text"]),
    (policy(**until((NOW + 3600) * 1000)), ["expires-in-milliseconds"]),
    (policy(**until(2**40)), ["expires-too-late"]),
    (policy(**until(3600)), ["expires-is-a-duration"]),
    (policy(**until(NOW)), ["expired"]),
    (policy(DateGreaterThan={"AWS:EpochTime": NOW + 3600}), ["starts-after-expiry"]),
    (policy(DateGreaterThan={"AWS:EpochTime": NOW * 1000}), ["starts-not-a-second"]),
    (policy(**at("2001:db8::/32")), ["network-malformed"]),
    (policy(**at("192.0.2.1/24")), ["network-malformed"]),
    (policy(**at(["192.0.2.1"])), ["network-malformed"]),
    (policy(Referer={"x": 1}), ["policy-malformed"]),
    (policy().replace('"Resource"', '"Resource": "*", "Resource"'), ["policy-malformed"]),
    (policy("42/*"), ["resource-is-no-url"]),
    (policy(f"{CDN}/a/../b"), ["resource-is-no-url"]),
    (policy(f"{CDN}/a b"), ["path-encoding-differs"]),
    (policy(f"{CDN}/a\n"), ["white-space-signed"]),
    (policy().replace('"', "'"), ["policy-not-json"]),
    ("\ufeff" + policy(), ["policy-not-json"]),
    ("{}", ["policy-malformed"]),
    ("[" * 20_000, ["policy-malformed"]),
    ("undefined", ["policy-unset"]),
    (base64.b64encode(policy(f"{CDN}/>>>?").encode()).decode(), ["standard-base64"]),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_cloudfront_refuses_is_an_error(text: str, expected: list[str]) -> None:
    found = ids(text)
    assert [name for severity, name in found if severity == "error"] == expected


@pytest.mark.parametrize(
    ("text", "options", "expected"),
    [
        (policy(None), {}, "resource-covers-everything"),
        (policy(f"{CDN}/*"), {}, "resource-covers-host"),
        (policy("http://media.example.com/42/*"), {}, "protocol-differs"),
        (policy("https://files.s3.amazonaws.com/42/*"), {}, "origin-host-signed"),
        (policy("https://Media.example.com/42/*"), {}, "case-differs"),
        (policy(f"{CDN}:443/42/*"), {}, "port-differs"),
        (policy(f"{CDN}/42/*?x='"), {}, "query-encoding-differs"),
        (policy(f"{CDN}/{'a' * 3000}*"), {}, "cookies-incomplete"),
        (policy(**until(NOW + 8 * 86400)), {}, "long-lived"),
        (policy(), {"max_lifetime": 1800}, "long-lived"),
        (policy(**until(NOW + 30)), {}, "expires-soon"),
        (policy(DateGreaterThan={"AWS:EpochTime": NOW + 60}), {}, "clock-is-ahead"),
        (policy(**at("192.0.2.0/24")), {"ipv6": True}, "viewer-over-ipv6"),
        (policy(**at("0.0.0.0/0")), {}, "viewer-over-ipv6"),
        (policy(**at("10.0.0.7")), {}, "private-address-in-policy"),
    ],
)
def test_what_is_seldom_meant_is_a_warning(text: str, options: dict[str, Any], expected: str) -> None:
    assert ids(text, **options) == [("warning", expected)]


@pytest.mark.parametrize(
    "text",
    [
        policy(),
        policy(**at("192.0.2.0/24")),
        policy(DateGreaterThan={"AWS:EpochTime": NOW + 1800}),
        policy(f"{CDN}/42/*\\?*"),
        json.dumps(json.loads(policy()), indent=4) + "\n",
        encoding.encode(policy().encode()),
        f"{CDN}/42/1.ts?a=b&Policy={encoding.encode(policy().encode()).replace('~', '%7E')}&Signature=x&Key-Pair-Id=K",
        f"Cookie: a=b; CloudFront-Policy={encoding.encode(policy().encode())}; CloudFront-Signature=x",
    ],
)
def test_a_policy_in_order_has_no_findings_in_whatever_form_it_comes(text: str) -> None:
    linted = lint(text, now=NOW)
    assert linted.findings == ()
    assert linted.policy is not None
    assert linted.policy.expires == NOW + 3600


@pytest.mark.parametrize(
    ("resource", "url", "expected"),
    [
        (FOLDER, f"{CDN}/42/1.ts?x=1", []),
        (None, f"{CDN}/42/1.ts", ["resource-covers-everything"]),
        ("ht?ps://media.example.com/42/*", f"{CDN}/42/1.ts", []),
        ("media.example.com/42/*", f"{CDN}/42/1.ts", ["resource-is-no-url"]),
        (FOLDER, f"{CDN}/43/1.ts", ["resource-does-not-cover"]),
        (FOLDER, "http://media.example.com/42/1.ts", ["protocol-differs"]),
        (FOLDER, "https://d111111abcdef8.cloudfront.net/42/1.ts", ["host-differs"]),
        (FOLDER, "https://www.media.example.com/42/1.ts", ["www-differs"]),
    ],
)
def test_a_url_that_it_has_to_cover(resource: str | None, url: str, expected: list[str]) -> None:
    assert [name for _, name in ids(policy(resource), url=url)] == expected


def test_a_link_that_would_be_too_long_is_an_error() -> None:
    assert ("error", "url-too-long") in ids(policy(f"{CDN}/{'a' * 6000}*"))
    assert ids(policy(), url=f"{CDN}/42/{'a' * 7900}") == [("error", "url-too-long")]


def test_an_error_of_the_linter_is_a_refusal_of_the_judge() -> None:
    for text, _ in REFUSED:
        data = text.encode()
        value = text if not text.startswith(("{", "[", "\ufeff")) else encoding.encode(data)
        url = f"{CDN}/42/1.ts?Policy={value}&Signature={encoding.encode(KEY.sign(data, 'SHA1'))}&Key-Pair-Id=K1"
        assert not verify(ViewerRequest(url, ip="192.0.2.1"), {"K1": KEY.public_key}, NOW).allowed


def test_the_same_policy_from_a_signer_is_in_order() -> None:
    made = Policy.custom(FOLDER, expires=NOW + 3600, starts=NOW - 60, ip="192.0.2.7", now=NOW)
    assert lint(made.to_bytes().decode(), now=NOW).findings == ()


@pytest.mark.parametrize(
    ("text", "options", "error", "says"),
    [
        (" \n", {}, InputError, "empty or only white space"),
        (f"{CDN}/a?Expires=1&Signature=x&Key-Pair-Id=K", {}, InputError, "use keyfront explain"),
        (policy(), {"url": "ftp://media.example.com/a"}, URLError, "http and https"),
    ],
)
def test_what_cannot_be_judged_is_bad_input(
    text: str, options: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        lint(text, now=NOW, **options)
