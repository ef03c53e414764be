"""Write the table of docs/laptop.md: where the laptop differs from Amazon, and which tests show it.

`python -m tests.local.conformance.differences` writes the table into the page; `--check` fails if it is not current.
`differences.toml` has the rows.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from tests.local.conformance.table import table

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
COMMAND: Final = "python -m tests.local.conformance.differences"
JUDGEMENTS: Final = ("kinder", "stricter", "other")
_PAGE: Final = ROOT / "docs" / "laptop.md"
_BEGIN: Final = "<!-- differences: written by tests/local/conformance/differences.py -->"
_END: Final = "<!-- end of differences -->"


@dataclass(frozen=True)
class Difference:
    """One row."""

    part: str
    amazon: str
    laptop: str
    judged: str
    tests: tuple[str, ...]
    """Each is FILE::FUNCTION, from the root of the repository."""


def differences() -> list[Difference]:
    """Return the rows of differences.toml, in their order."""
    rows = tomllib.loads((HERE / "differences.toml").read_text("utf-8"))["row"]
    return [Difference(**{**row, "tests": tuple(row["tests"])}) for row in rows]


def page(text: str) -> str:
    """Return the page with the current table. Raises `ValueError` if it has no place for it."""
    before, begin, rest = text.partition(_BEGIN)
    _, end, after = rest.partition(_END)
    if not (begin and end):
        raise ValueError(f"{_PAGE.name} has no {_BEGIN} … {_END}")
    return f"{before}{_BEGIN}\n\n{_table()}\n\n{_END}{after}"


def _table() -> str:
    rows = [(each.part, each.amazon, each.laptop, each.judged, _links(each.tests)) for each in differences()]
    return table(("part", "at Amazon", "on the laptop", "the laptop is", "shown by"), rows)


def _links(tests: tuple[str, ...]) -> str:
    files = dict.fromkeys(test.partition("::")[0] for test in tests)
    return ", ".join(f"[{re.sub('^test_', '', Path(file).stem)}](../{file})" for file in files)


if __name__ == "__main__":
    current = _PAGE.read_text("utf-8")
    if "--check" in sys.argv:
        sys.exit(0 if current == page(current) else f"docs/laptop.md is not current: run {COMMAND}")
    _PAGE.write_text(page(current), "utf-8")
