"""The measured servers, each in its own process: `keyfront up`, nginx, granian."""

import base64
import hashlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from benchmarks.contest import PeerError

Server = Callable[[Path], AbstractContextManager[str]]
"""A context that serves the files of a folder, each as /NAME, and yields its address: http://host:port."""

_READY_SECONDS = 60
_TICK = os.sysconf("SC_CLK_TCK")
_ROOT = Path(__file__).parent.parent


@contextmanager
def keyfront_up(content: Path, edges: int = 1) -> Iterator[dict[str, Any]]:
    """Run `keyfront up` for a folder, with this many edge processes. Yield its JSON output and its `pid`.

    Raises `PeerError` if it does not start.
    """
    command = [str(Path(sys.executable).with_name("keyfront")), "up", "--json", "--content", str(content)]
    command += ["--edges", str(edges)]
    ports = [part for name in ("port", "http-port", "https-port", "backend-port") for part in (f"--{name}", "0")]
    directory = content.parent / f"keyfront-{edges}"
    directory.mkdir()
    with launched([*command, *ports], directory) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise PeerError(f"keyfront up did not start: {last_words(directory)}")
        yield {**json.loads(line), "pid": process.pid}


@contextmanager
def nginx(content: Path, configure: Callable[[int], str] | None = None) -> Iterator[str]:
    """Run nginx with one worker and open files cached. `configure` makes its servers for a port. Raises `PeerError`."""
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    if program is None:
        raise PeerError("nginx is not installed")
    port = _free_port()
    directory = content.parent / f"nginx-{port}"
    directory.mkdir()
    temporary = "".join(
        f"{kind}_temp_path {directory}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    server = configure(port) if configure else f"server {{ listen 127.0.0.1:{port}; root {content}; }}"
    configuration = directory / "nginx.conf"
    configuration.write_text(
        f"""{"user root;" if os.geteuid() == 0 else ""}
        daemon off; worker_processes 1; pid {directory}/nginx.pid; error_log {directory}/nginx.log;
        events {{ worker_connections 4096; }}
        http {{
          access_log off; sendfile on; tcp_nopush on; keepalive_requests 1000000000; open_file_cache max=16; {temporary}
          {server}
        }}"""
    )
    arguments = ["-e", str(directory / "nginx.log"), "-p", str(directory), "-c", str(configuration)]
    with launched([program, *arguments], directory) as process:
        yield _ready(process, port, directory)


@contextmanager
def edge(directory: Path, files: Sequence[Path], cache_bytes: int) -> Iterator[tuple[str, int]]:
    """Run the edge alone for a configuration in `files`. Yield its HTTP address and its process id. `PeerError`."""
    settings = {
        "http_port": 0,
        "https_port": None,
        "files": [str(file) for file in files],
        "directory": str(directory / "edge"),
        "cache_bytes": cache_bytes,
    }
    command = [sys.executable, "-m", "keyfront.edge", json.dumps(settings)]
    with launched(command, directory, stdin=subprocess.PIPE, ends_on=signal.SIGTERM) as process:
        assert process.stdout is not None
        told = json.loads(process.stdout.readline() or "{}")
        if "http" not in told:
            raise PeerError(f"the edge did not start: {told.get('error') or last_words(directory)}")
        yield f"http://127.0.0.1:{told['http']}", process.pid


def proxy(origin: str) -> Callable[[int], str]:
    """Return a configuration for `nginx`: a proxy for `origin` with kept connections."""
    return lambda port: (
        f"""upstream origin {{ server {origin.removeprefix("http://")}; keepalive 64; }}
        server {{
          listen 127.0.0.1:{port};
          location / {{ proxy_pass http://origin; proxy_http_version 1.1; proxy_set_header Connection ""; }}
        }}"""
    )


def secure_link(content: Path, secret: str) -> Callable[[int], str]:
    """Return a configuration for `nginx`: its own signed links (`linked` makes one)."""
    return lambda port: (
        f"""server {{
          listen 127.0.0.1:{port}; root {content};
          secure_link $arg_md5,$arg_expires; secure_link_md5 "$secure_link_expires$uri {secret}";
          if ($secure_link = "") {{ return 403; }}
          if ($secure_link = "0") {{ return 410; }}
        }}"""
    )


def linked(path: str, expires: int, secret: str) -> str:
    """Return `path` signed for `secure_link` until `expires` (seconds since the epoch)."""
    digest = hashlib.md5(f"{expires}{path} {secret}".encode(), usedforsecurity=False).digest()
    return f"{path}?md5={base64.urlsafe_b64encode(digest).decode().rstrip('=')}&expires={expires}"


@contextmanager
def granian(content: Path) -> Iterator[str]:
    """Run granian with one worker and an application that answers 1 KiB: the limit of a Python server."""
    port = _free_port()
    options = [
        "--interface",
        "asginl",
        "--no-ws",
        "--log-level",
        "critical",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    command = [sys.executable, "-m", "granian", *options, "--working-dir", str(_ROOT), "benchmarks.hello:app"]
    with launched(command, content.parent) as process:
        yield _ready(process, port, content.parent)


@contextmanager
def node(script: str, directory: Path) -> Iterator[str]:
    """Run a script of Node.js that listens on the port in its first argument. Raises `PeerError`."""
    program = shutil.which("node")
    if program is None:
        raise PeerError("Node.js is not installed")
    port = _free_port()
    with launched([program, "-e", script, str(port)], directory) as process:
        yield _ready(process, port, directory)


@contextmanager
def launched(
    command: Sequence[str], directory: Path, *, stdin: int | None = None, ends_on: signal.Signals = signal.SIGINT
) -> Iterator[subprocess.Popen[str]]:
    with (
        (directory / "stderr").open("w") as stderr,
        subprocess.Popen(
            command, cwd=directory, stdin=stdin, stdout=subprocess.PIPE, stderr=stderr, text=True
        ) as process,
    ):
        try:
            yield process
        finally:
            process.send_signal(ends_on)
            try:
                process.wait(15)
            except subprocess.TimeoutExpired:
                process.kill()


def _ready(process: subprocess.Popen[str], port: int, directory: Path) -> str:
    until = monotonic() + _READY_SECONDS
    while monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            sleep(0.02)
        else:
            return f"http://127.0.0.1:{port}"
    raise PeerError(f"it did not start: {last_words(directory)}")


def cpu(pid: int) -> float:
    """Return the CPU seconds that a process has used, without its children's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICK


def last_words(directory: Path) -> str:
    lines = (directory / "stderr").read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else "it printed nothing"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])
