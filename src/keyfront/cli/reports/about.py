"""Print a finding and its recipe as in the documentation, for people who have only the command."""

from difflib import get_close_matches

from keyfront.cli.output import Json, show, show_json
from keyfront.errors import InputError
from keyfront.explain.document import SEVERITIES, languages
from keyfront.explain.recipes import RECIPES
from keyfront.explain.registry import Rule
from keyfront.explain.rules import RULES


def tell(finding: str, *, as_json: bool) -> None:
    """Print the section of `finding`, or the list of all ids for `all`. Raises `InputError` for an unknown id."""
    rules = list(RULES.values()) if finding == "all" else [_rule(finding)]
    if as_json:
        found: list[Json] = [_as_json(rule) for rule in rules]
        show_json(found if finding == "all" else found[0])
    elif finding == "all":
        width = max(map(len, RULES))
        for rule in rules:
            show(f"{rule.id.ljust(width)}  {rule.title}")
    else:
        show(_section(rules[0]))


def _rule(finding: str) -> Rule:
    rule = RULES.get(finding)
    if rule is not None:
        return rule
    near = get_close_matches(finding, RULES, n=3)
    meant = f": did you mean {' or '.join(near)}?" if near else ":"
    raise InputError(
        f"--about {finding!a}: there is no such finding{meant} keyfront explain --about all lists every id"
    )


def _section(rule: Rule) -> str:
    parts = [
        f"{rule.title}  [{rule.id}]",
        SEVERITIES[rule.severity],
        f"What it looks like: {rule.looks}",
        f"Why: {rule.cause}",
        f"How to fix it: {rule.fix}",
        f"Amazon's guide: {rule.guide}",
    ]
    code = (f"{name}:\n\n{_indented(text)}" for name, text in languages(RECIPES[rule.recipe]).items())
    return "\n\n".join((*parts, *code))


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


def _as_json(rule: Rule) -> Json:
    return {
        "id": rule.id,
        "severity": rule.severity,
        "title": rule.title,
        "looks": rule.looks,
        "cause": rule.cause,
        "fix": rule.fix,
        "guide": rule.guide,
        "code": {**languages(RECIPES[rule.recipe])},
    }
