"""Bearer tokens: which count, and that nothing else does."""

import asyncio
import base64
import contextlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from joserfc import jws, jwt
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey
from tests.backend.conftest import AUDIENCE, ISSUER, Issuer

from keyfront.backend import Customer, TokenSettings
from keyfront.backend.service.claims import TokenError
from keyfront.backend.service.tokens import LEEWAY_SECONDS, TokenChecker
from keyfront.errors import ServiceError

NOW = 1_900_000_000


class Clock:
    """Seconds that pass only when the test says so."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def checker(issuer: Issuer, clock: Clock) -> TokenChecker:
    issuer.now = lambda: NOW
    settings = TokenSettings(ISSUER, (AUDIENCE, "other"), jwks_url=issuer.url)
    return TokenChecker(settings, clock=lambda: issuer.now(), monotonic=clock)


def whose(checker: TokenChecker, token: str) -> Customer:
    return asyncio.run(checker.customer(token))


def b64(value: object) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def unsigned(issuer: Issuer, alg: str = "none") -> str:
    claims = issuer.token().split(".")[1]
    return f"{b64({'alg': alg, 'kid': 'one'})}.{claims}."


def with_public_key_as_secret(issuer: Issuer, encoding: str) -> str:
    """The classic: HS256 with the public key, which everybody knows, for its secret."""
    public = issuer.keys["one"]
    secret = public.as_pem(private=False) if encoding == "pem" else json.dumps(public.as_dict(private=False)).encode()
    head, body = b64({"alg": "HS256", "kid": "one", "typ": "JWT"}), issuer.token().split(".")[1]
    mac = hmac.digest(secret, f"{head}.{body}".encode(), "sha256")
    return f"{head}.{body}.{b64(mac)}"


def flipped(token: str, part: int) -> str:
    parts = token.split(".")
    middle = len(parts[part]) // 2
    changed = "A" if parts[part][middle] != "A" else "B"
    parts[part] = parts[part][:middle] + changed + parts[part][middle + 1 :]
    return ".".join(parts)


def other_issuers(issuer: Issuer) -> str:
    return issuer.token(key=RSAKey.generate_key(2048, {"kid": "one"}))


OCT, EC = OctKey.generate_key(256), ECKey.generate_key("P-256")
ATTACKS: list[tuple[str, Callable[[Issuer], str], str]] = [
    ("alg none", unsigned, "its algorithm must be one of"),
    ("alg None", lambda i: unsigned(i, "None"), "its algorithm must be one of"),
    ("alg none with a signature", lambda i: unsigned(i) + i.token().split(".")[2], "its algorithm must be one of"),
    ("HS256 with the public key in PEM", lambda i: with_public_key_as_secret(i, "pem"), "its algorithm must be"),
    ("HS256 with the public key as JWK", lambda i: with_public_key_as_secret(i, "jwk"), "its algorithm must be"),
    (
        "HS256 with another secret",
        lambda i: i.token(header={"alg": "HS256"}, key=OctKey.generate_key(256)),
        "algorithm",
    ),
    (
        "ES256 for an RSA key",
        lambda i: i.token(header={"alg": "ES256"}, key=ECKey.generate_key("P-256")),
        "publish|verify",
    ),
    ("a list for an algorithm", lambda i: f"{b64({'alg': ['RS256']})}.e30.AA", "algorithm|not a signed JWT|damaged"),
    ("a number for a kid", lambda i: f"{b64({'alg': 'RS256', 'kid': 7})}.e30.AA", "damaged|not a signed JWT"),
    ("a header that is no object", lambda i: f"{b64(['alg'])}.e30.AA", "not a signed JWT"),
    ("expired", lambda i: i.token(exp=NOW - LEEWAY_SECONDS - 5), "it has expired"),
    ("expired in 1970", lambda i: i.token(exp=0), "it has expired"),
    ("no expiry", lambda i: i.token(exp=None), "it has no exp claim"),
    ("an expiry in words", lambda i: i.token(exp="tomorrow"), "its exp"),
    ("an expiry that is true", lambda i: i.token(exp=True), "its exp"),
    ("an expiry that is no number", lambda i: i.token(exp=float("nan")), "its exp"),
    ("not valid yet", lambda i: i.token(nbf=NOW + 300), r"its start \(nbf\) is in the future"),
    ("from the future", lambda i: i.token(iat=NOW + 300), r"its issue time \(iat\)"),
    ("another audience", lambda i: i.token(aud="bank"), r"its audience \(aud\)"),
    ("other audiences", lambda i: i.token(aud=["bank", "post"]), r"its audience \(aud\)"),
    ("an audience that begins like ours", lambda i: i.token(aud="shop2"), r"its audience \(aud\)"),
    ("no audience", lambda i: i.token(aud=None), "it has no aud claim"),
    ("an empty audience", lambda i: i.token(aud=[]), "its audience|lacks aud"),
    ("an object for an audience", lambda i: i.token(aud={"shop": 1}), r"its audience \(aud\)"),
    ("another issuer", lambda i: i.token(iss="https://evil.example/"), r"its issuer \(iss\)"),
    ("a list of issuers", lambda i: i.token(iss=[ISSUER]), r"its issuer \(iss\)"),
    ("no issuer", lambda i: i.token(iss=None), "it has no iss claim"),
    ("no subject", lambda i: i.token(sub=None), "it has no sub claim"),
    ("an empty subject", lambda i: i.token(sub=""), "sub"),
    ("a number for a subject", lambda i: i.token(sub=7), "sub"),
    ("an endless subject", lambda i: i.token(sub="m" * 300), "sub"),
    ("a subject with a line break", lambda i: i.token(sub="mara\nlink: customer"), "sub"),
    ("a subject with a NUL", lambda i: i.token(sub="mara\0"), "sub"),
    ("half a surrogate pair", lambda i: surrogate(i), "sub"),
    ("a kid that is not published", lambda i: i.token(header={"kid": "two"}), "does not publish"),
    ("a kid with a path", lambda i: i.token(header={"kid": "../../dev/null"}), "does not publish"),
    ("the right kid, another issuer's key", other_issuers, "its signature does not verify"),
    ("a key in the header", lambda i: key_in_header(i), "does not verify|not a signed JWT|damaged"),
    ("a critical header that is unknown", lambda i: critical(i), "does not verify|damaged"),
    ("a changed header", lambda i: flipped(i.token(), 0), "not a signed JWT|verify|publish|algorithm|damaged"),
    ("changed claims", lambda i: flipped(i.token(), 1), "its signature does not verify"),
    ("a changed signature", lambda i: flipped(i.token(), 2), "its signature does not verify"),
    ("no signature", lambda i: i.token().rpartition(".")[0] + ".", "its signature does not verify"),
    ("two parts", lambda i: i.token().rpartition(".")[0], "not a signed JWT"),
    ("five parts, as if encrypted", lambda i: i.token() + ".AA.AA", "not a signed JWT"),
    ("nothing", lambda i: "", "not a signed JWT"),
    ("another alphabet", lambda i: "ключ.ключ.ключ", "not a signed JWT"),
    ("an endless token", lambda i: i.token() + "A" * 200_000, "not a signed JWT"),
    ("claims that are a list", lambda i: signed(i, b"[]"), "damaged"),
    (
        "claims that are deep",
        lambda i: signed(i, b'{"a":' * 5_000 + b"1" + b"}" * 5_000),
        "damaged|it has no",
    ),  # some parsers can
]


def signed(issuer: Issuer, payload: bytes) -> str:
    """A good signature over any bytes at all."""
    return jws.serialize_compact({"alg": "RS256", "kid": "one"}, payload, issuer.keys["one"])


def surrogate(issuer: Issuer) -> str:
    claims = {"iss": ISSUER, "aud": AUDIENCE, "exp": NOW + 300}
    return signed(issuer, json.dumps(claims | {"sub": "mara"}).replace("mara", "\\ud800").encode())


def key_in_header(issuer: Issuer) -> str:
    evil = RSAKey.generate_key(2048)
    return issuer.token(header={"jwk": evil.as_dict(private=False)}, key=evil)


def critical(issuer: Issuer) -> str:
    head = b64({"alg": "RS256", "kid": "one", "crit": ["exp2"], "exp2": 1})
    _, body, signature = issuer.token().split(".")
    return f"{head}.{body}.{signature}"


@pytest.mark.parametrize(("token", "message"), [row[1:] for row in ATTACKS], ids=[row[0] for row in ATTACKS])
def test_no_other_token_counts(
    token: Callable[[Issuer], str], message: str, checker: TokenChecker, issuer: Issuer
) -> None:
    with pytest.raises(TokenError, match=message):
        whose(checker, token(issuer))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"aud": ["bank", AUDIENCE]},
        {"aud": "other"},
        {"exp": NOW - LEEWAY_SECONDS + 15},
        {"nbf": NOW + LEEWAY_SECONDS - 15},
        {"iat": None},
        {"header": {"typ": "at+jwt"}},
        {"header": {"x5t": "abc", "own": "header"}},
        {"header": {"kid": None}},
        {"header": {"alg": "PS512"}},
    ],
)
def test_a_good_token_counts(changes: dict[str, Any], checker: TokenChecker, issuer: Issuer) -> None:
    assert whose(checker, issuer.token(**changes)) == Customer("mara", "mara")


def test_a_name_in_the_token_is_shown(checker: TokenChecker, issuer: Issuer) -> None:
    assert whose(checker, issuer.token(name="Mara Lindqvist")).name == "Mara Lindqvist"
    assert whose(checker, issuer.token(name="\x1b[31m")).name == "mara"
    assert whose(checker, issuer.token(name=["Mara"])).name == "mara"


@pytest.mark.parametrize(
    ("key", "algorithm"),
    [
        (ECKey.generate_key("P-256"), "ES256"),
        (OKPKey.generate_key("Ed25519"), "EdDSA"),
        (OKPKey.generate_key("Ed25519"), "Ed25519"),
    ],
)
def test_other_kinds_of_public_key_count(key: ECKey | OKPKey, algorithm: str, issuer: Issuer) -> None:
    settings = TokenSettings(ISSUER, (AUDIENCE,), public_key=key.as_pem(private=False).decode())
    token = issuer.token(key=key, header={"alg": algorithm})
    assert whose(TokenChecker(settings), token).id == "mara"


def test_a_shared_secret_counts_for_hs256_alone(issuer: Issuer) -> None:
    secret = "a secret of more than thirty-two bytes"
    checker = TokenChecker(TokenSettings(ISSUER, (AUDIENCE,), secret=secret))
    key = OctKey.import_key(secret)
    assert whose(checker, issuer.token(key=key, header={"alg": "HS256"})).id == "mara"
    for token in (issuer.token(), issuer.token(key=key, header={"alg": "HS512"}), unsigned(issuer)):
        with pytest.raises(TokenError, match="its algorithm must be one of HS256"):
            whose(checker, token)
    with pytest.raises(TokenError, match="does not verify"):
        whose(
            checker, issuer.token(key=OctKey.import_key("another secret of thirty-two bytes"), header={"alg": "HS256"})
        )


SECRET = OctKey.import_key("a secret of more than thirty-two bytes")
HS256 = TokenChecker(TokenSettings(ISSUER, (AUDIENCE,), secret="a secret of more than thirty-two bytes"))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(st.text() | st.tuples(json_values, json_values).map(lambda pair: f"{b64(pair[0])}.{b64(pair[1])}.AA"))
@example("..")
@example("a.b.c")
def test_no_token_makes_it_raise_anything_else(token: str) -> None:
    with pytest.raises(TokenError):
        whose(HS256, token)


@given(st.dictionaries(st.sampled_from(["iss", "aud", "sub", "exp", "nbf", "iat", "name"]), json_values))
def test_no_signed_claims_make_it_raise_anything_else(claims: dict[str, Any]) -> None:
    token = jwt.encode({"alg": "HS256"}, claims | {"exp": claims.get("exp", NOW + 600)}, SECRET, algorithms=["HS256"])
    with contextlib.suppress(TokenError):
        whose(HS256, token)


def test_the_key_set_is_asked_for_once(checker: TokenChecker, issuer: Issuer) -> None:
    async def scenario() -> None:
        issuer.gate.clear()
        tasks = [asyncio.create_task(checker.customer(issuer.token())) for _ in range(50)]
        await asyncio.sleep(0)
        issuer.gate.set()
        assert {customer.id for customer in await asyncio.gather(*tasks)} == {"mara"}

    asyncio.run(scenario())
    assert issuer.asked == 1


def test_a_new_key_is_found_by_asking_again_once(checker: TokenChecker, issuer: Issuer, clock: Clock) -> None:
    assert whose(checker, issuer.token()).id == "mara"
    issuer.publish("one", "two")
    clock.now += 30

    async def scenario() -> None:
        customers = await asyncio.gather(*(checker.customer(issuer.token("two")) for _ in range(20)))
        assert {customer.id for customer in customers} == {"mara"}

    asyncio.run(scenario())
    assert issuer.asked == 2


def test_unknown_keys_make_us_ask_again_only_once_in_a_while(
    checker: TokenChecker, issuer: Issuer, clock: Clock
) -> None:
    whose(checker, issuer.token())
    for wait in (29, 1, 1, 28):
        clock.now += wait
        for name in ("two", "three", "four"):
            with pytest.raises(TokenError, match="does not publish"):
                whose(checker, issuer.token(header={"kid": name}))
    assert issuer.asked == 2


def test_a_token_with_a_forbidden_algorithm_makes_us_ask_nobody(checker: TokenChecker, issuer: Issuer) -> None:
    with pytest.raises(TokenError):
        whose(checker, unsigned(issuer))
    assert issuer.asked == 0


def test_a_withdrawn_key_no_longer_counts(checker: TokenChecker, issuer: Issuer, clock: Clock) -> None:
    token = issuer.token()
    whose(checker, token)
    issuer.publish("two")
    clock.now += 2000
    with pytest.raises(TokenError, match="does not publish"):
        whose(checker, token)


def test_a_token_that_counted_counts_no_longer_once_its_key_is_another_or_its_time_is_over(
    checker: TokenChecker, issuer: Issuer, clock: Clock
) -> None:
    token = issuer.token()
    assert whose(checker, token) == whose(checker, token)
    issuer.keys["one"] = RSAKey.generate_key(2048, {"kid": "one"})
    issuer.publish("one")
    clock.now += 2000
    with pytest.raises(TokenError, match="does not verify"):
        whose(checker, token)
    another = issuer.token()
    assert whose(checker, another).id == "mara"
    issuer.now = lambda: NOW + 331
    with pytest.raises(TokenError, match="it has expired"):
        whose(checker, another)


def test_the_last_key_set_counts_for_a_day_while_the_issuer_is_down(
    checker: TokenChecker, issuer: Issuer, clock: Clock
) -> None:
    whose(checker, issuer.token())
    issuer.status = 500
    clock.now += 23 * 3600
    assert whose(checker, issuer.token()).id == "mara"
    clock.now += 2 * 3600
    with pytest.raises(ServiceError, match="could not be read: status 500"):
        whose(checker, issuer.token())


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, b"", "status 500"),
        (302, b"", "status 302"),
        (200, b"<html>", "is not a JSON Web Key Set"),
        (200, b"[]", "is not a JSON Web Key Set"),
        (200, b"[" * 100_000, "is not a JSON Web Key Set"),
        (200, b'{"keys": 7}', "contains no public key"),
        (200, b'{"keys": [7, {}, {"kty": "RSA"}, {"kty": ["RSA"]}]}', "contains no public key"),
        (200, b'{"keys": [{"kty": "oct", "k": "c2VjcmV0", "kid": "one"}]}', "contains no public key"),
        (200, b" " * 600_000, "is longer than"),
    ],
)
def test_a_key_set_that_is_none_is_the_issuers_failure_and_not_the_tokens(
    status: int, body: bytes, message: str, checker: TokenChecker, issuer: Issuer
) -> None:
    issuer.status, issuer.body = status, body
    with pytest.raises(ServiceError, match=message):
        whose(checker, issuer.token())


def test_keys_that_do_not_sign_are_left_out_and_the_others_count(checker: TokenChecker, issuer: Issuer) -> None:
    small = {**issuer.published[0], "n": b64(b"\xff" * 64), "kid": "small"}
    for_encryption = {**issuer.published[0], "use": "enc", "kid": "enc"}
    broken = {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA", "kid": "broken"}
    issuer.published = [for_encryption, broken, small, {"kty": "AKP", "kid": "new"}, *issuer.published]
    assert whose(checker, issuer.token()).id == "mara"
    with pytest.raises(TokenError, match="does not publish"):
        whose(checker, issuer.token(header={"kid": "enc"}))


def test_a_token_without_a_kid_counts_only_while_there_is_one_key(
    checker: TokenChecker, issuer: Issuer, clock: Clock
) -> None:
    issuer.publish("one", "two")
    with pytest.raises(TokenError, match="does not publish"):
        whose(checker, issuer.token(header={"kid": None}))


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ([("Authorization", "Bearer")], "not a signed JWT"),
        ([("Authorization", "Basic bWFyYTpwdw==")], "not of the form"),
        ([("Authorization", "Bearer a.b.c")], "not a signed JWT"),
        ([("Authorization", "Bearer a"), ("Authorization", "Bearer b")], "more than one Authorization header"),
    ],
)
def test_a_header_that_does_not_count_is_401_and_says_why(
    headers: list[tuple[str, str]], message: str, client: httpx.Client
) -> None:
    answer = client.get("/download/lamps", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith('Bearer realm="downloads", error="invalid_token", error_desc')
    assert answer.json()["error"] == "invalid_token"
    assert message in answer.json()["message"]


def test_an_issuer_that_is_down_is_503_and_not_401(client: httpx.Client, issuer: Issuer) -> None:
    issuer.status = 500
    answer = client.get("/download/lamps", headers={"Authorization": f"Bearer {issuer.token()}"})
    assert answer.status_code == 503
