"""What signing costs beside the signature, and what is gained where one call or one signature is for many URLs."""

import os
from collections.abc import Callable, Iterator
from itertools import repeat
from time import perf_counter

from benchmarks import openssl
from benchmarks.contest import Aim, Peer, Result, Row, Run, loop, race, rows
from benchmarks.signing import EXPIRES, FOLDER, KEY_PAIR_ID, URL, ours
from keyfront import PublicKey, Signer, SigningKey
from keyfront.keys import Algorithm, HashAlgorithm

_MANY = "keyfront sign_many"
_GRANT = "keyfront grant.url, a path"
_CORES = os.cpu_count() or 1
_TURNS = 3


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """The work around a signature; many signatures on all cores; and one for many URLs."""
    key = SigningKey.generate("rsa")
    yield from _around(key, seconds, rounds)
    yield from _many(Signer(KEY_PAIR_ID, key), seconds, min(rounds, _TURNS))
    yield from _granted(Signer(KEY_PAIR_ID, key), seconds, rounds)


class _Unsigned:
    """A key whose signatures cost nothing, and are as long as RSA's."""

    def __init__(self, key: SigningKey) -> None:
        self.algorithm: Algorithm = key.algorithm
        self.public_key: PublicKey = key.public_key
        self._signature = key.sign(b"")

    def sign(self, _data: bytes, _hash_algorithm: HashAlgorithm) -> bytes:
        """The same bytes for everything."""
        return self._signature


def _around(key: SigningKey, seconds: float, rounds: int) -> Iterator[Row]:
    peers = [Peer(peer.name, peer.run and _microseconds(peer.run)) for peer in ours(_Unsigned(key))]
    aims = {peer.name: Aim(8.0, "figure", at_most=True) for peer in peers}
    results = race(peers, seconds, rounds)
    yield from rows("Signing, all but the signature", "µs of CPU", results, pick=min, aims=aims)


def _microseconds(rate: Run) -> Run:
    return lambda seconds: 1e6 / rate(seconds)


def _many(signer: Signer, seconds: float, turns: int) -> Iterator[Row]:
    one = openssl.peer("rsa", "sign")
    all_cores = f"{_CORES} x {one.name}"
    peers = [Peer(_MANY, _exhausted(signer)), Peer(all_cores, one.run, one.missing, one.turns)]
    single, raw = race(peers, seconds, turns)
    results = [single, Result(raw.peer, [_CORES * figure for figure in raw.figures])]
    title = f"Many URLs at once, RSA 2048 with SHA-1, {_CORES} cores, by the clock"
    yield from rows(title, "/s", results, against=all_cores, aims={_MANY: Aim(0.95)})


def _exhausted(signer: Signer) -> Run:
    """Signs as many as take about so long, to the last one, and counts by the clock: threads share the work."""

    def rate(count: int) -> float:
        begun = perf_counter()
        signed = sum(1 for _ in signer.sign_many(repeat(URL, count), expires=EXPIRES))
        return signed / (perf_counter() - begun)

    return lambda seconds: rate(max(64, int(rate(64) * seconds)))


def _granted(signer: Signer, seconds: float, rounds: int) -> Iterator[Row]:
    grant, path = signer.grant(FOLDER, expires=EXPIRES), URL.removeprefix(FOLDER[:-1])
    work: dict[str, Callable[[], object]] = {
        _GRANT: lambda: grant.url(path),
        "keyfront grant.url, a whole URL": lambda: grant.url(URL),
        "keyfront sign_url, custom": lambda: signer.sign_url(URL, expires=EXPIRES, resource=FOLDER),
    }
    results = race([Peer(name, loop(call)) for name, call in work.items()], seconds, rounds)
    aims = {_GRANT: Aim(500_000, "figure")}
    yield from rows("One signature for many URLs", "/s of CPU", results, against="keyfront sign_url, custom", aims=aims)
