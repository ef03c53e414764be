"""The commands that the README, the pages in docs/ and `--help` show, as a reader would type them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import typer.main

from keyfront.cli.app import application

ROOT: Final = Path(__file__).parent.parent
PAGES: Final = [
    ROOT / "README.md",
    *(page for page in sorted((ROOT / "docs").glob("*.md")) if page.name != "tutorial.md"),
]
"""The tutorial's commands need one another: tests/local/up/test_tutorial.py runs them in their order."""

_BLOCK = re.compile(r"^```(?:console|bash|sh|shell)\n(.*?)^```", re.DOTALL | re.MULTILINE)
_CONTINUED = re.compile(r"[ ]*\\\n\s*")
_COMMENT = re.compile(r"\s+#\s.*$")


@dataclass(frozen=True, slots=True)
class Shown:
    """One command line, and where it stands."""

    where: str
    """A page's name, or `keyfront sign --help`."""
    line: str
    """With its continuations joined, without prompt and comment."""

    def __str__(self) -> str:
        return f"{self.where}: {self.line}"


def in_pages() -> Iterator[Shown]:
    """Every `$ …` line with keyfront in it, of the README and the pages."""
    for page in PAGES:
        for block in _BLOCK.findall(page.read_text("utf-8")):
            for line in _CONTINUED.sub(" ", block).splitlines():
                if line.startswith("$ ") and re.search(r"\bkeyfront\b", line):
                    yield Shown(page.name, _COMMENT.sub("", line[2:]).strip())


def in_help() -> Iterator[Shown]:
    """Every example in the help of a command."""
    yield from _of(typer.main.get_command(application([])), "keyfront")


def _of(command: Any, name: str) -> Iterator[Shown]:
    for line in _CONTINUED.sub(" ", command.help or "").splitlines():
        if re.match(r"\s{2,}(?:[a-zA-Z$\"(]+[^:]*\| )?(?:eval \"\$\()?keyfront ", line):
            yield Shown(f"{name} --help", _COMMENT.sub("", line).strip())
    for each, below in getattr(command, "commands", {}).items():
        yield from _of(below, f"{name} {each}")
