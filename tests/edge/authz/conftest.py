"""The service as a process, and the real nginx before it with the configuration that the documentation shows."""

from __future__ import annotations

import http.client
import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.waiting import wait_until

from keyfront import Signer, SigningKey

ID = "K2JCJMDEHXQW5F"
HOST = "media.example.com"
_DOCUMENTATION = Path(__file__).parents[3] / "docs" / "authz.md"


@dataclass
class Reply:
    """What a viewer got."""

    status: int
    headers: dict[str, str]
    body: bytes


def ask(port: int, method: str, target: str, headers: dict[str, str] | None = None, body: bytes | None = None) -> Reply:
    """One request on the wire, its target to the byte."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        for name, value in {"Host": HOST, **(headers or {})}.items():
            connection.putheader(name, value)
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        answer = connection.getresponse()
        return Reply(answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read())
    finally:
        connection.close()


class Authoriser:
    """`keyfront authz` as a process. What it says of decisions is kept in a file."""

    def __init__(self, log: Path, *arguments: str | Path) -> None:
        self._log = log
        command = [Path(sys.executable).with_name("keyfront"), "authz", "--json", "--port", "0", *arguments]
        with log.open("w") as stderr:
            self.process = subprocess.Popen(
                [str(each) for each in command], stdout=subprocess.PIPE, stderr=stderr, text=True, cwd=log.parent
            )
        assert self.process.stdout is not None
        assert select.select([self.process.stdout], [], [], 60)[0], "it did not start"
        told = ""
        while not told.endswith("}\n"):
            line = self.process.stdout.readline()
            assert line, self.said
            told += line
        self.port = int(json.loads(told)["url"].rpartition(":")[2])

    @property
    def said(self) -> str:
        return self._log.read_text()

    def ask(self, method: str, target: str, headers: dict[str, str]) -> Reply:
        return ask(self.port, method, target, headers)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(30)
        if self.process.stdout is not None:
            self.process.stdout.close()
        return status


class Nginx:
    """The real nginx, with a documented configuration whose places are made to fit the test."""

    def __init__(self, program: Path, directory: Path, content: Path, authoriser: int, change: Callable[[str], str]):
        self.port = free_port()
        viewer, server = re.findall(r"```nginx\n(.*?)```", _DOCUMENTATION.read_text("utf-8"), re.DOTALL)
        fitted = {
            "/var/cache/nginx/keyfront": str(directory / "cache"),
            "127.0.0.1:9180": f"127.0.0.1:{authoriser}",
            "listen 80;": f"listen 127.0.0.1:{self.port};",
            "/srv/media": str(content),
        }
        for there, here in fitted.items():
            assert there in server
            server = server.replace(there, here)
        kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        places = " ".join(f"{kind}_temp_path {directory}/{kind};" for kind in kinds)
        (directory / "keyfront-viewer.conf").write_text(change(viewer))
        (directory / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''} daemon off; worker_processes 1; pid {directory}/pid;\n"
            f"events {{}}\nhttp {{\naccess_log off; {places}\n{change(server)}\n}}\n"
        )
        log = directory / "error.log"
        command = [program, "-e", log, "-p", directory, "-c", directory / "nginx.conf"]
        self.process = subprocess.Popen([str(each) for each in command], stderr=subprocess.DEVNULL)

        def listens() -> bool:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=5).close()
            except OSError:
                assert self.process.poll() is None, log.read_text()
                return False
            return True

        wait_until(listens, told=lambda: "nginx did not start")

    def get(self, target: str, headers: dict[str, str] | None = None, method: str = "GET", **more: Any) -> Reply:
        return ask(self.port, method, target, headers, **more)

    def stop(self) -> None:
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(30)


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        return int(bound.getsockname()[1])


def unchanged(text: str) -> str:
    return text


@pytest.fixture(scope="session")
def key() -> SigningKey:
    return SigningKey.generate("ecdsa")


@pytest.fixture(scope="session")
def signer(key: SigningKey) -> Signer:
    return Signer(ID, key)


@pytest.fixture(scope="session")
def public_key(key: SigningKey, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("trusted") / f"{ID}.pem"
    file.write_text(key.public_key.pem)
    return file


@pytest.fixture(scope="session")
def content(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files whose content is their path."""
    folder = tmp_path_factory.mktemp("content")
    for name in ("public/x", "private/x", "private/42/a b", "private/42/café", "private/43/x", "secret", "se"):
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"/{name}")
    return folder


@pytest.fixture
def authorise(tmp_path: Path) -> Iterator[Callable[..., Authoriser]]:
    """Starts `keyfront authz` with the given arguments."""
    running: list[Authoriser] = []

    def start(*arguments: str | Path) -> Authoriser:
        running.append(Authoriser(tmp_path / f"authz-{len(running)}.log", *arguments))
        return running[-1]

    yield start
    for each in running:
        if each.process.poll() is None:
            each.stop()


@pytest.fixture
def front(need_tool: Callable[[str], Path], tmp_path: Path, content: Path) -> Iterator[Callable[..., Nginx]]:
    """Starts nginx before an authoriser, with the documented configuration or a change of it."""
    running: list[Nginx] = []

    def start(authoriser: int, change: Callable[[str], str] = unchanged) -> Nginx:
        directory = tmp_path / f"nginx-{len(running)}"
        directory.mkdir()
        running.append(Nginx(need_tool("nginx"), directory, content, authoriser, change))
        return running[-1]

    yield start
    for each in running:
        each.stop()


@pytest.fixture(scope="module")
def door(
    need_tool: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory, content: Path, public_key: Path
) -> Iterator[Nginx]:
    """One nginx, as documented, for tests that change nothing; `/private/*` and `/secret` are protected."""
    program, directory = need_tool("nginx"), tmp_path_factory.mktemp("door")
    protect = ("--protect", "/private/*", "--protect", "/secret")
    authoriser = Authoriser(directory / "authz.log", "--front", "nginx", "--trust", f"{ID}={public_key}", *protect)
    try:
        nginx = Nginx(program, directory, content, authoriser.port, unchanged)
        yield nginx
        nginx.stop()
    finally:
        authoriser.stop()
