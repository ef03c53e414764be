"""Draws covers for items without one, from title and kind. The same item always gets the same cover."""

import hashlib
import math
import unicodedata
from collections.abc import Callable
from typing import Final, NamedTuple

from markupsafe import Markup, escape

from keyfront.backend.service.values import Item

_WIDTH: Final = 300
_HEIGHT: Final = 400


class Palette(NamedTuple):
    """Four colours: the background, a shade of it, the light, and the text."""

    ground: str
    shade: str
    glow: str
    ink: str


PALETTES: Final = (
    Palette("#14233f", "#2b4270", "#f6b545", "#f5efe0"),
    Palette("#1e3a34", "#3c6b5e", "#ecc46c", "#f6f1dc"),
    Palette("#7c3a2c", "#a95c45", "#f4cf8e", "#fdf3e1"),
    Palette("#38233f", "#664075", "#f2a9c4", "#f9eff6"),
    Palette("#0d4a57", "#23788a", "#f7b23b", "#eaf6f5"),
    Palette("#ead9b8", "#cfb587", "#b5512f", "#33261a"),
    Palette("#cddfe9", "#93b9cf", "#cb4458", "#16304a"),
    Palette("#f2d8cf", "#dfb0a1", "#b84a31", "#4d1f2d"),
)


class Dice:
    """Numbers that look random but are computed from a text."""

    def __init__(self, text: str) -> None:
        self._bytes = hashlib.shake_256(text.encode("utf-8", "surrogatepass")).digest(256)
        self._next = 0

    def throw(self, low: float, high: float) -> float:
        """Return the next number from `low` to `high`, rounded to a tenth."""
        byte = self._bytes[self._next % len(self._bytes)]
        self._next += 1
        return round(low + (high - low) * byte / 255, 1)

    def pick(self, count: int) -> int:
        """Return the next whole number from 0 up to but not including `count`."""
        return min(int(self.throw(0, count)), count - 1)


def cover(item: Item) -> Markup:
    """Return an SVG cover for a page. Screen readers skip it, because the page has the same text."""
    dice = Dice(f"{item.title}\n{item.author}\n{item.kind}")
    palette = PALETTES[dice.pick(len(PALETTES))]
    art = _ART.get(item.kind, _tiles)(palette, dice)
    return Markup(  # noqa: S704  every part is a number, a constant or escaped
        f'<svg class="cover" viewBox="0 0 {_WIDTH} {_HEIGHT}" aria-hidden="true" focusable="false">'
        f'<rect width="{_WIDTH}" height="{_HEIGHT}" fill="{palette.ground}"/>'
        f"{art}{_spine(item.kind)}{_lettering(item, palette)}</svg>"
    )


def _lettering(item: Item, palette: Palette) -> str:
    size, lines = _fitted(item.title)
    step = size * 1.16
    parts = [
        f'<text x="26" y="{34 + size + at * step:.1f}" font-size="{size}">{escape(line)}</text>'
        for at, line in enumerate(lines)
    ]
    below = 34 + size + (len(lines) - 1) * step + 26
    if item.author:
        author = escape(_clipped(item.author, 28))
        parts.append(
            f'<text x="26" y="{below:.1f}" font-size="12.5" letter-spacing="0.6" opacity="0.85">{author}</text>'
        )
    family = "'Iowan Old Style', 'Palatino Linotype', Palatino, 'Book Antiqua', Georgia, serif"
    return f'<g fill="{palette.ink}" font-family="{family}">{"".join(parts)}</g>'


def _fitted(title: str) -> tuple[int, list[str]]:
    """Return a font size, and the title in lines that fit the cover at that size."""
    for size, width, most in ((34, 13, 3), (27, 17, 4), (21, 22, 5)):
        lines = _wrapped(title, width)
        if len(lines) <= most:
            return size, lines
    return 21, [*lines[:4], _clipped(lines[4] + "…", 22)]


def _wrapped(text: str, width: int) -> list[str]:
    lines = [""]
    for word in text.split():
        rest = word
        while rest:
            part = _clipped(rest, width, mark="")
            if lines[-1] and _width(lines[-1]) + 1 + _width(part) > width:
                lines.append("")
            lines[-1] = f"{lines[-1]} {part}".strip()
            rest = rest[len(part) :]
    return lines


def _clipped(text: str, width: int, mark: str = "…") -> str:
    if _width(text) <= width:
        return text
    kept = ""
    for character in text:
        if _width(kept + character) > width - len(mark):
            break
        kept += character
    return (kept or text[:1]) + mark


def _width(text: str) -> int:
    """Return the width in Latin letters: 2 for Chinese, Japanese and Korean characters, 0 for combining accents."""
    return sum(
        0 if unicodedata.combining(character) else 2 if unicodedata.east_asian_width(character) in "WF" else 1
        for character in text
    )


def _spine(kind: str) -> str:
    if kind != "book":
        return ""
    return (
        '<rect width="9" height="400" fill="#000" opacity="0.16"/>'
        '<rect x="9" width="2" height="400" fill="#fff" opacity="0.12"/>'
    )


def _lamp_over_water(palette: Palette, dice: Dice) -> str:
    """Draw a light, its halo, and its reflection on the sea."""
    x, y, r = dice.throw(90, 210), dice.throw(222, 246), dice.throw(30, 40)
    halo = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r + grow}" fill="{palette.glow}" opacity="{strength}"/>'
        for grow, strength in ((58, 0.07), (34, 0.11), (15, 0.2), (0, 1))
    )
    waves = ""
    for row in range(6):
        level, lift, shift = 300 + row * 18, dice.throw(5, 11), dice.throw(-40, 0)
        crests = " ".join(f"q 25 {-lift} 50 0 t 50 0" for _ in range(4))
        waves += (
            f'<path d="M {shift} {level} {crests} V 410 H -60 Z" fill="{palette.shade}" '
            f'opacity="{0.32 + row * 0.12:.2f}"/>'
        )
    gleam = "".join(
        f'<rect x="{x - half:.1f}" y="{306 + row * 17}" width="{2 * half:.1f}" height="3" rx="1.5" '
        f'fill="{palette.glow}" opacity="{0.85 - row * 0.13:.2f}"/>'
        for row, half in enumerate(dice.throw(12, 34) for _ in range(6))
    )
    return halo + waves + gleam


def _chart(palette: Palette, dice: Dice) -> str:
    """Draw arcs from a light on the shore, as on a chart."""
    x, y = dice.throw(40, 260), dice.throw(380, 400)
    arcs = "".join(
        f'<circle cx="{x}" cy="{y}" r="{r}" stroke-width="{1.2 if r % 36 else 2.6}"/>' for r in range(36, 190, 18)
    )
    arcs = f'<g fill="none" stroke="{palette.shade}">{arcs}</g>'
    rays = "".join(f'<path d="M {x} {y} l {run} -190" />' for run in (-260, -150, -70, 0, 70, 150, 260))
    sides = [math.radians(dice.throw(-42, 8))]
    sides.append(sides[0] + math.radians(dice.throw(22, 34)))
    left, right = (f"{x + 180 * math.sin(side):.1f} {y - 180 * math.cos(side):.1f}" for side in sides)
    sector = f'<path d="M {x} {y} L {left} A 180 180 0 0 1 {right} Z" fill="{palette.glow}" opacity="0.28"/>'
    marks = "".join(
        f'<circle cx="{dice.throw(30, 270)}" cy="{dice.throw(215, 370)}" r="{dice.throw(2.5, 5)}"/>' for _ in range(6)
    )
    marks = f'<g fill="{palette.glow}">{marks}</g>'
    shaded = f'<g stroke="{palette.shade}" stroke-width="0.8" opacity="0.8">{rays}</g>'
    light = f'<circle cx="{x}" cy="{y}" r="13" fill="{palette.glow}"/>'
    return f'<svg y="190" height="210" viewBox="0 190 300 210">{arcs}{shaded}{sector}{marks}{light}</svg>'


def _sound(palette: Palette, dice: Dice) -> str:
    """Draw a minute of sound as bars."""
    bars = ""
    for at in range(21):
        swell = 1 - abs(at - 10) / 13
        height = round(14 + dice.throw(10, 150) * swell, 1)
        colour = palette.glow if at % 5 == 2 else palette.shade
        bars += (
            f'<rect x="{26 + at * 12}" y="{290 - height / 2:.1f}" width="6.5" height="{height}" '
            f'rx="3.2" fill="{colour}"/>'
        )
    return bars


def _projection(palette: Palette, dice: Dice) -> str:
    """Draw a beam of light that falls on a frame."""
    y = dice.throw(276, 300)
    frame = f'<rect x="60" y="{y - 62:.1f}" width="180" height="116" rx="8" fill="{palette.shade}"/>'
    beam = (
        f'<path d="M -10 {dice.throw(380, 400)} L 60 {y - 62:.1f} H 240 V {y + 54:.1f} Z" '
        f'fill="{palette.glow}" opacity="0.18"/>'
    )
    play = f'<path d="M 132 {y - 34:.1f} l 50 30 l -50 30 Z" fill="{palette.glow}"/>'
    holes = "".join(
        f'<rect x="{26 + at * 26}" y="372" width="14" height="10" rx="2" fill="{palette.shade}"/>' for at in range(10)
    )
    return frame + beam + play + holes


def _hills(palette: Palette, dice: Dice) -> str:
    """Draw rows of hills, and the sun."""
    sun = f'<circle cx="{dice.throw(70, 230)}" cy="{dice.throw(224, 250)}" r="34" fill="{palette.glow}"/>'
    ridges = ""
    for row in range(4):
        base = 268 + row * 32
        tops = [base + dice.throw(-26, 22) for _ in range(4)]
        ridges += (
            f'<path d="M 0 {tops[0]} C 60 {tops[1] - 20:.1f} 90 {tops[1] + 16:.1f} 150 {tops[2]} '
            f'S 250 {tops[3] - 14:.1f} 300 {tops[3]} V 400 H 0 Z" fill="{palette.shade}" '
            f'opacity="{0.36 + row * 0.2:.2f}"/>'
        )
    return sun + ridges


def _stack(palette: Palette, dice: Dice) -> str:
    """Draw a stack of boxes."""
    boxes = ""
    for row in range(5):
        width, shift = dice.throw(130, 220), dice.throw(-18, 18)
        x, y = 150 - width / 2 + shift, 352 - row * 36
        lit = row == 2
        boxes += (
            f'<rect x="{x:.1f}" y="{y}" width="{width}" height="31" rx="5" '
            f'fill="{palette.glow if lit else palette.shade}"/>'
            f'<rect x="{x + width / 2 - 13:.1f}" y="{y + 13}" width="26" height="4" rx="2" fill="{palette.ground}"/>'
        )
    return boxes


def _tiles(palette: Palette, dice: Dice) -> str:
    """Draw quarter circles at random."""
    tiles = ""
    for row in range(4):
        for column in range(5):
            x, y = 25 + column * 50, 196 + row * 50
            turn, lit = 90 * dice.pick(4), dice.pick(6) == 0
            tiles += (
                f'<path transform="rotate({turn} {x + 25} {y + 25})" d="M {x} {y} h 48 a 48 48 0 0 1 -48 48 Z" '
                f'fill="{palette.glow if lit else palette.shade}"/>'
            )
    return tiles


_ART: Final[dict[str, Callable[[Palette, Dice], str]]] = {
    "book": _lamp_over_water,
    "document": _chart,
    "audio": _sound,
    "video": _projection,
    "image": _hills,
    "archive": _stack,
}
