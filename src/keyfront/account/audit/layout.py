"""Places public keys, key groups, behaviors and origins in columns, with lines between those that belong together."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from keyfront.account.audit.rules.behaviors import in_order, name
from keyfront.account.audit.values import Finding, Severity
from keyfront.inventory import CacheBehavior, Distribution, Inventory

WIDTH: Final = 240
HEIGHT: Final = 38
MARGIN: Final = 30
TOP: Final = 116
_STEP: Final = 50
_COLUMN: Final = 340
_TITLES: Final = ("Public keys", "Key groups", "Cache behaviors", "Origins")


@dataclass(frozen=True, slots=True)
class Node:
    """A key, a group, a behavior or an origin, and the place of its upper left corner."""

    id: str
    """As in a finding's marks; a behavior is `DISTRIBUTION:PATTERN`, an origin `DISTRIBUTION/ORIGIN`."""
    kind: str
    """`key`, `group`, `behavior` or `origin`."""
    x: int
    y: int
    title: str
    subtitle: str
    findings: tuple[Finding, ...]
    is_open: bool
    """Whether it is a behavior that needs no signature."""

    @property
    def worst(self) -> Severity | None:
        """The severity of its worst finding."""
        return max((each.severity for each in self.findings), default=None)


@dataclass(frozen=True, slots=True)
class Layout:
    """The nodes, the lines between them (from left to right), and the size of the whole."""

    nodes: tuple[Node, ...]
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
    columns = [keys, groups, list(right), *([list(dict.fromkeys(served.values()))] if origins else [])]
    labels = _labels(inventory, keys, groups, behaviors) | {each: each.split("/", 1)[::-1] for each in served.values()}
    rows = max(max(map(len, columns)), 1)
    nodes: dict[str, Node] = {}
    for column, (ids, kind) in enumerate(zip(columns, ("key", "group", "behavior", "origin"), strict=False)):
        step = rows * _STEP / max(len(ids), 1)
        for number, each in enumerate(ids):
            y = int(TOP + number * step + (step - _STEP) / 2)
            is_open = each in behaviors and not behaviors[each][1].protected
            title, subtitle = labels[each]
            found = tuple(told.get(each, ()))
            nodes[each] = Node(each, kind, MARGIN + column * _COLUMN, y, title, subtitle, found, is_open)
    pairs = [(key, group) for group in groups for key in members[group]]
    pairs += [(group, behavior) for behavior, named in right.items() for group in named]
    pairs += served.items()
    return Layout(
        nodes=tuple(nodes.values()),
        lines=tuple((nodes[a], nodes[b]) for a, b in pairs if a in nodes and b in nodes),
        columns=tuple((MARGIN + n * _COLUMN, title) for n, title in enumerate(_TITLES[: len(columns)])),
        width=MARGIN + (len(columns) - 1) * _COLUMN + WIDTH + MARGIN,
        height=TOP + rows * _STEP + MARGIN,
    )


def _labels(
    inventory: Inventory,
    keys: list[str],
    groups: list[str],
    behaviors: Mapping[str, tuple[Distribution, CacheBehavior]],
) -> dict[str, Sequence[str]]:
    """Return a title and a subtitle for each."""
    known, named = inventory.keys, inventory.key_groups
    labels: dict[str, Sequence[str]] = {key: (known[key].name if key in known else key, key) for key in keys}
    labels |= {each: (named[each].name if each in named else "missing group", each) for each in groups}
    return labels | {key: (b.path_pattern, each.comment or each.id) for key, (each, b) in behaviors.items()}


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
