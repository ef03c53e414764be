"""A node of the drawing: a key, a group, a behavior or an origin, with its whole name and its findings."""

import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final, Literal

from keyfront.account.audit.values import Finding, Severity

Kind = Literal["key", "group", "behavior", "origin"]
Look = str
"""Classes of a text: `name`, `head`, `second`, or `note` with a severity."""

WIDTH: Final = 260
GAP: Final = 18
_LETTERS: Final = {"name": 33, "head": 36, "second": 40, "note": 42}
"""How many letters fit into a line."""
_LINE: Final = {"name": 17, "head": 17, "second": 14, "note": 14}
"""The height of a line."""
_INSET: Final = 12
_BREAKS: Final = "-/_.:"


@dataclass(frozen=True, slots=True)
class Text:
    """A line of text, and the place of its baseline."""

    words: str
    look: Look
    x: int
    y: int

    def lower(self, by: int) -> "Text":
        """Return it further down."""
        return replace(self, y=self.y + by)


@dataclass(frozen=True, slots=True)
class Draft:
    """A node without a place."""

    id: str
    """As in a finding's marks; a behavior is `DISTRIBUTION:PATTERN`, an origin `DISTRIBUTION/ORIGIN`."""
    kind: Kind
    title: str
    subtitle: str
    findings: tuple[Finding, ...]
    is_open: bool = False
    """Whether it is a behavior that needs no signature."""

    @property
    def worst(self) -> Severity | None:
        """The severity of its worst finding."""
        return max((each.severity for each in self.findings), default=None)


@dataclass(frozen=True, slots=True)
class Node(Draft):
    """A node in its place: its box, the texts in it, and its findings below it."""

    x: int = 0
    y: int = 0
    height: int = 0
    """Of the box alone."""
    texts: tuple[Text, ...] = ()

    @property
    def bottom(self) -> int:
        """The y below its last text."""
        return max(self.y + self.height, self.texts[-1].y + 4)

    def lower(self, by: int) -> "Node":
        """Return it further down."""
        return replace(self, y=self.y + by, texts=tuple(text.lower(by) for text in self.texts))


def place(draft: Draft, x: int, y: int) -> Node:
    """Return the node with its upper left corner at `x` and `y`."""
    inside = texts_of(x + _INSET, y + 4, (draft.title, "name"), (draft.subtitle, "second"))
    height = inside[-1].y + 9 - y
    # One line for findings of the same kind: their places are in the report.
    notes = dict.fromkeys((f"{each.severity}: {each.rule.title}", f"note {each.severity}") for each in draft.findings)
    below = texts_of(x, y + height + 2, *notes)
    return Node(
        draft.id, draft.kind, draft.title, draft.subtitle, draft.findings, draft.is_open, x, y, height, inside + below
    )


def texts_of(x: int, top: int, *texts: tuple[str, Look]) -> tuple[Text, ...]:
    """Return texts, each in as many lines as it needs, below each other from `top`. Empty ones are left out."""
    placed: list[Text] = []
    y = top
    for words, look in texts:
        kind = look.partition(" ")[0]
        for line in _lines(clean(words), _LETTERS[kind]):
            y += _LINE[kind]
            placed.append(Text(line, look, x, y))
    return tuple(placed)


def clean(text: str) -> str:
    """Return `text` without characters that XML cannot hold."""
    return "".join(each for each in text if each in "\t\n" or each.isprintable())


def _lines(text: str, letters: int) -> Iterator[str]:
    """Yield `text` in lines of at most `letters` letters. Wide characters count twice."""
    line, width = "", 0
    for word in text.split():
        for part in _parts(word, letters):
            wide = _width(part)
            if line and width + 1 + wide > letters:
                yield line
                line, width = part, wide
            else:
                line, width = (f"{line} {part}", width + 1 + wide) if line else (part, wide)
    if line:
        yield line


def _parts(word: str, letters: int) -> Iterator[str]:
    """Yield a word in parts that fit into a line. It is broken behind a hyphen or a slash, if there is one."""
    part = ""
    for letter in word:
        if _width(part + letter) > letters:
            end = max(part.rfind(mark) for mark in _BREAKS) + 1
            yield part[: end or None]
            part = part[end:] if end else ""
        part += letter
    yield part


def _width(text: str) -> int:
    return sum(2 if unicodedata.east_asian_width(each) in "WF" else 1 for each in text)
