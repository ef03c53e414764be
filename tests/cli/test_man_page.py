"""`keyfront man`: every command and option, as man can read it."""

import re
from collections.abc import Callable

import pytest

from keyfront.cli.app import application
from keyfront.cli.man_page import _escaped

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def page() -> str:
    from contextlib import redirect_stdout
    from io import StringIO

    from keyfront.cli import main

    with redirect_stdout(StringIO()) as said:
        assert main(["man"]) == 0
    return said.getvalue()


def test_every_command_has_a_section_with_its_options(page: str) -> None:
    import typer.main

    root = typer.main.get_command(application([]))
    sections = re.findall(r"^\.SS keyfront (.*)$", page, re.MULTILINE)
    for name, command in root.commands.items():  # type: ignore[attr-defined]
        for below in getattr(command, "commands", None) or [""]:
            words = _escaped(f"{name} {below}".strip())
            assert any(f"{each} ".startswith(f"{words} ") for each in sections), words
    assert ".TP\n\\-\\-fail\\-on " in page
    assert r"keyfront keys generate \-\-out keys" in page


def test_its_lines_are_what_man_takes(page: str) -> None:
    for line in page.splitlines():
        assert re.match(r"\.(?:TH|SH|SS|PP|TP|B|nf|fi)\b|(?![.'])", line), line
        assert "\b" not in line
    assert page.count(".nf") == page.count(".fi")


@pytest.mark.parametrize(
    ("text", "escaped"),
    [("--at", r"\-\-at"), (".profile", r"\&.profile"), ("'a'\n'b'", "\\&'a'\n\\&'b'"), ("a\\b", r"a\eb")],
)
def test_text_is_no_request_of_roff(text: str, escaped: str) -> None:
    assert _escaped(text) == escaped
