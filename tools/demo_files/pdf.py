"""A small PDF writer, enough for a printed guide: text in the standard fonts, lines, shapes and an outline."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tools.demo_files.metrics import WIDTHS

Colour = str  # "#rrggbb"

ROMAN, ITALIC, SANS, BOLD = "Times-Roman", "Times-Italic", "Helvetica", "Helvetica-Bold"
FONTS = (ROMAN, ITALIC, SANS, BOLD)
_NAMES = {font: f"F{number}" for number, font in enumerate(FONTS, start=1)}
_CIRCLE = 0.5523  # the handles of a Bezier curve, so that four curves make a circle


def number(value: float) -> str:
    """Return `value` as in a PDF, rounded to a hundredth of a point."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def width_of(text: str, font: str, size: float) -> float:
    """Return the width of `text` in points."""
    return sum(WIDTHS[font][character] for character in text) * size / 1000


def lines_of(text: str, font: str, size: float, width: float) -> list[str]:
    """Return `text` in lines of at most `width` points, broken between words."""
    lines: list[str] = []
    for word in text.split():
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and width_of(longer, font, size) <= width:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def _rgb(colour: Colour) -> str:
    return " ".join(number(int(colour[start : start + 2], 16) / 255) for start in (1, 3, 5))


def _literal(text: str) -> bytes:
    raw = text.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
    return b"(" + raw + b")"


@dataclass
class Page:
    """A page to draw on. Lengths are in points. y grows down from the top edge."""

    width: float
    height: float
    title: str
    _operators: list[bytes] = field(default_factory=list)

    def _put(self, *parts: str) -> None:
        self._operators.append(" ".join(parts).encode("ascii"))

    def _point(self, x: float, y: float) -> str:
        return f"{number(x)} {number(self.height - y)}"

    def _paint(self, fill: Colour | None, stroke: Colour | None) -> None:
        if fill:
            self._put(_rgb(fill), "rg")
        if stroke:
            self._put(_rgb(stroke), "RG")

    def rectangle(
        self, x: float, y: float, width: float, height: float, fill: Colour | None, stroke: Colour | None = None
    ) -> None:
        """Draw a rectangle with its upper left corner at (x, y)."""
        self._paint(fill, stroke)
        operator = "B" if fill and stroke else "f" if fill else "S"
        self._put(self._point(x, y + height), number(width), number(height), "re", operator)

    def polygon(self, points: Sequence[tuple[float, float]], fill: Colour | None, stroke: Colour | None = None) -> None:
        """Draw a closed shape through `points`."""
        self._paint(fill, stroke)
        self._put(self._point(*points[0]), "m")
        for point in points[1:]:
            self._put(self._point(*point), "l")
        self._put("b" if fill and stroke else "f" if fill else "s")

    def circle(self, x: float, y: float, radius: float, fill: Colour | None, stroke: Colour | None = None) -> None:
        """Draw a circle around (x, y)."""
        self._paint(fill, stroke)
        handle = radius * _CIRCLE
        self._put(self._point(x + radius, y), "m")
        for (ax, ay), (bx, by), (cx, cy) in (
            ((radius, handle), (handle, radius), (0.0, radius)),
            ((-handle, radius), (-radius, handle), (-radius, 0.0)),
            ((-radius, -handle), (-handle, -radius), (0.0, -radius)),
            ((handle, -radius), (radius, -handle), (radius, 0.0)),
        ):
            self._put(self._point(x + ax, y + ay), self._point(x + bx, y + by), self._point(x + cx, y + cy), "c")
        self._put("b" if fill and stroke else "f" if fill else "s")

    def line(self, x: float, y: float, to_x: float, to_y: float, colour: Colour, *, thickness: float = 0.6) -> None:
        """Draw a straight line."""
        self._paint(None, colour)
        self._put(number(thickness), "w", self._point(x, y), "m", self._point(to_x, to_y), "l S")

    def text(
        self, x: float, y: float, text: str, *, font: str, size: float, colour: Colour, align: str = "left"
    ) -> None:
        """Draw one line of text with its baseline at y. `align`: the part of it at x (left, centre or right)."""
        shift = {"left": 0.0, "centre": 0.5, "right": 1.0}[align] * width_of(text, font, size)
        self._put(_rgb(colour), "rg", "BT", f"/{_NAMES[font]} {number(size)} Tf")
        self._operators[-1] += f" {self._point(x - shift, y)} Td ".encode("ascii") + _literal(text) + b" Tj ET"

    def paragraph(
        self,
        x: float,
        y: float,
        width: float,
        text: str,
        *,
        font: str,
        size: float,
        colour: Colour,
        leading: float,
    ) -> float:
        """Draw text in lines of at most `width`, the first baseline at y. Return the baseline of the next line."""
        for line in lines_of(text, font, size, width):
            self.text(x, y, line, font=font, size=size, colour=colour)
            y += leading
        return y

    def content(self) -> bytes:
        """Return the page's drawing operators."""
        return b"\n".join(self._operators)


def document(pages: Iterable[Page], *, title: str, author: str, subject: str) -> bytes:
    """Return a whole PDF 1.7 file: the pages, an outline with their titles, and the document information.

    The streams are not compressed, so the bytes are the same with every version of zlib.
    """
    drawn = list(pages)
    first_font, first_page = 5, 5 + len(FONTS)
    first_outline = first_page + 2 * len(drawn)
    kids = " ".join(f"{first_page + 2 * index} 0 R" for index in range(len(drawn)))
    objects: list[bytes] = [
        b"<</Type/Catalog/Pages 2 0 R/Outlines 3 0 R/Lang(en)/ViewerPreferences<</DisplayDocTitle true>>>>",
        f"<</Type/Pages/Count {len(drawn)}/Kids[{kids}]>>".encode("ascii"),
        f"<</Type/Outlines/First {first_outline} 0 R/Last {first_outline + len(drawn) - 1} 0 R"
        f"/Count {len(drawn)}>>".encode("ascii"),
        b"<</Title" + _literal(title) + b"/Author" + _literal(author) + b"/Subject" + _literal(subject)
        + b"/CreationDate(D:20260101000000Z)>>",
    ]  # fmt: skip
    objects += [
        f"<</Type/Font/Subtype/Type1/BaseFont/{font}/Encoding/WinAnsiEncoding>>".encode("ascii") for font in FONTS
    ]
    fonts = "".join(f"/{_NAMES[font]} {first_font + index} 0 R" for index, font in enumerate(FONTS))
    for index, page in enumerate(drawn):
        content = page.content()
        objects.append(
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 {number(page.width)} {number(page.height)}]"
            f"/Resources<</Font<<{fonts}>>>>/Contents {first_page + 2 * index + 1} 0 R>>".encode("ascii")
        )
        objects.append(f"<</Length {len(content)}>>\nstream\n".encode("ascii") + content + b"\nendstream")
    for index, page in enumerate(drawn):
        neighbours = f"/Prev {first_outline + index - 1} 0 R" if index else ""
        if index + 1 < len(drawn):
            neighbours += f"/Next {first_outline + index + 1} 0 R"
        objects.append(
            b"<</Title" + _literal(page.title)
            + f"/Parent 3 0 R{neighbours}/Dest[{first_page + 2 * index} 0 R/Fit]>>".encode("ascii")
        )  # fmt: skip
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    """Return the file with the objects, numbered from 1, and the table of their offsets."""
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for index, content in enumerate(objects, start=1):
        offsets.append(len(out))
        out += f"{index} 0 obj\n".encode("ascii") + content + b"\nendobj\n"
    table = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode("ascii")
    out += b"".join(f"{offset:010d} 00000 n \n".encode("ascii") for offset in offsets)
    identity = hashlib.sha256(bytes(out)).hexdigest()[:32]
    out += (
        f"trailer\n<</Size {len(objects) + 1}/Root 1 0 R/Info 4 0 R/ID[<{identity}><{identity}>]>>\n"
        f"startxref\n{table}\n%%EOF\n"
    ).encode("ascii")
    return bytes(out)
