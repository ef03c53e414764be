"""A report in a few lines of plain text, for the message of a failed test."""

from keyfront.explain.values import Report


def plain_text(report: Report) -> str:
    """Return the verdict and the findings, with nothing that a terminal would obey."""
    lines = [report.verdict.text, report.url]
    for number, finding in enumerate(report.findings, start=1):
        lines += [
            f"{number}. {finding.title} [{finding.id}]",
            f"   seen: {finding.evidence}",
            f"   fix: {finding.fix}",
        ]
    lines += [f"missing: {each}" for each in report.verdict.missing]
    return "\n".join(line if line.isprintable() else ascii(line) for line in lines)
