"""Writes the fixes of a report in the order in which they are safe: as a shell script, or as Terraform.

Nothing is run. A finding whose fix needs a decision becomes a comment.
"""

import re
import shlex
from collections.abc import Iterator
from itertools import groupby
from typing import Final

from keyfront.account.audit.grouping import distributions_of
from keyfront.account.audit.values import Evidence, Finding, Report, Stage

_STAGES: Final = {
    Stage.RESTORE: "Bring back what would be lost",
    Stage.GRANT: "Give access that is missing",
    Stage.CHANGE: "Change settings",
    Stage.CLOSE: "Close what is open",
    Stage.REMOVE: "Remove what is unused",
}
# A fix that is one command without a choice: no words in capitals, which stand for the user's values, and no prose.
_COMMAND = re.compile(r"(?:aws|keyfront) (?:(?![ =][A-Z]{4,}(?:\s|$))[^();\n…])+")
_SETTING = re.compile(r"in (?P<place>[^:]+): (?P<arguments>[a-z_0-9]+ (?:=|\{).*)", re.DOTALL)


def shell_script(report: Report, account: Evidence) -> str:
    """Return the fixes as a script for a POSIX shell with the AWS CLI, jq and keyfront."""
    lines = ["#!/bin/sh", "# The fixes of keyfront audit, in order. Read each step before you run it.", "set -eu"]
    for stage, findings in _by_stage(report):
        lines += ["", f"# {int(stage) + 1}. {_STAGES[stage]}"]
        edits: dict[str, list[str]] = {}
        for finding in findings:
            lines += ["", *_about(finding)]
            commands = finding.plan.commands or _command(finding)
            lines += [each if each not in lines else f"# as above: {each}" for each in commands]
            if finding.plan.edit:
                for each in distributions_of(finding, account.inventory):
                    edits.setdefault(each, []).append(finding.plan.edit)
                lines.append("# This is part of the update of the distribution below.")
            elif not commands:
                lines.append(f"# by hand: {_one_line(finding.fix)}")
        for distribution, filters in edits.items():
            lines += ["", *_update(distribution, filters)]
    return "\n".join(lines) + "\n"


def terraform(report: Report, account: Evidence) -> str:
    """Return the fixes as arguments and blocks, under comments that name their resource."""
    lines = ["# The fixes of keyfront audit, in order. Put each into the resource that its comment names."]
    for stage, findings in _by_stage(report):
        lines += ["", f"# {int(stage) + 1}. {_STAGES[stage]}"]
        for finding in findings:
            lines += ["", *_about(finding)]
            for each in distributions_of(finding, account.inventory):
                lines.append(f"# distribution {_one_line(each)}")
            lines += _arguments(finding)
    return "\n".join(lines) + "\n"


def _by_stage(report: Report) -> Iterator[tuple[Stage, list[Finding]]]:
    ordered = sorted(report.findings, key=lambda each: each.rule.stage)
    for stage, findings in groupby(ordered, key=lambda each: each.rule.stage):
        yield stage, list(findings)


def _about(finding: Finding) -> list[str]:
    return [
        f"# {finding.severity} {finding.rule.id}: {_one_line(finding.resource)}",
        f"# {_one_line(finding.evidence)}",
    ]


def _command(finding: Finding) -> tuple[str, ...]:
    return (finding.fix,) if _COMMAND.fullmatch(finding.fix) else ()


def _arguments(finding: Finding) -> list[str]:
    if finding.plan.terraform:
        return finding.plan.terraform.splitlines()
    found = _SETTING.fullmatch(finding.fix)
    if found:
        return [f"# in {_one_line(found['place'])}", *found["arguments"].splitlines()]
    return [f"# by hand: {_one_line(finding.fix)}"]


def _update(distribution: str, filters: list[str]) -> Iterator[str]:
    """Yield the commands that make all changes of a distribution at once."""
    name, named = re.sub(r"\W", "_", distribution), shlex.quote(distribution)
    every = list(dict.fromkeys(filters))
    given = ' --arg oac "$oac"' if any("$oac" in each for each in every) else ""
    yield f"aws cloudfront get-distribution-config --id {named} > {name}.json"
    yield f"jq{given} {shlex.quote('.DistributionConfig | ' + ' | '.join(every))} {name}.json > {name}.new.json"
    yield (
        f'aws cloudfront update-distribution --id {named} --if-match "$(jq -r .ETag {name}.json)" '
        f"--distribution-config file://{name}.new.json --query Distribution.Status --output text"
    )
    yield f"aws cloudfront wait distribution-deployed --id {named}"


def _one_line(text: str) -> str:
    """Return text for a comment: on one line, and without characters that act on a terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
