"""Draws public keys, key groups and behaviors in three columns as SVG, with lines that show the trust."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Final

from keyfront.account.audit.rules.behaviors import in_order, name
from keyfront.account.audit.values import Finding, Severity
from keyfront.inventory import Inventory

_WIDTH, _HEIGHT, _STEP, _TOP, _MARGIN = 240, 38, 50, 116, 30
_COLUMNS: Final = (_MARGIN, _MARGIN + 340, _MARGIN + 680)
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
    told: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for mark in finding.marks:
            told[mark].append(finding)
    behaviors = [(name(each, b), each, b) for each in inventory.distributions for b in in_order(each)]
    right = {key: b.trusted_key_groups for key, _, b in behaviors}
    all_keys = dict.fromkeys([*inventory.keys, *(key for group in inventory.key_groups.values() for key in group.keys)])
    groups = list(dict.fromkeys([*inventory.key_groups, *(each for named in right.values() for each in named)]))
    members = {each: inventory.key_groups[each].keys if each in inventory.key_groups else () for each in groups}
    groups, keys = _ordered(list(all_keys), groups, list(right), members, right)

    labels = {key: (inventory.keys[key].name if key in inventory.keys else key, key) for key in keys}
    labels |= {g: (inventory.key_groups[g].name if g in inventory.key_groups else "missing group", g) for g in groups}
    labels |= {key: (b.path_pattern, each.comment or each.id) for key, each, b in behaviors}
    places: dict[str, tuple[int, int]] = {}
    rows = max(len(keys), len(groups), len(right), 1)
    for column, nodes in zip(_COLUMNS, (keys, groups, list(right)), strict=True):
        step = rows * _STEP / max(len(nodes), 1)
        places |= {node: (column, int(_TOP + number * step + (step - _STEP) / 2)) for number, node in enumerate(nodes)}
    lines = [(key, group) for group in groups for key in members[group]]
    lines += [(group, behavior) for behavior, named in right.items() for group in named]
    open_ones = {key for key, _, b in behaviors if not b.protected}
    width, height = _COLUMNS[-1] + _WIDTH + _MARGIN, _TOP + rows * _STEP + _MARGIN
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}" '
            f'role="img" aria-label="Who trusts what"><style>{_STYLE}</style>'
        ),
        f'<rect width="{width}" height="{height}" style="fill:var(--paper)"/>',
        _legend(),
        *(
            f'<text class="head" x="{x}" y="{_TOP - 22}">{title}</text>'
            for x, title in zip(_COLUMNS, ("Public keys", "Key groups", "Cache behaviors"), strict=True)
        ),
        *(_edge(places[a], places[b]) for a, b in lines if a in places and b in places),
        *(_node(node, place, labels[node], told.get(node, []), node in open_ones) for node, place in places.items()),
        "</svg>\n",
    ]
    return "\n".join(parts)


def _ordered(
    keys: list[str],
    groups: list[str],
    behaviors: list[str],
    members: Mapping[str, Sequence[str]],
    trusted: Mapping[str, Sequence[str]],
) -> tuple[list[str], list[str]]:
    """Return groups and keys ordered near their neighbours (barycentres). Behaviors keep their order of matching."""
    for _ in range(4):
        groups = _near(groups, {g: [i for i, b in enumerate(behaviors) if g in trusted[b]] for g in groups})
        keys = _near(keys, {k: [i for i, g in enumerate(groups) if k in members[g]] for k in keys})
    return groups, keys


def _near(nodes: list[str], joined: Mapping[str, Sequence[int]]) -> list[str]:
    """Return the nodes sorted by the mean place of their neighbours. Nodes without neighbours come last."""
    return sorted(nodes, key=lambda node: sum(joined[node]) / len(joined[node]) if joined[node] else float("inf"))


def _legend() -> str:
    parts = [f'<text class="head" x="{_MARGIN}" y="34">Who trusts what</text>']
    for number, severity in enumerate(reversed(Severity)):
        x = _MARGIN + number * 96
        parts.append(
            f'<rect class="box marked {severity}" x="{x}" y="50" width="16" height="16" rx="4"/>'
            f'<text class="soft" x="{x + 23}" y="62">{severity}</text>'
        )
    x = _MARGIN + 5 * 96
    parts.append(f'<rect class="box open" x="{x}" y="50" width="16" height="16" rx="4"/>')
    parts.append(f'<text class="soft" x="{x + 23}" y="62">needs no signature</text>')
    return "".join(parts)


def _edge(start: tuple[int, int], end: tuple[int, int]) -> str:
    x, y, to_x, to_y = start[0] + _WIDTH, start[1] + _HEIGHT // 2, end[0], end[1] + _HEIGHT // 2
    middle = (x + to_x) // 2
    return f'<path class="edge" d="M{x} {y}C{middle} {y} {middle} {to_y} {to_x} {to_y}"/>'


def _node(node: str, place: tuple[int, int], label: tuple[str, str], findings: Sequence[Finding], is_open: bool) -> str:
    x, y = place
    worst = f" marked {max(each.severity for each in findings)}" if findings else ""
    title = "\n".join([f"{label[0]} ({node})", *(f"{each.severity}: {each.rule.title}" for each in findings)])
    return (
        f'<g><title>{escape(_clean(title))}</title><rect class="box{worst}{" open" if is_open else ""}" '
        f'x="{x}" y="{y}" width="{_WIDTH}" height="{_HEIGHT}" rx="7"/>'
        f'<text x="{x + 12}" y="{y + 16}">{escape(_short(label[0]))}</text>'
        f'<text class="soft" x="{x + 12}" y="{y + 30}">{escape(_short(label[1]))}</text></g>'
    )


def _short(text: str) -> str:
    text = _clean(text)
    return text if len(text) <= _MOST else f"{text[: _MOST - 1]}…"


def _clean(text: str) -> str:
    """Return `text` without characters that XML cannot hold."""
    return "".join(each for each in text if each in "\t\n" or each.isprintable())
