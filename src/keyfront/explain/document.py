"""A finding in full: `keyfront explain --about ID`, the HTML report, and `docs/findings.md`.

The page is made out of the rules: `python -m keyfront.explain.document > docs/findings.md`.
"""

import sys
from itertools import groupby
from textwrap import fill
from typing import Final

from keyfront.explain.common_recipes import Recipe
from keyfront.explain.recipes import RECIPES
from keyfront.explain.registry import Rule
from keyfront.explain.rules import RULES

_FAMILIES: Final = {
    "keys": "Keys and ids",
    "times": "Times",
    "policy": "Policies",
    "encoding": "Encodings, signatures and hashes",
    "resource": "What was signed, and what was asked",
    "spelling": "Paths and query strings",
    "address": "Addresses",
    "cookies": "Cookies",
    "host": "Hosts and requests",
    "behavior": "Cache behaviors",
    "response": "Answers",
}
SEVERITIES: Final = {
    "error": "The request is refused for it.",
    "warning": "The request may be let in; something will go wrong, or is more open than it should be.",
    "note": "Worth knowing; nothing is refused for it.",
}
_COLUMNS: Final = 100
_FENCES: Final = {"Python": "py", "Node": "js", "PHP": "php", "Terraform": "hcl"}
_HEAD: Final = """# Findings

Everything that [`keyfront explain`](explain.md) can find, each under its id. The ids do not change.
`python -m keyfront.explain.document` makes this page from the rules, and a test keeps it current.
`keyfront explain --about ID` prints a finding with its recipe, and `--about all` lists the ids.

Each finding links to a recipe at the end of the page. A recipe shows the right way in four places:
Python (keyfront), Node (AWS SDK for JavaScript 3), PHP (AWS SDK) and Terraform (AWS provider).

"""
_RECIPES: Final = """# Recipes

"""


def document() -> str:
    """The whole page."""
    order = list(_FAMILIES)
    rules = sorted(RULES.values(), key=lambda each: order.index(each.family))
    families = [(name, list(group)) for name, group in groupby(rules, key=lambda each: each.family)]
    parts = [_HEAD]
    for name, group in families:
        links = " · ".join(f"[{each.id}](#{each.id})" for each in group)
        parts.append(_paragraph(f"**{_FAMILIES[name]}:** {links}"))
    for name, group in families:
        parts.append(f"# {_FAMILIES[name]}\n\n")
        parts += map(_section, group)
    parts += [_RECIPES, *map(_recipe, RECIPES)]
    return "".join(parts).rstrip() + "\n"


def languages(recipe: Recipe) -> dict[str, str]:
    """The code that fixes a finding, by the language's name."""
    return {"Python": recipe.python, "Node": recipe.node, "PHP": recipe.php, "Terraform": recipe.terraform}


def _section(rule: Rule) -> str:
    return (
        f"## {rule.id}\n\n"
        + _paragraph(f"**{rule.title}.** {SEVERITIES[rule.severity]}")
        + _paragraph(f"What it looks like: {rule.looks}")
        + _paragraph(f"Why: {rule.cause}")
        + _paragraph(f"How to fix it: {rule.fix} ([Amazon's guide]({rule.guide}))")
        + f"Code: [{rule.recipe}](#recipe-{rule.recipe})\n\n"
    )


def _recipe(name: str) -> str:
    code = "".join(f"```{_FENCES[where]}\n{text}\n```\n\n" for where, text in languages(RECIPES[name]).items())
    return f"## Recipe: {name}\n\n<details><summary>Python, Node, PHP, Terraform</summary>\n\n{code}</details>\n\n"


def _paragraph(text: str) -> str:
    return fill(text, _COLUMNS, break_long_words=False, break_on_hyphens=False) + "\n\n"


if __name__ == "__main__":
    sys.stdout.write(document())
