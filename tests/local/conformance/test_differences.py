"""The table of differences in docs/laptop.md agrees with its rows, and each row with the tests."""

from __future__ import annotations

import re
from itertools import groupby

import pytest
from tests.local.conformance.differences import COMMAND, JUDGEMENTS, ROOT, Difference, differences, page

ROWS = differences()


def test_the_page_has_the_rows() -> None:
    text = (ROOT / "docs" / "laptop.md").read_text("utf-8")
    assert text == page(text), f"run {COMMAND}"


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.part} {row.laptop[:30]}")
def test_a_row_is_whole_and_its_tests_exist(row: Difference) -> None:
    assert row.judged in JUDGEMENTS
    assert row.tests, "name a test that shows it"
    for text in (row.part, row.amazon, row.laptop):
        assert text
        assert not re.search(r"[|\n]", text)
    for test in row.tests:
        file, _, name = test.partition("::")
        found = re.search(rf"^(async )?def {re.escape(name)}\(", (ROOT / file).read_text("utf-8"), re.MULTILINE)
        assert found, f"{file} has no {name}"


def test_the_rows_of_a_part_stand_together() -> None:
    parts = [part for part, _ in groupby(ROWS, key=lambda row: row.part)]
    assert len(parts) == len(set(parts))


def test_a_page_without_a_place_is_told() -> None:
    with pytest.raises(ValueError, match="has no"):
        page("# A page\n")
