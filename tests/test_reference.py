"""The reference pages name what the code has: settings, metrics, reasons, commands, and assumed rules."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import pytest
import typer.main
from tools import assumed

from keyfront.account.rotation.function_settings import Settings
from keyfront.backend.service.rate_limits import Rates
from keyfront.cli.app import application
from keyfront.core import access

_ROOT: Final = Path(__file__).parent.parent
_SOURCE: Final = _ROOT / "src" / "keyfront"
_VARIABLE: Final = re.compile(r"[A-Z][A-Z0-9]+(?:_[A-Z0-9]+)*")
_ENVIRONMENTS: Final = ("environ", "environment", "given", "values")
"""What code calls the variables that it reads."""
_ELSEWHERE: Final = ("edge/functions/", "explain/", "integrations/", "local/", "packaging/", "testing/")
"""Rooms that read no setting of a user's from the environment, or only hand variables on."""
_OF_THE_PLATFORM: Final = re.compile(r"AWS_.*|PARAMETERS_SECRETS_EXTENSION_HTTP_PORT")


def _nodes(words: str, without: tuple[str, ...] = ()) -> Iterator[ast.AST]:
    """Yield the parts of each module whose text matches `words`, except in the folders `without`."""
    for path in _SOURCE.rglob("*.py"):
        if path.relative_to(_SOURCE).as_posix().startswith(without):
            continue
        text = path.read_text("utf-8")
        if re.search(words, text):
            yield from ast.walk(ast.parse(text))


def _is_environment(node: ast.expr) -> bool:
    """Whether it is what code calls the variables: `values`, `os.environ`."""
    return (isinstance(node, ast.Attribute) and node.attr == "environ") or (
        isinstance(node, ast.Name) and node.id in _ENVIRONMENTS
    )


def _read_from(node: ast.AST) -> Iterator[ast.expr]:
    """Yield what a node may take as a variable's name."""
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and node.func.attr == "get":
            yield from node.args[:1] if _is_environment(node.func.value) else []
        elif node.args and _is_environment(node.args[0]):
            yield from node.args[1:2]
        yield from (each.value for each in node.keywords if each.arg == "envvar")
    elif isinstance(node, ast.Subscript) and _is_environment(node.value):
        yield node.slice
    elif isinstance(node, ast.Compare) and _is_environment(node.comparators[0]):
        yield node.left


def _variables() -> set[str]:
    found = {each.name.upper() for named in (Settings, Rates) for each in fields(named)}
    for node in _nodes("environ|envvar|Mapping", _ELSEWHERE):
        texts = (each.value for each in _read_from(node) if isinstance(each, ast.Constant))
        found |= {text for text in texts if isinstance(text, str) and _VARIABLE.fullmatch(text)}
    secrets = (_SOURCE / "cli" / "secrets.py").read_text("utf-8")
    found |= set(re.findall(r'^_VARIABLE.*= "(\w+)"', secrets, re.MULTILINE))
    named = re.findall(r'environ\.get\("(\w+)"\)', (_SOURCE / "edge" / "origin" / "client.py").read_text("utf-8"))
    return {name for name in (*found, *named) if not _OF_THE_PLATFORM.fullmatch(name)}


def _rows(page: str, heading: str = "") -> list[str]:
    """The first cells of the tables below a heading; of the whole page without one."""
    text = (_ROOT / "docs" / page).read_text("utf-8")
    if heading:
        text = text.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("|")]
    return [name for cell in cells for name in re.findall(r"`([^`]+)`", cell)]


def test_the_table_of_variables_is_the_codes() -> None:
    assert sorted(_rows("configuration.md", "Environment variables")) == sorted(_variables())


def test_the_settings_of_flask_and_django_are_the_codes() -> None:
    flask = (_SOURCE / "integrations" / "flask.py").read_text("utf-8")
    assert sorted(_rows("configuration.md", "Flask")) == sorted(set(re.findall(r"\bKEYFRONT_[A-Z_]+", flask)))
    django = ast.parse((_SOURCE / "integrations" / "django" / "settings.py").read_text("utf-8"))
    values = {
        node.target.id: ast.literal_eval(node.value)
        for node in django.body
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name) and isinstance(node.value, ast.Tuple)
    }
    members = [*values["_NAMES"], *(f"COOKIES.{name}" for name in values["_COOKIES"])]
    assert sorted(_rows("configuration.md", "Django")) == sorted(members)


def test_the_page_of_metrics_is_the_codes() -> None:
    found = set()
    for node in _nodes("prometheus_client|CloudWatchMetrics"):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func).rpartition(".")[2]
            names: list[Any] = node.args[:1] if called in ("Counter", "Gauge", "Histogram") else []
            names += [each.value for each in node.keywords if each.arg == "name" and called == "Metric"]
            found |= {str(each.value) for each in names if isinstance(each, ast.Constant)}
    shown = [name for name in _rows("metrics.md") if "(" not in name and " " not in name]
    assert sorted({name for name in shown if name[0].isupper() or name.startswith("keyfront_")}) == sorted(found)


def test_the_reasons_are_the_codes() -> None:
    judged = (
        (_SOURCE / "core" / "verification.py").read_text("utf-8").partition("\ndef _see(")[2].partition("\ndef ")[0]
    )
    reasons = set(re.findall(r'"([a-z]+(?:-[a-z]+)+)"(?! if)', judged)) - {"key-pair-id", "trusted-key"}
    reasons |= {value.reason for value in vars(access).values() if isinstance(value, access.Rejection)}
    shown = _rows("decisions.md", "The reasons")
    assert reasons <= set(shown), "docs/decisions.md does not name a reason"
    everywhere = "".join(path.read_text("utf-8") for path in _SOURCE.rglob("*.py"))
    assert [reason for reason in shown if f'"{reason}"' not in everywhere] == []


def test_the_page_of_commands_names_each_of_them() -> None:
    page = (_ROOT / "docs" / "commands.md").read_text("utf-8")
    missing = [name for name in _commands(typer.main.get_command(application([]))) if not _names(page, name)]
    assert missing == [], "docs/commands.md does not name a command"


def _commands(command: Any, words: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    below = getattr(command, "commands", {})
    if not below:
        yield words
    for name, each in below.items():
        yield from _commands(each, (*words, name))


def _names(page: str, words: tuple[str, ...]) -> bool:
    """Whether a row begins with the command, or names it among its group's: `rotate start\\|continue`."""
    *group, last = words
    begin = " ".join([*group, ""]) if group else ""
    return any(
        re.search(rf"`{re.escape(begin)}(?:[\w-]+\\\|)*{re.escape(last)}\b", line)
        for line in page.splitlines()
        if line.startswith("| `")
    )


def test_the_page_of_assumed_rules_is_the_codes() -> None:
    page = assumed.PAGE.read_text("utf-8")
    assert page == assumed.page(), "the markers have changed: run python tools/assumed.py --write"


@pytest.mark.parametrize(
    ("source", "rules"),
    [
        ("X = 1  # assumed", ["`X = 1`: assumed"]),
        ("# Assumed: one.\n# Two.", ["Assumed: one. Two."]),
        ('def f():\n    """Return it. Assumed: a rule that no source of Amazon\'s gives, as far as we know."""', None),
        ('"""It has the assumed role."""', []),
        ('X = "assumed"', []),
    ],
)
def test_a_marker_is_a_comment_or_a_docstring(source: str, rules: list[str] | None) -> None:
    found = list(assumed.rules(source))
    wanted = [("Assumed: a rule that no source of Amazon's gives, as far as we know.", "f")]
    assert found == ([(rule, "") for rule in rules] if rules is not None else wanted)
