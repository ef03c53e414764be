"""What is told of a finding in full: `keyfront explain --about ID`, the HTML report, and `docs/findings.md`.

The page is made out of the rules: `python -m keyfront.explain.document > docs/findings.md`.
"""

import sys
from itertools import groupby
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
_FENCES: Final = {"Python": "py", "Node": "js", "PHP": "php", "Terraform": "hcl"}
_HEAD: Final = """# Findings

Everything that [`keyfront explain`](explain.md) can find, each under its id. The ids do not change. This page is made
from the rules by `python -m keyfront.explain.document`; a test keeps it current. Without the page
at hand, `keyfront explain --about ID` prints a section of it, and `--about all` lists the ids.

The code below every finding shows the right way in four places: Python (keyfront), Node (AWS SDK for JavaScript 3), PHP
(AWS SDK) and Terraform (AWS provider).

"""


def document() -> str:
    """The whole page."""
    order = list(_FAMILIES)
    rules = sorted(RULES.values(), key=lambda each: order.index(each.family))
    families = [(name, list(group)) for name, group in groupby(rules, key=lambda each: each.family)]
    parts = [_HEAD]
    for name, group in families:
        links = " · ".join(f"[{each.id}](#{each.id})" for each in group)
        parts.append(f"**{_FAMILIES[name]}:** {links}\n\n")
    for name, group in families:
        parts.append(f"# {_FAMILIES[name]}\n\n")
        parts += map(_section, group)
    return "".join(parts).rstrip() + "\n"


def languages(recipe: Recipe) -> dict[str, str]:
    """The code that mends a finding, by the language's name."""
    return {"Python": recipe.python, "Node": recipe.node, "PHP": recipe.php, "Terraform": recipe.terraform}


def _section(rule: Rule) -> str:
    recipe = RECIPES[rule.recipe]
    code = "".join(f"```{_FENCES[name]}\n{text}\n```\n\n" for name, text in languages(recipe).items())
    return (
        f"## {rule.id}\n\n**{rule.title}.** {SEVERITIES[rule.severity]}\n\n"
        f"What it looks like: {rule.looks}\n\nWhy: {rule.cause}\n\n"
        f"How to mend it: {rule.fix} ([Amazon's guide]({rule.guide}))\n\n"
        f"<details><summary>Python, Node, PHP, Terraform</summary>\n\n{code}</details>\n\n"
    )


if __name__ == "__main__":
    sys.stdout.write(document())
