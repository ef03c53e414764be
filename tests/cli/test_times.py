"""Times as they are typed."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from keyfront.cli.times import moment
from keyfront.errors import InputError


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("90s", timedelta(seconds=90)),
        ("30m", timedelta(minutes=30)),
        ("1h", timedelta(hours=1)),
        ("7d", timedelta(days=7)),
        ("2w", timedelta(weeks=2)),
        ("1h30m", timedelta(hours=1, minutes=30)),
        ("1w2d3h4m5s", timedelta(weeks=1, days=2, hours=3, minutes=4, seconds=5)),
        ("0s", timedelta()),
        (" 1h ", timedelta(hours=1)),
        ("1893456000", 1893456000),
        ("0", 0),
        ("1893456000000", 1893456000000),  # the core says that it looks like milliseconds
        ("2030-01-01T00:00:00Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01 00:00Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T02:00:00+02:00", datetime(2030, 1, 1, 2, tzinfo=timezone(timedelta(hours=2)))),
        ("20300101T000000Z", datetime(2030, 1, 1, tzinfo=UTC)),
        ("2030-01-01T00:00:00.5Z", datetime(2030, 1, 1, 0, 0, 0, 500_000, tzinfo=UTC)),
    ],
)
def test_what_is_understood(text: str, meaning: object) -> None:
    assert moment(text, "--expires") == meaning


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("2030-01-01T00:00:00", r"--at 2030-01-01T00:00:00 has no time zone: write 2030-01-01T00:00:00Z for UTC"),
        ("2030-01-01", r"has no time zone: write 2030-01-01T00:00:00Z for UTC"),
        ("20300101", r"--at 20300101 would mean seconds since the epoch: for a date, write 2030-01-01T00:00:00Z"),
        ("2030-13-01T00:00:00Z", r"is not a time: write a span"),
        ("", r"--at '' is not a time"),
        ("tomorrow", r"'tomorrow' is not a time"),
        ("1 h", r"is not a time"),
        ("1H", r"is not a time"),
        ("-1h", r"is not a time"),
        ("30m1h", r"is not a time"),
        ("1.5h", r"is not a time"),
        ("1y", r"is not a time"),
        ("-5", r"is not a time"),
        ("1e9", r"is not a time"),
        ("٣h", r"is not a time"),
        ("9" * 15 + "w", r"longer than any policy"),
        ("9" * 5000 + "s", r"longer than any policy"),
        ("9" * 5000, r"is not a time"),
    ],
)
def test_what_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InputError, match=complaint) as raised:
        moment(text, "--at")
    assert len(str(raised.value)) < 250
