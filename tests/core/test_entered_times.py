"""Lifetimes of settings and templates. Times as they are typed are in `tests/cli/test_times.py`."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.core.entered_times import lifetime
from keyfront.errors import InputError


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        (3600, timedelta(hours=1)),
        (1.5, timedelta(seconds=1.5)),
        ("3600", timedelta(hours=1)),
        ("1h", timedelta(hours=1)),
        (" 1h30m ", timedelta(minutes=90)),
        ("30d", timedelta(days=30)),
        (timedelta(days=7), timedelta(days=7)),
    ],
)
def test_what_is_a_lifetime(value: object, meaning: timedelta) -> None:
    assert lifetime(value, "LIFETIME") == meaning


@pytest.mark.parametrize(
    ("value", "complaint"),
    [
        ("an hour", r"LIFETIME is 'an hour', which is not a lifetime: give a timedelta, seconds \(3600\) or a span"),
        ("", "LIFETIME is '', which is not a lifetime"),
        (None, "LIFETIME is None, which is not a lifetime"),
        (True, "LIFETIME is True, which is not a lifetime"),
        ([3600], "LIFETIME is a list"),
        (0, "LIFETIME is 0:00:00, and a lifetime is at least one second"),
        ("0s", "at least one second"),
        (-5, "at least one second"),
        (1_893_456_000, "LIFETIME is 1893456000, which looks like a time since the epoch"),
        ("1893456000", "looks like a time since the epoch"),
        (float("nan"), "LIFETIME is nan, which is not a lifetime"),
        (float("inf"), "LIFETIME is inf"),
        ("9" * 15 + "w", "longer than any policy"),
        ("-----BEGIN PRIVATE KEY-----", "not shown, because it may be a key"),
    ],
)
def test_what_is_not(value: object, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint):
        lifetime(value, "LIFETIME")


@given(st.integers(1, 10**8))
def test_every_way_to_write_it_means_the_same(seconds: int) -> None:
    written = (seconds, float(seconds), str(seconds), f"{seconds}s", timedelta(seconds=seconds))
    assert {lifetime(each, "LIFETIME") for each in written} == {timedelta(seconds=seconds)}
