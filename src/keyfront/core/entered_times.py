"""Read times and spans as people enter them: `1h`, `2030-01-01T00:00:00Z`, seconds since the epoch."""

import re
from datetime import datetime, timedelta
from typing import Final

from keyfront.core.showing import in_words, told
from keyfront.errors import InputError

_DURATION: Final = re.compile(
    r"(?=.)(?:(?P<weeks>\d+)w)?(?:(?P<days>\d+)d)?(?:(?P<hours>\d+)h)?(?:(?P<minutes>\d+)m)?(?:(?P<seconds>\d+)s)?",
    re.ASCII,
)
_EPOCH: Final = re.compile(r"\d{1,20}", re.ASCII)
_COMPACT_DATE: Final = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])", re.ASCII)
_FORMS: Final = (
    "write a span from now (90s, 30m, 1h, 7d, 2w), a time with its zone (2030-01-01T00:00:00Z), or seconds since the "
    "epoch"
)
_LIFETIMES: Final = "give a timedelta, seconds (3600) or a span ('1h', '30d')"
_LIKE_A_TIME: Final = 1_000_000_000
"""A number of seconds from here on, 32 years, is a time since the epoch (2001) and not a lifetime."""


def moment(text: str, option: str) -> datetime | timedelta | int:
    """Read a span from now (`1h`, `1h30m`), a time in ISO 8601 with its zone, or seconds since the epoch.

    Raises `InputError`, which names `option`, for a time without a zone and for anything else.
    """
    stripped = text.strip()
    if found := _DURATION.fullmatch(stripped):
        return _span(found, option)
    if _COMPACT_DATE.fullmatch(stripped):
        day = f"{stripped[:4]}-{stripped[4:6]}-{stripped[6:]}"
        raise InputError(f"{option} {text} would mean seconds since the epoch: for a date, write {day}T00:00:00Z")
    if _EPOCH.fullmatch(stripped):
        return int(stripped)
    try:
        when = datetime.fromisoformat(stripped)
    except ValueError:
        raise InputError(f"{option} {_shown(text)!r} is not a time: {_FORMS}") from None
    if when.utcoffset() is None:
        zoned = f"{when.isoformat()}Z"
        raise InputError(f"{option} {text} has no time zone: write {zoned} for UTC, or an offset such as +02:00")
    return when


def seconds(text: str, option: str, *, most: timedelta) -> float:
    """Return the seconds of a span (`20s`, `5m`) of at most `most`. Raises `InputError`, which names `option`."""
    given = span(text, option)
    if given > most:
        raise InputError(f"{option} {_shown(text)} is too long: give at most {most.total_seconds():.0f}s")
    return given.total_seconds()


def span(text: str, option: str) -> timedelta:
    """Return a span (`20s`, `5m`, `30d`). Raises `InputError`, which names `option`."""
    found = _DURATION.fullmatch(text.strip())
    if found is None:
        raise InputError(f"{option} {_shown(text)!r} is not a span of time: write 20s, 5m or 1h30m")
    return _span(found, option)


def lifetime(value: object, name: str) -> timedelta:
    """Return a lifetime from a setting or a template: a timedelta, seconds (`3600`), or a span (`1h`, `30d`).

    Raises `InputError`, which names the setting `name`, for anything else and for less than a second.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if isinstance(value, str) and (found := _DURATION.fullmatch(value.strip())):
        value = _span(found, name)
    elif number or (isinstance(value, str) and _EPOCH.fullmatch(value.strip())):
        value = _of_seconds(float(value), name)  # type: ignore[arg-type]  # a number, or its digits
    if not isinstance(value, timedelta):
        raise InputError(f"{name} is {told(value)}, which is not a lifetime: {_LIFETIMES}")
    if value < timedelta(seconds=1):
        raise InputError(f"{name} is {in_words(value)}, and a lifetime is at least one second: {_LIFETIMES}")
    return value


def _of_seconds(number: float, name: str) -> timedelta:
    if number >= _LIKE_A_TIME:
        raise InputError(
            f"{name} is {number:.0f}, which looks like a time since the epoch, and a lifetime counts from now: "
            f"{_LIFETIMES}"
        )
    try:
        return timedelta(seconds=number)
    except (OverflowError, ValueError):
        raise InputError(f"{name} is {number}, which is not a lifetime: {_LIFETIMES}") from None


def _span(found: re.Match[str], option: str) -> timedelta:
    counts = {unit: count for unit, count in found.groupdict().items() if count is not None}
    try:
        # Python raises ValueError for a number with thousands of digits.
        return timedelta(**{unit: int(count) for unit, count in counts.items()})
    except (OverflowError, ValueError):
        raise InputError(f"{option} {_shown(found[0])} is longer than any policy can last") from None


def _shown(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:59]}…"
