"""Finds a path that matches some path patterns and not others, or proves that there is no such path.

It reads patterns as non-deterministic automata and walks them side by side, shortest paths first. Only normalised paths
count, because only they are matched (see `keyfront.core.paths`).
"""

from collections import deque
from collections.abc import Sequence
from functools import lru_cache
from typing import Final

from keyfront.core.paths import normalise

_MOST_STATES: Final = 50_000
_FILLERS: Final = "xyzabcdefghijklmnopqrstuvw0123456789_ABCDEFGHIJKLMNOPQRSTUVWXYZ!$&'()*+,;=:@~"
_HEX: Final = frozenset("0123456789ABCDEFabcdef")


class UndecidedError(Exception):
    """The patterns have too many combinations to check."""


def witness(including: Sequence[str], excluding: Sequence[str] = ()) -> str | None:
    """Return a shortest normalised path, with its first slash, that all of `including` match and none of `excluding`.

    `None` means that there is no such path. Raises `UndecidedError` after 50,000 combinations of places in the
    patterns.
    """
    patterns = [_normal(pattern) for pattern in (*including, *excluding)]
    wanted = len(including)
    letters = _letters(patterns)
    start = (tuple(_closed(pattern, 1) for pattern in patterns), "/", "")
    seen, waiting = {start}, deque([(start, "")])
    while waiting:
        (places, segment, escape), path = waiting.popleft()
        accepted = [bool(place >> len(pattern)) for place, pattern in zip(places, patterns, strict=True)]
        if all(accepted[:wanted]) and not any(accepted[wanted:]) and segment not in ("/.", "/.."):
            return f"/{path}"
        for letter in letters:
            shape = _shape(segment, escape, letter)
            if shape is None:
                continue
            after = tuple(_step(pattern, place, letter) for pattern, place in zip(patterns, places, strict=True))
            state = (after, *shape)
            if all(after[:wanted]) and state not in seen:
                if len(seen) >= _MOST_STATES:
                    raise UndecidedError
                seen.add(state)
                waiting.append((state, path + letter))
    return None


def within(inner: str, outer: str) -> bool:
    """Return whether every path that matches `inner` also matches `outer`; false if undecided."""
    try:
        return witness([inner], [outer]) is None
    except UndecidedError:
        return False


def _normal(pattern: str) -> str:
    """Return the pattern as `keyfront.core.paths.path_matcher` reads it, with repeated stars merged."""
    text = pattern if pattern == "*" else normalise("/" + pattern.removeprefix("/"))[1:]
    while "**" in text:
        text = text.replace("**", "*")
    return text


def _letters(patterns: Sequence[str]) -> list[str]:
    """Return the letters to try. The first stands for all letters that no pattern names."""
    named = {letter for pattern in patterns for letter in pattern} - {"*", "?"}
    filler = next((letter for letter in _FILLERS if letter not in named and letter not in "*?"), "")
    return [*filler, *sorted(named)]


def _shape(segment: str, escape: str, letter: str) -> tuple[str, str] | None:
    """Return the state of a normalised path after `letter`: the start of its last segment, and an unfinished escape.

    `None` means that no normalised path continues like this: with `//`, a segment `.` or `..`, or an escape that a
    normalised path does not have (of an unreserved character, or in lower case).
    """
    if letter == "/":
        return None if segment in ("/", "/.", "/..") else ("/", "")
    segment = {"/": "/.", "/.": "/.."}.get(segment, "") if letter == "." else ""
    if letter == "%":
        return segment, "%"
    if len(escape) == 2 and letter in _HEX:
        return (segment, "") if normalise(f"/{escape}{letter}") == f"/{escape}{letter}" else None
    return segment, escape + letter if escape == "%" and letter in _HEX else ""


@lru_cache(maxsize=65_536)
def _step(pattern: str, places: int, letter: str) -> int:
    """Return the places after `letter`. Bit n means that the first n characters of the pattern match so far."""
    after = 0
    for place, character in enumerate(pattern):
        if places >> place & 1:
            if character == "*":
                after |= 1 << place
            elif character in ("?", letter):
                after |= 1 << (place + 1)
    return _closed(pattern, after)


def _closed(pattern: str, places: int) -> int:
    for place, character in enumerate(pattern):
        if character == "*" and places >> place & 1:
            places |= 1 << (place + 1)
    return places
