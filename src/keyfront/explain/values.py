"""The values of a report: the verdict, the steps, and the findings."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from keyfront.home import page


def page_of(finding: str) -> str:
    """Return the address of a finding's section in `docs/findings.md`; empty while the project has no home."""
    return page(f"docs/findings.md#{finding}")


def about(finding: str) -> str:
    """Return the command that prints this section."""
    return f"keyfront explain --about {finding}"


Json = None | bool | int | float | str | Sequence["Json"] | dict[str, "Json"]

Outcome = Literal["passed", "failed", "unknown"]
Severity = Literal["error", "warning", "note"]
"""`error`: the request is refused; `warning`: something fails later or allows too much; `note`: worth knowing."""
Certainty = Literal["certain", "likely", "possible"]
"""`certain`: seen in the input or proved by verifying a signature."""


class Stage(IntEnum):
    """The check that stops a request, in CloudFront's order."""

    ANSWER = 0
    """The response itself shows which service refused. It comes before all conclusions."""
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
    """CloudFront's response. Code and message are `None` if the response is not a CloudFront XML error."""

    status: int
    code: str | None = None
    message: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """The verdict: whether the request is allowed, and if not, the first reason."""

    outcome: Literal["allowed", "refused", "unknown"]
    text: str
    answer: Answer | None = None
    """`None` if it is not known."""
    missing: tuple[str, ...] = ()
    """The missing input, each as a short phrase."""


@dataclass(frozen=True, slots=True)
class Lineup:
    """Two texts and where they first differ (offsets in characters; `None` if they do not differ)."""

    expected: str
    """The signed URL, or a pattern with wildcards."""
    seen: str
    """The requested URL."""
    expected_at: int | None = None
    seen_at: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """One check of CloudFront."""

    name: str
    outcome: Outcome
    seen: str
    expected: str = ""
    lineup: Lineup | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong or worth knowing. `id` is stable; `docs/findings.md` has a section for each."""

    id: str
    severity: Severity
    certainty: Certainty
    stage: Stage
    title: str
    evidence: str
    """The part of the input that shows it."""
    cause: str
    fix: str
    guide: str
    """The page of Amazon's Developer Guide."""

    @property
    def page(self) -> str:
        """Return the address of keyfront's page about the finding; empty while keyfront is not published."""
        return page_of(self.id)


@dataclass(frozen=True, slots=True)
class Report:
    """Why a request is allowed or refused, as far as the input shows."""

    verdict: Verdict
    url: str
    """The requested URL, without the signing parameters and with all other values hidden."""
    form: Literal["signed URL", "signed cookies", "nothing"]
    """Where the signature was found."""
    policy: str
    """The policy that counts, decoded and pretty-printed; empty if there is none."""
    times: tuple[tuple[str, int], ...]
    """The policy's times and the time of the request (`starts`, `expires`, `asked`), in seconds since the epoch."""
    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    searched: str
    """The result of the search for a variant that the signature matches; empty if there was no search."""

    @property
    def first(self) -> Finding | None:
        """Return the finding to fix first."""
        return self.findings[0] if self.findings else None

    def to_json(self) -> dict[str, Json]:
        """Return the report for another program. `docs/explain.md` describes the format."""
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
