"""Signed URLs and cookies: what is signed verifies, botocore signs the same, and what cannot work is refused."""

import re
import subprocess
import warnings
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from botocore.signers import CloudFrontSigner
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from tests.examples import examples
from tests.keys import shared_rsa

from keyfront import Policy, Signer, SigningKey, SigningWarning, ViewerRequest, verify
from keyfront.core.encoding import decode
from keyfront.core.keys import HashAlgorithm
from keyfront.core.urls import viewer_url
from keyfront.errors import InputError, KeyfrontError, PolicyError, URLError

NOW = 1_900_000_000
KEY_ID = "K2JCJMDEHXQW5F"
HOST = "https://d111111abcdef8.cloudfront.net"
FILE = f"{HOST}/images/horizon.jpg"
KEYS = {"rsa": shared_rsa(), "ecdsa": SigningKey.generate("ecdsa")}
TRUSTED = {algorithm: {KEY_ID: key.public_key} for algorithm, key in KEYS.items()}


def signer(algorithm: str = "ecdsa", hash_algorithm: HashAlgorithm = "SHA1") -> Signer:
    return Signer(KEY_ID, KEYS[algorithm], hash_algorithm, clock=lambda: NOW, max_lifetime=None)


def cookie_header(cookies: Mapping[str, str]) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def allows(url: str, cookies: Mapping[str, str] | None = None, ip: str = "", algorithm: str = "ecdsa") -> bool:
    decision = verify(ViewerRequest(url, cookie_header(cookies or {}), ip), TRUSTED[algorithm], NOW)
    assert decision.allowed == (decision.reason == "allowed") == all(check.ok for check in decision.checks)
    return decision.allowed


def parameters(url: str) -> dict[str, str]:
    return dict(parse_qsl(urlsplit(url).query))


TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc"), exclude_characters="/?#&\\"), max_size=10)


@st.composite
def urls(draw: st.DrawFn) -> str:
    """URLs as programs put them together, with any characters in path and query string."""
    path = "".join("/" + segment for segment in draw(st.lists(TEXT, max_size=4)))
    query = draw(st.none() | st.lists(st.builds("{}={}".format, TEXT, TEXT), max_size=3).map("&".join))
    url = draw(st.sampled_from([HOST, "http://Example.com", "http://localhost:8080"])) + path
    url += "" if query is None else f"?{query}"
    try:
        viewer_url(url)
    except URLError:
        assume(False)
    return url


KINDS = st.sampled_from([("rsa", "SHA1"), ("rsa", "SHA256"), ("ecdsa", "SHA1"), ("ecdsa", "SHA256")])


# What is signed verifies


@settings(deadline=None, max_examples=examples(150))
@given(kind=KINDS, url=urls(), seconds=st.integers(1, 10**9))
@example(("ecdsa", "SHA1"), "https://example.com/bücher/a b.epub?für=dich und mich", 60)
@example(("ecdsa", "SHA1"), "https://example.com/a*b?", 60)
def test_a_url_with_a_canned_policy_verifies(kind: Any, url: str, seconds: int) -> None:
    signed = signer(*kind).sign_url(url, expires=timedelta(seconds=seconds))
    assert allows(signed, algorithm=kind[0])
    assert not any(name == "Policy" for name in parameters(signed))


@settings(deadline=None, max_examples=examples(150))
@given(
    kind=KINDS,
    url=urls(),
    starts=st.none() | st.integers(0, NOW - 1),
    ip=st.sampled_from([None, "192.0.2.7", "192.0.2.0/24"]),
)
@example(("ecdsa", "SHA1"), "https://example.com/a*b?c=*", 0, None)
@example(("ecdsa", "SHA1"), "https://example.com/a?b=?c", 0, None)
def test_a_url_with_a_custom_policy_verifies(kind: Any, url: str, starts: int | None, ip: str | None) -> None:
    assume(starts is not None or ip is not None)
    signed = signer(*kind).sign_url(url, expires=NOW + 60, starts=starts, ip=ip)
    assert allows(signed, ip="192.0.2.7", algorithm=kind[0])
    assert allows(signed, ip="198.51.100.1", algorithm=kind[0]) == (ip is None)
    assert "Policy" in parameters(signed)


@settings(deadline=None, max_examples=examples(150))
@given(kind=KINDS, url=urls(), custom=st.booleans())
def test_cookies_for_a_url_open_it(kind: Any, url: str, custom: bool) -> None:
    cookies = signer(*kind).sign_cookies(url, expires=NOW + 60, starts=0 if custom else None)
    asked = viewer_url(url)
    assert allows(asked, cookies, algorithm=kind[0])
    if "*" not in url and not url.endswith("?"):  # which ask for more
        assert not allows(asked + "x", cookies, algorithm=kind[0])


@settings(deadline=None)
@given(kind=KINDS, folder=TEXT.filter(lambda text: text.strip(".") != ""), name=TEXT)
def test_cookies_for_a_folder_open_what_is_in_it_and_nothing_else(kind: Any, folder: str, name: str) -> None:
    try:
        inside, outside = viewer_url(f"{HOST}/{folder}/{name}?x"), viewer_url(f"{HOST}/x{folder}/{name}?x")
        cookies = signer(*kind).sign_cookies(f"{HOST}/{folder}/*", expires=NOW + 60)
    except URLError:
        assume(False)
    assert allows(inside, cookies, algorithm=kind[0])
    assert allows(outside, cookies, algorithm=kind[0]) == folder.startswith("*")


def test_a_resource_opens_more_than_the_url_that_carries_it() -> None:
    signed = signer().sign_url(f"{HOST}/hls/index.m3u8", expires=NOW + 60, resource=f"{HOST}/hls/*")
    query = signed.partition("?")[2]
    assert allows(signed)
    assert allows(f"{HOST}/hls/segment-1.ts?{query}")
    assert not allows(f"{HOST}/other/segment-1.ts?{query}")


def test_a_canned_policy_is_used_where_it_suffices_and_a_custom_one_where_needed() -> None:
    def kind(**arguments: Any) -> str:
        signed = parameters(signer().sign_url(FILE, expires=NOW + 60, **arguments))
        return "canned" if "Expires" in signed else "custom"

    assert kind() == "canned"
    assert kind(starts=0) == "custom"
    assert kind(ip="192.0.2.1") == "custom"
    assert kind(resource=f"{HOST}/*") == "custom"
    cookies = signer().sign_cookies
    assert next(iter(cookies(FILE, expires=NOW + 60))) == "CloudFront-Expires"
    assert next(iter(cookies(f"{HOST}/*", expires=NOW + 60))) == "CloudFront-Policy"
    assert next(iter(cookies(FILE, expires=NOW + 60, starts=0))) == "CloudFront-Policy"


def test_an_asterisk_in_a_url_never_widens_what_its_custom_policy_opens() -> None:
    signed = signer().sign_url(f"{HOST}/a*.pdf", expires=NOW + 60, starts=0)
    assert signed.startswith(f"{HOST}/a%2A.pdf?")
    assert allows(signed)
    query = signed.partition("?")[2]
    assert not allows(f"{HOST}/abc.pdf?{query}")


def test_parameters_stand_behind_the_urls_own() -> None:
    assert signer().sign_url(FILE, expires=NOW + 60).startswith(f"{FILE}?Expires={NOW + 60}&Signature=")
    signed = signer().sign_url(f"{FILE}?size=large", expires=NOW + 60)
    assert signed.startswith(f"{FILE}?size=large&Expires={NOW + 60}&Signature=")
    assert signed.endswith(f"&Key-Pair-Id={KEY_ID}")
    assert signer(hash_algorithm="SHA256").sign_url(FILE, expires=NOW + 60).endswith("&Hash-Algorithm=SHA256")


@pytest.mark.parametrize("algorithm", KEYS)
@pytest.mark.parametrize("hash_algorithm", ["SHA1", "SHA256"])
def test_openssl_verifies_what_is_in_the_url(
    algorithm: str, hash_algorithm: HashAlgorithm, need_tool: Callable[[str], Path], tmp_path: Path
) -> None:
    signed = parameters(signer(algorithm, hash_algorithm).sign_url(FILE, expires=NOW + 60, ip="192.0.2.0/24"))
    _, public = KEYS[algorithm].write(tmp_path)
    signature = tmp_path / "signature"
    signature.write_bytes(decode(signed["Signature"]))
    command: list[str | Path] = [
        need_tool("openssl"),
        "dgst",
        f"-{hash_algorithm.lower()}",
        "-verify",
        public,
        "-signature",
        signature,
    ]
    subprocess.run(command, input=decode(signed["Policy"]), check=True, capture_output=True)


# botocore


BOTOCORE = CloudFrontSigner(KEY_ID, KEYS["rsa"].sign)
PLAIN_URLS = st.from_regex(
    r"https?://[a-z]{1,8}\.example\.com(/[A-Za-z0-9._~%-]{0,0}[A-Za-z0-9_~-]{1,6}){1,4}", fullmatch=True
)


@settings(deadline=None, max_examples=40)
@given(url=PLAIN_URLS, query=st.sampled_from(["", "?size=large", "?a=b&c=d/e"]), seconds=st.integers(NOW + 1, 2**32))
def test_botocore_makes_the_same_url_with_a_canned_policy(url: str, query: str, seconds: int) -> None:
    theirs = BOTOCORE.generate_presigned_url(url + query, date_less_than=datetime.fromtimestamp(seconds, UTC))
    assert signer("rsa").sign_url(url + query, expires=seconds) == theirs


@settings(deadline=None, max_examples=40)
@given(
    url=PLAIN_URLS,
    starts=st.none() | st.integers(1, NOW),
    ip=st.sampled_from([None, "192.0.2.1", "192.0.2.0/24"]),
    wide=st.booleans(),
)
def test_botocore_makes_the_same_url_with_a_custom_policy(
    url: str, starts: int | None, ip: str | None, wide: bool
) -> None:
    assume(starts is not None or ip is not None or wide)
    resource = url[:-1] + "*" if wide else url
    policy = BOTOCORE.build_policy(
        resource,
        datetime.fromtimestamp(NOW + 60, UTC),
        None if starts is None else datetime.fromtimestamp(starts, UTC),
        ip,
    )
    theirs = BOTOCORE.generate_presigned_url(url, policy=policy)
    ours = signer("rsa").sign_url(url, expires=NOW + 60, starts=starts, ip=ip, resource=resource if wide else None)
    assert ours == theirs


# What is refused


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"url": "example.com/a"}, URLError, "no scheme"),
        ({"url": "s3://shop/a.pdf"}, URLError, "An object of S3 has the distribution's address: sign https://"),
        ({"resource": "s3://shop/*"}, URLError, "An object of S3 has the distribution's address: sign https://"),
        ({"url": f"{FILE}?Expires=1"}, URLError, "'Expires'"),
        ({"url": f"{FILE}?a=b&Policy=x"}, URLError, "'Policy'"),
        ({"url": f"{FILE}?a=b&Policy=x", "starts": 0}, URLError, "'Policy'"),
        ({"url": f"{HOST}/{'a' * 8100}"}, URLError, "at most 8,192"),
        ({"url": f"{HOST}/{'a' * 4000}", "starts": 0}, URLError, "at most 8,192"),
        ({"expires": datetime(2031, 1, 1)}, PolicyError, "without a time zone"),  # noqa: DTZ001
        ({"expires": NOW * 1000}, PolicyError, "milliseconds"),
        ({"expires": NOW - 1}, PolicyError, "choose a time in the future"),
        ({"expires": 3600}, PolicyError, "for a span from now give timedelta(seconds=3600)"),
        ({"expires": 604800.0}, PolicyError, "for a span from now give timedelta(seconds=604800)"),
        ({"url": None}, URLError, "the URL is None"),
        ({"expires": datetime(2263, 1, 1, tzinfo=UTC)}, PolicyError, "past the last second"),
        ({"expires": "1h"}, PolicyError, "is a str"),
        ({"starts": NOW + 61}, PolicyError, "is not before expires"),
        ({"starts": NOW + 60}, PolicyError, "is not before expires"),
        ({"ip": "2001:db8::/32"}, PolicyError, "IPv4 only"),
        (
            {"ip": "203.0.113.7:46532"},
            PolicyError,
            "an address with a port (as in CloudFront-Viewer-Address): write 203.0",
        ),
        ({"ip": "192.0.2.1/24"}, PolicyError, "write 192.0.2.0/24"),
        ({"ip": "everybody"}, PolicyError, "one IPv4 address or range"),
        ({"ip": ""}, PolicyError, "one IPv4 address or range"),
        ({"resource": "d111111abcdef8.cloudfront.net/*"}, URLError, "no scheme"),
        ({"resource": ""}, URLError, "the resource is empty"),
        ({"resource": f"{HOST}/other/*"}, URLError, "does not cover"),
        ({"resource": "http://d111111abcdef8.cloudfront.net/*"}, URLError, "does not cover"),
        ({"resource": f"{HOST}/*.jpg", "url": f"{FILE}?size=large"}, URLError, "does not cover"),
    ],
)
def test_what_cannot_work_is_refused_saying_why(arguments: dict[str, Any], error: type, says: str) -> None:
    with pytest.raises(error) as refused:
        signer().sign_url(**{"url": FILE, "expires": NOW + 60, **arguments})
    assert says in str(refused.value)


@pytest.mark.parametrize("resource", [None, 7, b"https://media.example.com/*"])
def test_cookies_and_grants_need_a_resource_that_is_text(resource: Any) -> None:
    for sign in (signer().sign_cookies, signer().grant):
        with pytest.raises(URLError, match="the resource is"):
            sign(resource, expires=NOW + 60)
    with pytest.raises(URLError, match="the URL is"):
        signer().grant(f"{HOST}/*", expires=NOW + 60).url(resource)


def test_a_time_that_has_passed_is_no_span() -> None:
    for expires in (NOW - 3600, datetime(1971, 1, 1, tzinfo=UTC), timedelta(seconds=-3600)):
        with pytest.raises(PolicyError) as refused:
            signer().sign_url(FILE, expires=expires)
        assert "timedelta" not in str(refused.value)


def test_a_link_and_cookies_have_each_its_own_form_of_a_url() -> None:
    url, pattern = f"{HOST}/a?q={{x}}|", f"{HOST}/a/*?q={{x}}|"
    assert signer().sign_url(url, expires=NOW + 60).startswith(f"{HOST}/a?q=%7Bx%7D%7C&Expires=")
    cookies = signer().sign_cookies(url, expires=NOW + 60)
    assert allows(url, cookies)
    linked = signer().sign_url(f"{HOST}/a/1?q={{x}}|", resource=pattern, expires=NOW + 60)
    assert allows(linked)
    granted = signer().grant(pattern, expires=NOW + 60).url("1?q={x}|")
    assert allows(granted)
    assert granted.startswith(f"{HOST}/a/1?q=%7Bx%7D%7C&Policy=")


def test_a_wildcard_in_the_protocol_is_a_resource() -> None:
    signed = signer().sign_url(FILE, expires=NOW + 60, resource=f"http?{HOST.removeprefix('https')}/*.jpg*")
    assert allows(signed)
    assert not allows(signed.replace("https://", "http://", 1))
    assert allows(FILE, signer().sign_cookies(f"http?{HOST.removeprefix('https')}/images/*", expires=NOW + 60))


def test_query_strings_stay_out_of_errors() -> None:
    with pytest.raises(URLError) as refused:
        signer().sign_url(f"{FILE}?token=hunter2", expires=NOW + 60, resource=f"{HOST}/x?token=hunter2")
    assert "hunter2" not in str(refused.value)


@pytest.mark.parametrize(
    ("key_id", "says"),
    [
        ("", "give the public key's id"),
        (None, "give the public key's id"),
        ("undefined", "a variable was not set"),
        ("null", "a variable was not set"),
        ("None", "a variable was not set"),
        ("AKIAIOSFODNN7EXAMPLE", "IAM access key"),
        ("ASIAIOSFODNN7EXAMPLE", "IAM access key"),
        ("K2JCJ MDEHX", "give the public key's id"),
        ("K2JCJMDEHXQW5F\n", "give the public key's id"),
        ("K1&Policy=x", "give the public key's id"),
        ("E1ABCDEFGHIJKL", "the id of a distribution"),
        ("arn:aws:cloudfront::1:public-key/K1", "give the public key's id"),
    ],
)
def test_what_is_no_key_pair_id_is_refused_saying_why(key_id: Any, says: str) -> None:
    with pytest.raises(InputError) as refused:
        Signer(key_id, KEYS["ecdsa"])
    assert says in str(refused.value)


def test_an_old_account_key_pairs_id_is_taken() -> None:
    assert Signer("APKAEIBAERJR2EXAMPLE", KEYS["rsa"]).key_pair_id == "APKAEIBAERJR2EXAMPLE"


def test_an_unknown_hash_algorithm_is_refused() -> None:
    with pytest.raises(InputError, match="choose 'SHA1' or 'SHA256'"):
        Signer(KEY_ID, KEYS["rsa"], "sha256")  # type: ignore[arg-type]


def test_everybody_is_left_out_with_a_warning_since_it_would_shut_out_ipv6() -> None:
    with pytest.warns(SigningWarning, match="IPv6") as seen:
        signed = signer().sign_url(FILE, expires=NOW + 60, ip="0.0.0.0/0")
    assert seen[0].filename == __file__
    assert "Expires" in parameters(signed)
    with pytest.warns(SigningWarning):
        cookies = signer().sign_cookies(f"{HOST}/*", expires=NOW + 60, starts=0, ip="0.0.0.0/0")
    assert allows(FILE, cookies, ip="2001:db8::1")
    assert Policy.parse(decode(cookies["CloudFront-Policy"])).ip is None


def test_an_ordinary_signature_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signer().sign_url(FILE, expires=NOW + 60, starts=0, ip="192.0.2.0/24", resource=f"{HOST}/images/*")


@settings(deadline=None)
@given(
    url=st.text(max_size=60) | st.text(max_size=20).map(f"{HOST}/{{}}".format),
    resource=st.none() | st.text(max_size=30),
)
def test_nothing_makes_signing_raise_anything_but_our_own_error(url: str, resource: str | None) -> None:
    try:
        signed = signer().sign_url(url, expires=NOW + 60, resource=resource)
    except KeyfrontError:
        return
    assert allows(signed)


# The signer


def test_a_signer_shows_its_id_and_its_keys_fingerprint_only() -> None:
    shown = repr(signer("rsa", "SHA256"))
    assert shown == f"Signer({KEY_ID}, SigningKey(rsa, {KEYS['rsa'].public_key.fingerprint}), SHA256)"
    assert not re.search(r"BEGIN|MII", shown)


def test_times_from_now_are_taken_from_the_signers_clock() -> None:
    ticking = iter([NOW, NOW + 100])
    clocked = Signer(KEY_ID, KEYS["ecdsa"], clock=lambda: next(ticking))
    assert parameters(clocked.sign_url(FILE, expires=timedelta(seconds=60)))["Expires"] == str(NOW + 60)
    assert parameters(clocked.sign_url(FILE, expires=timedelta(seconds=60)))["Expires"] == str(NOW + 160)


def test_the_present_is_the_default_clock() -> None:
    before = int(datetime.now(UTC).timestamp())
    expires = int(parameters(Signer(KEY_ID, KEYS["ecdsa"]).sign_url(FILE, expires=timedelta(hours=1)))["Expires"])
    assert before + 3600 <= expires <= int(datetime.now(UTC).timestamp()) + 3600


@pytest.mark.parametrize("algorithm", KEYS)
def test_a_signer_is_shared_between_threads(algorithm: str) -> None:
    shared = signer(algorithm)
    with ThreadPoolExecutor(8) as pool:
        signed = list(pool.map(lambda number: shared.sign_url(f"{HOST}/{number}", expires=NOW + 60), range(200)))
    assert [urlsplit(url).path for url in signed] == [f"/{number}" for number in range(200)]
    assert all(allows(url, algorithm=algorithm) for url in signed)


@pytest.mark.parametrize(
    ("terms", "policy"),
    [
        ({"expires": NOW + 60}, Policy.canned(FILE, expires=NOW + 60, now=NOW)),
        ({"expires": NOW + 60, "starts": NOW}, Policy.custom(FILE, expires=NOW + 60, starts=NOW, now=NOW)),
        (
            {"expires": NOW + 60, "ip": "192.0.2.7", "resource": "https://*"},
            Policy.custom("https://*", expires=NOW + 60, ip="192.0.2.7", now=NOW),
        ),
    ],
)
@pytest.mark.filterwarnings("ignore::keyfront.SigningWarning")
def test_what_is_signed_is_the_policy_that_its_constructors_make(terms: Any, policy: Policy) -> None:
    signed: list[bytes] = []

    class Key:
        algorithm = "ecdsa"

        def sign(self, data: bytes, hash_algorithm: str) -> bytes:
            signed.append(data)
            return b""

    Signer("K1", Key(), clock=lambda: NOW).sign_url(FILE, **terms)  # type: ignore[arg-type]
    assert signed == [policy.to_bytes()]
    assert Policy.parse(signed[0]) == policy == Policy(policy.resource, policy.expires, policy.starts, policy.ip)
