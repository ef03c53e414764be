"""docs/conformance.md agrees with the code."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

from keyfront.local.controlplane.model import error_statuses, service_model
from keyfront.local.controlplane.plane import OPERATIONS

HERE = Path(__file__).parent
PAGE = (HERE.parents[2] / "docs" / "conformance.md").read_text("utf-8")
NOTES = tomllib.loads((HERE / "notes.toml").read_text("utf-8"))


def row(name: str) -> str:
    return next(line for line in PAGE.splitlines() if line.startswith(f"| `{name}` |"))


def test_the_page_is_what_the_code_and_the_notes_make_of_it() -> None:
    ran = subprocess.run(
        [sys.executable, HERE / "table.py", "--check"], capture_output=True, text=True, check=False, timeout=60
    )
    assert ran.returncode == 0, ran.stderr


def test_every_operation_of_the_model_has_its_state() -> None:
    for name in service_model().operation_names:
        assert (" | missing |" in row(name)) == (name not in OPERATIONS)


def test_every_operation_that_is_there_is_tested() -> None:
    assert [name for name in OPERATIONS if "](../tests/" not in row(name)] == []


def test_every_rule_of_private_content_is_kept_and_tested() -> None:
    chapter = PAGE.partition("## Rules of private content")[2].partition("## ")[0]
    assert "missing" not in chapter
    assert chapter.count("| works |") == len(NOTES["rules"])


def test_the_notes_are_about_what_there_is() -> None:
    assert NOTES["operations"].keys() <= OPERATIONS.keys()
    assert {code for rule in NOTES["rules"] for code in rule["errors"]} <= error_statuses().keys()
