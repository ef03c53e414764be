"""What a report may show of a request: names, hosts and paths, but no value that is the viewer's or an application's.

A query value may be a stranger's e-mail address or a token. What tells encodings apart (`+`, `%20`, quotes, brackets)
stays, for that is what links are refused for; all else of a value becomes `…`.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from itertools import pairwise
from typing import Final, NamedTuple
from urllib.parse import unquote, unquote_plus

from keyfront.core.urls import SIGNING_PARAMETERS
from keyfront.explain.values import Answer, Finding, Lineup, Report, Step, Verdict

HIDDEN: Final = "…"
# Escapes of ASCII punctuation and the characters that encoders treat in different ways.
_KEPT = re.compile(r"%(?:2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|60|7[B-Eb-e])|[+ '\"()!*~,;:@=&$/\[\]{}|\\]")
_NAME = re.compile(r"[A-Za-z_$\-](?:[\w.:$\-\[\]]|%5[BDbd]){0,63}")
_BARE = re.compile(r"[A-Za-z_.\-/*?]{1,20}")
"""A query string without `=` may be a flag (`download`) or the rest of a pattern; a token is neither."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,35}|\[object Object\]")
_ACCESS_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}")
_USER = re.compile(r"(?<=://)[^/?#@\s]*@")
_SHORTEST_SWEPT: Final = 6


class _Piece(NamedTuple):
    start: int
    shown: str


def url(text: str) -> str:
    """`text`, a URL or a pattern of one, with the values of its query string hidden; and no password."""
    return "".join(piece.shown for piece in _pieces(text))


def name(text: str) -> str:
    """A parameter's or a cookie's name, or `…` where what stands there looks like none."""
    return text if _NAME.fullmatch(text) else HIDDEN


def value(text: str) -> str:
    """A parameter's value: its punctuation, and `…` for every run of anything else."""
    return "".join(piece.shown for piece in _value(text, 0))


def key_pair_id(text: str) -> str:
    """A key-pair id, whole where it is like an id; of anything else, which may be a key itself, the first letters."""
    if _ID.fullmatch(text) and not _ACCESS_KEY.fullmatch(text):
        return text
    return text[:4] + HIDDEN


def lineup(lined: Lineup) -> Lineup:
    """`lined` with query values hidden; its marks stay where the two texts part."""
    return Lineup(
        url(lined.expected),
        url(lined.seen),
        _moved(lined.expected, lined.expected_at),
        _moved(lined.seen, lined.seen_at),
    )


def document(found: object) -> object:
    """A policy's JSON in which the values of every URL's query string are hidden."""
    if isinstance(found, str):
        return url(found) if "?" in found or "://" in found else found
    if isinstance(found, list):
        return [document(each) for each in found]
    if isinstance(found, dict):
        return {str(member): document(each) for member, each in found.items()}
    return found


def policy(text: str) -> str:
    """The text of a policy that is no JSON: what stands between a `?` and the next quote is hidden."""
    return re.sub(r"\?[^\"]*", lambda found: url(found[0]), text)


def report(whole: Report, sent: str, cookies: Iterable[tuple[str, str]], given: Mapping[str, str]) -> Report:
    """`whole` without any value of the request's own, wherever a text repeats one.

    `sent` is the URL as sent, `cookies` are the cookies, `given` the signing parameters. What the path and the host
    show anyway is not hidden elsewhere.
    """
    hide = _Sweep(_secrets(sent, cookies, given), _shown_anyway(sent, given))
    return replace(
        whole,
        verdict=_verdict(whole.verdict, hide),
        steps=tuple(_step(each, hide) for each in whole.steps),
        findings=tuple(_finding(each, hide) for each in whole.findings),
        policy=hide(whole.policy),
        searched=hide(whole.searched),
    )


class _Sweep:
    """Takes secrets out of any text; longer ones first, as one may stand within another."""

    def __init__(self, secrets: Iterable[str], anyway: str) -> None:
        kept = {each for each in secrets if len(each) >= _SHORTEST_SWEPT and each not in anyway}
        words = "|".join(re.escape(each) for each in sorted(kept, key=len, reverse=True))
        # Whole words only: a value such as `signed` must not take letters out of `unsigned`.
        self._found = re.compile(rf"(?<!\w)(?:{words})(?!\w)") if words else None

    def __call__(self, text: str) -> str:
        return self._found.sub(HIDDEN, text) if self._found is not None else text


def _secrets(sent: str, cookies: Iterable[tuple[str, str]], given: Mapping[str, str]) -> Iterator[str]:
    for part in sent.partition("?")[2].split("&"):
        called, equals, raw = part.partition("=")
        if called in SIGNING_PARAMETERS and called != "Signature":
            continue
        yield from _spellings(raw if equals and raw else part)
    for called, text in cookies:
        if called.removeprefix("CloudFront-") not in SIGNING_PARAMETERS:
            yield from _spellings(text)
    yield given.get("Signature", "")


def _spellings(text: str) -> Iterator[str]:
    for each in (text, unquote(text), unquote_plus(text)):
        yield each
        yield json.dumps(each)[1:-1]


def _shown_anyway(sent: str, given: Mapping[str, str]) -> str:
    return " ".join((sent.partition("?")[0], given.get("Key-Pair-Id", ""), given.get("Expires", "")))


def _verdict(whole: Verdict, hide: _Sweep) -> Verdict:
    answer = whole.answer
    if answer is not None and answer.message:
        answer = Answer(answer.status, answer.code, hide(answer.message))
    return replace(whole, text=hide(whole.text), answer=answer)


def _step(whole: Step, hide: _Sweep) -> Step:
    lined = lineup(whole.lineup) if whole.lineup is not None else None
    return replace(whole, seen=hide(whole.seen), expected=hide(whole.expected), lineup=lined)


def _finding(whole: Finding, hide: _Sweep) -> Finding:
    return replace(whole, evidence=hide(whole.evidence), title=hide(whole.title))


def _moved(text: str, at: int | None) -> int | None:
    """Where the character at `at` stands once `text` is hidden: within a hidden run, at its `…`."""
    if at is None:
        return None
    moved = 0
    pieces = [*_pieces(text), _Piece(len(text), "")]
    for piece, following in pairwise(pieces):
        if at < following.start:
            return moved + (at - piece.start if len(piece.shown) == following.start - piece.start else 0)
        moved += len(piece.shown)
    return moved


def _pieces(text: str) -> Iterator[_Piece]:
    """`text` cut into what is shown as it stands and what is hidden; each with where it began."""
    bare, mark, query = text.partition("?")
    user = _USER.search(bare)
    if user is None:
        yield _Piece(0, bare)
    else:
        yield _Piece(0, bare[: user.start()])
        yield _Piece(user.start(), f"{HIDDEN}@")
        yield _Piece(user.end(), bare[user.end() :])
    at = len(bare)
    for part in query.split("&") if mark else ():
        yield _Piece(at, text[at])
        yield from _part(part, at + 1)
        at += len(part) + 1


def _part(part: str, at: int) -> Iterator[_Piece]:
    called, equals, raw = part.partition("=")
    if not equals or not raw:
        # What stands alone may be a value: a token with the padding of base64 looks like a name without one.
        yield from (_Piece(at, part),) if _BARE.fullmatch(called) else _value(part, at)
        return
    yield _Piece(at, name(called) + equals)
    if called == "Hash-Algorithm":
        yield _Piece(at + len(called) + 1, raw)
    else:
        yield from _value(raw, at + len(called) + 1)


def _value(text: str, at: int) -> Iterator[_Piece]:
    end = 0
    for found in _KEPT.finditer(text):
        if found.start() > end:
            yield _Piece(at + end, HIDDEN)
        yield _Piece(at + found.start(), found[0])
        end = found.end()
    if end < len(text):
        yield _Piece(at + end, HIDDEN)
