"""The full text of a finding, for `keyfront explain --about ID`, the HTML report, and `docs/findings.md`.

The page is generated from the rules: `python -m keyfront.explain.document > docs/findings.md`.
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
    "credentials": "Signing parameters",
    "ids": "Key-pair ids",
    "keys": "Keys",
    "times": "Times",
    "policy": "Policies",
    "encoding": "Encodings and signatures",
    "hashes": "Hash algorithms",
    "resource": "Signed and requested URLs",
    "paths": "Other paths",
    "spelling": "Paths and query strings",
    "address": "Addresses",
    "cookies": "Cookies",
    "browser": "What browsers send",
    "host": "Hosts and requests",
    "behavior": "Cache behaviors",
    "edge_functions": "Functions at the edge",
    "bucket": "Responses of S3",
    "response": "Other responses",
}
SEVERITIES: Final = {
    "error": "The request is refused.",
    "warning": "The request may be allowed, but something fails later, or allows more than it should.",
    "note": "Worth knowing; it is not a reason for a refusal.",
}
_COLUMNS: Final = 100
_FENCES: Final = {"Python": "py", "Node": "js", "PHP": "php", "Terraform": "hcl"}
_HEAD: Final = """# Findings

This page lists everything that [`keyfront explain`](explain.md) can find, by id. The ids do not
change. `keyfront explain --about ID` prints a finding with its recipe, and `--about all` lists the
ids. `python -m keyfront.explain.document` generates this page from the rules, and a test keeps it
current.

Each finding links to a recipe at the end of the page. A recipe shows the right code for four tools:
Python (keyfront), Node (AWS SDK for JavaScript 3), PHP (AWS SDK) and Terraform (AWS provider).

"""
_RECIPES: Final = """# Recipes

"""


def document() -> str:
    """Return the whole page."""
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
    """Return the code of a recipe, by the language's name."""
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
