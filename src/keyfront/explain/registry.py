"""The rules: each looks at the facts and says what it found, or nothing.

A rule is a function under `@rule(…)`, in the file of its family; its texts are its section in `docs/findings.md`.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from keyfront.explain.facts import Facts
from keyfront.explain.values import Certainty, Finding, Severity, Stage

_GUIDE: Final = "https://docs.aws.amazon.com/AmazonCloudFront/latest/DeveloperGuide/"


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule saw. Texts that are left empty are the rule's own."""

    evidence: str
    certainty: Certainty = "certain"
    cause: str = ""
    fix: str = ""
    stage: Stage | None = None
    """Where it stops the request, if that depends on what was seen."""
    title: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing that can be wrong, how to see it, and what a person has to know about it."""

    id: str
    family: str
    stage: Stage
    severity: Severity
    title: str
    looks: str
    """What it looks like from outside."""
    cause: str
    fix: str
    recipe: str
    """The name of the code that mends it, in `recipes`."""
    guide: str
    fallback: bool
    """Whether it speaks only where no other rule explains its stage."""
    look: Callable[[Facts], Found | None]

    def finding(self, facts: Facts) -> Finding | None:
        """The finding, if this is so."""
        found = self.look(facts)
        if found is None:
            return None
        return Finding(
            id=self.id,
            severity=self.severity,
            certainty=found.certainty,
            stage=self.stage if found.stage is None else found.stage,
            title=found.title or self.title,
            evidence=_sentence(found.evidence),
            cause=found.cause or self.cause,
            fix=found.fix or self.fix,
            guide=self.guide,
        )


def _sentence(text: str) -> str:
    """What others said may begin small and bring a full stop of its own."""
    return text[:1].upper() + (text[1:-1] if text.endswith("..") else text[1:])


RULES: Final[dict[str, Rule]] = {}
"""Every rule by its id, in the order of the families."""


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
            raise ValueError(f"two rules are called {id}")
        family = look.__module__.rpartition(".")[2]
        RULES[id] = Rule(id, family, stage, severity, title, looks, cause, fix, recipe, _GUIDE + guide, fallback, look)
        return look

    return register
