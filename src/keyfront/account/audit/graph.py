"""Draws public keys, key groups and behaviors in three columns as SVG, with arrows that show the trust."""

from collections.abc import Iterable
from html import escape
from typing import Final

from keyfront.account.audit.layout import MARGIN, TOP, Frame, lay_out
from keyfront.account.audit.nodes import WIDTH, Node, Text, clean
from keyfront.account.audit.values import Finding, Severity
from keyfront.inventory import Inventory

_STYLE: Final = """svg{--ink:#1c2330;--soft:#5c6573;--paper:#fff;--box:#f4f6f9;--line:#9aa5b5;--frame:#c9d0da;
--critical:#b00020;--high:#c2410c;--medium:#8a6100;--low:#1769b5;--info:#68717f}
@media (prefers-color-scheme:dark){svg{--ink:#e8ecf2;--soft:#9aa5b5;--paper:#14181f;--box:#222933;--line:#5b6675;
--frame:#3a4452;--critical:#ff6b81;--high:#ff922b;--medium:#ffd43b;--low:#4dabf7;--info:#adb5bd}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}.second,.note{fill:var(--soft);font-size:11px}
.head{font-weight:600}.box{fill:var(--box);stroke:var(--line)}.open{stroke-dasharray:4 3}
.frame{fill:none;stroke:var(--frame);stroke-width:1.5}.edge{fill:none;stroke:var(--line);stroke-width:1.4}
.tip{fill:var(--line)}.marked{stroke-width:3}.critical{stroke:var(--critical)}.high{stroke:var(--high)}
.medium{stroke:var(--medium)}.low{stroke:var(--low)}.info{stroke:var(--info)}text.note{stroke:none}
.note.critical{fill:var(--critical)}.note.high{fill:var(--high)}.note.medium{fill:var(--medium)}
.note.low{fill:var(--low)}"""
_TIP: Final = (
    '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="8" markerHeight="8" orient="auto">'
    '<path class="tip" d="M0 1 10 5 0 9z"/></marker></defs>'
)
_MIDDLE: Final = 21
"""Where a line meets a node, from its top: beside the first line of its name."""


def draw(inventory: Inventory, findings: Iterable[Finding]) -> str:
    """Return the SVG. A node has the colour of its worst finding, and the names of all of them below it."""
    layout = lay_out(inventory, findings)
    width, height = layout.width, layout.height
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="Who trusts what"><style>{_STYLE}</style>{_TIP}'
        ),
        f'<rect width="{width}" height="{height}" style="fill:var(--paper)"/>',
        _legend(),
        *(f'<text class="head" x="{x}" y="{TOP - 24}">{title}</text>' for x, title in layout.columns),
        *map(_frame, layout.frames),
        *(f'<path class="edge" marker-end="url(#tip)" d="{curve(start, end)}"/>' for start, end in layout.lines),
        *map(_node, layout.nodes),
        "</svg>\n",
    ]
    return "\n".join(parts)


def curve(start: Node, end: Node) -> str:
    """Return the path of the line between two nodes."""
    x, y, to_x, to_y = start.x + WIDTH, start.y + _MIDDLE, end.x - 3, end.y + _MIDDLE
    middle = (x + to_x) // 2
    return f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def described(node: Node) -> str:
    """Return a node's name, and its findings, a line for each."""
    return clean("\n".join([f"{node.title} ({node.id})", *(f"{e.severity}: {e.rule.title}" for e in node.findings)]))


def _legend() -> str:
    parts = [
        f'<text class="head" x="{MARGIN}" y="34">Who trusts what</text>',
        f'<text class="second" x="{MARGIN + 140}" y="34">A key opens what its arrows lead to.</text>',
    ]
    for number, severity in enumerate(reversed(Severity)):
        x = MARGIN + number * 96
        parts.append(
            f'<rect class="box marked {severity}" x="{x}" y="50" width="16" height="16" rx="4"/>'
            f'<text class="second" x="{x + 23}" y="62">{severity}</text>'
        )
    x = MARGIN + 5 * 96
    parts.append(f'<rect class="box open" x="{x}" y="50" width="16" height="16" rx="4"/>')
    parts.append(f'<text class="second" x="{x + 23}" y="62">needs no signature</text>')
    return "".join(parts)


def _frame(frame: Frame) -> str:
    box = f'<rect class="frame" x="{frame.x}" y="{frame.y}" width="{frame.width}" height="{frame.height}" rx="11"/>'
    return box + _texts(frame.texts)


def _node(node: Node) -> str:
    worst = "" if node.worst is None else f" marked {node.worst}"
    return (
        f'<g><title>{escape(described(node))}</title><rect class="box{worst}{" open" if node.is_open else ""}" '
        f'x="{node.x}" y="{node.y}" width="{WIDTH}" height="{node.height}" rx="7"/>{_texts(node.texts)}</g>'
    )


def _texts(texts: Iterable[Text]) -> str:
    return "".join(f'<text class="{each.look}" x="{each.x}" y="{each.y}">{escape(each.words)}</text>' for each in texts)
