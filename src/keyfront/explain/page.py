"""A report as one self-contained page: without scripts or external files, for small and large screens."""

from html import escape
from typing import Final

from keyfront.explain.document import languages
from keyfront.explain.recipes import RECIPES
from keyfront.explain.rules import RULES
from keyfront.explain.values import Finding, Lineup, Report, Step
from keyfront.explain.wording import CERTAIN, HEADS, STEPS, WANTED, clean, times, window

_SIGNS: Final = {"passed": "✓", "failed": "✗", "unknown": "?"}
_OUTCOMES: Final = {"passed": "passed", "failed": "failed", "unknown": "not known"}

STYLE: Final = """
:root { color-scheme: light dark; --ink: #1c1b19; --dim: #635f58; --paper: #faf8f4; --card: #fff; --line: #e2ddd3;
  --good: #1d6b3f; --bad: #a8281d; --open: #8a5a00; --link: #1f4f8f; }
@media (prefers-color-scheme: dark) { :root { --ink: #ece8e0; --dim: #a8a297; --paper: #171614; --card: #201f1c;
  --line: #37342f; --good: #6fce97; --bad: #ff8d80; --open: #f0bd5c; --link: #92bdf5; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 52rem; margin: 0 auto; padding: 1.5rem 1rem 4rem; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .6rem 0 .75rem; text-wrap: balance; }
h2 { font-size: 1.05rem; margin: 2.5rem 0 .75rem; }
h3 { font-size: 1.05rem; margin: 0; }
.badge { display: inline-block; padding: .1rem .6rem; border-radius: 1rem; border: 1.5px solid currentColor;
  font-weight: 650; font-size: .9rem; }
.allowed, .passed { color: var(--good); } .refused, .failed, .error { color: var(--bad); }
.unknown, .warning { color: var(--open); } .note { color: var(--link); }
code, pre { font: .875rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
.url { display: block; overflow-wrap: anywhere; color: var(--dim); }
article, .box { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.1rem;
  margin: 0 0 .9rem; }
article header { display: flex; flex-wrap: wrap; gap: .25rem .75rem; align-items: baseline; margin-bottom: .6rem; }
.id { color: var(--dim); font-size: .85rem; }
dl { display: grid; grid-template-columns: 5rem 1fr; gap: .35rem .75rem; margin: 0; }
dt { color: var(--dim); } dd { margin: 0; overflow-wrap: anywhere; }
ol.way { list-style: none; margin: 0; padding: .3rem 1.1rem; }
ol.way > li { display: grid; grid-template-columns: 1.4rem 9rem 1fr; gap: .1rem .6rem; padding: .55rem 0;
  border-top: 1px solid var(--line); }
ol.way > li:first-child { border-top: 0; }
.way .sign { font-weight: 700; } .way .seen { min-width: 0; overflow-wrap: anywhere; }
.expected { color: var(--dim); display: block; }
details { margin-top: .8rem; } summary { cursor: pointer; color: var(--link); }
h4 { margin: .8rem 0 .2rem; font-size: .9rem; }
pre { overflow-x: auto; margin: 0; } .lineup { margin-top: .5rem; }
mark { background: transparent; color: var(--bad); border-bottom: 2.5px solid var(--bad); font-weight: 700; }
a { color: var(--link); } ul { margin: .3rem 0; padding-left: 1.2rem; }
footer { color: var(--dim); font-size: .85rem; margin-top: 3rem; }
@media (max-width: 36rem) { dl { grid-template-columns: 1fr; gap: 0; } dd { margin-bottom: .55rem; }
  ol.way > li { grid-template-columns: 1.4rem 1fr; } .way .seen { grid-column: 2; } }
"""


def page(report: Report) -> str:
    """Return the page's HTML."""
    verdict = report.verdict
    searched = f"<p>{_text(report.searched)}</p>" if report.searched else ""
    footer = (
        f"<footer>{searched}<p>Written by keyfront explain. This page contains the requested URL and what its "
        "signature allows. It contains no key, no signature, no cookie, and no value of a query parameter.</p></footer>"
    )
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="robots" content="noindex"><meta name="referrer" content="no-referrer">'
        f"<title>{HEADS[verdict.outcome]}: {_text(verdict.text)}</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{body(report)}\n{footer}\n</main></body></html>\n"
    )


def body(report: Report) -> str:
    """Return the report as HTML without a page around it: the verdict, the findings, the checks, policy and times."""
    verdict = report.verdict
    missing = "".join(f"<li>{_text(each)}</li>" for each in verdict.missing)
    parts = [
        f'<span class="badge {verdict.outcome}">{HEADS[verdict.outcome]}</span>',
        f"<h1>{_text(verdict.text)}</h1>",
        f'<code class="url">{_text(report.url)}</code>',
        f"<p>More input is needed:</p><ul>{missing}</ul>" if missing else "",
        *_findings(report.findings),
        "<h2>The edge's checks</h2>",
        f'<ol class="way box">{"".join(map(_step, report.steps))}</ol>',
    ]
    if report.policy:
        parts.append(f'<h2>The policy that counts</h2><pre class="box">{_text(report.policy)}</pre>')
    if len(report.times) > 1:
        rows = "".join(f"<dt>{_text(name)}</dt><dd>{_text(when)}</dd>" for name, when in times(report))
        parts.append(f'<h2>Times</h2><dl class="box">{rows}</dl>')
    return "\n".join(part for part in parts if part)


def _findings(findings: tuple[Finding, ...]) -> list[str]:
    parts: list[str] = []
    heading = ""
    for number, finding in enumerate(findings):
        wanted = "Also" if finding.severity != "error" else "Fix after that" if number else "Fix first"
        if wanted != heading:
            heading = wanted
            parts.append(f"<h2>{heading}</h2>")
        parts.append(_finding(finding))
    return parts


def _finding(finding: Finding) -> str:
    sure = f" · {CERTAIN[finding.certainty]}" if CERTAIN[finding.certainty] else ""
    return (
        f'<article><header><h3 class="{finding.severity}">{_text(finding.title)}</h3>'
        f'<span class="id">{finding.id}{sure}</span></header><dl>'
        f"<dt>Seen</dt><dd>{_text(finding.evidence)}</dd><dt>Why</dt><dd>{_text(finding.cause)}</dd>"
        f"<dt>Fix</dt><dd>{_text(finding.fix)}</dd>"
        f'<dt>Guide</dt><dd><a href="{escape(finding.guide)}">Amazon\'s page</a></dd></dl>{_more(finding.id)}</article>'
    )


def _more(finding: str) -> str:
    """Return the finding's section, folded, for readers without keyfront or its documentation."""
    rule = RULES[finding]
    code = "".join(f"<h4>{name}</h4><pre>{_text(code)}</pre>" for name, code in languages(RECIPES[rule.recipe]).items())
    return (
        f"<details><summary>What it looks like, and code that fixes it</summary><p>{_text(rule.looks)}</p>"
        f"<p>{_text(rule.cause)}</p><p>{_text(rule.fix)}</p>{code}</details>"
    )


def _step(step: Step) -> str:
    expected = ""
    if step.expected and step.outcome != "passed":
        expected = f'<span class="expected">{WANTED[step.outcome]}: {_text(step.expected)}</span>'
    lined = _lineup(step.lineup) if step.lineup is not None and step.lineup.expected_at is not None else ""
    return (
        f'<li><span class="sign {step.outcome}" title="{_OUTCOMES[step.outcome]}">{_SIGNS[step.outcome]}</span>'
        f"<span>{_text(STEPS.get(step.name, step.name))}</span>"
        f'<div class="seen">{_text(step.seen)}{expected}{lined}</div></li>'
    )


def _lineup(lineup: Lineup) -> str:
    expected, there, seen, here = window(lineup)
    rows = f"signed     {_marked(expected, there)}\nrequested  {_marked(seen, here)}"
    return f'<pre class="lineup">{rows}</pre>'


def _marked(text: str, caret: str) -> str:
    """Return `text` with the character above the caret marked, or with a mark after its end."""
    if not caret:
        return _text(text)
    at = len(caret) - 1
    if at >= len(text):
        return f"{_text(text)}<mark>&nbsp;</mark>"
    return f"{_text(text[:at])}<mark>{_text(text[at])}</mark>{_text(text[at + 1 :])}"


def _text(text: str) -> str:
    return escape(clean(text))
