"""Edge locations: real processes that share their ports, and take a change up each at its own moment."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import ssl
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import httpx
import pytest

from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.edge.cache.invalidations import Invalidation
from keyfront.edge.server.certificates import Authority
from keyfront.edge.server.locations import Lag, Location
from keyfront.edge.server.settings import EdgeSettings
from keyfront.errors import InputError
from keyfront.local.edge_fleet import EdgeFleet, EdgePorts
from keyfront.web.serving import CAN_SHARE_PORTS, PortError, bind_loopback

if TYPE_CHECKING:
    from tests.edge.conftest import Account, Viewer
    from tests.servers import Loop

HOST = "d1.cloudfront.localhost"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
Wait = Callable[..., None]

processes = pytest.mark.skipif(not CAN_SHARE_PORTS, reason="this system does not spread connections over processes")


def change(name: str) -> Invalidation:
    return Invalidation(name, "E1", ("/*",))


class Time:
    """Seconds, as a test wants them."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("chance", [0.0, 0.5, 1.0])
def test_each_location_has_a_part_of_the_delay_to_itself_and_the_last_takes_all_of_it(chance: float) -> None:
    first, second, last = (Location(number, 3, 30.0).lag(chance) for number in (1, 2, 3))
    assert 0 <= first <= 5
    assert 10 <= second <= 15
    assert last == 30


def test_one_location_alone_takes_the_whole_delay_and_no_delay_is_none() -> None:
    assert Location(1, 1, 20.0).lag(0.3) == 20
    assert [Location(number, 3).lag(0.7) for number in (1, 2, 3)] == [0, 0, 0]


@pytest.mark.parametrize("bad", [(0, 3, 1.0), (4, 3, 1.0), (1, 1, -1.0), (1, 1, 1e9), (1, 1, float("nan"))])
def test_a_location_that_cannot_be_is_refused(bad: tuple[int, int, float]) -> None:
    with pytest.raises(InputError):
        Location(*bad)


def test_a_change_waits_its_time_and_never_overtakes_an_earlier_one() -> None:
    now, chances = Time(), iter([1.0, 0.0])
    lag = Lag(Location(1, 2, 8.0), clock=now, chance=lambda: next(chances))
    lag.see(change("one"))  # due at 2
    now.now = 1
    lag.see(change("two"))  # would be due at once
    assert list(lag.due()) == []
    assert lag.seconds() == 1
    now.now = 2
    assert list(lag.due()) == [change("one"), change("two")]
    assert list(lag.due()) == []


def test_a_change_that_could_not_be_taken_up_is_tried_again() -> None:
    lag = Lag(Location())
    lag.see(change("one"))
    assert next(lag.due()) == change("one")
    assert list(lag.due()) == [change("one")]


def test_the_certificate_authority_is_made_once_however_many_start_at_the_same_moment(tmp_path: Path) -> None:
    together = threading.Barrier(8)

    def start(number: int) -> bytes:
        together.wait()
        return Authority(tmp_path, server=f"server-{number}").certificate.read_bytes()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(start, range(8)))) == 1


class Running:
    """The processes of some locations, before an account with a distribution that wants signatures."""

    def __init__(self, loop: Loop, account: Account, viewer: type[Viewer], directory: Path) -> None:
        self.loop = loop
        self.account = account
        self._viewer = viewer
        self._directory = directory
        self.key = SigningKey.generate("ecdsa")
        account.plane.propagation.forget("edge")
        account.origin.answer("/a", b"a", headers={"Cache-Control": "max-age=1000"})
        client = account.client
        self.key_id, self.other = (self._upload(name) for name in ("one", "other"))
        self.group = client.create_key_group(KeyGroupConfig={"Name": "g", "Items": [self.key_id, self.other]})
        trusted = {"Enabled": True, "Quantity": 1, "Items": [self.group["KeyGroup"]["Id"]]}
        behavior = {"TrustedKeyGroups": trusted, "CachePolicyId": CACHING_OPTIMIZED}
        self.distribution = account.create(f"{HOST}:8443", behavior=behavior)

    def _upload(self, name: str) -> str:
        pem = self.key.public_key.pem if name == "one" else SigningKey.generate("ecdsa").public_key.pem
        config: Any = {"CallerReference": name, "Name": name, "EncodedKey": pem}
        return self.account.client.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]

    def start(self, count: int, delay: float = 0.0, **settings: Any) -> None:
        places = [Location(number, count, delay) for number in range(1, count + 1)]
        self.edges = EdgeFleet(places, http_port=0, https_port=0)
        for place in places:
            self.account.plane.propagation.register(place.name)
        self.account.plane.redeploy()
        known: dict[str, Any] = {
            "endpoint_url": self.account.url,
            "access_key_id": "test",
            "secret_access_key": "test",
            "directory": self._directory,
            "refresh_seconds": 0.05,
        }
        told = EdgeSettings(**{**known, **settings})
        self.ports: EdgePorts = self.loop.run(self.edges.start(told, self.account.plane.propagation))

    @property
    def target(self) -> str:
        url = f"http://{HOST}/a"
        return Signer(self.key_id, self.key).sign_url(url, expires=int(time.time()) + 600).partition(HOST)[2]

    def get(self, port: int) -> Any:
        return self._viewer(port).get(self.target)

    def statuses(self) -> tuple[int, ...]:
        """What each location answers to a signed URL, the first location first."""
        return tuple(self.get(location.http).status for location in self.ports.locations)

    def take_the_key_out(self) -> None:
        config: Any = {"Name": "g", "Items": [self.other]}
        self.account.client.update_key_group(
            Id=self.group["KeyGroup"]["Id"], IfMatch=self.group["ETag"], KeyGroupConfig=config
        )

    def pid(self, name: str) -> int:
        """The process at a location, by the port of its own that it alone listens on."""
        port = next(location.http for location in self.ports.locations if location.name == name)
        (pid,) = {pid for pid in _children() if port in _listening(pid)}
        return pid

    def stop(self) -> None:
        if hasattr(self, "edges"):
            self.loop.run(self.edges.stop())


def _children() -> list[int]:
    tasks = Path("/proc/self/task").iterdir()
    return [int(pid) for task in tasks for pid in (task / "children").read_text().split()]


def _listening(pid: int) -> set[int]:
    """The ports on which a process listens."""
    sockets = set()
    for file in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):
            sockets.add(str(file.readlink()))
    rows = (line.split() for line in Path(f"/proc/{pid}/net/tcp").read_text().splitlines()[1:])
    return {int(row[1].partition(":")[2], 16) for row in rows if row[3] == "0A" and f"socket:[{row[9]}]" in sockets}


class Start(Protocol):
    def __call__(self, count: int, delay: float = 0.0, **settings: Any) -> Running: ...


@pytest.fixture
def start(loop: Loop, account: Account, viewer_class: type[Viewer], tmp_path: Path) -> Iterator[Start]:
    running = Running(loop, account, viewer_class, tmp_path)

    def make(count: int, delay: float = 0.0, **settings: Any) -> Running:
        running.start(count, delay, **settings)
        return running

    yield make
    running.stop()


@processes
def test_a_change_is_seen_at_different_moments_and_is_deployed_when_the_last_location_has_it(
    start: Start, account: Account, eventually: Wait
) -> None:
    running = start(3, 6.0)
    eventually(lambda: account.is_deployed(running.distribution))
    assert running.statuses() == (200, 200, 200)
    running.take_the_key_out()
    account.update(running.distribution, Comment="changed")
    batch: Any = {"CallerReference": "1", "Paths": {"Quantity": 1, "Items": ["/*"]}}
    made = account.client.create_invalidation(DistributionId=running.distribution, InvalidationBatch=batch)
    seen: list[tuple[bool, bool, tuple[int, ...]]] = []

    def look() -> bool:
        deployed = account.is_deployed(running.distribution)
        got = account.client.get_invalidation(DistributionId=running.distribution, Id=made["Invalidation"]["Id"])
        completed = got["Invalidation"]["Status"] == "Completed"
        seen.append((deployed, completed, running.statuses()))
        return deployed and completed

    eventually(look)
    order = list(dict.fromkeys(statuses for *_, statuses in seen))
    assert order in ([(200,) * 3, *_STEPS], _STEPS), "the first location refuses while the others still accept"
    assert not any(statuses[2] == 200 for deployed, completed, statuses in seen if deployed or completed)


_STEPS = [(403, 200, 200), (403, 403, 200), (403, 403, 403)]


@processes
def test_viewers_of_the_shared_port_meet_every_location_and_its_own_port_chooses_one(
    start: Start, eventually: Wait
) -> None:
    running = start(3)
    eventually(lambda: running.statuses() == (200, 200, 200))
    shared = Counter(running.get(running.ports.http).headers["x-amz-cf-pop"] for _ in range(100))
    assert set(shared) == {"LOC1-P1", "LOC2-P1", "LOC3-P1"}
    chosen = [running.get(location.http).headers["x-amz-cf-pop"] for location in running.ports.locations]
    assert chosen == ["LOC1-P1", "LOC2-P1", "LOC3-P1"]


@processes
def test_a_port_that_locations_share_is_taken_for_everybody_else(start: Start) -> None:
    ports = start(2).ports
    for port in (ports.http, ports.https, ports.locations[0].http):
        with pytest.raises(PortError, match="another program"):
            bind_loopback(port)
        with pytest.raises(PortError, match="another with --http-port"):
            EdgeFleet([Location()], http_port=port, https_port=0)


@dataclass
class Stream:
    """What a viewer got over one connection, before and after the kill."""

    location: str = ""
    before: int = 0
    after: int = 0
    bad: int = 0


@processes
def test_a_killed_process_costs_the_others_viewers_nothing_and_is_started_again(
    start: Start, account: Account, eventually: Wait
) -> None:
    running = start(3)
    eventually(lambda: running.statuses() == (200, 200, 200))
    victim, target = running.pid("LOC2-P1"), running.target
    gone, ended = threading.Event(), threading.Event()

    def stream(connection: http.client.HTTPConnection, told: Stream) -> None:
        """Ask over one connection, again and again, until it breaks or the test has seen enough."""
        with contextlib.suppress(OSError, http.client.HTTPException):
            while not (ended.is_set() and told.after > 20):
                late = gone.is_set()
                connection.request("GET", target, headers={"Host": HOST})
                answer = connection.getresponse()
                told.location = answer.headers["X-Amz-Cf-Pop"]
                good = (answer.status, answer.read()) == (200, b"a")
                told.before += good and not late
                told.after += good and late
                told.bad += not good
        connection.close()

    ports = [location.http for location in running.ports.locations] * 2 + [running.ports.http] * 6
    streams = [Stream() for _ in ports]
    with ThreadPoolExecutor(len(ports)) as threads:
        for port, told in zip(ports, streams, strict=True):
            threads.submit(stream, http.client.HTTPConnection("127.0.0.1", port, timeout=20), told)
        eventually(lambda: all(each.before > 5 for each in streams))
        os.kill(victim, signal.SIGKILL)
        gone.set()
        eventually(lambda: all(each.after > 20 for each in streams if each.location != "LOC2-P1"))
        ended.set()
    assert {each.location for each in streams} == {"LOC1-P1", "LOC2-P1", "LOC3-P1"}
    assert not any(each.bad for each in streams)
    eventually(lambda: _answers(running, "LOC2-P1"))
    assert running.pid("LOC2-P1") != victim
    account.update(running.distribution, Comment="changed")
    eventually(lambda: account.is_deployed(running.distribution))


def _answers(running: Running, name: str) -> bool:
    port = next(location.http for location in running.ports.locations if location.name == name)
    try:
        answer = running.get(port)
    except OSError:
        return False
    return (answer.status, answer.headers["x-amz-cf-pop"]) == (200, name)


@processes
def test_a_location_that_does_not_come_back_holds_no_deployment_up(
    start: Start, account: Account, tmp_path: Path, eventually: Wait, caplog: pytest.LogCaptureFixture
) -> None:
    folder = tmp_path / "authority"
    running = start(2, directory=folder)
    eventually(lambda: running.statuses() == (200, 200))
    folder.rename(tmp_path / "away")
    folder.write_text("no folder")
    os.kill(running.pid("LOC2-P1"), signal.SIGKILL)
    account.update(running.distribution, Comment="changed")
    eventually(lambda: account.is_deployed(running.distribution))
    eventually(lambda: "edge location LOC2-P1 does not start" in caplog.text)
    assert "edge location LOC2-P1 ended (SIGKILL); it is started again" in caplog.text


@pytest.fixture
def free_pair() -> int:
    """A port that is free, and the one after it."""
    while True:
        sockets = bind_loopback(0)
        try:
            port = int(sockets[0].getsockname()[1])
            sockets += bind_loopback(port + 1)
        except PortError:
            continue
        finally:
            for each in sockets:
                each.close()
        return port


@processes
def test_every_location_answers_at_a_distributions_own_ports(
    start: Start, account: Account, free_pair: int, eventually: Wait
) -> None:
    account.next_domain_name = f"localhost:{free_pair}"
    running = start(2, addressing="port")
    eventually(lambda: account.is_deployed(running.distribution))
    trust = ssl.create_default_context(cafile=str(running.ports.authority))
    for scheme, port in (("http", free_pair + 1), ("https", free_pair)):
        url = f"{scheme}://localhost:{port}/a"
        signed = Signer(running.key_id, running.key).sign_url(url, expires=int(time.time()) + 600)
        seen = set()
        for _ in range(60):
            with httpx.Client(verify=trust, trust_env=False) as client:
                answer = client.get(signed)
            assert answer.status_code == 200
            seen.add(answer.headers["x-amz-cf-pop"])
        assert seen == {"LOC1-P1", "LOC2-P1"}
