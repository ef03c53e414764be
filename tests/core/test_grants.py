"""Grants: one signature for many URLs, and only for those that it covers."""

import pytest

from keyfront import Signer, SigningKey, ViewerRequest, verify
from keyfront.errors import PolicyError, URLError

EXPIRES = 1_900_000_000
HOST = "https://d111111abcdef8.cloudfront.net"
KEY = SigningKey.generate("ecdsa")


def _signer(now: list[float]) -> Signer:
    return Signer("K2JCJMDEHXQW5F", KEY, clock=lambda: now[0])


@pytest.mark.parametrize("path", ["1.ts", "/user/42/1.ts", "a/b.ts", "öl.ts", "1.ts?lang=en"])
def test_what_a_grant_signs_is_let_in(path: str) -> None:
    grant = _signer([EXPIRES - 60]).grant(f"{HOST}/user/42/*", expires=EXPIRES)
    request = ViewerRequest(grant.url(path), "", "192.0.2.1")
    decision = verify(request, {"K2JCJMDEHXQW5F": KEY.public_key}, EXPIRES - 60)
    assert decision.allowed
    assert grant.expires == EXPIRES


@pytest.mark.parametrize(
    "path",
    [
        "/user/43/1.ts",
        "../43/1.ts",
        "/user/42/../43/1",
        "%2e%2e/43",
        "a#b",
        "a\nb",
        "1?Policy=x",
        "https://x.com/user/42/1",
    ],
)
def test_what_would_be_refused_is_not_signed(path: str) -> None:
    with pytest.raises(URLError):
        _signer([EXPIRES - 60]).grant(f"{HOST}/user/42/*", expires=EXPIRES).url(path)


def test_a_grant_that_has_expired_gives_nothing() -> None:
    now: list[float] = [EXPIRES - 60]
    grant = _signer(now).grant(f"{HOST}/user/42/*", expires=EXPIRES)
    assert "CloudFront-Policy" in grant.cookies()
    now[0] = EXPIRES
    for ask in (lambda: grant.url("1.ts"), grant.cookies):
        with pytest.raises(PolicyError, match="expired"):
            ask()
