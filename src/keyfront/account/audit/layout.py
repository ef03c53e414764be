"""Places public keys, key groups, behaviors and origins in columns, with lines between those that belong together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from keyfront.account.audit.nodes import GAP, WIDTH, Draft, Node, Text, place, texts_of
from keyfront.account.audit.rules.behaviors import in_order, name
from keyfront.account.audit.values import Finding
from keyfront.inventory import CacheBehavior, Distribution, Inventory

MARGIN: Final = 30
TOP: Final = 126
_COLUMN: Final = 370
_PADDING: Final = 14
"""Between a distribution's box and its behaviors."""
_TITLES: Final = ("Public keys", "Key groups", "Distributions and behaviors", "Origins")

Behaviors = Mapping[str, tuple[Distribution, CacheBehavior]]


@dataclass(frozen=True, slots=True)
class Frame:
    """The box of a distribution, around its behaviors."""

    x: int
    y: int
    width: int
    height: int
    texts: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """The nodes, the boxes around them, the lines (from left to right), and the size of the whole."""

    nodes: tuple[Node, ...]
    frames: tuple[Frame, ...]
    lines: tuple[tuple[Node, Node], ...]
    columns: tuple[tuple[int, str], ...]
    """The x of each column, and its title."""
    width: int
    height: int


def lay_out(inventory: Inventory, findings: Iterable[Finding], *, origins: bool = False) -> Layout:
    """Return the drawing of an account. Groups and keys are near their neighbours, so that few lines cross."""
    told: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        for mark in finding.marks:
            told[mark].append(finding)
    behaviors = {name(each, b): (each, b) for each in inventory.distributions for b in in_order(each)}
    right = {key: b.trusted_key_groups for key, (_, b) in behaviors.items()}
    groups = list(dict.fromkeys([*inventory.key_groups, *(each for named in right.values() for each in named)]))
    members = {each: inventory.key_groups[each].keys if each in inventory.key_groups else () for each in groups}
    keys = list(dict.fromkeys([*inventory.keys, *(key for held in members.values() for key in held)]))
    groups, keys = _ordered(keys, groups, list(right), members, right)
    served = {key: _origin(each, b) for key, (each, b) in behaviors.items()} if origins else {}

    drafts = [
        [_of_key(key, inventory, told) for key in keys],
        [_of_group(group, inventory, told) for group in groups],
        [_of_behavior(key, b, told) for key, (_, b) in behaviors.items()],
        [_of_origin(each, told) for each in dict.fromkeys(served.values())],
    ][: 4 if origins else 3]
    stacks = [_stacked(column, MARGIN + n * _COLUMN, behaviors) for n, column in enumerate(drafts)]
    nodes, frames, height = _centred(stacks)
    by_id = {node.id: node for node in nodes}
    pairs = [(key, group) for group in groups for key in members[group]]
    pairs += [(group, behavior) for behavior, named in right.items() for group in named]
    pairs += served.items()
    return Layout(
        nodes=nodes,
        frames=frames,
        lines=tuple((by_id[a], by_id[b]) for a, b in pairs if a in by_id and b in by_id),
        columns=tuple((MARGIN + n * _COLUMN, title) for n, title in enumerate(_TITLES[: len(drafts)])),
        width=MARGIN + (len(drafts) - 1) * _COLUMN + WIDTH + MARGIN,
        height=TOP + height + MARGIN,
    )


Stack = tuple[list[Node], list[Frame], int]
"""The nodes and boxes of a column, from y=0, and its height."""


def _stacked(column: Sequence[Draft], x: int, behaviors: Behaviors) -> Stack:
    """Return a column, in which the behaviors of a distribution are in one box."""
    nodes: list[Node] = []
    frames: list[Frame] = []
    y = 0
    for distribution, drafts in groupby(column, lambda each: behaviors[each.id][0] if each.id in behaviors else None):
        top = y
        heading = () if distribution is None else _heading(distribution, x, top)
        if heading:
            y = heading[-1].y + 13
        for draft in drafts:
            nodes.append(place(draft, x, y))
            y = nodes[-1].bottom + GAP
        if heading:
            y += _PADDING
            frames.append(Frame(x - _PADDING, top, WIDTH + 2 * _PADDING, y - GAP - top, heading))
    return nodes, frames, max(y - GAP, 0)


def _heading(distribution: Distribution, x: int, top: int) -> tuple[Text, ...]:
    names = ", ".join(distribution.aliases or (distribution.domain_name,))
    return texts_of(x, top + 6, (distribution.id, "head"), (distribution.comment, "second"), (names, "second"))


def _centred(stacks: Sequence[Stack]) -> tuple[tuple[Node, ...], tuple[Frame, ...], int]:
    """Return all columns with their middles side by side, and the height of the highest."""
    highest = max(height for _, _, height in stacks)
    nodes: list[Node] = []
    frames: list[Frame] = []
    for own, boxes, height in stacks:
        down = TOP + (highest - height) // 2
        nodes += [node.lower(down) for node in own]
        frames += [
            Frame(box.x, box.y + down, box.width, box.height, tuple(text.lower(down) for text in box.texts))
            for box in boxes
        ]
    return tuple(nodes), tuple(frames), highest


def _of_key(key: str, inventory: Inventory, told: Mapping[str, list[Finding]]) -> Draft:
    known = inventory.keys.get(key)
    return Draft(key, "key", known.name if known else "a key that is not in the account", key, _of(key, told))


def _of_group(group: str, inventory: Inventory, told: Mapping[str, list[Finding]]) -> Draft:
    known = inventory.key_groups.get(group)
    return Draft(group, "group", known.name if known else "a group that is not in the account", group, _of(group, told))


def _of_behavior(key: str, behavior: CacheBehavior, told: Mapping[str, list[Finding]]) -> Draft:
    need = "needs a signature" if behavior.protected else "needs no signature"
    return Draft(key, "behavior", behavior.path_pattern, need, _of(key, told), is_open=not behavior.protected)


def _of_origin(each: str, told: Mapping[str, list[Finding]]) -> Draft:
    distribution, _, origin = each.partition("/")
    return Draft(each, "origin", origin, distribution, _of(each, told))


def _of(key: str, told: Mapping[str, list[Finding]]) -> tuple[Finding, ...]:
    return tuple(told.get(key, ()))


def _origin(distribution: Distribution, behavior: CacheBehavior) -> str:
    return f"{distribution.id}/{behavior.target_origin_id}"


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
