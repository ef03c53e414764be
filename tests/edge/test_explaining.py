"""Refusals that name their finding: what stands in the header, what it may cost, and what it leaves as it was."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from keyfront.edge.configuration import configure
from keyfront.edge.request.viewer import Request
from keyfront.edge.response.explanation import LONGEST_SEARCHED, MOST_SAVED, SEARCH_SECONDS, Explainer
from keyfront.explain.rules import RULES

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge.conftest import Laid, Lay

HOST = "d1.cloudfront.localhost"
NAME = "x-keyfront-finding"


@pytest.fixture
def explaining(lay: Lay) -> Laid:
    laid = lay(explains=True)
    laid.origin.answer("/movie.mp4", b"the movie", headers={"Cache-Control": "max-age=600"})
    laid.serve(laid.behavior("/open/*"), laid.behavior(trusted_key_groups=("g1",)))
    return laid


def _expired(laid: Laid) -> str:
    signed = laid.signed("/movie.mp4")
    laid.clock.ahead += 3600
    return signed


REFUSED: list[tuple[str, Callable[[Laid], str]]] = [
    ("not-signed", lambda laid: "/movie.mp4"),
    ("expired", _expired),
    ("key-not-trusted", lambda laid: laid.signed("/movie.mp4").replace("Key-Pair-Id=K1", "Key-Pair-Id=K9")),
    ("query-added", lambda laid: f"{laid.signed('/movie.mp4')}&utm_source=mail"),
    ("resource-does-not-cover", lambda laid: f"/movie.mp4?{laid.custom(f'http://{HOST}/other/*')}"),
    ("path-may-mean-another-place", lambda laid: f"/a/..%2Fmovie.mp4?{laid.custom(f'http://{HOST}/a/*')}"),
]


@pytest.mark.parametrize(("finding", "target"), REFUSED, ids=[each[0] for each in REFUSED])
def test_a_refusal_names_its_finding_and_is_cloudfronts_otherwise(
    explaining: Laid, lay: Lay, finding: str, target: Callable[[Laid], str]
) -> None:
    asked = target(explaining)
    named = explaining.viewer.get(asked)
    assert (named.status, named.headers[NAME]) == (403, finding)
    assert finding in RULES
    plain = lay()
    plain.clock.ahead = explaining.clock.ahead
    plain.serve(plain.behavior("/open/*"), plain.behavior(trusted_key_groups=("g1",)))
    without = plain.viewer.get(asked)
    assert NAME not in without.headers
    assert (without.status, without.body) == (named.status, named.body)
    changing = {NAME, "x-amz-cf-id", "date"}
    kept = {name: value for name, value in named.headers.items() if name not in changing}
    assert kept == {name: value for name, value in without.headers.items() if name not in changing}


def test_only_the_signature_check_is_explained(explaining: Laid) -> None:
    explaining.origin.answer("/open/a", b"open")
    explaining.origin.answer("/open/none", b"", status=403)
    post = explaining.viewer.ask("POST", "/movie.mp4")
    replies = [
        explaining.viewer.get(explaining.signed("/movie.mp4")),
        explaining.viewer.get(explaining.signed("/movie.mp4")),
        explaining.viewer.get("/open/a"),
        explaining.viewer.get("/open/none"),
        post,
    ]
    assert [each.status for each in replies] == [200, 200, 200, 403, 403]
    assert not any(NAME in each.headers for each in replies)


def _viewer(target: str) -> Request:
    path, _, query = target.partition("?")
    return Request(
        {
            "method": "GET",
            "scheme": "http",
            "http_version": "1.1",
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "client": ("192.0.2.1", 1),
            "headers": [(b"host", HOST.encode())],
        }
    )


class Clocks:
    """A wall clock that stands still unless it is moved, and a CPU that is a millisecond slower at each look."""

    def __init__(self) -> None:
        self.wall = 0.0
        self.cpu = 0.0

    def look(self) -> float:
        self.cpu += 0.001
        return self.cpu


def test_searches_share_a_small_part_of_the_time(laid: Laid) -> None:
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    site = configure(laid.inventory(laid.distribution(laid.behavior(trusted_key_groups=("g1",))))).distributions["E1"]
    clocks = Clocks()
    explainer = Explainer(clock=lambda: clocks.wall, cpu_time=clocks.look)
    wrong = _viewer(laid.signed("/movie.mp4").replace("/movie.mp4", "/elsewhere.mp4"))

    def spent() -> float:
        before = clocks.cpu
        assert explainer.finding(wrong, site, laid.clock()) == b"signature-does-not-match"
        return clocks.cpu - before

    first = spent()
    assert SEARCH_SECONDS <= first <= SEARCH_SECONDS + 0.003
    costs = [spent() for _ in range(40)]
    assert sum(costs) < MOST_SAVED + 40 * 0.003
    assert costs[-1] < 0.0025  # nothing is searched any more
    clocks.wall += 3600
    assert spent() == pytest.approx(first)  # nor is more saved up than that


def test_long_requests_are_not_searched(laid: Laid) -> None:
    site = configure(laid.inventory(laid.distribution(laid.behavior(trusted_key_groups=("g1",))))).distributions["E1"]
    clocks = Clocks()
    explainer = Explainer(clock=lambda: clocks.wall, cpu_time=clocks.look)
    target = laid.signed(f"/{'a' * LONGEST_SEARCHED}").replace("Expires=1", "Expires=2")
    assert explainer.finding(_viewer(target), site, laid.clock()) != b""
    assert clocks.cpu < 0.0025
