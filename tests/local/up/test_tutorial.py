"""docs/tutorial.md is followed from top to bottom in one shell, and prints what the page shows."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest
from tests.local.up.conftest import KEYFRONT, Up
from tests.needs import program
from tests.shown import ROOT

_PAGE: Final = ROOT / "docs" / "tutorial.md"
_BLOCK: Final = re.compile(r"^```console\n(.*?)^```", re.DOTALL | re.MULTILINE)
_BEFORE: Final = ("python3 -m venv", ". ~", "cd ~", "pip install", "keyfront up", "DISTRIBUTION=")
"""What the test has done in its own way: the laptop runs already, on other ports."""
_REFUSED: Final = ("keyfront explain", "keyfront audit")
"""Commands that may exit with 1."""


@dataclass(frozen=True)
class Step:
    """A command of the page, and what the page shows below it; `…` stands for anything."""

    command: str
    shown: tuple[str, ...]

    def is_printed_by(self, output: str) -> bool:
        parts = [".*".join(map(re.escape, line.split("…"))) for line in self.shown]
        return re.fullmatch("\n".join(parts).replace("\n.*\n", "\n(?:.*\n)*"), output, re.DOTALL) is not None


def _steps() -> list[Step]:
    found: list[Step] = []
    for block in _BLOCK.findall(_PAGE.read_text("utf-8")):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, *shown = part.splitlines()
            if not command.startswith(_BEFORE):
                found.append(Step(command, tuple(shown)))
    return found


def test_its_commands_print_what_it_shows(up: Up, tmp_path: Path) -> None:
    steps = _steps()
    distribution, item = up.printed["distribution"], up.printed["items"][0]
    environment = up.environment() | {
        "PATH": f"{KEYFRONT.parent}:/usr/bin:/bin",
        "CURL_CA_BUNDLE": up.printed["authority"],
        "SSL_CERT_FILE": up.printed["authority"],
        "FILE": f"{up.printed['edge']['http']}/{item['path']}",
        "DISTRIBUTION": distribution["id"],
    }
    script = "".join(
        f"{{ {step.command}\n}} 2>> errors > {n}.txt; echo $? > {n}.status\n" for n, step in enumerate(steps)
    )
    program("curl")
    subprocess.run([program("bash"), "-c", script], cwd=tmp_path, env=environment, timeout=240, check=True)
    wrong = []
    for n, step in enumerate(steps):
        output, status = (tmp_path / f"{n}.txt").read_text().rstrip("\n"), int((tmp_path / f"{n}.status").read_text())
        may_end_so = status == 0 or (status == 1 and step.command.startswith(_REFUSED))
        if not (may_end_so and step.is_printed_by(output)):
            wrong.append(f"$ {step.command}\n{output}\n-> {status}, but the page shows:\n" + "\n".join(step.shown))
    assert not wrong, "\n\n".join(wrong) + (tmp_path / "errors").read_text()


@pytest.mark.parametrize(
    ("shown", "output", "printed"),
    [((), "", True), (("200",), "200", True), (("200",), "403", False), (("a …", "…"), "a b\nc\nd", True)],
)
def test_a_page_that_shows_something_else_is_found(shown: tuple[str, ...], output: str, printed: bool) -> None:
    assert Step("true", shown).is_printed_by(output) is printed
