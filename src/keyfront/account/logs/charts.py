"""Small plots of requests over time, as SVG."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

_WIDTH: Final = 720
_HEIGHT: Final = 170
_LEFT: Final = 74
_BOTTOM: Final = 30
_HOUR: Final = 3600
_MOST_BARS: Final = 120


def bars(hours: Sequence[tuple[int, int, int]]) -> str:
    """Return stacked bars of (hour, allowed, refused). Hours without requests are gaps, long times are grouped."""
    first, step, number = _steps([each[0] for each in hours])
    allowed, refused = [0] * number, [0] * number
    for hour, good, bad in hours:
        allowed[(hour - first) // step] += good
        refused[(hour - first) // step] += bad
    most = max(1, *(a + r for a, r in zip(allowed, refused, strict=True)))
    width = (_WIDTH - _LEFT) / number
    parts = []
    for at, (good, bad) in enumerate(zip(allowed, refused, strict=True)):
        x = _LEFT + at * width
        top = _y(good + bad, most)
        title = f"<title>{_when(first + at * step)}: {good:,} allowed, {bad:,} refused</title>"
        below = _bar("a", x, _y(good, most), width, _y(0, most))
        parts.append(f"<g>{title}{below}{_bar('r', x, top, width, _y(good, most))}</g>")
    return _drawn(parts, first, step, number, most, "Requests over time")


def lines(hours: Sequence[tuple[int, int]]) -> str:
    """Return a line of (hour, number)."""
    first, step, number = _steps([each[0] for each in hours])
    values = [0] * number
    for hour, count in hours:
        values[(hour - first) // step] += count
    most = max(1, *values)
    width = (_WIDTH - _LEFT) / number
    points = " ".join(f"{_LEFT + (at + 0.5) * width:.1f},{_y(value, most):.1f}" for at, value in enumerate(values))
    return _drawn([f'<polyline class="s" points="{points}"/>'], first, step, number, most, "Refused over time")


def _steps(hours: Sequence[int]) -> tuple[int, int, int]:
    """Return the first hour, the seconds of a step, and the number of steps."""
    first, last = min(hours), max(hours)
    count = (last - first) // _HOUR + 1
    step = _HOUR * -(-count // _MOST_BARS)
    return first, step, (last - first) // step + 1


def _bar(kind: str, x: float, top: float, width: float, bottom: float) -> str:
    if bottom - top < 0.05:
        return ""
    gap = 1 if width > 4 else 0
    height = max(bottom - top, 1.0)
    return f'<rect class="{kind}" x="{x:.1f}" y="{top:.1f}" width="{max(width - gap, 0.5):.1f}" height="{height:.1f}"/>'


def _y(value: int, most: int) -> float:
    return 8 + (_HEIGHT - _BOTTOM - 8) * (1 - value / most)


def _drawn(parts: Sequence[str], first: int, step: int, number: int, most: int, label: str) -> str:
    ground = _HEIGHT - _BOTTOM
    axis = (
        f'<line class="g" x1="{_LEFT}" y1="{ground}" x2="{_WIDTH}" y2="{ground}"/>'
        f'<text x="{_LEFT - 6}" y="16" text-anchor="end">{most:,}</text>'
        f'<text x="{_LEFT - 6}" y="{ground}" text-anchor="end">0</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}">{_when(first)}</text>'
        f'<text x="{_WIDTH}" y="{_HEIGHT - 5}" text-anchor="end">{_when(first + number * step)}</text>'
    )
    return f'<svg viewBox="0 0 {_WIDTH} {_HEIGHT}" role="img" aria-label="{label}">{axis}{"".join(parts)}</svg>'


def _when(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%d %b %H:%M} UTC"
