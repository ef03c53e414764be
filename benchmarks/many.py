"""The cost of signing besides the signature, and the gain of one call or one signature for many URLs."""

import os
from collections.abc import Callable, Iterator
from itertools import repeat
from time import perf_counter, process_time

from benchmarks import openssl
from benchmarks.contest import Aim, Peer, Result, Row, Run, loop, race, rows
from benchmarks.signing import EXPIRES, FOLDER, KEY_PAIR_ID, URL, ours
from keyfront import PublicKey, Signer, SigningKey
from keyfront.core.keys import Algorithm, HashAlgorithm

_MANY = "keyfront sign_many"
_GRANT = "keyfront grant.url, a path"
_CORES = os.cpu_count() or 1
_TURNS = 3
_FEW = 64


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure the work around a signature, many signatures on all cores, and one signature for many URLs."""
    key = SigningKey.generate("rsa")
    yield from _around(key, seconds, rounds)
    yield from _many(Signer(KEY_PAIR_ID, key), seconds, min(rounds, _TURNS))
    yield from _granted(Signer(KEY_PAIR_ID, key), seconds, rounds)


class _Unsigned:
    """A key whose signatures cost nothing and have RSA's length."""

    def __init__(self, key: SigningKey) -> None:
        self.algorithm: Algorithm = key.algorithm
        self.public_key: PublicKey = key.public_key
        self._signature = key.sign(b"")

    def sign(self, _data: bytes, _hash_algorithm: HashAlgorithm) -> bytes:
        """Return the same bytes for all data."""
        return self._signature


def _around(key: SigningKey, seconds: float, rounds: int) -> Iterator[Row]:
    peers = [Peer(peer.name, peer.run and _microseconds(peer.run)) for peer in ours(_Unsigned(key))]
    aims = {peer.name: Aim(8.0, "figure", at_most=True) for peer in peers}
    results = race(peers, seconds, rounds)
    yield from rows("Signing, all but the signature", "µs of CPU", results, pick=min, aims=aims)


def _microseconds(rate: Run) -> Run:
    return lambda seconds: 1e6 / rate(seconds)


def _many(signer: Signer, seconds: float, turns: int) -> Iterator[Row]:
    by_cpu: list[float] = []

    def many(seconds: float) -> float:
        # Until the last URL and by the clock, because threads share the work.
        rate, _ = _signed(signer, _FEW)
        rate, of_cpu = _signed(signer, max(_FEW, int(rate * seconds)))
        by_cpu.append(of_cpu)
        return rate

    one, all_cores = openssl.peer("rsa", "sign"), openssl.peer("rsa", "sign", cores=_CORES)
    ours, every, single = race([Peer(_MANY, many, turns=turns), all_cores, one], seconds, turns)
    title, aims = f"Many URLs at once, RSA 2048 with SHA-1, {_CORES} cores", {_MANY: Aim(0.95)}
    yield from rows(f"{title}, by the clock", "/s", [ours, every], against=all_cores.name, aims=aims)
    results = [Result(ours.peer, by_cpu), single]
    yield from rows(f"{title}, by the core", "/s of CPU", results, against=one.name, aims=aims)


def _signed(signer: Signer, count: int) -> tuple[float, float]:
    """Sign `count` URLs and return how many that is per second, and per second of CPU."""
    begun, cpu = perf_counter(), process_time()
    signed = sum(1 for _ in signer.sign_many(repeat(URL, count), expires=EXPIRES))
    return signed / (perf_counter() - begun), signed / (process_time() - cpu)


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
