"""Every Markdown page of the repository: its links lead somewhere, and its prose has at most 100 columns."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

_ROOT = Path(__file__).parent.parent
_PAGES = sorted(
    page
    for folder in (".", "docs", "benchmarks", "terraform/modules", "terraform/examples")
    for page in (_ROOT / folder).glob("*.md" if folder in (".", "docs") else "**/*.md")
    if not {"node_modules", ".terraform"} & set(page.parts)
)
_NOT_PROSE = re.compile(r"\s*(\||#|<|!\[)")
"""Tables, headings, HTML and pictures."""
_ADDRESS = re.compile(r"\]\([^)]*\)?")
"""The end of a link, which cannot be broken."""


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_its_links_lead_somewhere(page: Path) -> None:
    for target, anchor in re.findall(r"\]\(([^)#\s]*)#?([^)]*)\)", page.read_text("utf-8")):
        if "://" not in target:
            there = page.parent / target if target else page
            assert there.exists(), target
            assert not anchor or there.suffix != ".md" or anchor in _anchors(there), f"{target}#{anchor}"


@pytest.mark.parametrize("page", _PAGES, ids=lambda page: str(page.relative_to(_ROOT)))
def test_its_prose_has_at_most_100_columns(page: Path) -> None:
    lines = [_ADDRESS.sub("]", line) for line in _without_code(page) if not _NOT_PROSE.match(line)]
    assert [line for line in lines if len(line) > 100] == []


def _anchors(page: Path) -> set[str]:
    """The anchors that GitHub makes of a page's headings."""
    headings = [line.lstrip("#").strip().lower() for line in _without_code(page) if line.startswith("#")]
    return {re.sub(r"[^\w\- ]", "", re.sub(r"\]\([^)]*\)", "", heading)).replace(" ", "-") for heading in headings}


def _without_code(page: Path) -> Iterator[str]:
    code = False
    for line in page.read_text("utf-8").splitlines():
        if line.lstrip().startswith("```"):
            code = not code
        elif not code:
            yield line
