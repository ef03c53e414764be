"""Writes a report as SARIF 2.1.0 (OASIS), for code scanning.

Code scanning needs a file for every result, and an account has none: `artifact` is the file that configures it.
"""

import hashlib
from collections.abc import Iterable
from typing import Final
from urllib.parse import quote

from keyfront import __version__
from keyfront.account.audit.checks import RULES
from keyfront.account.audit.values import Finding, Report, Rule, Severity
from keyfront.home import HOME

_LEVELS: Final = {
    Severity.CRITICAL: "error", Severity.HIGH: "error", Severity.MEDIUM: "warning", Severity.LOW: "note",
    Severity.INFO: "note",
}  # fmt: skip
_SCORES: Final = {
    Severity.CRITICAL: 9.5, Severity.HIGH: 8.0, Severity.MEDIUM: 5.0, Severity.LOW: 2.0, Severity.INFO: 0.5,
}  # fmt: skip


def sarif(report: Report, *, artifact: str) -> dict[str, object]:
    """Return the SARIF log's JSON. Things that were not checked become notifications of the tool's execution."""
    order = {rule.id: number for number, rule in enumerate(RULES)}
    return {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "keyfront audit",
                        "semanticVersion": __version__,
                        **({"informationUri": HOME} if HOME else {}),
                        "rules": [
                            {
                                "id": rule.id,
                                "shortDescription": {"text": rule.title},
                                "fullDescription": {"text": rule.why},
                                "help": {"text": rule.why},
                                **_severity(rule, report.findings),
                            }
                            for rule in RULES
                        ],
                    }
                },
                "results": [_result(each, order[each.rule.id], artifact) for each in report.findings],
                "invocations": [
                    {
                        "executionSuccessful": True,
                        "toolExecutionNotifications": [
                            {"level": "warning", "message": {"text": str(each)}} for each in report.not_checked
                        ],
                    }
                ],
            }
        ],
    }


def _result(finding: Finding, index: int, artifact: str) -> dict[str, object]:
    uri = quote(artifact, safe="/:%")
    name = f"{finding.rule.id}\n{finding.resource}\n{finding.example}"
    return {
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": f"{finding.evidence} {finding.rule.why} Fix: {finding.fix}"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": uri},
                    "region": {"startLine": 1},
                },
                "logicalLocations": [{"fullyQualifiedName": finding.resource, "kind": "resource"}],
            }
        ],
        "partialFingerprints": {"keyfront/v1": hashlib.sha256(name.encode()).hexdigest()},
        "properties": {"severity": str(finding.severity)},
    }


def _severity(rule: Rule, findings: Iterable[Finding]) -> dict[str, object]:
    """Return the property that GitHub reads a severity from, of the rule's worst finding.

    Source: GitHub, "SARIF support for code scanning", `properties.security-severity` of a `reportingDescriptor`.
    """
    scores = [_SCORES[each.severity] for each in findings if each.rule.id == rule.id]
    return {"properties": {"tags": ["security"], "security-severity": str(max(scores))}} if scores else {}
