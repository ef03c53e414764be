"""Viewers who are turned away for their country, as far as the edge knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyfront.edge.request.geography import countries
from keyfront.errors import InputError
from keyfront.inventory import CustomErrorResponse, GeoRestriction

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay

HERE = {"127.0.0.0/8": "DE"}


@pytest.mark.parametrize(
    ("mode", "listed", "known", "served"),
    [
        ("none", {"DE"}, HERE, True),
        ("blacklist", {"DE"}, HERE, False),
        ("blacklist", {"FR"}, HERE, True),
        ("whitelist", {"DE"}, HERE, True),
        ("whitelist", {"FR"}, HERE, False),
        # Developer Guide: who cannot be located is served.
        ("blacklist", {"DE"}, {}, True),
        ("whitelist", {"FR"}, {}, True),
        ("whitelist", {"FR"}, {"10.0.0.0/8": "DE"}, True),
        ("whitelist", {"FR"}, {**HERE, "127.0.0.1": "fr"}, True),
    ],
)
def test_a_viewer_is_served_by_the_country_of_their_address(
    lay: Lay, mode: str, listed: set[str], known: dict[str, str], served: bool
) -> None:
    laid = lay(countries=known)
    laid.serve(geo_restriction=GeoRestriction(mode, frozenset(listed)))  # type: ignore[arg-type]
    laid.origin.answer("/a", b"a")
    reply = laid.viewer.get("/a")
    assert reply.status == (200 if served else 403)
    assert (b"block access from your country" in reply.body) is not served
    assert laid.outcomes[-1].reason == ("allowed" if served else "geo-restricted")


def test_a_hit_is_no_way_around_the_restriction(lay: Lay) -> None:
    laid = lay(countries=HERE)
    laid.origin.answer("/a", b"a")
    laid.serve()
    laid.viewer.get("/a")
    laid.serve(geo_restriction=GeoRestriction("blacklist", frozenset({"DE"})))
    assert laid.viewer.get("/a").status == 403


def test_the_country_is_looked_at_before_the_signature(lay: Lay) -> None:
    laid = lay(countries=HERE)
    blocked = GeoRestriction("blacklist", frozenset({"DE"}))
    laid.serve(laid.behavior(trusted_key_groups=("g1",)), geo_restriction=blocked)
    assert b"MissingKey" not in laid.viewer.get("/a").body


def test_a_custom_error_page_replaces_the_refusal(lay: Lay) -> None:
    laid = lay(countries=HERE)
    errors = (CustomErrorResponse(403, "/elsewhere.html", 451),)
    laid.serve(geo_restriction=GeoRestriction("blacklist", frozenset({"DE"})), custom_errors=errors)
    laid.origin.answer("/elsewhere.html", b"not in your country")
    reply = laid.viewer.get("/a")
    assert (reply.status, reply.body) == (451, b"not in your country")


def test_a_restriction_is_said_in_the_log(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    laid.serve(geo_restriction=GeoRestriction("whitelist", frozenset({"FR", "DE"})))
    assert "geo restriction (whitelist DE, FR)" in caplog.text
    assert "every other viewer is served" in caplog.text


@pytest.mark.parametrize(
    ("ip", "country"),
    [
        ("203.0.113.7", "DE"),
        ("203.0.113.8", "FR"),
        ("::ffff:203.0.113.7", "DE"),
        ("2001:db8::1", "US"),
        ("198.51.100.1", ""),
        ("", ""),
    ],
)
def test_the_smallest_network_counts(ip: str, country: str) -> None:
    assert countries({"203.0.113.0/24": "de", "203.0.113.8/32": "FR", "2001:db8::/32": "US"})(ip) == country


@pytest.mark.parametrize(("network", "country"), [("nowhere", "DE"), ("10.0.0.0/99", "DE"), ("10.0.0.0/8", "Germany")])
def test_what_is_no_network_or_no_country_is_an_error(network: str, country: str) -> None:
    with pytest.raises(InputError, match="countries"):
        countries({network: country})
