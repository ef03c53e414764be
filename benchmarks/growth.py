"""Cost as work grows: keys, behaviors, distributions, the length of a policy, connections. Drawn in `growth.svg`."""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import plots, servers, warm, wrk
from benchmarks.contest import Peer, PeerError, Row, loop, race, rows
from benchmarks.misses import HOST, OBJECT, configuration
from benchmarks.plots import Plot
from benchmarks.signing import EXPIRES, KEY_PAIR_ID, URL
from benchmarks.verification import as_new
from benchmarks.wrk import Target
from keyfront import Signer, SigningKey, ViewerRequest, verify
from keyfront.edge.configuration import configure
from keyfront.edge.decide import decide
from keyfront.edge.request.admission import Door
from keyfront.edge.request.viewer import Request
from keyfront.inventory import CacheBehavior, CustomOrigin, Distribution, Inventory, KeyGroup, Origin, TrustedKey

_DRAWING: Final = Path(__file__).with_name("growth.svg")
_NAMES: Final = "https://d{}.cloudfront.net/books/small-lights.epub"
_CACHE_BYTES: Final = 4 * 1024 * 1024

_SHORT_TURNS: Final = 100
_LONG_TURNS: Final = 3

Work = Callable[[], object]


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Measure each kind of growth, and draw them all.

    All figures are CPU time, the least of many short turns, so that other work on the machine changes them little.
    """
    drawn = []
    for title, unit, works in kinds(SigningKey.generate("rsa")):
        peers = [Peer(f"{size:,} {unit}", loop(work)) for size, work in works.items()]
        results = race(peers, seconds, max(rounds, _SHORT_TURNS))
        spent = [1e6 / max(each.figures) for each in results]
        drawn.append(Plot(title, unit, "µs of CPU", list(zip(works, spent, strict=True))))
        yield from rows(f"Growth: {title}", "/s of CPU", results, against=results[0].peer.name)
    title, unit = "A request to the edge, by connections", "connections"
    spent_by = _connections(seconds, min(rounds, _LONG_TURNS))
    drawn.append(Plot(title, unit, "µs of CPU", list(spent_by.items())))
    first = next(iter(spent_by.values()), None)
    for size, each in spent_by.items():
        ratio = first / each if first else None
        yield Row(f"Growth: {title}", f"{size:,} {unit}", "/s of CPU", 1e6 / each, f"10 {unit}", ratio)
    if spent_by:
        _DRAWING.write_text(plots.drawing(drawn), "utf-8")


def kinds(key: SigningKey) -> list[tuple[str, str, Mapping[int, Work]]]:
    """Return what grows: its title, what is counted, and the work for each size."""
    return [
        ("A request, by the keys that its behavior trusts", "keys", _keys(key)),
        ("A request, by the behaviors before its own", "behaviors", _behaviors(key)),
        ("A request, by the distributions of the account", "distributions", _distributions(key)),
        ("A new signature, by the bytes of its policy", "bytes", _policies(key)),
        ("Reading a configuration, by its distributions", "distributions", _configurations(key)),
        ("Reading a behavior, by its key groups", "groups", _groups(key)),
    ]


def _keys(key: SigningKey) -> dict[int, Work]:
    request, now = _request(key), EXPIRES - 1

    def work(count: int) -> Work:
        trusted = {**{f"K{number}": key.public_key for number in range(count - 1)}, KEY_PAIR_ID: key.public_key}
        return lambda: verify(request, trusted, now)

    return {count: work(count) for count in (1, 5, 20, 50, 100)}


def _behaviors(key: SigningKey) -> dict[int, Work]:
    def work(count: int) -> Work:
        patterns = [CacheBehavior(f"/films/{number}/*", "web") for number in range(count - 1)]
        return _deciding(_account(key, 1, patterns), _request(key, _NAMES.format(0)))

    return {count: work(count) for count in (1, 25, 75, 150, 250)}


def _distributions(key: SigningKey) -> dict[int, Work]:
    return {
        count: _deciding(_account(key, count), _request(key, _NAMES.format(count - 1)))
        for count in (1, 10, 100, 500, 1_000)
    }


def _policies(key: SigningKey) -> dict[int, Work]:
    def work(size: int) -> Work:
        folder = f"{URL.rpartition('/')[0]}/{'a' * (size - 140)}/"
        url = Signer(KEY_PAIR_ID, key).sign_url(f"{folder}b", expires=EXPIRES, resource=f"{folder}*")
        return as_new(ViewerRequest(url), {KEY_PAIR_ID: key.public_key})

    return {size: work(size) for size in (200, 500, 1_000, 2_000, 3_000)}


def _configurations(key: SigningKey) -> dict[int, Work]:
    def work(count: int) -> Work:
        account = _account(key, count)
        return lambda: configure(account)

    return {count: work(count) for count in (1, 10, 100, 500, 1_000)}


def _groups(key: SigningKey) -> dict[int, Work]:
    def work(count: int) -> Work:
        account = _account(key, 1, groups=count)
        return lambda: configure(account)

    return {count: work(count) for count in (1, 2, 4, 10, 50)}


def _connections(seconds: float, turns: int) -> dict[int, float]:
    """Return the edge's µs of CPU for a request, by the number of connections; without those that do not work here."""
    spent: dict[int, float] = {}
    if wrk.program() is None:
        return spent
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        content = directory / "content"
        content.mkdir()
        (content / OBJECT).write_bytes(os.urandom(1024))
        try:
            origin = stack.enter_context(servers.nginx(content))
            edge, pid = stack.enter_context(servers.edge(directory, configuration(directory, origin), _CACHE_BYTES))
            target = Target(edge, [(f"/{OBJECT}", {"Host": HOST})])
            warm.up(target)
        except PeerError:
            return spent
        file = target.write(directory / "requests")
        for count in (10, 100, 1_000, 4_000, 10_000) * turns:
            before = servers.cpu(pid)
            # Many connections take seconds to open.
            with suppress(PeerError):
                told = wrk.load(edge, file, max(seconds, 2 if count < 1_000 else 5), count)
                used = (servers.cpu(pid) - before) / told.count * 1e6
                spent[count] = min(used, spent.get(count, used))
    return spent


def _request(key: SigningKey, url: str = URL) -> ViewerRequest:
    return ViewerRequest(Signer(KEY_PAIR_ID, key).sign_url(url, expires=EXPIRES), ip="192.0.2.7")


def _account(
    key: SigningKey, distributions: int, behaviors: Sequence[CacheBehavior] = (), groups: int = 1
) -> Inventory:
    """Return an account whose behaviors trust `groups` key groups, each with another key-pair id of the same key."""
    ids = [KEY_PAIR_ID, *(f"K{number}" for number in range(groups - 1))]
    protected = CacheBehavior("*", "web", trusted_key_groups=tuple(ids), protected=True)
    origins = (Origin("web", "localhost", custom=CustomOrigin()),)
    return Inventory(
        distributions=tuple(
            Distribution(f"E{number}", f"d{number}.cloudfront.net", protected, tuple(behaviors), origins=origins)
            for number in range(distributions)
        ),
        key_groups={each: KeyGroup(each, each, (each,)) for each in ids},
        keys={each: TrustedKey(each, each, key.public_key) for each in ids},
    )


def _deciding(account: Inventory, request: ViewerRequest) -> Work:
    scheme, _, rest = request.url.partition("://")
    host, _, target = rest.partition("/")
    path, _, query = f"/{target}".partition("?")
    configured, door = configure(account), Door()
    viewer = Request(
        {
            "method": "GET",
            "scheme": scheme,
            "http_version": "1.1",
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "client": (request.ip, 50_000),
            "headers": [(b"host", host.encode())],
        }
    )
    assert getattr(decide(configured, door, viewer, EXPIRES - 1, _nowhere), "decision", None) is not None
    return lambda: decide(configured, door, viewer, EXPIRES - 1, _nowhere)


def _nowhere(_address: str) -> str:
    return ""
