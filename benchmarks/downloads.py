"""Downloads per second from the backend, with SQLite and PostgreSQL, compared with the signatures of one core."""

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import monotonic, sleep, time

from joserfc import jwt
from joserfc.jwk import RSAKey

from benchmarks import servers, wrk
from benchmarks.contest import Aim, Peer, PeerError, Row, loop, race, rows
from keyfront import Signer, SigningKey
from keyfront.backend import Customer, Item, connect, seed

CONNECTIONS = 32
_ID = "K2JCJMDEHXQW5F"
_HOST = "d111111abcdef8.cloudfront.net"
_SIGNING = "keyfront sign_url, canned, one core"
_WALL = f"Downloads, RSA 2048, one worker beside wrk with {CONNECTIONS} connections"
_CPU = "Downloads, by the server's CPU time"
_WAITING = f"Downloads, time to answer, {CONNECTIONS} connections"
_ITEMS = 200


@dataclass
class Backend:
    """A running backend, and the measurements so far."""

    url: str
    pid: int
    requests: Path
    cpu: list[float]
    p99: list[float]

    def load(self, seconds: float) -> float:
        """Send requests and return downloads per second."""
        before = _cpu(self.pid)
        told = wrk.load(self.url, self.requests, seconds, CONNECTIONS)
        self.cpu.append(told.count / (_cpu(self.pid) - before))
        self.p99.append(told.p99)
        return told.rate


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Compare `/download` on each database with `sign_url`, in turns."""
    if wrk.program() is None:
        yield Row(_WALL, "all", "requests/s", missing="wrk is not installed")
        return
    turns = min(rounds, 5)
    key = SigningKey.generate("rsa")
    signer = Signer(_ID, key)
    signing = Peer(_SIGNING, loop(lambda: signer.sign_url(f"https://{_HOST}/files/1.epub", expires=int(time()) + 60)))
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        directory.chmod(0o755)
        backends: dict[str, Backend] = {}
        peers = []
        for database, serve in (("SQLite", _sqlite), ("PostgreSQL", _postgresql)):
            name = f"keyfront /download, {database}"
            try:
                place = directory / database
                place.mkdir(mode=0o755)
                url = stack.enter_context(serve(place))
                backends[name] = stack.enter_context(_backend(place, url, key))
                peers.append(Peer(name, backends[name].load))
            except PeerError as error:
                peers.append(Peer(name, missing=str(error)))
        results = race([*peers, signing], max(seconds, turns), turns)
    aims = dict.fromkeys(backends, Aim(0.6))
    yield from rows(_WALL, "requests/s", results, pick=median, against=_SIGNING, aims=aims)
    signed = median(results[-1].figures)
    for name, backend in backends.items():
        figure = median(backend.cpu)
        yield Row(_CPU, name, "/s of CPU", figure, _SIGNING, figure / signed, Aim(0.6))
    for name, backend in backends.items():
        yield Row(_WAITING, f"{name}, p99", "ms", median(backend.p99) * 1000, aim=Aim(50, "figure", at_most=True))


@contextmanager
def _sqlite(place: Path) -> Iterator[str]:
    yield f"sqlite:///{place}/shop.db"


@contextmanager
def _postgresql(place: Path) -> Iterator[str]:
    """Run a PostgreSQL for this benchmark, on a socket. It refuses root, so under root it runs as user postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    program = shutil.which("initdb") or (str(found[-1]) if found else None)
    if program is None:
        raise PeerError("PostgreSQL is not installed")
    user = "postgres" if os.geteuid() == 0 else None
    home = place / "server"
    home.mkdir(mode=0o755)
    if user:
        shutil.chown(home, user, user)
    start = partial(subprocess.Popen[bytes], cwd=home, user=user, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    made = start([program, "-D", str(home / "data"), "-U", "postgres", "-A", "trust", "-E", "UTF8", "--no-sync"])
    if made.wait(60) != 0:
        raise PeerError("initdb failed")
    server = Path(program).with_name("postgres")
    process = start([str(server), "-D", str(home / "data"), "-k", str(home), "-c", "listen_addresses="])
    try:
        _until(lambda: (home / ".s.PGSQL.5432").exists() and process.poll() is None, "PostgreSQL did not start")
        yield f"postgresql+psycopg://postgres@/postgres?host={home}"
    finally:
        process.terminate()
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()


@contextmanager
def _backend(place: Path, database: str, key: SigningKey) -> Iterator[Backend]:
    """Run the documented backend for a shop with one customer who bought everything, with requests for 50 tokens."""
    items = [Item(f"i{number}", f"Item {number}", f"files/{number}.epub") for number in range(_ITEMS)]
    engine = connect(database)
    seed(engine, items, [Customer("mara", "Mara")], [("mara", item.id) for item in items])
    engine.dispose()
    private, _ = key.write(place / "key")
    issuer = RSAKey.generate_key(2048)
    environment = {
        "CLOUDFRONT_DOMAIN": _HOST,
        "SIGNER": f"file:{private}",
        "KEYPAIR_ID": _ID,
        "CHECK_KEY": "false",
        "DATABASE_URL": database,
        "JWT_KEY": issuer.as_pem(private=False).decode(),
        "JWT_ISSUER": "https://login.example.com/",
        "JWT_AUDIENCE": "shop",
        "DOWNLOAD_RATE": "off",
    }
    claims = {"iss": environment["JWT_ISSUER"], "aud": "shop", "sub": "mara", "exp": int(time()) + 86_400}
    tokens = [jwt.encode({"alg": "RS256"}, {**claims, "jti": str(number)}, issuer) for number in range(50)]
    asked = [
        (f"/download/{item.id}", {"Host": "localhost", "Authorization": f"Bearer {tokens[number % 50]}"})
        for number, item in enumerate(items)
    ]
    port = _free_port()
    command = ["env", *(f"{name}={value}" for name, value in environment.items())]
    command += [sys.executable, "-m", "granian", "--interface", "asgi", "--log-level", "critical"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--factory", "keyfront.backend:from_environment"]
    with servers.launched(command, place) as process:
        _until(lambda: _answers(port), "the backend did not start")
        url = f"http://127.0.0.1:{port}"
        requests = wrk.Target(url, asked).write(place / "requests")
        yield Backend(url, process.pid, requests, [], [])


def _cpu(pid: int) -> float:
    """Return the CPU seconds of a process's children, such as granian's worker."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sum(servers.cpu(int(child)) for child in children)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def _until(condition: Callable[[], bool], otherwise: str) -> None:
    until = monotonic() + 60
    while not condition():
        if monotonic() > until:
            raise PeerError(otherwise)
        sleep(0.02)
