"""The search for the bytes behind a signature that does not match: it verifies likely variants one by one.

It finds what was signed, the key and the hash algorithm, or reports that no likely variant matches. A number of tries
and the caller's clock limit the work.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from keyfront.core.keys import HashAlgorithm, PublicKey
from keyfront.core.policy import canonical
from keyfront.explain import policy_forms, variants
from keyfront.explain.base64_readings import Reading, raw_ecdsa_as_der
from keyfront.explain.change import Change

TRIES: Final = 20_000
"""The maximum number of signatures to verify: half a second to a second."""

_MOST_COMBINED: Final = 60
"""The number of likely URLs that are also tried with a second change."""

_MOST_ELSEWHERE: Final = 6
"""The number of likely URLs whose neighbours are tried as well."""

_BOTH: Final[tuple[HashAlgorithm, HashAlgorithm]] = ("SHA1", "SHA256")


class Document(NamedTuple):
    """Bytes that may have been signed."""

    signed: bytes
    changes: tuple[Change, ...]
    url: str = ""
    """The URL in them, for a canned policy."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The limits of a search. `spent` returns whether time is up, and is called now and then."""

    tries: int = TRIES
    spent: Callable[[], bool] = field(default=lambda: False)
    every: int = 64
    """Tries between two calls of `spent`."""


@dataclass(frozen=True, slots=True)
class Match:
    """The bytes that the signature matches. Without changes, they are the request as it came."""

    changes: tuple[Change, ...]
    signed: bytes
    url: str
    """The URL that was signed, for a canned policy."""
    key: str
    """The key's id, or the name that it was given under."""

    @property
    def ids(self) -> frozenset[str]:
        """Return the ids of the findings that the match proves."""
        return frozenset(change.id for change in self.changes)


@dataclass(frozen=True, slots=True)
class Search:
    """The result of a search."""

    match: Match | None = None
    tries: int = 0
    complete: bool = True
    """Whether every variant was tried. If not, the budget ran out."""


@dataclass(frozen=True, slots=True)
class Question:
    """The input of a search."""

    signatures: tuple[Reading, ...]
    algorithm: HashAlgorithm
    key_pair_id: str
    keys: Mapping[str, PublicKey]
    """Keys by id or by another name. All are tried, the key with the request's id first."""
    url: str = ""
    expires: int | None = None
    """For a canned policy."""
    policies: tuple[Reading, ...] = ()
    """For a custom policy: its bytes, in every possible decoding."""
    hosts: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()
    """Paths of the origins."""
    anonymous: frozenset[str] = frozenset()
    """Names of keys with an unknown id."""


def search(question: Question, budget: Budget) -> Search:
    """Return the nearest variant that the signature matches: one change before two."""
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
                break  # Two changes in the signed bytes and a third one elsewhere are not searched.
            if tries >= budget.tries or (tries % budget.every == 0 and tries and budget.spent()):
                return Search(tries=tries, complete=False)
            tries += 1
            if key.verify(document.signed, signature, algorithm):
                return Search(Match((*document.changes, *changes), document.signed, document.url, key_name), tries)
    return Search(tries=tries)


_Way = tuple[str, PublicKey, HashAlgorithm, bytes, tuple[Change, ...]]


def _ways(question: Question) -> list[_Way]:
    """Return every combination of key, hash and decoding of the signature, fewest changes first."""
    found: list[_Way] = []
    for name, key in question.keys.items():
        # Two ids may have the same key. Then the requested id is right.
        asked_for = question.keys.get(question.key_pair_id)
        named = name == question.key_pair_id or key == asked_for or (asked_for is None and name in question.anonymous)
        whose = () if named else (Change("key-of-another-id", f"the key {name} signed it"),)
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
        yield from _canned(question, question.expires)


def _custom(question: Question) -> Iterator[Document]:
    for reading in question.policies:
        read = (Change(f"policy-{reading.id}", ""),) if reading.id else ()
        yield Document(reading.data, read)
        try:
            document = json.loads(reading.data)
        except (ValueError, RecursionError):
            document = None
        for change, signed in policy_forms.rewritten(document, reading.data):
            yield Document(signed, (*read, change))


def _canned(question: Question, expires: int) -> Iterator[Document]:
    url = question.url
    yield Document(canonical(url, expires), (), url)
    others = {new: change for change, new in reversed(list(_urls(question, url))) if new != url}
    others = dict(reversed(others.items()))
    for new, change in others.items():
        yield Document(canonical(new, expires), (change,), new)
        if not new.isascii():
            yield Document(policy_forms.unescaped(new, expires), (change,), new)
    times = list(policy_forms.expiries(expires))
    for when, seconds in times:
        yield Document(_with_time(url, seconds), (when,), url)
    for change, signed in policy_forms.formats(url, str(expires)):
        yield Document(signed, (change,), url)
    for change, new in variants.elsewhere(url, question.prefixes):
        yield Document(canonical(new, expires), (change,), new)
    # Two changes at once.
    for new, first in islice(others.items(), _MOST_COMBINED):
        for change, signed in policy_forms.formats(new, str(expires)):
            yield Document(signed, (first, change), new)
        for when, seconds in times:
            yield Document(_with_time(new, seconds), (first, when), new)
    for when, seconds in times:
        for change, signed in policy_forms.formats(url, seconds):
            yield Document(signed, (when, change), url)
    for new, first in islice(others.items(), _MOST_COMBINED):
        for second, newer in _urls(question, new):
            if second.id != first.id and newer != url:
                yield Document(canonical(newer, expires), (first, second), newer)
    for new, first in islice(others.items(), _MOST_ELSEWHERE):
        for second, newer in variants.elsewhere(new, question.prefixes):
            yield Document(canonical(newer, expires), (first, second), newer)


def _urls(question: Question, url: str) -> Iterator[tuple[Change, str]]:
    return variants.urls(url, question.hosts, question.origins)


def _with_time(url: str, seconds: str) -> bytes:
    return canonical(url, 0).replace(b'{"AWS:EpochTime":0}', f'{{"AWS:EpochTime":{seconds}}}'.encode())
