"""The drawing of `keyfront audit --graph`: whole names, boxes around distributions, arrows, and names of findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from itertools import pairwise
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.keys import shared_rsa

from keyfront.account.audit import Settings, judge, saved_account
from keyfront.account.audit.graph import draw
from keyfront.account.audit.layout import lay_out
from keyfront.account.audit.nodes import texts_of
from keyfront.inventory import CacheBehavior, Distribution, Inventory, KeyGroup, Origin, TrustedKey

LONG = "partners-who-resell-our-audio-books-in-europe-and-elsewhere"
SVG = "{http://www.w3.org/2000/svg}"


def _behavior(pattern: str, *groups: str) -> CacheBehavior:
    return CacheBehavior(pattern, "files", trusted_key_groups=groups, protected=bool(groups))


@pytest.fixture(scope="module")
def inventory() -> Inventory:
    shop = Distribution(
        "E1ABCDEFGHIJKL",
        "d111111abcdef8.cloudfront.net",
        _behavior("*", "g1"),
        (_behavior("/public/*"), _behavior("/partners/*", "g2", "g1")),
        origins=(Origin("files", "shop.s3.amazonaws.com"),),
        comment='The shop <b onclick="x">&]]>\x1b[31m',
        aliases=("media.example.com",),
    )
    other = replace(shop, id="E2ABCDEFGHIJKL", default_behavior=_behavior("*", "gone"), behaviors=(), comment="")
    return Inventory(
        distributions=(shop, other),
        key_groups={"g1": KeyGroup("g1", "shop-signers", ("K1",)), "g2": KeyGroup("g2", LONG, ("K2",))},
        keys={each: TrustedKey(each, f"name of {each}", shared_rsa().public_key) for each in ("K1", "K2", "K3")},
    )


def _drawn(inventory: Inventory) -> ElementTree.Element:
    report = judge(saved_account(inventory, Settings(datetime.now(UTC)), None), [])
    return ElementTree.fromstring(draw(inventory, report.findings))


def test_names_are_whole_and_findings_are_named_beside_their_borders(inventory: Inventory) -> None:
    nodes = {
        "".join(each.text or "" for each in node.findall(f"{SVG}text[@class='name']")): node
        for node in _drawn(inventory).findall(f"{SVG}g")
    }
    assert LONG in nodes
    alone = nodes["name of K3"]
    notes = " ".join(each.text or "" for each in alone.findall(f"{SVG}text") if "note" in each.get("class", ""))
    assert notes == "low: A public key is in no key group"
    box = alone.find(f"{SVG}rect")
    assert box is not None
    assert box.get("class") == "box marked low"


def test_behaviors_stand_in_the_box_of_their_distribution(inventory: Inventory) -> None:
    layout = lay_out(inventory, [])
    for frame, distribution in zip(layout.frames, inventory.distributions, strict=True):
        assert frame.texts[0].words == distribution.id
        own = [node for node in layout.nodes if node.id.startswith(f"{distribution.id}:")]
        assert own
        for node in own:
            assert frame.x < node.x < frame.x + frame.width
            assert frame.texts[-1].y < node.y
            assert node.bottom < frame.y + frame.height
    tops = [(frame.y, frame.y + frame.height) for frame in layout.frames]
    assert tops[0][1] < tops[1][0]


def test_an_arrow_leads_from_each_key_to_what_it_opens(inventory: Inventory) -> None:
    ends = {(start.id, end.id) for start, end in lay_out(inventory, []).lines}
    shop = "E1ABCDEFGHIJKL"
    assert ends == {
        ("K1", "g1"), ("K2", "g2"), ("g1", f"{shop}:*"), ("g1", f"{shop}:/partners/*"), ("g2", f"{shop}:/partners/*"),
        ("gone", "E2ABCDEFGHIJKL:*"),
    }  # fmt: skip
    arrows = _drawn(inventory).findall(f"{SVG}path[@class='edge']")
    assert [each.get("marker-end") for each in arrows] == ["url(#tip)"] * 6


def test_an_empty_account_and_hostile_names_are_drawn() -> None:
    assert _drawn(Inventory()).tag == f"{SVG}svg"


@given(st.text(max_size=300), st.sampled_from(["name", "head", "second", "note high"]))
def test_no_letter_is_lost_and_no_line_is_too_long(words: str, look: str) -> None:
    lines = texts_of(0, 0, (words, look))
    printable = "".join(each for each in words if each.isprintable())
    assert "".join(each.words for each in lines).replace(" ", "") == "".join(printable.split())
    assert all(len(each.words) <= 42 for each in lines)
    assert all(above.y < below.y for above, below in pairwise(lines))
