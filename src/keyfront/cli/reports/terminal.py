"""A report on a terminal or in a pipe: the verdict, then what to fix, then the edge's checks."""

import sys
from typing import Final

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from keyfront.explain.values import Finding, Report, Step, about
from keyfront.explain.wording import CERTAIN, HEADS, STEPS, WANTED, clean, times, window

_COLOURS: Final = {"allowed": "green", "refused": "red", "unknown": "yellow"}
_SEVERITIES: Final = {"error": "red", "warning": "yellow", "note": "cyan"}
_OUTCOMES: Final = {"passed": ("✓", "ok", "green"), "failed": ("✗", "NO", "red"), "unknown": ("?", "??", "yellow")}


def show(report: Report) -> None:
    """Print `report` on standard output."""
    console = Console(highlight=False, markup=False, emoji=False, width=None if sys.stdout.isatty() else 110)
    signs = console.is_terminal and (console.encoding or "").startswith("utf")
    with console.capture() as captured:
        _report(console, report, signs=signs)
    # Tables pad their last column with spaces, which do not belong in a file.
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in captured.get().splitlines()))


def _report(console: Console, report: Report, *, signs: bool) -> None:
    verdict = report.verdict
    console.print(
        Text.assemble(
            (HEADS[verdict.outcome], f"bold {_COLOURS[verdict.outcome]}"), "  ", (clean(verdict.text), "bold")
        )
    )
    console.print(Text(clean(report.url), style="dim"), overflow="fold")
    if verdict.missing:
        console.print("\nMore input is needed:")
        for each in verdict.missing:
            console.print(Padding(Text(f"- {each}"), (0, 0, 0, 2), expand=False))
    _findings(console, report.findings)
    _steps(console, report.steps, signs=signs)
    if report.policy:
        console.print("\nThe policy that counts", style="bold")
        console.print(Padding(Text(clean(report.policy), overflow="fold"), (0, 0, 0, 2), expand=False))
    if len(report.times) > 1:
        console.print("\nTimes", style="bold")
        for name, when in times(report):
            console.print(Padding(Text(f"{name.ljust(10)} {when}"), (0, 0, 0, 2), expand=False))
    if report.searched:
        console.print(f"\n{clean(report.searched)}", style="dim")


def _findings(console: Console, findings: tuple[Finding, ...]) -> None:
    errors = [each for each in findings if each.severity == "error"]
    for number, finding in enumerate(findings, start=1):
        if number == 2 and finding.severity == "error":
            console.print("\nFix after that:")
        elif finding.severity != "error" and number == len(errors) + 1:
            console.print("\nAlso:")
        sure = f", {CERTAIN[finding.certainty]}" if CERTAIN[finding.certainty] else ""
        console.print()
        console.print(
            Text.assemble(
                (f"{number}. {clean(finding.title)}", f"bold {_SEVERITIES[finding.severity]}"),
                (f"  [{finding.id}{sure}]", "dim"),
            )
        )
        rows = Table.grid(padding=(0, 2))
        rows.add_column(no_wrap=True, style="dim")
        rows.add_column(overflow="fold")
        rows.add_row("Seen", Text(clean(finding.evidence)))
        rows.add_row("Why", Text(finding.cause))
        rows.add_row("Fix", Text(clean(finding.fix)))
        rows.add_row("More", Text(finding.page or about(finding.id), style="dim"))
        console.print(Padding(rows, (0, 0, 0, 3), expand=False))


def _steps(console: Console, steps: tuple[Step, ...], *, signs: bool) -> None:
    console.print("\nThe edge's checks", style="bold")
    rows = Table.grid(padding=(0, 2))
    rows.add_column(no_wrap=True)
    rows.add_column(no_wrap=True)
    rows.add_column(overflow="fold")
    for step in steps:
        sign, word, colour = _OUTCOMES[step.outcome]
        told = Text(clean(step.seen))
        if step.expected and step.outcome != "passed":
            told.append(f"\n{WANTED[step.outcome]}: {clean(step.expected)}", style="dim")
        if step.lineup is not None and step.lineup.expected_at is not None:
            told.append(_lined_up(step))
        rows.add_row(Text(sign if signs else word, style=colour), STEPS.get(step.name, step.name), told)
    console.print(Padding(rows, (0, 0, 0, 2), expand=False))


def _lined_up(step: Step) -> Text:
    assert step.lineup is not None
    expected, there, seen, here = (clean(each) for each in window(step.lineup))
    lines = Text("\n")
    lines.append(f"signed     {expected}\n           {there}\nrequested  {seen}\n           {here} first difference")
    return lines
