"""What the edge answers to signed requests: CLOUDFRONT.md's decision table, over the wire."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from keyfront.core import encoding
from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.configuration import configure
from keyfront.inventory import Inventory, KeyGroup, TrustedKey

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Reply

HOST = "d1.cloudfront.localhost"
ALL_QUERY_STRINGS = "4cc15a8a-d715-48a4-82b8-cc0b614638fe"
URL = f"http://{HOST}/movie.mp4"

MISSING_KEY = ("MissingKey", "Missing Key-Pair-Id query parameter or cookie value")
INVALID_KEY = ("InvalidKey", "Unknown Key")
MALFORMED_POLICY = ("MalformedPolicy", "Malformed Policy")
MALFORMED_SIGNATURE = ("MalformedSignature", "Could not unencode Signature")
ACCESS_DENIED = ("AccessDenied", "Access denied")

OTHER_KEY = SigningKey.generate("ecdsa")


@pytest.fixture
def protected(laid: Laid) -> Laid:
    laid.origin.answer("/movie.mp4", b"the movie", headers={"Cache-Control": "max-age=600"})
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    return laid


def policy(statement: str) -> str:
    return encoding.encode(statement.encode())


def replaced(laid: Laid, name: str, value: str | None) -> str:
    """A good signed URL with one parameter changed or taken out."""
    path, _, query = laid.signed("/movie.mp4").partition("?")
    parts = [part for part in query.split("&") if not part.startswith(f"{name}=")]
    assert len(parts) == len(query.split("&")) - 1
    return f"{path}?{'&'.join(parts if value is None else [*parts, f'{name}={value}'])}"


Row = tuple[str, Callable[["Laid"], str], "tuple[str, str] | None", str]

URLS: list[Row] = [
    ("a canned policy", lambda laid: laid.signed("/movie.mp4"), None, "allowed"),
    ("a custom policy", lambda laid: laid.signed("/movie.mp4", resource=f"http://{HOST}/*"), None, "allowed"),
    ("an address", lambda laid: laid.signed("/movie.mp4", ip="127.0.0.0/8"), None, "allowed"),
    ("parameters of its own", lambda laid: laid.signed("/movie.mp4?b=2&a=1"), None, "allowed"),
    ("nothing", lambda laid: "/movie.mp4", MISSING_KEY, "missing-key-pair-id"),
    ("no key-pair id", lambda laid: replaced(laid, "Key-Pair-Id", None), MISSING_KEY, "missing-key-pair-id"),
    ("an empty key-pair id", lambda laid: replaced(laid, "Key-Pair-Id", ""), MISSING_KEY, "missing-key-pair-id"),
    ("an unknown key", lambda laid: replaced(laid, "Key-Pair-Id", "K9"), INVALID_KEY, "unknown-key"),
    ("no policy", lambda laid: replaced(laid, "Expires", None), MALFORMED_POLICY, "missing-policy"),
    ("milliseconds", lambda laid: replaced(laid, "Expires", "1999999999000"), MALFORMED_POLICY, "malformed-policy"),
    (
        "a policy that is no base64",
        lambda laid: "/movie.mp4?Policy=%25&Signature=AAAA&Key-Pair-Id=K1",
        MALFORMED_POLICY,
        "malformed-policy",
    ),
    (
        "a policy that is no JSON",
        lambda laid: "/movie.mp4?Signature=AAAA&Key-Pair-Id=K1&Policy=" + policy("{"),
        MALFORMED_POLICY,
        "malformed-policy",
    ),
    (
        "a policy without an end",
        lambda laid: "/movie.mp4?Signature=AAAA&Key-Pair-Id=K1&Policy=" + policy('{"Statement":{"Condition":{}}}'),
        MALFORMED_POLICY,
        "malformed-policy",
    ),
    ("no signature", lambda laid: replaced(laid, "Signature", None), MALFORMED_SIGNATURE, "missing-signature"),
    (
        "a signature in the wrong alphabet",
        lambda laid: replaced(laid, "Signature", "a+b/c="),
        MALFORMED_SIGNATURE,
        "malformed-signature",
    ),
    ("a wrong signature", lambda laid: replaced(laid, "Signature", "AAAA"), ACCESS_DENIED, "signature-mismatch"),
    (
        "another path",
        lambda laid: laid.signed("/movie.mp4").replace("movie", "m0vie"),
        ACCESS_DENIED,
        "signature-mismatch",
    ),
    (
        "another query",
        lambda laid: laid.signed("/movie.mp4?a=1").replace("a=1", "a=2"),
        ACCESS_DENIED,
        "signature-mismatch",
    ),
    ("an added parameter", lambda laid: laid.signed("/movie.mp4") + "&a=1", ACCESS_DENIED, "signature-mismatch"),
    (
        "another scheme",
        lambda laid: laid.signer.sign_url(URL.replace("http:", "https:"), expires=int(laid.clock()) + 60).removeprefix(
            f"https://{HOST}"
        ),
        ACCESS_DENIED,
        "signature-mismatch",
    ),
    (
        "another host",
        lambda laid: laid.signer.sign_url(
            "http://d2.cloudfront.localhost/movie.mp4", expires=int(laid.clock()) + 60
        ).removeprefix("http://d2.cloudfront.localhost"),
        ACCESS_DENIED,
        "signature-mismatch",
    ),
    (
        "a resource that does not match",
        lambda laid: f"/movie.mp4?{laid.custom(f'http://{HOST}/other/*')}",
        ACCESS_DENIED,
        "resource-mismatch",
    ),
    (
        "a start to come",
        lambda laid: laid.signed("/movie.mp4", starts=int(laid.clock()) + 30),
        ACCESS_DENIED,
        "not-yet-valid",
    ),
    ("another address", lambda laid: laid.signed("/movie.mp4", ip="192.0.2.1"), ACCESS_DENIED, "address-mismatch"),
    (
        "an unknown hash algorithm",
        lambda laid: laid.signed("/movie.mp4") + "&Hash-Algorithm=MD5",
        ACCESS_DENIED,
        "unknown-hash-algorithm",
    ),
]


@pytest.mark.parametrize(("target", "refusal", "reason"), [row[1:] for row in URLS], ids=[row[0] for row in URLS])
def test_a_signed_url_is_judged(
    protected: Laid, target: Callable[[Laid], str], refusal: tuple[str, str] | None, reason: str
) -> None:
    reply = protected.viewer.get(target(protected))
    if refusal is None:
        assert (reply.status, reply.body) == (200, b"the movie")
    else:
        assert_refused(reply, *refusal)
        assert protected.origin.asked == []
    assert protected.outcomes[-1].reason == reason


def assert_refused(reply: Reply, code: str, message: str) -> None:
    assert reply.status == 403
    assert (
        reply.body
        == (
            f'<?xml version="1.0" encoding="UTF-8"?><Error><Code>{code}</Code><Message>{message}</Message></Error>'
        ).encode()
    )
    assert reply.headers["content-type"] == "text/xml"
    assert reply.headers["server"] == "CloudFront"
    assert reply.headers["x-cache"] == "Error from cloudfront"
    assert reply.headers["content-length"] == str(len(reply.body))
    assert reply.headers["via"].startswith("1.1 ")
    assert len(reply.headers["x-amz-cf-id"]) == 56
    assert reply.headers["x-amz-cf-pop"]


def test_an_expired_url_is_refused(protected: Laid) -> None:
    target = protected.signed("/movie.mp4")
    assert protected.viewer.get(target).status == 200
    protected.clock.ahead = 61
    assert_refused(protected.viewer.get(target), *ACCESS_DENIED)
    assert protected.outcomes[-1].reason == "expired"


def test_every_request_is_judged_hits_included(protected: Laid) -> None:
    assert protected.viewer.get(protected.signed("/movie.mp4")).cache == "Miss"
    assert protected.viewer.get(protected.signed("/movie.mp4")).cache == "Hit"
    assert_refused(protected.viewer.get("/movie.mp4"), *MISSING_KEY)
    assert_refused(protected.viewer.get(replaced(protected, "Signature", "AAAA")), *ACCESS_DENIED)
    assert len(protected.origin.asked) == 1


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_signed_cookies_open_what_they_cover(protected: Laid, method: str) -> None:
    cookies = protected.signer.sign_cookies(f"http://{HOST}/*", expires=int(protected.clock()) + 60)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    reply = protected.viewer.ask(method, "/movie.mp4", headers={"Cookie": f"a=b; {header}"})
    assert (reply.status, reply.body) == (200, b"the movie" if method == "GET" else b"")
    refused = protected.viewer.ask(
        method, "/movie.mp4", headers={"Cookie": header.replace("Signature=", "Signature=A")}
    )
    assert refused.status == 403


def test_cookies_that_arrive_in_several_headers_count_together(protected: Laid) -> None:
    cookies = protected.signer.sign_cookies(f"http://{HOST}/*", expires=int(protected.clock()) + 60)
    lines = "".join(f"Cookie: {name}={value}\r\n" for name, value in cookies.items())
    request = f"GET /movie.mp4 HTTP/1.1\r\nHost: {HOST}\r\n{lines}\r\n"
    assert protected.viewer.raw(request.encode()).status == 200


def test_a_signed_url_is_judged_alone_whatever_the_cookies_say(protected: Laid) -> None:
    cookies = protected.signer.sign_cookies(f"http://{HOST}/*", expires=int(protected.clock()) + 60)
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    reply = protected.viewer.get(replaced(protected, "Signature", "AAAA"), headers={"Cookie": header})
    assert_refused(reply, *ACCESS_DENIED)


def test_ecdsa_keys_and_sha256_count_as_well(protected: Laid) -> None:
    inventory = protected.inventory(protected.distribution(protected.behavior(trusted_key_groups=("g2",))))
    key = TrustedKey("K2", "ecdsa", OTHER_KEY.public_key)
    protected.edge.configuration = configure(
        Inventory(inventory.distributions, {"g2": KeyGroup("g2", "two", ("K2",))}, {"K2": key})
    )
    signer = Signer("K2", OTHER_KEY, "SHA256", clock=protected.clock)
    url = signer.sign_url(URL, expires=int(protected.clock()) + 60)
    assert protected.viewer.get(url.removeprefix(f"http://{HOST}")).status == 200
    assert_refused(protected.viewer.get(protected.signed("/movie.mp4")), *INVALID_KEY)


@pytest.mark.parametrize(
    "behavior",
    [
        {"trusted_key_groups": ("none",)},
        {"trusted_key_groups": ("deleted",)},
        {"trusted_signers": ("self",)},
        {},
    ],
    ids=["an empty group", "a group that is gone", "trusted signers", "enabled without any"],
)
def test_a_protected_behavior_that_trusts_no_usable_key_lets_nobody_in(laid: Laid, behavior: dict[str, object]) -> None:
    laid.serve(replace(laid.behavior(), protected=True, **behavior))  # type: ignore[arg-type]
    assert_refused(laid.viewer.get("/movie.mp4"), *MISSING_KEY)
    assert_refused(laid.viewer.get(laid.signed("/movie.mp4")), *INVALID_KEY)
    assert laid.origin.asked == []


def test_trusted_signers_are_named_in_the_log(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    laid.serve(replace(laid.behavior("films/*"), protected=True, trusted_signers=("self",)), laid.behavior())
    assert "path pattern films/*: trusted signers (self) cannot be checked" in caplog.text


def test_signing_parameters_reach_neither_origin_nor_cache_key(protected: Laid) -> None:
    protected.serve(protected.behavior(trusted_key_groups=("g1",), cache_policy_id=ALL_QUERY_STRINGS))
    assert protected.viewer.get(protected.signed("/movie.mp4?b=2&a=%20x&&c")).status == 200
    assert protected.origin.asked[0].target == "/movie.mp4?b=2&a=%20x&&c"
    protected.clock.ahead = 1
    assert protected.viewer.get(protected.signed("/movie.mp4?b=2&a=%20x&&c")).cache == "Hit"


def test_on_a_public_behavior_they_are_parameters_like_any_other(laid: Laid) -> None:
    laid.origin.answer("/old", b"an S3 query of the old form")
    laid.serve(laid.behavior(cache_policy_id=ALL_QUERY_STRINGS))
    target = "/old?Expires=5&Signature=x&Key-Pair-Id=K1&AWSAccessKeyId=A"
    assert laid.viewer.get(target).status == 200
    assert laid.origin.asked[0].target == target


def test_no_reason_of_ours_reaches_the_viewer_and_no_signature_the_log(protected: Laid) -> None:
    target = replaced(protected, "Signature", "AAAA")
    reply = protected.viewer.get(target)
    assert not [name for name in reply.headers if "keyfront" in name or "reason" in name]
    outcome = protected.outcomes[-1]
    assert (outcome.status, outcome.cache, outcome.distribution_id) == (403, "Error", "E1")
    assert outcome.url == f"http://{HOST}/movie.mp4"
    assert outcome.ip == "127.0.0.1"
    assert outcome.decision is not None
    assert outcome.decision.key_pair_id == "K1"
