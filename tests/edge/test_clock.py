"""A system clock that is set while the edge runs: lifetimes do not change, and dates of policies follow it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.edge.clock import steady_clock

if TYPE_CHECKING:
    from tests.edge.conftest import Lay

HOURS = 3600


@pytest.fixture
def passed() -> Any:
    """How much time has passed, as a test wants it."""

    class Passed:
        ahead = 0.0

        def __call__(self) -> float:
            return 1_700_000_000 + self.ahead

    return Passed()


@pytest.mark.parametrize("jump", [-48 * HOURS, -HOURS, HOURS, 48 * HOURS])
def test_an_object_lives_as_long_as_it_was_to_whatever_the_clock_is_set_to(lay: Lay, passed: Any, jump: float) -> None:
    laid = lay(steady=passed)
    laid.serve()
    laid.origin.answer("/a", b"a", headers={"Cache-Control": "max-age=60", "ETag": '"1"'})
    laid.origin.answer("/gone", b"no", status=404)
    assert [laid.viewer.get("/a").cache, laid.viewer.get("/gone").status] == ["Miss", 404]
    laid.clock.ahead += jump
    passed.ahead += 9  # an error is kept for ten seconds
    reply = laid.viewer.get("/a")
    assert (reply.cache, reply.headers["age"]) == ("Hit", "9")
    laid.viewer.get("/gone")
    assert len(laid.origin.asked) == 2
    passed.ahead += 52
    assert laid.viewer.get("/a").cache != "Hit"
    laid.viewer.get("/gone")
    assert len(laid.origin.asked) == 4


def test_the_dates_of_a_policy_follow_the_clock(lay: Lay, passed: Any) -> None:
    laid = lay(steady=passed)
    laid.serve(laid.behavior(trusted_key_groups=("g1",)))
    laid.origin.answer("/a", b"a", headers={"Cache-Control": "max-age=86400"})
    target = laid.signed("/a")
    assert laid.viewer.get(target).status == 200
    laid.clock.ahead += HOURS
    assert laid.viewer.get(target).status == 403
    laid.clock.ahead -= HOURS
    assert laid.viewer.get(target).status == 200


def test_the_steady_clock_begins_at_the_systems_and_is_not_set_with_it(monkeypatch: pytest.MonkeyPatch) -> None:
    before = time.time()
    steady = steady_clock()
    first = steady()
    assert abs(first - before) < 5
    monkeypatch.setattr(time, "time", lambda: before - 48 * HOURS)
    assert first <= steady() < first + 5
