"""Requests a second for 1 KiB: the edge, which verifies a signature each time, beside servers that verify none."""

import http.client
import os
import re
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

from benchmarks import servers
from benchmarks.contest import Aim, Peer, PeerError, Row, race, rows
from benchmarks.signing import EXPIRES
from keyfront import Signer, SigningKey

OBJECT = "object.bin"

_SECTION = "Edge, 1 KiB, one process beside wrk on the same cores"
_CONNECTIONS = 32
_SIGNATURES = 500
"""So many viewers come back again and again: their signatures are computed once (see `verification`)."""
_STRANGERS = 9000
"""More than the judge remembers: each comes when it was forgotten, and its signature is computed every time."""
_SCRIPT = Path(__file__).with_name("requests.lua")
_NGINX = "nginx, static file, no check"
_GRANIAN = "granian, hello world, no check"


@dataclass(frozen=True)
class Target:
    """What wrk asks for: an address, and requests of a target and headers each."""

    url: str
    requests: list[tuple[str, dict[str, str]]]


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """The edge of `keyfront up` with signed URLs and cookies, nginx and granian: a process each, wrk beside them."""
    wrk = shutil.which("wrk")
    if wrk is None:
        yield Row(_SECTION, "all", "requests/s", missing="wrk is not installed")
        return
    turns = min(rounds, 5)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        load = partial(_peer, wrk, directory)
        ours = [load(name, target) for name, target in _edge(stack, _content(directory, "keyfront"))]
        peers = [*ours]
        for name, serve in ((_NGINX, servers.nginx), (_GRANIAN, servers.granian)):
            try:
                url = stack.enter_context(serve(_content(directory, serve.__name__)))
            except PeerError as error:
                peers.append(Peer(name, missing=str(error)))
            else:
                peers.append(load(name, Target(url, [(f"/{OBJECT}", {})])))
        results = race(peers, max(seconds, turns), turns)
    aims = {peer.name: Aim(8000, "figure") for peer in ours if "https" not in peer.name}
    yield from rows(_SECTION, "requests/s", results, pick=median, against=_NGINX, aims=aims)


def _edge(stack: ExitStack, content: Path) -> Iterator[tuple[str, Target | str]]:
    forms = ("URLs, every signature new", "URLs", "cookies", "URLs, https")
    names = [f"keyfront edge, signed {form}" for form in forms]
    try:
        made = stack.enter_context(servers.keyfront_up(content))
    except PeerError as error:
        yield from ((name, str(error)) for name in names)
        return
    signer = Signer(made["key_pair_id"], SigningKey.load(Path(made["private_key"])))
    plain, secure = (f"{made['edge'][scheme]}/{OBJECT}" for scheme in ("http", "https"))
    folder = plain.removesuffix(OBJECT) + "*"
    moments = range(EXPIRES, EXPIRES + _SIGNATURES)
    strangers = range(EXPIRES + _SIGNATURES, EXPIRES + _SIGNATURES + _STRANGERS)
    cookies = (signer.sign_cookies(folder, expires=moment) for moment in moments)
    yield names[0], _target(plain, ((signer.sign_url(plain, expires=moment), {}) for moment in strangers))
    yield names[1], _target(plain, ((signer.sign_url(plain, expires=moment), {}) for moment in moments))
    yield names[2], _target(plain, ((plain, {"Cookie": _header(each)}) for each in cookies))
    yield names[3], _target(secure, ((signer.sign_url(secure, expires=moment), {}) for moment in moments))


def _target(url: str, requests: Iterable[tuple[str, dict[str, str]]]) -> Target:
    """Requests for the edge, by its address: the names of its distributions resolve in few programs."""
    parts = urlsplit(url)
    named = [(asked.partition(parts.netloc)[2], {"Host": parts.netloc, **headers}) for asked, headers in requests]
    return Target(f"{parts.scheme}://127.0.0.1:{parts.port}", named)


def _header(cookies: Any) -> str:
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def _content(directory: Path, name: str) -> Path:
    content = directory / name / "content"
    content.mkdir(parents=True)
    (content / OBJECT).write_bytes(os.urandom(1024))
    return content


def _peer(wrk: str, directory: Path, name: str, target: Target | str) -> Peer:
    if isinstance(target, str):
        return Peer(name, missing=target)
    file = directory / f"{name}.requests"
    lines = (
        "\t".join([asked, *(f"{key}: {value}" for key, value in headers.items())]) for asked, headers in target.requests
    )
    file.write_text("\n".join(lines) + "\n")
    if name.startswith("keyfront") and not target.url.startswith("https"):
        _fill_cache(target)
    return Peer(name, partial(load, wrk, target.url, file))


def _fill_cache(target: Target) -> None:
    """Asks until the answer comes out of the cache, as every answer that is measured shall."""
    asked, headers = target.requests[0]
    for _ in range(10):
        connection = http.client.HTTPConnection(urlsplit(target.url).netloc, timeout=10)
        connection.request("GET", asked, headers=headers)
        answer = connection.getresponse()
        answer.read()
        connection.close()
        if answer.status == 200 and answer.headers["X-Cache"] == "Hit from cloudfront":
            return
    raise PeerError(f"the edge answers {answer.status}, {answer.headers['X-Cache']}")


def load(wrk: str, url: str, file: Path, seconds: float) -> float:
    """wrk for whole seconds; requests a second, all of them answered with 200."""
    duration = f"{max(1, round(seconds))}s"
    command = [wrk, "-t1", f"-c{_CONNECTIONS}", f"-d{duration}", "-s", str(_SCRIPT), url, "--", str(file)]
    told = subprocess.run(command, capture_output=True, text=True).stdout
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", told)
    bad = re.search(r"Non-2xx or 3xx responses: \d+|Socket errors: .*", told)
    if rate is None or bad is not None:
        raise PeerError(bad[0] if bad else "wrk told no figure")
    return float(rate[1])
