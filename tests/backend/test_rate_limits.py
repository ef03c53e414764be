"""Rate limits: 429 with Retry-After, for a customer, for an address, and for refused tokens."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import httpx
import pytest
from sqlalchemy import Engine
from tests.backend.conftest import Issuer

from keyfront.backend import Settings, create_app
from keyfront.backend.service.rate_limits import RateLimits, Rates
from keyfront.backend.service.refusals import RefusedError
from keyfront.errors import InputError
from keyfront.keystore import KeyStore
from keyfront.web.types import ASGIApp

Serve = Callable[[ASGIApp], AbstractContextManager[httpx.Client]]

FEW = Rates(link_rate="2/hour", address_rate="5/hour", download_rate="3/hour", sign_in_rate="2/hour")


@pytest.fixture
def limited(settings: Settings, engine: Engine, keystore: KeyStore) -> ASGIApp:
    return create_app(replace(settings, rates=FEW), engine=engine, keystore=keystore)


def test_a_customer_gets_no_more_links_than_the_rate(limited: ASGIApp, issuer: Issuer, serve: Serve) -> None:
    mara, tomas = ({"Authorization": f"Bearer {issuer.token(sub=name)}"} for name in ("mara", "tomas"))

    with serve(limited) as client:

        def link(headers: dict[str, str], item: str = "guide", **more: str) -> httpx.Response:
            return client.post("/api/links", json={"item": item}, headers={**headers, **more})

        assert [link(mara).status_code for _ in range(2)] == [200, 200]
        refused = link(mara)
        assert (refused.status_code, refused.json()["error"]) == (429, "too_many_requests")
        assert 3000 < int(refused.headers["retry-after"]) <= 3600
        assert f"try again in {refused.headers['retry-after']} seconds" in refused.json()["message"]
        page = link(mara, Accept="text/html")
        assert (page.status_code, page.headers["content-type"]) == (429, "text/html; charset=utf-8")
        assert "<h1>Too many requests</h1>" in page.text
        # Another customer is not held up, until the address has asked too often as well.
        assert link(tomas).status_code == 200
        assert link(tomas).status_code == 429
        # Downloads in a browser have a count of their own.
        assert client.get("/download/guide", headers=mara).status_code == 303


def test_a_customer_starts_no_more_downloads_than_the_rate(limited: ASGIApp, issuer: Issuer, serve: Serve) -> None:
    mara, tomas = ({"Authorization": f"Bearer {issuer.token(sub=name)}"} for name in ("mara", "tomas"))
    with serve(limited) as client:
        # A download that fails counts too, and so does a request for cookies.
        paths = ["/download/guide", "/download/nothing", "/open/guide", "/download/guide", "/open/guide"]
        asked = [client.get(path, headers=mara) for path in paths]
        assert [each.status_code == 429 for each in asked] == [False, False, False, True, True]
        assert 3000 < int(asked[3].headers["retry-after"]) <= 3600
        # Neither another customer nor the same one's program is held up.
        assert client.get("/download/waltz", headers=tomas).status_code != 429
        assert client.post("/api/links", json={"item": "guide"}, headers=mara).status_code == 200


def test_refused_tokens_are_counted_and_good_ones_go_on(limited: ASGIApp, issuer: Issuer, serve: Serve) -> None:
    good, bad = ({"Authorization": f"Bearer {token}"} for token in (issuer.token(), "not.a.token"))
    with serve(limited) as client:
        asked = [client.get("/download/lamps", headers=bad) for _ in range(4)]
        assert [each.status_code for each in asked] == [401, 401, 429, 429]
        assert int(asked[2].headers["retry-after"]) > 3000
        assert client.get("/download/lamps", headers=good).status_code == 303


def hits(count: Callable[[str], None], *who: str) -> list[bool]:
    """For each of `who`, whether its event was allowed."""
    allowed = []
    for each in who:
        try:
            count(each)
        except RefusedError:
            allowed.append(False)
        else:
            allowed.append(True)
    return allowed


def test_an_ipv6_site_is_one_address() -> None:
    addresses = ["2001:db8::1", "2001:db8::2", "2001:db8:0:0:ffff::", "2001:db8:0:1::1", "192.0.2.1", "192.0.2.2", ""]
    count = RateLimits(Rates(address_rate="2/day")).address
    assert hits(count, *addresses) == [True, True, False, True, True, True, True]


def test_downloads_without_a_sign_in_count_for_their_address() -> None:
    limits = RateLimits(Rates(download_rate="1/day"))
    assert hits(lambda address: limits.download(None, address), "192.0.2.1", "192.0.2.1", "192.0.2.2") == [
        True,
        False,
        True,
    ]
    # A customer who is called like an address is somebody else.
    assert hits(lambda customer: limits.download(customer, "192.0.2.1"), "192.0.2.1") == [True]


def test_each_of_several_rates_holds_and_off_is_no_limit() -> None:
    limits = RateLimits(Rates(link_rate="3/second; 4/day", address_rate="off"))
    assert hits(limits.customer, *["mara"] * 4).count(True) == 3
    assert hits(limits.address, *["192.0.2.1"] * 50).count(False) == 0


@pytest.mark.parametrize("rate", ["", "0/minute", "5", "5/fortnight", "5/minute;", "5/minute; drop", "-1/second"])
def test_a_rate_that_cannot_be_read_names_its_variable(rate: str) -> None:
    with pytest.raises(InputError, match=r"LINK_RATE is .*: write a rate such as 120/minute"):
        Rates(link_rate=rate)
