"""The shop's field guide: how to read the lights of a harbour at night, a PDF of six A5 pages to print."""

from collections.abc import Callable

from tools.demo_files import pdf
from tools.demo_files.pdf import BOLD, ITALIC, ROMAN, SANS, Page

TITLE = "Harbour Lights"
SUBTITLE = "How to read them, in six pages"
AUTHOR = "Skerrow Harbour Board"
_WIDTH, _HEIGHT = 419.53, 595.28
_LEFT, _RIGHT = 44.0, _WIDTH - 44.0
_MEASURE = _RIGHT - _LEFT

_NIGHT, _SEA, _INK, _MUTED, _RULE = "#0f1b33", "#16284a", "#1d2433", "#5d6778", "#c9cfd8"
_AMBER, _RED, _GREEN, _YELLOW, _PALE = "#e39a1e", "#c8402f", "#2f8f66", "#e8b923", "#eef1f5"

# Seconds lit and dark in turn. IALA Recommendation R0110, "Rhythmic characters of lights on aids to navigation".
_RHYTHMS: tuple[tuple[str, str, str, tuple[float, ...]], ...] = (
    ("F", "Fixed", "Lit without a break.", (12,)),
    ("Oc", "Occulting", "More light than dark: it blinks off.", (4, 2, 4, 2)),
    ("Iso", "Isophase", "Light and dark of the same length.", (2, 2, 2, 2, 2, 2)),
    ("Fl", "Flashing", "More dark than light: it blinks on.", (0.7, 3.3, 0.7, 3.3, 0.7, 3.3)),
    ("Fl(2)", "Group flashing", "A group of flashes, then a pause.", (0.6, 1.1, 0.6, 3.7, 0.6, 1.1, 0.6, 3.7)),
    ("LFl", "Long flashing", "Each flash lasts two seconds or more.", (2, 4, 2, 4)),
    ("Q", "Quick", "Fifty to seventy-nine flashes a minute.", (0.4, 0.6) * 12),
    ("VQ", "Very quick", "Eighty to a hundred and fifty-nine.", (0.2, 0.3) * 24),
    ("Mo(A)", "Morse", "A letter: here A, a dot and a dash.", (0.5, 0.5, 1.5, 3.5, 0.5, 0.5, 1.5, 3.5)),
)  # fmt: skip

_HEIGHTS = (2, 5, 10, 15, 20, 30, 50, 80)
_EYES = (1.5, 3.0, 6.0)


def _heading(page: Page, number: int, title: str, lead: str) -> float:
    """Draw the top of an inner page. Return where the text continues."""
    page.text(_LEFT, 52, TITLE.upper(), font=SANS, size=6.5, colour=_MUTED)
    page.text(_RIGHT, 52, str(number), font=SANS, size=6.5, colour=_MUTED, align="right")
    page.line(_LEFT, 58, _RIGHT, 58, _RULE)
    page.text(_LEFT, 92, title, font=ROMAN, size=24, colour=_INK)
    below = page.paragraph(_LEFT, 112, _MEASURE, lead, font=ITALIC, size=10.5, colour=_MUTED, leading=14)
    page.text(_WIDTH / 2, _HEIGHT - 30, "Not for navigation.", font=ITALIC, size=7.5, colour=_MUTED, align="centre")
    return below + 10


def _body(page: Page, y: float, text: str) -> float:
    return page.paragraph(_LEFT, y, _MEASURE, text, font=ROMAN, size=10.5, colour=_INK, leading=14.5)


def _cover(page: Page) -> None:
    page.rectangle(0, 0, _WIDTH, _HEIGHT, _NIGHT)
    horizon = 388.0
    page.rectangle(0, horizon, _WIDTH, _HEIGHT - horizon, _SEA)
    page.polygon(
        [(0, horizon), (0, 366), (60, 366), (60, 350), (120, 350), (120, 372), (206, 372), (206, 356), (300, 356),
         (300, 372), (_WIDTH, 366), (_WIDTH, horizon)],
        "#080f1f",
    )  # fmt: skip
    page.polygon([(330, horizon), (338, 262), (356, 262), (364, horizon)], "#0a1326")
    page.polygon([(347, 252), (0, 196), (0, 268)], "#1b2c4f")
    page.rectangle(338, 244, 18, 18, "#f6d58a")
    page.polygon([(335, 244), (347, 232), (359, 244)], "#080f1f")
    lights = (
        (30, 358, _GREEN), (44, 347, _GREEN), (98, 340, _AMBER), (148, 362, _RED), (188, 364, "#f4ead5"),
        (236, 348, _AMBER), (282, 348, _AMBER), (312, 364, _RED), (392, 358, _GREEN),
    )  # fmt: skip
    for x, y, colour in (*lights, (347, 252, "#f6d58a")):
        if y > 260:
            page.circle(x, y, 3.2, colour)
        for step in range(9):
            width = 5 + step * 2.4
            page.rectangle(x - width / 2 + (3 if step % 2 else -2), horizon + 8 + step * 9.5, width, 1.1, colour)
    page.text(_LEFT, 98, TITLE, font=ROMAN, size=44, colour="#f4ead5")
    page.text(_LEFT, 122, SUBTITLE, font=ITALIC, size=15, colour="#f6d58a")
    page.line(_LEFT, 140, _LEFT + 70, 140, _AMBER, thickness=1.4)
    page.text(_LEFT, _HEIGHT - 44, AUTHOR.upper(), font=SANS, size=8.5, colour="#f4ead5")


def _written(page: Page) -> None:
    y = _heading(
        page, 2, "How a light is written", "A chart names each light in one short line. Read it from the left."
    )
    page.rectangle(_LEFT, y, _MEASURE, 58, _NIGHT)
    parts = (
        ("Fl(2)", "rhythm", "two flashes, then a pause"),
        ("R", "colour", "red; a light with none named is white"),
        ("10s", "period", "ten seconds from one first flash to the next"),
        ("24m", "elevation", "the lamp stands 24 metres above high water"),
        ("15M", "nominal range", "seen from 15 sea miles in clear air"),
    )
    gap, size = 20.0, 27.0
    x = _LEFT + (_MEASURE - sum(pdf.width_of(part, ROMAN, size) for part, _, _ in parts) - gap * 4) / 2
    row = y + 92
    for part, name, meaning in parts:
        page.text(x, y + 38, part, font=ROMAN, size=size, colour="#f6d58a")
        x += pdf.width_of(part, ROMAN, size) + gap
        page.text(_LEFT, row, part, font=BOLD, size=9.5, colour=_AMBER)
        page.text(_LEFT + 46, row, name, font=BOLD, size=9.5, colour=_INK)
        page.text(_LEFT + 128, row, meaning, font=ROMAN, size=10.5, colour=_INK)
        page.line(_LEFT, row + 7, _RIGHT, row + 7, _RULE)
        row += 22
    row = _body(
        page, row + 12,
        "Time the period, do not guess it. Begin to count at the first flash of a group and stop at the first "
        "flash of the next; do it three times. Two lights with the same colour and the same group are told "
        "apart by their period more often than by anything else.",
    )  # fmt: skip
    _body(
        page, row + 8,
        "A light may show one colour to one side and another to the other. Such sectors are named as seen "
        "from the sea, and most often the white one is the way in: red and green tell you that you have left it.",
    )  # fmt: skip


def _rhythms(page: Page) -> None:
    y = _heading(page, 3, "Rhythms", "Twelve seconds of each. What is bright is light; what is not is dark.")
    label, scale = 58.0, (_MEASURE - 58.0) / 12
    for short, name, meaning, times in _RHYTHMS:
        page.text(_LEFT, y + 6, short, font=BOLD, size=10, colour=_AMBER)
        page.text(_LEFT + label, y + 6, name, font=BOLD, size=9, colour=_INK)
        page.text(_RIGHT, y + 6, meaning, font=ITALIC, size=9.5, colour=_MUTED, align="right")
        page.rectangle(_LEFT + label, y + 13, _MEASURE - label, 11, _NIGHT)
        at = 0.0
        for index, seconds in enumerate(times):
            if index % 2 == 0:
                page.rectangle(_LEFT + label + at * scale, y + 13, seconds * scale, 11, "#f6c766")
            at += seconds
        y += 39
    for second in range(0, 13, 2):
        x = _LEFT + label + second * scale
        page.line(x, y - 10, x, y - 6, _MUTED)
        page.text(x, y + 3, str(second), font=SANS, size=6.5, colour=_MUTED, align="centre")
    page.text(_LEFT, y + 3, "seconds", font=SANS, size=6.5, colour=_MUTED)


def _marks(page: Page) -> None:
    y = _heading(page, 4, "What the light stands on", "Buoys and beacons, by the light they carry.")
    for (shape, light, name, meaning), index in zip(_MARKS, range(len(_MARKS)), strict=True):
        top = y + index * 49.5
        page.line(_LEFT, top - 8, _RIGHT, top - 8, _RULE)
        shape(page, _LEFT + 20, top + 32)
        page.text(_LEFT + 50, top + 7, name, font=BOLD, size=9.5, colour=_INK)
        page.text(_RIGHT, top + 7, light, font=SANS, size=8.5, colour=_AMBER, align="right")
        page.paragraph(_LEFT + 50, top + 20, _MEASURE - 50, meaning, font=ROMAN, size=9.5, colour=_INK, leading=12)


def _pillar(page: Page, x: float, y: float, bands: tuple[str, ...]) -> None:
    """Draw a buoy that floats at y, with bands of colour from the top, narrower at the top."""
    height = 24.0 / len(bands)
    for index, colour in enumerate(bands):
        top, bottom = y - 24 + index * height, y - 24 + (index + 1) * height
        half_top, half_bottom = 3.5 + index * height / 6, 3.5 + (index + 1) * height / 6
        page.polygon(
            [(x - half_top, top), (x + half_top, top), (x + half_bottom, bottom), (x - half_bottom, bottom)],
            colour, _INK,
        )  # fmt: skip
    page.line(x - 15, y, x + 15, y, "#7f9bb8", thickness=1.2)


def _cones(page: Page, x: float, y: float, upwards: tuple[bool, bool]) -> None:
    """Draw a cardinal mark's two black cones, the upper one first."""
    for up, base in zip(upwards, (y - 31, y - 24), strict=True):
        tip, foot = (base - 6, base) if up else (base, base - 6)
        page.polygon([(x - 4, foot), (x + 4, foot), (x, tip)], "#11151d")


def _lateral(page: Page, x: float, y: float) -> None:
    page.rectangle(x - 14, y - 22, 10, 22, _RED, _INK)
    page.polygon([(x + 4, y), (x + 14, y), (x + 12, y - 14), (x + 9, y - 23), (x + 6, y - 14)], _GREEN, _INK)
    page.line(x - 18, y, x + 18, y, "#7f9bb8", thickness=1.2)


def _cardinal(bands: tuple[str, ...], upwards: tuple[bool, bool]) -> Callable[[Page, float, float], None]:
    def draw(page: Page, x: float, y: float) -> None:
        _pillar(page, x, y, bands)
        _cones(page, x, y, upwards)

    return draw


def _danger(page: Page, x: float, y: float) -> None:
    _pillar(page, x, y, ("#11151d", _RED, "#11151d"))
    page.circle(x, y - 28, 3, "#11151d")
    page.circle(x, y - 35, 3, "#11151d")


def _safe(page: Page, x: float, y: float) -> None:
    for index in range(4):
        page.rectangle(x - 8 + index * 4, y - 22, 4, 22, _RED if index % 2 == 0 else "#ffffff", _INK)
    page.circle(x, y - 27, 3.4, _RED)
    page.line(x - 15, y, x + 15, y, "#7f9bb8", thickness=1.2)


def _special(page: Page, x: float, y: float) -> None:
    _pillar(page, x, y, (_YELLOW,))
    page.line(x - 4, y - 34, x + 4, y - 26, _YELLOW, thickness=2)
    page.line(x - 4, y - 26, x + 4, y - 34, _YELLOW, thickness=2)


_BLACK = "#11151d"
# IALA Maritime Buoyage System.
_MARKS: tuple[tuple[Callable[[Page, float, float], None], str, str, str], ...] = (
    (_lateral, "red or green, any rhythm but Fl(2+1)", "Lateral",
     "Coming in: red to port, green to starboard; the reverse in the Americas, Japan, Korea and the Philippines."),
    (_cardinal((_BLACK, _YELLOW), (True, True)), "Q or VQ", "North of danger",
     "Pass to the north of it. The flashes never stop, as on a clock that has come to twelve."),
    (_cardinal((_BLACK, _YELLOW, _BLACK), (True, False)), "Q(3) 10s or VQ(3) 5s", "East of danger",
     "Pass to the east. Three flashes: three o’clock."),
    (_cardinal((_YELLOW, _BLACK), (False, False)), "Q(6)+LFl 15s or VQ(6)+LFl 10s", "South of danger",
     "Pass to the south. Six flashes, and one long one so that nobody takes six for nine."),
    (_cardinal((_YELLOW, _BLACK, _YELLOW), (False, True)), "Q(9) 15s or VQ(9) 10s", "West of danger",
     "Pass to the west. Nine flashes: nine o’clock."),
    (_danger, "Fl(2)", "Isolated danger",
     "Stands on the danger itself, with open water all round. Keep off."),
    (_safe, "Iso, Oc, LFl 10s or Mo(A)", "Safe water",
     "Deep on every side: the middle of a fairway, or where the way in begins."),
    (_special, "yellow, any rhythm not used above", "Special",
     "Something the chart explains: a pipeline, a race mark, the edge of a practice ground."),
)  # fmt: skip


def _range(page: Page) -> None:
    y = _heading(page, 5, "How far will you see it?", "As far as the horizon lets you, or the lamp, if that is less.")
    y = _body(
        page, y,
        "The sea is round and hides a low lamp however bright it is. The distance at which it comes over the "
        "horizon, in sea miles, is 2.08 times the sum of two square roots: of the lamp’s height and of your eye’s, "
        "both in metres above the water.",
    )  # fmt: skip
    y += 16
    columns = [_LEFT + 128 + index * 70 for index in range(len(_EYES))]
    page.text(_LEFT, y, "Lamp", font=BOLD, size=9, colour=_INK)
    for x, eye, where in zip(columns, _EYES, ("in a dinghy", "on a deck", "on a bridge"), strict=True):
        page.text(x + 60, y, f"Eye at {eye:g} m", font=BOLD, size=9, colour=_INK, align="right")
        page.text(x + 60, y + 11, where, font=ITALIC, size=8.5, colour=_MUTED, align="right")
    y += 30
    for index, height in enumerate(_HEIGHTS):
        if index % 2 == 0:
            page.rectangle(_LEFT - 6, y - 13, _MEASURE + 12, 20, _PALE)
        page.text(_LEFT, y, f"{height} m", font=ROMAN, size=11, colour=_INK)
        for x, eye in zip(columns, _EYES, strict=True):
            miles = 2.08 * (height**0.5 + eye**0.5)
            page.text(x + 60, y, f"{miles:.1f}", font=ROMAN, size=11, colour=_INK, align="right")
        y += 20
    y = _body(
        page, y + 12,
        "If the chart gives a nominal range, that is the lamp’s strength in air through which one sees ten miles. "
        "The smaller of the two figures holds. In haze halve it, and in fog do not reckon with it at all.",
    )  # fmt: skip
    _body(
        page, y + 8,
        "A trick for the dark: when a light just shows on the horizon, sit down. If it goes out it is the "
        "horizon that hid it, and the table tells you how far off you are.",
    )  # fmt: skip


def _log(page: Page) -> None:
    y = _heading(page, 6, "Night log", "Print this page, and write down what you saw before you look up what it was.")
    columns = (
        ("Time", 46.0),
        ("Bearing", 52.0),
        ("Colour", 48.0),
        ("Rhythm", 58.0),
        ("Period", 48.0),
        ("It was", 80.0),
    )
    rows, height = 15, 24.5
    page.rectangle(_LEFT, y - 4, _MEASURE, 20, _NIGHT)
    x = _LEFT
    for title, width in columns:
        page.text(x + 5, y + 9, title, font=BOLD, size=8, colour="#f4ead5")
        x += width
    top = y + 16
    for row in range(rows + 1):
        page.line(_LEFT, top + row * height, _RIGHT, top + row * height, _RULE)
    x = _LEFT
    for width in (0.0, *(width for _, width in columns[:-1]), columns[-1][1]):
        x = min(x + width, _RIGHT)
        page.line(x, top, x, top + rows * height, _RULE)


def make() -> bytes:
    """Return the PDF's bytes."""
    pages = []
    for title, draw in (
        (TITLE, _cover), ("How a light is written", _written), ("Rhythms", _rhythms),
        ("What the light stands on", _marks), ("How far will you see it?", _range), ("Night log", _log),
    ):  # fmt: skip
        page = Page(_WIDTH, _HEIGHT, title)
        draw(page)
        pages.append(page)
    return pdf.document(
        pages, title=f"{TITLE}. {SUBTITLE}", author=AUTHOR, subject="Reading aids to navigation at night"
    )
