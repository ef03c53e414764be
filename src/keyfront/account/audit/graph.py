"""Draws public keys, key groups and behaviors in three columns as SVG, with lines that show the trust."""

from collections.abc import Iterable
from html import escape
from typing import Final

from keyfront.account.audit.layout import HEIGHT, MARGIN, TOP, WIDTH, Node, lay_out
from keyfront.account.audit.values import Finding, Severity
from keyfront.inventory import Inventory

_MOST: Final = 30
_STYLE: Final = """svg{--ink:#1c2330;--soft:#68717f;--paper:#fff;--box:#f4f6f9;--line:#9aa5b5;
--critical:#b00020;--high:#d9480f;--medium:#b07d00;--low:#1c7ed6;--info:#868e96}
@media (prefers-color-scheme:dark){svg{--ink:#e8ecf2;--soft:#9aa5b5;--paper:#14181f;--box:#222933;--line:#5b6675;
--critical:#ff6b81;--high:#ff922b;--medium:#ffd43b;--low:#4dabf7;--info:#adb5bd}}
text{font:13px system-ui,sans-serif;fill:var(--ink)}.soft{fill:var(--soft);font-size:11px}.head{font-weight:600}
.box{fill:var(--box);stroke:var(--line)}.open{stroke-dasharray:4 3}.edge{fill:none;stroke:var(--line);stroke-width:1.4}
.critical{stroke:var(--critical)}.high{stroke:var(--high)}.medium{stroke:var(--medium)}.low{stroke:var(--low)}
.info{stroke:var(--info)}.marked{stroke-width:3}"""


def draw(inventory: Inventory, findings: Iterable[Finding]) -> str:
    """Return the SVG. A node has the colour of its worst finding, and its title names all of them."""
    layout = lay_out(inventory, findings)
    width, height = layout.width, layout.height
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="Who trusts what"><style>{_STYLE}</style>'
        ),
        f'<rect width="{width}" height="{height}" style="fill:var(--paper)"/>',
        _legend(),
        *(f'<text class="head" x="{x}" y="{TOP - 22}">{title}</text>' for x, title in layout.columns),
        *(f'<path class="edge" d="{curve(start, end)}"/>' for start, end in layout.lines),
        *map(_node, layout.nodes),
        "</svg>\n",
    ]
    return "\n".join(parts)


def curve(start: Node, end: Node) -> str:
    """Return the path of the line between two nodes."""
    x, y, to_x, to_y = start.x + WIDTH, start.y + HEIGHT // 2, end.x, end.y + HEIGHT // 2
    middle = (x + to_x) // 2
    return f"M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"


def described(node: Node) -> str:
    """Return a node's name, and its findings, a line for each."""
    return clean("\n".join([f"{node.title} ({node.id})", *(f"{e.severity}: {e.rule.title}" for e in node.findings)]))


def _legend() -> str:
    parts = [f'<text class="head" x="{MARGIN}" y="34">Who trusts what</text>']
    for number, severity in enumerate(reversed(Severity)):
        x = MARGIN + number * 96
        parts.append(
            f'<rect class="box marked {severity}" x="{x}" y="50" width="16" height="16" rx="4"/>'
            f'<text class="soft" x="{x + 23}" y="62">{severity}</text>'
        )
    x = MARGIN + 5 * 96
    parts.append(f'<rect class="box open" x="{x}" y="50" width="16" height="16" rx="4"/>')
    parts.append(f'<text class="soft" x="{x + 23}" y="62">needs no signature</text>')
    return "".join(parts)


def _node(node: Node) -> str:
    worst = "" if node.worst is None else f" marked {node.worst}"
    return (
        f'<g><title>{escape(described(node))}</title><rect class="box{worst}{" open" if node.is_open else ""}" '
        f'x="{node.x}" y="{node.y}" width="{WIDTH}" height="{HEIGHT}" rx="7"/>'
        f'<text x="{node.x + 12}" y="{node.y + 16}">{escape(short(node.title))}</text>'
        f'<text class="soft" x="{node.x + 12}" y="{node.y + 30}">{escape(short(node.subtitle))}</text></g>'
    )


def short(text: str) -> str:
    """Return a text that fits into a node."""
    text = clean(text)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def clean(text: str) -> str:
    """Return `text` without characters that XML cannot hold."""
    return "".join(each for each in text if each in "\t\n" or each.isprintable())
