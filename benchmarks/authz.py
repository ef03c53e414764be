"""Requests per second for 1 KiB from nginx: with `keyfront authz` as documented, and without a check."""

import json
import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks import edge, servers, wrk
from benchmarks.contest import Aim, Peer, PeerError, Row, race, rows
from benchmarks.signing import EXPIRES
from keyfront import Signer, SigningKey

_SECTION = "nginx, 1 KiB, one worker beside wrk and the authoriser on the same cores"
_CACHED = "nginx with keyfront authz, one signed URL"
_UNCACHED = "nginx with keyfront authz, nothing cached"
_PLAIN = "nginx, static file, no check"
_ID = "K2JCJMDEHXQW5F"
_DOCUMENTATION = Path(__file__).parent.parent / "docs" / "authz.md"


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Compare the documented nginx with one signed URL, the same without its cache, and nginx without a check."""
    if wrk.program() is None:
        yield Row(_SECTION, "all", "requests/s", missing="wrk is not installed")
        return
    turns = min(rounds, 5)
    with ExitStack() as stack:
        directory = Path(stack.enter_context(TemporaryDirectory(prefix="keyfront-bench-")))
        key = SigningKey.generate("rsa")
        peers = []
        for name in (_CACHED, _UNCACHED, _PLAIN):
            place = directory / re.sub(r"\W+", "-", name)
            try:
                if name == _PLAIN:
                    url, asked = stack.enter_context(servers.nginx(_content(place))), f"/{edge.OBJECT}"
                else:
                    authoriser = stack.enter_context(_authz(_content(place), key))
                    url = stack.enter_context(_guarded(place, authoriser, cached=name == _CACHED))
                    signed = Signer(_ID, key).sign_url(f"{url}/{edge.OBJECT}", expires=EXPIRES)
                    asked = signed.removeprefix(url)
            except PeerError as error:
                peers.append(Peer(name, missing=str(error)))
                continue
            file = place / "requests"
            file.write_text(f"{asked}\tHost: {urlsplit(url).netloc}\n")
            peers.append(Peer(name, partial(_rate, url, file)))
        results = race(peers, max(seconds, turns), turns)
    yield from rows(
        _SECTION, "requests/s", results, pick=median, against=_PLAIN, aims={_CACHED: Aim(0.6), _UNCACHED: Aim(0.2)}
    )


def _rate(url: str, file: Path, seconds: float) -> float:
    return wrk.load(url, file, seconds).rate


def _content(place: Path) -> Path:
    content = place / "content"
    content.mkdir(parents=True)
    (content / edge.OBJECT).write_bytes(os.urandom(1024))
    return content


@contextmanager
def _authz(content: Path, key: SigningKey) -> Iterator[str]:
    """Run `keyfront authz` for nginx and yield its address as host:port."""
    public = content.parent / "public_key.pem"
    public.write_text(key.public_key.pem)
    command = [str(Path(sys.executable).with_name("keyfront")), "authz", "--json", "--port", "0"]
    command += ["--front", "nginx", "--trust", f"{_ID}={public}", "--log", "nothing"]
    with servers.launched(command, content.parent) as process:
        assert process.stdout is not None
        told = ""
        while not told.endswith("}\n"):
            line = process.stdout.readline()
            if not line:
                raise PeerError(f"keyfront authz did not start: {servers.last_words(content.parent)}")
            told += line
        yield urlsplit(json.loads(told)["url"]).netloc


@contextmanager
def _guarded(place: Path, authoriser: str, *, cached: bool) -> Iterator[str]:
    """Run nginx with the documented configuration, and the same tuning as without a check."""
    viewer, server = re.findall(r"```nginx\n(.*?)```", _DOCUMENTATION.read_text("utf-8"), re.DOTALL)
    (place / "keyfront-viewer.conf").write_text(viewer)
    server = server.replace("/var/cache/nginx/keyfront", str(place / "cache"))
    server = server.replace("keyfront-viewer.conf", str(place / "keyfront-viewer.conf"))
    server = server.replace("127.0.0.1:9180", authoriser).replace("/srv/media", str(place / "content"))
    if not cached:
        server = re.sub(r"proxy_cache(_key|_valid)? [^;]*;", "", server)
    with servers.nginx(
        place / "content", lambda port: server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    ) as url:
        yield url
