"""Hide values in a report. Names, hosts and paths stay; values of a viewer or an application do not.

A query value may be an email address or a token. Its punctuation (`+`, `%20`, quotes, brackets) stays, because links
are refused for how it is encoded. The rest of a value becomes `…`.
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
# Escapes of ASCII punctuation, and characters that encoders treat differently.
_KEPT = re.compile(r"%(?:2[0-9A-Fa-f]|3[A-Fa-f]|40|5[B-Fb-f]|60|7[B-Eb-e])|[+ '\"()!*~,;:@=&$/\[\]{}|\\]")
_NAME = re.compile(r"[A-Za-z_$\-](?:[\w.:$\-\[\]]|%5[BDbd]){0,63}")
_BARE = re.compile(r"[A-Za-z_.\-/*?]{1,20}")
"""A query string without `=` that is a flag (`download`) or the end of a pattern, and not a token."""
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9\-]{0,35}|\[object Object\]")
_ACCESS_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{12,}")
_USER = re.compile(r"(?<=://)[^/?#@\s]*@")
_SHORTEST_SWEPT: Final = 6


class _Piece(NamedTuple):
    start: int
    shown: str


def url(text: str) -> str:
    """Return a URL or a pattern without its password and with the values of its query string hidden."""
    return "".join(piece.shown for piece in _pieces(text))


def name(text: str) -> str:
    """Return a parameter's or cookie's name, or `…` if it does not look like a name."""
    return text if _NAME.fullmatch(text) else HIDDEN


def value(text: str) -> str:
    """Return a parameter's value with `…` for everything except punctuation."""
    return "".join(piece.shown for piece in _value(text, 0))


def key_pair_id(text: str) -> str:
    """Return a key-pair id, or only its first letters if it does not look like an id: it may be a key."""
    if _ID.fullmatch(text) and not _ACCESS_KEY.fullmatch(text):
        return text
    return text[:4] + HIDDEN


def lineup(lined: Lineup) -> Lineup:
    """Return `lined` with query values hidden. Its marks still show where the two texts differ."""
    return Lineup(
        url(lined.expected),
        url(lined.seen),
        _moved(lined.expected, lined.expected_at),
        _moved(lined.seen, lined.seen_at),
    )


def document(found: object) -> object:
    """Return a policy's JSON with the query values of every URL hidden."""
    if isinstance(found, str):
        return url(found) if "?" in found or "://" in found else found
    if isinstance(found, list):
        return [document(each) for each in found]
    if isinstance(found, dict):
        return {str(member): document(each) for member, each in found.items()}
    return found


def policy(text: str) -> str:
    """Return the text of a policy that is not JSON, with the text between each `?` and the next quote hidden."""
    return re.sub(r"\?[^\"]*", lambda found: url(found[0]), text)


def report(whole: Report, sent: str, cookies: Iterable[tuple[str, str]], given: Mapping[str, str]) -> Report:
    """Return the report without the request's values, wherever a text repeats one.

    `sent` is the URL as sent, `cookies` are the cookies, and `given` are the signing parameters. Values that the path
    or the host shows anyway are not hidden.
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
    """Removes secrets from a text, longer ones first, because one may contain another."""

    def __init__(self, secrets: Iterable[str], anyway: str) -> None:
        kept = {each for each in secrets if len(each) >= _SHORTEST_SWEPT and each not in anyway}
        words = "|".join(re.escape(each) for each in sorted(kept, key=len, reverse=True))
        # Whole words only: a value such as `signed` must not change `unsigned`.
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
    """Return the offset `at` in the hidden text. In a hidden run, it is the offset of its `…`."""
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
    """Split `text` into shown and hidden pieces, each with its start offset."""
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
        # A part without `=` may be a value, and a token with base64 padding looks like a name without a value.
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
