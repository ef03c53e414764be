"""Which findings stand in a report, and in which order.

A finding is about a cause. What follows from the cause is an echo of it, and is left out.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Final

from keyfront.explain.facts import Facts
from keyfront.explain.rules import RULES
from keyfront.explain.values import Finding, Stage

_SEVERITIES: Final = ("error", "warning", "note")
_CERTAINTIES: Final = ("certain", "likely", "possible")

_ECHOES: Final = {
    "s3-was-asked": frozenset({"not-signed"}),
    "preflight-without-cookies": frozenset({"not-signed", "cookies-not-sent"}),
    "cookies-in-another-header": frozenset({"not-signed", "cookies-not-sent"}),
    "credentials-not-included": frozenset({"not-signed", "cookies-not-sent"}),
    "cookie-same-site": frozenset({"not-signed", "cookies-not-sent"}),
    "cookie-domain-differs": frozenset({"cookies-not-sent"}),
    "cookie-path-differs": frozenset({"cookies-not-sent"}),
    "cookie-secure-over-http": frozenset({"cookies-not-sent"}),
    "cookies-not-recorded": frozenset({"not-signed", "cookies-not-sent"}),
    "account-key-pair": frozenset({"key-not-trusted"}),
    "cookie-twice": frozenset({"signature-does-not-match", "expires-and-policy", "key-of-another-id"}),
    "expires-and-policy": frozenset({"signature-does-not-match"}),
    "policy-unset": frozenset(
        {"signature-cut-off", "signature-unreadable", "plus-became-space", "policy-not-json", "policy-unreadable"}
    ),
    "path-not-accepted": frozenset({"signature-does-not-match"}),
    "slashes-differ": frozenset({"host-differs"}),
    "signed-for-another-file": frozenset({"signature-does-not-match"}),
}
"""What is left out beside an error, by its id."""

_AFTER_A_CUT: Final = frozenset(
    {
        "expired",
        "expires-is-a-duration",
        "key-not-trusted",
        "key-pair-id-missing",
        "key-pair-id-of-another-kind",
        "policy-malformed",
        "policy-missing",
        "policy-not-json",
        "policy-unreadable",
        "query-added",
        "signature-does-not-match",
        "signature-missing",
        "signature-of-another-key-type",
        "signature-unreadable",
        "url-safe-base64",
        "parameter-name-case",
    }
)
"""What a link that is cut off only seems to lack."""

_EXPLAIN_A_REFUSAL: Final = frozenset(
    {
        "cookie-not-secure",
        "cookie-twice",
        "distribution-deploying",
        "expires-and-policy",
        "trusted-signers",
        "url-not-as-sent",
    }
)
"""Warnings that are the likely cause if CloudFront refused a request that passes every check here."""


def findings_of(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings: errors first, then certain before possible, then in CloudFront's order of checks."""
    found: list[Finding] = []
    for rule in sorted(RULES.values(), key=lambda each: each.fallback):
        if facts.public and Stage.CREDENTIALS <= rule.stage <= Stage.ADDRESS:
            continue  # CloudFront does not check the signature there.
        if rule.fallback and _explained(rule.stage, found):
            continue
        if finding := rule.finding(facts):
            found.append(_weighed(finding, facts))
    return tuple(sorted(_without_echoes(found), key=_place))


def _weighed(finding: Finding, facts: Facts) -> Finding:
    if facts.unlike_the_answer and finding.severity == "warning" and finding.id in _EXPLAIN_A_REFUSAL:
        return replace(finding, severity="error", certainty="likely")
    return finding


def _explained(stage: Stage, found: Iterable[Finding]) -> bool:
    """Return whether another finding already explains `stage`, so that no fallback is needed."""
    for finding in found:
        if finding.severity != "error" or finding.certainty == "possible":
            continue
        # A fallback about the answer only says that nothing else explains it.
        if stage in (finding.stage, Stage.ANSWER) or Stage.CREDENTIALS <= finding.stage <= stage <= Stage.SIGNATURE:
            return True
    return False


def _without_echoes(found: list[Finding]) -> list[Finding]:
    echoes: set[str] = set()
    for finding in found:
        if finding.severity == "error" and finding.certainty != "possible":
            echoes |= _ECHOES.get(finding.id, frozenset())
            if finding.id == "signature-cut-off" and finding.stage is Stage.CREDENTIALS:
                echoes |= _AFTER_A_CUT
    return [finding for finding in found if finding.id not in echoes]


def _place(finding: Finding) -> tuple[int, bool, Stage, int]:
    return (
        _SEVERITIES.index(finding.severity),
        finding.certainty == "possible",
        finding.stage,
        _CERTAINTIES.index(finding.certainty),
    )
