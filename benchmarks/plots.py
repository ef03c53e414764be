"""Draws small line plots as one SVG."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Final

_COLUMNS: Final = 2
_WIDTH: Final = 420
_HEIGHT: Final = 210
_LEFT: Final = 70
_RIGHT: Final = 24
_TOP: Final = 44
_BOTTOM: Final = 40
_STEPS: Final = 4


@dataclass(frozen=True, slots=True)
class Plot:
    """Figures by size. Both axes begin at zero, so that what grows with the size is a straight line."""

    title: str
    size: str
    """What is counted on the x axis."""
    figure: str
    """The unit of the y axis."""
    points: Sequence[tuple[float, float]]


def drawing(plots: Sequence[Plot]) -> str:
    """Return an SVG with all plots in two columns."""
    height = ceil(len(plots) / _COLUMNS) * _HEIGHT
    size = f'viewBox="0 0 {_COLUMNS * _WIDTH} {height}" font-family="sans-serif" font-size="11"'
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" {size} role="img" aria-label="Cost as work grows">',
        f'<rect width="{_COLUMNS * _WIDTH}" height="{height}" fill="#fff"/>',
    ]
    for place, plot in enumerate(plots):
        parts.append(f'<g transform="translate({place % _COLUMNS * _WIDTH} {place // _COLUMNS * _HEIGHT})">')
        parts += [*_drawn(plot), "</g>"]
    return "\n".join([*parts, "</svg>", ""])


def _drawn(plot: Plot) -> list[str]:
    right, low = _WIDTH - _RIGHT, _HEIGHT - _BOTTOM
    parts = [f'<text x="{_LEFT}" y="20" font-size="13" font-weight="bold">{plot.title}</text>']
    if not plot.points:
        return [*parts, f'<text x="{_LEFT}" y="{_TOP + 20}">not measured here</text>']
    step = _round_step(max(figure for _, figure in plot.points) / _STEPS)
    top, most = step * _STEPS, max(size for size, _ in plot.points)

    def at(size: float, figure: float) -> tuple[float, float]:
        return _LEFT + size / most * (right - _LEFT), low - figure / top * (low - _TOP)

    parts.append(f'<text x="{_LEFT}" y="{_TOP - 8}" fill="#555">{plot.figure}</text>')
    for number in range(_STEPS + 1):
        y = at(0, step * number)[1]
        parts.append(f'<line x1="{_LEFT}" x2="{right}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>')
        parts.append(f'<text x="{_LEFT - 6}" y="{y + 4:.1f}" text-anchor="end">{step * number:,.10g}</text>')
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y in (at(*point) for point in plot.points))
    parts.append(f'<polyline points="{line}" fill="none" stroke="#0b6bcb" stroke-width="2"/>')
    for point in plot.points:
        x, y = at(*point)
        parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="#0b6bcb"/>')
    for share in (0, 0.5, 1):
        x = at(most * share, 0)[0]
        parts.append(f'<text x="{x:.1f}" y="{low + 16}" text-anchor="middle">{most * share:,.0f}</text>')
    parts.append(f'<text x="{right}" y="{low + 31}" text-anchor="end" fill="#555">{plot.size}</text>')
    return parts


def _round_step(wanted: float) -> float:
    """Return the smallest 1, 2, 2.5 or 5 times a power of ten that is at least `wanted`."""
    power = 10.0 ** floor(log10(wanted))
    return next(power * each for each in (1, 2, 2.5, 5, 10) if power * each >= wanted * 0.999)
