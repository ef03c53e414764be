"""The edge compared with servers that check less or nothing: rates, ranges, many connections."""

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks import servers, warm, wrk
from benchmarks.contest import Aim, Peer, PeerError, Row, race, rows
from benchmarks.signing import EXPIRES
from benchmarks.wrk import Load, Target
from keyfront import Signer, SigningKey

OBJECT = "object.bin"
FILM = "film.bin"

_VIEWERS = 10_000
_STRANGERS = 20_000
"""More URLs than the signature caches of two workers hold, so every signature is computed."""
_COMEBACKS = 500
"""Viewers with cookies who come back, so their signatures are computed once."""
_PART = 10 * 1024 * 1024
_PARTS = 8
_PACE = 4_000
"""Requests per second at which times are compared: an easy load for every server here."""
_RATES = "Edge, 1 KiB, wrk with 50 connections on the same two cores"
_RANGES = "Edge, ranges of 10 MiB of an 80 MiB object, wrk with 4 connections"
_WAITING = f"Edge, time to answer {_PACE:,} requests/s for 1 KiB, two workers"
_NGINX = "nginx, static file, no check"
_LINK = "nginx, static file, secure_link (MD5)"
_GRANIAN = "granian, hello world, no check"
_ONE = "keyfront edge, one signed URL, one worker"


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure the edge of `keyfront up`, in one and in two processes, in turns with its peers."""
    if wrk.program() is None:
        yield Row(_RATES, "all", "requests/s", missing="wrk is not installed")
        return
    turns = min(rounds, 5)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        content = _content(directory)
        edges = {}
        for workers, name in ((1, "one worker"), (2, "two workers")):
            try:
                edges[name] = Signed(stack.enter_context(servers.keyfront_up(content, workers)))
            except PeerError as error:
                yield Row(_RATES, f"keyfront edge, {name}", "requests/s", missing=str(error))
        peers = dict(_peers(stack, content))
        yield from _rates(directory, edges, peers, max(seconds, turns), turns)
        yield from _ranges(directory, edges, peers, max(seconds, turns), turns)
        yield from _waiting(directory, edges, peers)


class Signed:
    """The edge of a `keyfront up`, and signed requests for it."""

    def __init__(self, made: Mapping[str, Any]) -> None:
        self._plain: str = made["edge"]["http"]
        self._secure: str = made["edge"]["https"]
        self._signer = Signer(made["key_pair_id"], SigningKey.load(Path(made["private_key"])))
        self.pid: int = made["pid"]

    def one(self, name: str = OBJECT, headers: Mapping[str, str] | None = None, *, secure: bool = False) -> Target:
        """Return one signed URL."""
        url = f"{self._secure if secure else self._plain}/{name}"
        return Target.of(url, [(self._signer.sign_url(url, expires=EXPIRES), dict(headers or {}))])

    def viewers(self, count: int = _VIEWERS) -> Target:
        """Return canned URLs, each with a different signature."""
        url = f"{self._plain}/{OBJECT}"
        moments = range(EXPIRES + 1, EXPIRES + 1 + count)
        return Target.of(url, [(self._signer.sign_url(url, expires=moment), {}) for moment in moments])

    def cookies(self) -> Target:
        """Return one URL, with the cookies of many viewers."""
        url = f"{self._plain}/{OBJECT}"
        jars = (self._signer.sign_cookies(f"{url}*", expires=EXPIRES + number) for number in range(_COMEBACKS))
        return Target.of(
            url, [(url, {"Cookie": "; ".join(f"{name}={value}" for name, value in jar.items())}) for jar in jars]
        )


def _rates(
    directory: Path, edges: Mapping[str, Signed], others: Mapping[str, Target | str], seconds: float, turns: int
) -> Iterator[Row]:
    peers = []
    for workers, edge in edges.items():
        targets = {
            "one signed URL": edge.one(),
            "10,000 canned URLs": edge.viewers(),
            "canned URLs, every signature new": edge.viewers(_STRANGERS),
            "cookies": edge.cookies(),
            "one signed URL, https": edge.one(secure=True),
        }
        warm.up(edge.one())
        for form, target in targets.items():
            name = f"keyfront edge, {form}, {workers}"
            peers.append(_peer(directory, name, target, lambda told: told.rate))
    peers += [_peer(directory, name, target, lambda told: told.rate) for name, target in others.items()]
    aims = {
        "keyfront edge, 10,000 canned URLs, one worker": Aim(15_000, "figure"),
        "keyfront edge, canned URLs, every signature new, one worker": Aim(8_000, "figure"),
        "keyfront edge, one signed URL, two workers": Aim(20_000, "figure"),
        "keyfront edge, 10,000 canned URLs, two workers": Aim(10_000, "figure"),
        "keyfront edge, canned URLs, every signature new, two workers": Aim(10_000, "figure"),
    }
    results = race(peers, seconds, turns)
    yield from rows(_RATES, "requests/s", results, pick=median, against=_NGINX, aims=aims)
    one = [each for each in results if each.peer.name in (_ONE, _GRANIAN)]
    title = f"{_RATES}, beside the bare server"
    yield from rows(title, "requests/s", one, pick=median, against=_GRANIAN, aims={_ONE: Aim(0.5)})


def _ranges(
    directory: Path, edges: Mapping[str, Signed], others: Mapping[str, Target | str], seconds: float, turns: int
) -> Iterator[Row]:
    parts = [{"Range": f"bytes={at}-{at + _PART - 1}"} for at in range(0, _PARTS * _PART, _PART)]

    def megabytes(told: Load) -> float:
        return told.transfer / 1e6

    peers = []
    aims = {}
    for workers, edge in edges.items():
        targets = [edge.one(FILM, part) for part in parts]
        kept = all(warm.up(target, large=True) for target in targets)
        name = f"keyfront edge, one signed URL, {workers}" + ("" if kept else ", from its origin")
        target = Target(targets[0].url, [each.requests[0] for each in targets])
        peers.append(_peer(directory, name, target, megabytes, connections=4))
        aims[name] = Aim(0.5)
    nginx = others[_NGINX]
    if isinstance(nginx, Target):
        nginx = Target(nginx.url, [(f"/{FILM}", part) for part in parts])
    peers.append(_peer(directory, _NGINX, nginx, megabytes, connections=4))
    yield from rows(_RANGES, "MB/s", race(peers, seconds, turns), pick=median, against=_NGINX, aims=aims)


def _waiting(directory: Path, edges: Mapping[str, Signed], others: Mapping[str, Target | str]) -> Iterator[Row]:
    """Yield the times of 50 % and 99 % of the responses, with few and with many connections."""
    asked: dict[str, Target | str] = {_NGINX: others[_NGINX]}
    if "two workers" in edges:
        asked = {"keyfront edge, one signed URL": edges["two workers"].one(), **asked}
    for name, target in asked.items():
        if isinstance(target, str):
            yield Row(_WAITING, name, "ms", missing=target)
            continue
        file = target.write(directory / f"{_slug(name)}.requests")
        few, many = (wrk.load(target.url, file, 5, connections, _PACE) for connections in (50, 500))
        for share, before, after in (("p50", few.p50, many.p50), ("p99", few.p99, many.p99)):
            against = f"{name}, 50 connections, {share}"
            yield Row(_WAITING, against, "ms", before * 1000)
            aim = Aim(1.5, at_most=True) if share == "p50" and name != _NGINX else None
            yield Row(
                _WAITING, f"{name}, 500 connections, {share}", "ms", after * 1000, "50 connections", after / before, aim
            )


def _peers(stack: ExitStack, content: Path) -> Iterator[tuple[str, Target | str]]:
    secret = "enigma"
    link, asked = servers.secure_link(content, secret), servers.linked(f"/{OBJECT}", EXPIRES, secret)
    for name, serve, target in (
        (_NGINX, servers.nginx, f"/{OBJECT}"),
        (_LINK, partial(servers.nginx, configure=link), asked),
        (_GRANIAN, servers.granian, f"/{OBJECT}"),
    ):
        try:
            yield name, Target(stack.enter_context(serve(content)), [(target, {})])
        except PeerError as error:
            yield name, str(error)


def _content(directory: Path) -> Path:
    content = directory / "served" / "content"
    content.mkdir(parents=True)
    (content / OBJECT).write_bytes(os.urandom(1024))
    (content / FILM).write_bytes(os.urandom(_PART) * _PARTS)
    return content


def _peer(
    directory: Path, name: str, target: Target | str, figure: Callable[[Load], float], *, connections: int = 50
) -> Peer:
    if isinstance(target, str):
        return Peer(name, missing=target)
    file = target.write(directory / f"{_slug(name)}-{connections}.requests")
    return Peer(name, lambda seconds: figure(wrk.load(target.url, file, seconds, connections)))


def _slug(name: str) -> str:
    return re.sub(r"\W+", "-", name)
