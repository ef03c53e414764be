"""The registry of rules. Each rule checks the facts and returns what it found, or `None`.

A rule is a function with the decorator `@rule(…)`, in the file of its family. Its texts make its section in
`docs/findings.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyfront.explain.facts import Facts
from keyfront.explain.values import Certainty, Finding, Severity, Stage

_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"


@dataclass(frozen=True, slots=True)
class Found:
    """The result of a rule. The rule's own texts replace empty ones."""

    evidence: str
    certainty: Certainty = "certain"
    cause: str = ""
    fix: str = ""
    stage: Stage | None = None
    """The stage at which it stops the request, if that depends on the evidence."""
    title: str = ""
    severity: Severity | None = None
    """How bad it is, if that depends on the evidence."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong, how to recognise it, and how to fix it."""

    id: str
    family: str
    stage: Stage
    severity: Severity
    title: str
    looks: str
    """The symptoms."""
    cause: str
    fix: str
    recipe: str
    """The name of the code that fixes it, in `recipes`."""
    guide: str
    fallback: bool
    """Whether it is used only if no other rule explains its stage."""
    look: Callable[[Facts], Found | None]

    def finding(self, facts: Facts) -> Finding | None:
        """Return the finding if the rule applies, or `None`."""
        found = self.look(facts)
        if found is None:
            return None
        return Finding(
            id=self.id,
            severity=found.severity or self.severity,
            certainty=found.certainty,
            stage=self.stage if found.stage is None else found.stage,
            title=found.title or self.title,
            evidence=_sentence(found.evidence),
            cause=found.cause or self.cause,
            fix=found.fix or self.fix,
            guide=self.guide,
        )


def _sentence(text: str) -> str:
    """Capitalise `text` and remove a doubled full stop. Texts of other modules need both."""
    return text[:1].upper() + (text[1:-1] if text.endswith("..") else text[1:])


RULES: Final[dict[str, Rule]] = {}
"""Every rule by id, in the order of the families."""


def rule(
    id: str,  # noqa: A002
    title: str,
    *,
    stage: Stage,
    looks: str,
    cause: str,
    fix: str,
    recipe: str,
    guide: str,
    severity: Severity = "error",
    fallback: bool = False,
) -> Callable[[Callable[[Facts], Found | None]], Callable[[Facts], Found | None]]:
    """Register a function as the rule `id`; its module's name is its family."""

    def register(look: Callable[[Facts], Found | None]) -> Callable[[Facts], Found | None]:
        if id in RULES:
            raise ValueError(f"two rules have the id {id}")
        family = look.__module__.rpartition(".")[2]
        RULES[id] = Rule(id, family, stage, severity, title, looks, cause, fix, recipe, _GUIDE + guide, fallback, look)
        return look

    return register
