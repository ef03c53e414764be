"""What a diagnosis says, as values: the verdict, the way through the edge, and the findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from keyfront.home import page


def page_of(finding: str) -> str:
    """The address of a finding's section in `docs/findings.md`; empty as long as the project has no home."""
    return page(f"docs/findings.md#{finding}")


def about(finding: str) -> str:
    """The command that prints this section."""
    return f"keyfront explain --about {finding}"


Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]

Outcome = Literal["passed", "failed", "unknown"]
Severity = Literal["error", "warning", "note"]
"""`error`: the request is refused for it; `warning`: it will go wrong, or opens too much; `note`: worth knowing."""
Certainty = Literal["certain", "likely", "possible"]
"""`certain`: seen in the input or proved by verifying a signature; the others are told as what they are."""


class Stage(IntEnum):
    """Where on its way a request is stopped, in the order in which CloudFront looks."""

    ANSWER = 0
    """The answer itself shows who refused; it comes before anything that we could work out."""
    HOST = 1
    BEHAVIOR = 2
    CREDENTIALS = 3
    KEY = 4
    POLICY = 5
    SIGNATURE = 6
    RESOURCE = 7
    STARTS = 8
    EXPIRES = 9
    ADDRESS = 10
    ORIGIN = 11


@dataclass(frozen=True, slots=True)
class Answer:
    """What CloudFront answers. Code and message are `None` where the answer is no XML error of its own."""

    status: int
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The one line: whether the request is let in, and the first reason why not."""

    outcome: Literal["allowed", "refused", "unknown"]
    text: str
    answer: Answer | None = None
    """`None` when it cannot be told."""
    missing: tuple[str, ...] = ()
    """What else would have to be known to tell, each as a short phrase."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """Two texts, one above the other, and where they first differ (offsets in characters, `None`: nowhere)."""

    expected: str
    """What was signed: a URL, or a pattern with wildcards."""
    seen: str
    """What was asked for."""
    expected_at: int | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that CloudFront looks at."""

    name: str
    outcome: Outcome
    seen: str
    expected: str = ""
    lineup: Lineup | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth knowing. `id` is stable: `docs/findings.md` has a section for each."""

    id: str
    severity: Severity
    certainty: Certainty
    stage: Stage
    title: str
    evidence: str
    """What in the input shows it."""
    cause: str
    fix: str
    guide: str
    """The page of Amazon's Developer Guide."""

    @property
    def page(self) -> str:
        """Where our own documentation tells it in full; empty as long as it is published nowhere."""
        return page_of(self.id)


@dataclass(frozen=True, slots=True)
class Report:
    """Why a request is let in or refused, as far as what was given tells."""

    verdict: Verdict
    url: str
    """What was asked for, without the signing parameters and with the values of all others hidden."""
    form: Literal["signed URL", "signed cookies", "nothing"]
    """Where the signature was looked for, and found."""
    policy: str
    """The policy that counts, decoded and pretty-printed; empty if there is none."""
    times: tuple[tuple[str, int], ...]
    """The times that the policy names and the moment of the request (`starts`, `expires`, `asked`): epoch seconds."""
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    searched: str
    """What the search for a variant that the signature fits came to; empty if none was needed."""

    @property
    def first(self) -> Finding | None:
        """The finding to mend first."""
        return self.findings[0] if self.findings else None

    def to_json(self) -> dict[str, Json]:
        """The report for another program; its schema is in `docs/explain.md`."""
        answer = self.verdict.answer
        return {
            "version": 1,
            "verdict": {
                "outcome": self.verdict.outcome,
                "text": self.verdict.text,
                "status": answer.status if answer else None,
                "code": answer.code if answer else None,
                "message": answer.message if answer else None,
                "missing": list(self.verdict.missing),
            },
            "url": self.url,
            "form": self.form,
            "policy": self.policy or None,
            "times": dict(self.times),
            "steps": [_step(step) for step in self.steps],
            "findings": [
                {
                    "id": finding.id,
                    "severity": finding.severity,
                    "certainty": finding.certainty,
                    "title": finding.title,
                    "evidence": finding.evidence,
                    "cause": finding.cause,
                    "fix": finding.fix,
                    "guide": finding.guide,
                    "page": finding.page or None,
                    "about": about(finding.id),
                }
                for finding in self.findings
            ],
            "searched": self.searched or None,
        }


def _step(step: Step) -> dict[str, Json]:
    document: dict[str, Json] = {
        "name": step.name,
        "outcome": step.outcome,
        "seen": step.seen,
        "expected": step.expected or None,
        "lineup": None,
    }
    if step.lineup:
        document["lineup"] = {
            "expected": step.lineup.expected,
            "seen": step.lineup.seen,
            "expected_at": step.lineup.expected_at,
            "seen_at": step.lineup.seen_at,
        }
    return document
