"""Times and durations as text for people."""

from datetime import UTC, datetime


def utc(seconds: float) -> str:
    """Return a time such as `2030-01-01 00:00:00 UTC`, or the number if it is outside the calendar."""
    try:
        return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (ValueError, OverflowError, OSError):
        return str(int(seconds))


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `3 h 12 min`, `2 days 4 h`, `40 s`."""
    left = abs(int(seconds))
    parts = []
    for size, one, many in (
        (31_557_600, "year", "years"),
        (86_400, "day", "days"),
        (3600, "h", "h"),
        (60, "min", "min"),
    ):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count} {one if count == 1 else many}")
    if not parts or (len(parts) == 1 and parts[0].endswith("min") and left):
        parts.append(f"{left} s")
    return " ".join(parts[:2])


def relative(moment: float, now: float) -> str:
    """Return a time relative to `now`: `3 h ago`, `in 5 min`, `now`."""
    if int(moment) == int(now):
        return "now"
    return f"{span(now - moment)} ago" if moment < now else f"in {span(moment - now)}"
