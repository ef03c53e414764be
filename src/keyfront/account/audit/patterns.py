"""Where path patterns meet: a path that falls under some of them and not under others, or the proof that none does.

Patterns are read as non-deterministic automata and walked side by side, shortest paths first; only paths in their
normalised form count, because those alone are matched (see `keyfront.core.paths`).
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
    """The patterns have more combinations than are looked at."""


def witness(including: Sequence[str], excluding: Sequence[str] = ()) -> str | None:
    """A shortest normalised path, with its first slash, that all of `including` match and none of `excluding`.

    `None` proves that there is none. Raises `UndecidedError` after 50,000 combinations of places in the patterns.
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
    """Whether every path under `inner` falls under `outer` too; False where that is undecided."""
    try:
        return witness([inner], [outer]) is None
    except UndecidedError:
        return False


def _normal(pattern: str) -> str:
    """As `keyfront.core.paths.path_matcher` reads it; stars in a row are one."""
    text = pattern if pattern == "*" else normalise("/" + pattern.removeprefix("/"))[1:]
    while "**" in text:
        text = text.replace("**", "*")
    return text


def _letters(patterns: Sequence[str]) -> list[str]:
    """One letter that no pattern names stands for all such; it comes first, so that examples look like paths."""
    named = {letter for pattern in patterns for letter in pattern} - {"*", "?"}
    filler = next((letter for letter in _FILLERS if letter not in named and letter not in "*?"), "")
    return [*filler, *sorted(named)]


def _shape(segment: str, escape: str, letter: str) -> tuple[str, str] | None:
    """The state of a path's normal form after `letter`: how its last segment begins, and an escape under way.

    `None` where no normalised path goes on like this: `//`, a segment `.` or `..`, or an escape that is no escape
    in the normal form (of an unreserved character, or in lower case).
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
    """Bit n of `places`: the first n characters of the pattern fit what was read."""
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
