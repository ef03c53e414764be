"""`docs/findings.md` says what the rules say, and the rules say enough."""

from pathlib import Path

import pytest

from keyfront.diagnosis.document import document
from keyfront.diagnosis.recipes import RECIPES
from keyfront.diagnosis.registry import Rule
from keyfront.diagnosis.rules import RULES

_PAGE = Path(__file__).parents[2] / "docs" / "findings.md"


def test_the_page_is_current() -> None:
    current = _PAGE.read_text("utf-8") == document()
    assert current, "run: python -m keyfront.diagnosis.document > docs/findings.md"


@pytest.mark.parametrize("rule", RULES.values(), ids=lambda rule: rule.id)
def test_a_rule_tells_what_a_person_needs(rule: Rule) -> None:
    assert f"\n## {rule.id}\n" in document()
    assert rule.id == rule.id.lower().replace("_", "-").replace(" ", "-")
    assert rule.guide.startswith("https://docs.aws.amazon.com/")
    assert not rule.title.endswith(".")
    for text in (rule.looks, rule.cause, rule.fix):
        assert text.strip().endswith((".", "`", ")")), text
        assert "  " not in text


def test_every_recipe_is_used() -> None:
    assert {rule.recipe for rule in RULES.values()} == set(RECIPES)
