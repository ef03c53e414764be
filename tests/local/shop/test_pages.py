"""What pages are made of: covers, prices, sizes."""

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keyfront.backend import Item
from keyfront.local.shop import pages
from keyfront.local.shop.covers import PALETTES, cover
from keyfront.local.shop.pages import money, size

KINDS = ["book", "document", "audio", "video", "image", "archive", "file", "something else"]


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_a_cover_that_is_the_same_each_time(kind: str) -> None:
    item = Item("a", "Night Watch", "a", kind, "Somebody")
    drawn = cover(item)
    assert drawn == cover(item)
    assert drawn != cover(Item("a", "Day Watch", "a", kind, "Somebody"))
    svg = ElementTree.fromstring(drawn)
    assert svg.attrib["viewBox"] == "0 0 300 400"
    assert [text.text for text in svg.iter("text")] == ["Night Watch", "Somebody"]


def test_a_cover_needs_no_style_that_the_security_policy_forbids() -> None:
    for kind in KINDS:
        assert "style=" not in cover(Item("a", "A", "a", kind))


titles = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=300)


@given(titles, titles, st.sampled_from(KINDS))
def test_any_title_is_escaped_and_keeps_to_its_five_lines(title: str, author: str, kind: str) -> None:
    # XML has no way to write these two; HTML does not mind them.
    if {"\ufffe", "\uffff"}.intersection(title + author):
        return
    svg = ElementTree.fromstring(cover(Item("a", title, "a", kind, author)))
    texts = [element for element in svg.iter("text") if element.attrib["font-size"] != "12.5"]
    assert len(texts) <= 5
    assert all(0 < float(element.attrib["y"]) < 195 for element in svg.iter("text"))


@pytest.mark.parametrize(
    ("title", "lines"),
    [
        ("Night Watch", ["Night Watch"]),
        ("The Keeper of Small Lights", ["The Keeper of", "Small Lights"]),
        ("吾輩は猫である", ["吾輩は猫であ", "る"]),
        ("Donaudampfschifffahrtsgesellschaft", ["Donaudampfsch", "ifffahrtsgese", "llschaft"]),
        ("<script>alert(1)</script>", ["<script>alert", "(1)</script>"]),
    ],
)
def test_a_title_is_broken_into_lines(title: str, lines: list[str]) -> None:
    svg = ElementTree.fromstring(cover(Item("a", title, "a")))
    assert [text.text for text in svg.iter("text")] == lines


@pytest.mark.parametrize(
    ("cents", "currency", "written"),
    [
        (0, "EUR", "Free"),
        (5, "EUR", "€0.05"),
        (650, "EUR", "€6.50"),
        (123_456_789, "USD", "$1,234,567.89"),
        (99, "GBP", "£0.99"),
        (650, "CHF", "CHF 6.50"),
    ],
)
def test_prices(cents: int, currency: str, written: str) -> None:
    assert money(cents, currency) == written


@pytest.mark.parametrize(
    ("count", "written"),
    [
        (0, "0 bytes"),
        (1, "1 byte"),
        (999, "999 bytes"),
        (1000, "1.0 kB"),
        (9949, "9.9 kB"),
        (9950, "10 kB"),
        (999_499, "999 kB"),
        (999_500, "1.0 MB"),
        (2 * 10**9, "2.0 GB"),
        (5 * 10**15, "5,000 TB"),
    ],
)
def test_sizes(count: int, written: str) -> None:
    assert size(count) == written


def schemes() -> list[tuple[str, dict[str, str]]]:
    """The colours of the stylesheet, by day and by night."""
    css = (Path(pages.__file__).parent / "shop.css").read_text()
    light, dark = (dict(re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", block)) for block in css.split(":root {")[1:3])
    return [("light", light), ("dark", light | dark)]


def luminance(colour: str) -> float:
    """WCAG 2.2, "relative luminance"."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize(
    ("ink", "ground"),
    [
        *((ink, ground) for ink in ("ink", "soft", "lamp") for ground in ("paper", "card")),
        ("press-ink", "press"),
        ("press-ink", "press-over"),
        ("good", "good-ground"),
        ("bad", "bad-ground"),
        ("light", "ground"),
    ],
)
@pytest.mark.parametrize(("scheme", "colours"), schemes(), ids=["light", "dark"])
def test_writing_stands_out_from_its_ground(scheme: str, colours: dict[str, str], ink: str, ground: str) -> None:
    assert contrast(colours[ink], colours[ground]) >= 4.5


def test_the_lettering_of_every_cover_stands_out() -> None:
    for palette in PALETTES:
        assert contrast(palette.ink, palette.ground) >= 4.5
