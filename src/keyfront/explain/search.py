"""The search for what a signature that does not fit was made over: variants, verified one after the other.

It finds what was signed, by which key and with which hash, or it says that nothing likely fits. The work is bounded
by a number of tries and by whatever clock the caller brings.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final

from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.policy import canonical
from keyfront.explain import variants
from keyfront.explain.base64_readings import Reading, raw_ecdsa_as_der
from keyfront.explain.variants import Change, Document

TRIES: Final = 20_000
"""Signatures verified at most: half a second to a second."""

_BOTH: Final[tuple[HashAlgorithm, HashAlgorithm]] = ("SHA1", "SHA256")


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a search may cost. `spent` is asked now and then whether time is up."""

    tries: int = TRIES
    spent: Callable[[], bool] = field(default=lambda: False)
    every: int = 64
    """Tries between two such questions."""


@dataclass(frozen=True, slots=True)
class Match:
    """What the signature fits. Without changes it is the request as it came."""

    changes: tuple[Change, ...]
    signed: bytes
    url: str
    """The URL that was signed, for a canned policy."""
    key: str
    """The id or the name under which the key was given."""

    @property
    def ids(self) -> frozenset[str]:
        """The findings that it proves."""
        return frozenset(change.id for change in self.changes)


@dataclass(frozen=True, slots=True)
class Search:
    """What came of it."""

    match: Match | None = None
    tries: int = 0
    complete: bool = True
    """Whether every variant was tried; if not, the budget ended first."""


@dataclass(frozen=True, slots=True)
class Question:
    """Everything that a search starts from."""

    signatures: tuple[Reading, ...]
    algorithm: HashAlgorithm
    key_pair_id: str
    keys: Mapping[str, PublicKey]
    """Keys by id, and others by a name of theirs: all are tried, the one with the request's id first."""
    url: str = ""
    expires: int | None = None
    """For a canned policy."""
    policies: tuple[Reading, ...] = ()
    """For a custom policy: its bytes, in every reading."""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    anonymous: frozenset[str] = frozenset()
    """Names of keys of which nobody said that they have another id."""


def search(question: Question, budget: Budget) -> Search:
    """The nearest variant that the signature fits: one change before two."""
    tried: set[bytes] = set()
    tries = 0
    ways = _ways(question)
    if not ways:
        return Search()
    least = len(ways[0][4])
    for document in _documents(question):
        if document.signed in tried:
            continue
        tried.add(document.signed)
        for key_name, key, algorithm, signature, changes in ways:
            if len(document.changes) > 1 and len(changes) > least:
                break  # Two faults in what was signed, and a third one beside them, are not looked for.
            if tries >= budget.tries or (tries % budget.every == 0 and tries and budget.spent()):
                return Search(tries=tries, complete=False)
            tries += 1
            if key.verify(document.signed, signature, algorithm):
                return Search(Match((*document.changes, *changes), document.signed, document.url, key_name), tries)
    return Search(tries=tries)


_Way = tuple[str, PublicKey, HashAlgorithm, bytes, tuple[Change, ...]]


def _ways(question: Question) -> list[_Way]:
    """Every key, hash and reading of the signature, fewest changes first."""
    found: list[_Way] = []
    for name, key in question.keys.items():
        # Two ids may hold one key: the id that was asked for is then the right one.
        asked_for = question.keys.get(question.key_pair_id)
        named = name == question.key_pair_id or key == asked_for or (asked_for is None and name in question.anonymous)
        whose = () if named else (Change("key-of-another-id", f"the key of {name} signed it"),)
        for reading in question.signatures:
            read = (Change(f"signature-{reading.id}", ""),) if reading.id else ()
            der = raw_ecdsa_as_der(reading.data) if key.algorithm == "ecdsa" else None
            form = (Change("signature-raw-ecdsa", "r and s were sent without ASN.1"),) if der else ()
            for algorithm in _BOTH:
                hashed = () if algorithm == question.algorithm else (_hash_change(algorithm),)
                found.append((name, key, algorithm, der or reading.data, (*whose, *read, *form, *hashed)))
    return sorted(found, key=lambda way: len(way[4]))


def _hash_change(used: HashAlgorithm) -> Change:
    shown = "SHA-256" if used == "SHA256" else "SHA-1"
    return Change("hash-algorithm-differs", f"{shown} was used")


def _documents(question: Question) -> Iterator[Document]:
    if question.policies:
        yield from _custom(question)
    elif question.expires is not None:
        yield from _canned(question.url, question.expires, question.hosts, question.origins)


def _custom(question: Question) -> Iterator[Document]:
    for reading in question.policies:
        read = (Change(f"policy-{reading.id}", ""),) if reading.id else ()
        yield Document(reading.data, read)
        try:
            document = json.loads(reading.data)
        except (ValueError, RecursionError):
            document = None
        for change, signed in variants.rewritten(document, reading.data):
            yield Document(signed, (*read, change))


def _canned(url: str, expires: int, hosts: Iterable[str], origins: Iterable[str]) -> Iterator[Document]:
    hosts, origins = tuple(hosts), tuple(origins)
    yield Document(canonical(url, expires), (), url)
    others = {new: change for change, new in reversed(list(variants.urls(url, hosts, origins))) if new != url}
    others = dict(reversed(others.items()))
    for new, change in others.items():
        yield Document(canonical(new, expires), (change,), new)
        if not new.isascii():
            yield Document(variants.unescaped(new, expires), (change,), new)
    times = list(variants.expiries(expires))
    for when, seconds in times:
        yield Document(_with_time(url, seconds), (when,), url)
    for change, signed in variants.formats(url, str(expires)):
        yield Document(signed, (change,), url)
    # Two faults at once.
    for new, first in others.items():
        for change, signed in variants.formats(new, str(expires)):
            yield Document(signed, (first, change), new)
        for when, seconds in times:
            yield Document(_with_time(new, seconds), (first, when), new)
    for when, seconds in times:
        for change, signed in variants.formats(url, seconds):
            yield Document(signed, (when, change), url)
    for new, first in islice(others.items(), 60):
        for second, newer in variants.urls(new, hosts, origins):
            if second.id != first.id and newer != url:
                yield Document(canonical(newer, expires), (first, second), newer)


def _with_time(url: str, seconds: str) -> bytes:
    return canonical(url, 0).replace(b'{"AWS:EpochTime":0}', f'{{"AWS:EpochTime":{seconds}}}'.encode())
