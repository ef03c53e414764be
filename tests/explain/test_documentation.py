"""`docs/findings.md` says what the rules say, and the rules say enough."""

import html
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.explain.document import document
from keyfront.explain.recipes import RECIPES
from keyfront.explain.registry import Rule
from keyfront.explain.rules import RULES

_DOCS = Path(__file__).parents[2] / "docs"
_PAGE = _DOCS / "findings.md"
_KEYFRONT = Path(sys.executable).with_name("keyfront")


def test_the_page_is_current() -> None:
    current = _PAGE.read_text("utf-8") == document()
    assert current, "run: python -m keyfront.explain.document > docs/findings.md"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_tells_what_a_person_needs(rule: Rule) -> None:
    assert f"\n## {rule.id}\n" in document()
    assert rule.id == rule.id.lower().replace("_", "-").replace(" ", "-")
    assert rule.guide.startswith("https://docs.aws.amazon.com/")
    assert not rule.title.endswith(".")
    for text in (rule.looks, rule.cause, rule.fix):
        assert text.strip().endswith((".", "`", ")")), text
        assert "  " not in text


def test_a_recipe_stands_once_and_every_finding_links_to_its_own() -> None:
    page = document()
    for name, recipe in RECIPES.items():
        assert page.count(f"\n## Recipe: {name}\n") == 1
        section = page.partition(f"\n## Recipe: {name}\n")[2].partition("\n## ")[0]
        assert all(f"\n{code}\n```" in section for code in recipe)
    assert page.count("\n```") == 2 * 4 * len(RECIPES)
    for rule in RULES.values():
        section = page.partition(f"\n## {rule.id}\n")[2].partition("\n## ")[0]
        assert f"](#recipe-{rule.recipe})" in section


def test_every_recipe_is_used() -> None:
    assert {rule.recipe for rule in RULES.values()} == set(RECIPES)


@pytest.fixture
def asked_by_http(tmp_path: Path) -> str:
    """What the page's examples are about; the key lies in the folder."""
    key = SigningKey.generate("ecdsa")
    key.write(tmp_path)
    link = Signer("K2JCJMDEHXQW5F", key).sign_url(
        "https://media.example.com/book.epub", expires=int(time.time()) + 3600
    )
    return link.replace("https:", "http:")


def test_the_pages_picture_is_what_comes_out(asked_by_http: str, tmp_path: Path) -> None:
    text = (_DOCS / "explain.md").read_text("utf-8")
    block = re.search(r"```console\n\$ (keyfront explain .*?)\n```\n\n!\[.*?\]\((.*?)\)", text, re.DOTALL)
    assert block is not None
    words = [asked_by_http if word == '"$URL"' else word for word in block[1].split()[1:]]
    done = subprocess.run([_KEYFRONT, *words], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 1
    report, _, checks = done.stdout.partition("The edge's checks")
    assert checks
    drawn = re.findall(r"<text[^>]*>(.*?)</text>", (_DOCS / block[2]).read_text("utf-8"), re.DOTALL)
    assert f"$ {block[1]} {' '.join(report.split())} The edge's checks" in " ".join(
        html.unescape(" ".join(drawn)).split()
    )


def test_the_pages_python_runs(asked_by_http: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, object] = {"url": asked_by_http}
    for block in re.findall(r"```python\n(.*?)```", (_DOCS / "explain.md").read_text("utf-8"), re.DOTALL):
        exec(block, names)
    assert names["report"].first.id == "protocol-differs"  # type: ignore[attr-defined]
