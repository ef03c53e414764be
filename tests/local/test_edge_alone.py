"""`keyfront edge`, as a command: a saved configuration enforced as it stands, and what an operator sees of it."""

from __future__ import annotations

import contextlib
import fcntl
import gzip
import http.client
import json
import os
import select
import signal
import socket
import ssl
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from http.server import SimpleHTTPRequestHandler
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Quiet, http_server
from tests.waiting import wait_until

from keyfront.cli import main
from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer

KEYFRONT = Path(sys.executable).with_name("keyfront")
HOST = "shop.example.com"
KEY = SigningKey.generate("ecdsa")
PROTECTED = {
    "TargetOriginId": "files",
    "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": ["group-1"]},
    "TrustedSigners": {"Enabled": False, "Quantity": 0},
    "ViewerProtocolPolicy": "allow-all",
    "AllowedMethods": {
        "Quantity": 2,
        "Items": ["HEAD", "GET"],
        "CachedMethods": {"Quantity": 2, "Items": ["HEAD", "GET"]},
    },
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
}
BUCKET = {
    "Id": "files",
    "DomainName": "shop-files.s3.eu-central-1.amazonaws.com",
    "OriginPath": "",
    "S3OriginConfig": {"OriginAccessIdentity": ""},
    "OriginAccessControlId": "E3OAC",
}
SAVED = {
    "ETag": "E2QWRUHEXAMPLE",
    "DistributionConfig": {
        "CallerReference": "2026",
        "Aliases": {"Quantity": 1, "Items": [HOST]},
        "Origins": {"Quantity": 1, "Items": [BUCKET]},
        "DefaultCacheBehavior": PROTECTED,
        "Enabled": True,
    },
}


class Edge:
    """A running `keyfront edge`, and what it printed."""

    def __init__(self, process: subprocess.Popen[str], printed: dict[str, Any]) -> None:
        self.process, self.printed = process, printed

    def get(self, target: str, host: str = HOST, *, viewer: str = "127.0.0.1") -> tuple[int, bytes]:
        return ask(self.printed["http"], target, host, viewer)

    def admin(self, path: str) -> tuple[int, bytes]:
        return ask(int(self.printed["admin"].rpartition(":")[2]), path, "127.0.0.1")

    def until(self, condition: Callable[[], object]) -> None:
        wait_until(lambda: self.process.poll() is not None or condition())
        assert self.process.poll() is None, "keyfront edge ended"


def ask(port: int, target: str, host: str, viewer: str = "127.0.0.1") -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(viewer, 0))
    try:
        connection.request("GET", target, headers={"Host": host})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A directory with a saved configuration, a public key, and a web server's address to take the bucket's place."""
    (tmp_path / "shop.json").write_text(json.dumps(SAVED))
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "K1.pem").write_text(KEY.public_key.pem)
    (tmp_path / "content").mkdir()
    (tmp_path / "content" / "book.txt").write_bytes(b"for buyers")

    class Files(Quiet, SimpleHTTPRequestHandler):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "content"))

    with http_server(Files) as port:
        (tmp_path / "origin").write_text(f"files=http://127.0.0.1:{port}")
        yield tmp_path


def _location(edge: Edge) -> str:
    """The name of the edge location that takes the next connection over TLS."""
    trusting = ssl._create_unverified_context()
    connection = http.client.HTTPSConnection("127.0.0.1", edge.printed["https"], timeout=20, context=trusting)
    try:
        connection.request("GET", "/", headers={"Host": HOST})
        return connection.getresponse().headers["X-Amz-Cf-Pop"]
    except OSError:
        return ""
    finally:
        connection.close()


def _serves(edge: Edge) -> bool:
    return bool(edge.get("/")[1]) and b"MissingKey" in edge.get("/book.txt")[1]


@pytest.fixture
def start(place: Path) -> Iterator[Callable[..., Edge]]:
    running: list[subprocess.Popen[str]] = []

    def run(*arguments: str, ready: Callable[[Edge], object] = _serves) -> Edge:
        process = subprocess.Popen(
            [
                *(str(KEYFRONT), "edge", "--json", "--config", "shop.json", "--keys", "keys"),
                *("--http-port", "0", "--https-port", "0", "--origin", (place / "origin").read_text()),
                *arguments,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=place,
        )
        running.append(process)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, process.communicate()[1]
        edge = Edge(process, json.loads(line))
        edge.until(lambda: ready(edge))
        return edge

    yield run
    for process in running:
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=30)


def signed(path: str = "/book.txt") -> str:
    url = Signer("K1", KEY).sign_url(f"http://{HOST}{path}", expires=int(time.time()) + 60)
    return url.removeprefix(f"http://{HOST}")


def test_a_saved_configuration_is_enforced_as_it_stands_and_followed(start: Callable[..., Edge], place: Path) -> None:
    edge = start()
    assert edge.printed["distributions"] == {"shop": [HOST]}
    status, body = edge.get("/book.txt")
    assert (status, b"<Code>MissingKey</Code>" in body) == (403, True)
    assert edge.get(signed()) == (200, b"for buyers")
    assert edge.get(signed().replace("Expires=1", "Expires=2"))[0] == 403
    assert edge.get(signed(), host="elsewhere.example")[0] == 403
    # A file that changes is taken up.
    (place / "keys" / "K1.pem").rename(place / "keys" / "K2.pem")
    edge.until(lambda: b"InvalidKey" in edge.get(signed())[1])
    (place / "shop.json").write_text("{")
    (place / "shop.json").write_text(json.dumps(SAVED | {"ETag": "E3"}))
    (place / "keys" / "K2.pem").rename(place / "keys" / "K1.pem")
    edge.until(lambda: edge.get(signed()) == (200, b"for buyers"))


def test_a_country_that_is_blocked_gets_nothing_when_a_file_says_who_is_there(
    start: Callable[..., Edge], place: Path
) -> None:
    blocked = {"GeoRestriction": {"RestrictionType": "blacklist", "Quantity": 1, "Items": ["DE"]}}
    saved = json.loads(json.dumps(SAVED))
    saved["DistributionConfig"]["Restrictions"] = blocked
    (place / "shop.json").write_text(json.dumps(saved))
    (place / "countries.json").write_text('{"127.0.0.0/8": "DE", "127.0.0.2": "FR"}')
    edge = start("--countries", "countries.json", ready=lambda edge: b"your country" in edge.get("/book.txt")[1])
    assert edge.get(signed())[0] == 403
    assert edge.get(signed(), viewer="127.0.0.2") == (200, b"for buyers")


def removed(file: Path) -> None:
    file.unlink()


def junk(file: Path) -> None:
    file.write_text("-----BEGIN PUBLIC KEY-----\nhalf")


def unreadable(file: Path) -> None:
    """By root as well."""
    file.unlink()
    file.symlink_to(file.name)


def folder_gone(file: Path) -> None:
    file.parent.rename(file.parent.with_name("elsewhere"))


def test_a_group_whose_only_key_is_gone_refuses_everything_and_says_so(start: Callable[..., Edge], place: Path) -> None:
    edge, key, faults = start("--admin-port", "0"), place / "keys" / "K1.pem", (removed, junk, unreadable, folder_gone)
    for fault in faults:
        edge.until(lambda: edge.admin("/readyz") == (200, b"LOC1-P1 ok\n"))
        assert edge.get(signed())[0] == 200, fault
        # At the same moment as a fault that hides the configuration: it must not keep the key alive.
        (place / "shop.json").write_text("{")
        fault(key)
        edge.until(lambda: edge.get(signed())[0] == 403)
        assert b"InvalidKey" in edge.get(signed())[1]
        edge.until(lambda: edge.admin("/readyz")[0] == 503)
        assert b"since they have no key: group-1" in edge.admin("/readyz")[1]
        assert b'keyfront_edge_key_groups_without_keys{location="LOC1-P1"} 1.0' in edge.admin("/metrics")[1]
        key.unlink(missing_ok=True)
        key.parent.mkdir(exist_ok=True)
        key.write_text(KEY.public_key.pem)
        (place / "shop.json").write_text(json.dumps(SAVED))
    edge.process.send_signal(signal.SIGTERM)
    said = edge.process.communicate(timeout=30)[1]
    assert said.count("key group group-1 has no usable key") == len(faults)
    assert "shop.json' is not JSON" in said


def test_a_configuration_that_cannot_be_read_is_used_for_its_time_and_then_everything_is_refused(
    start: Callable[..., Edge], place: Path
) -> None:
    edge = start("--admin-port", "0", "--stale", "3s")
    edge.until(lambda: edge.admin("/readyz")[0] == 200)
    (place / "shop.json").write_text("{")
    edge.until(lambda: b"old and cannot be read" in edge.admin("/readyz")[1])
    edge.until(lambda: edge.get(signed())[0] == 503)
    edge.until(lambda: edge.admin("/readyz")[0] == 503)
    assert b"LOC1-P1 refuses everything: its configuration is " in edge.admin("/readyz")[1]
    assert b'keyfront_edge_configuration_too_old{location="LOC1-P1"} 1.0' in edge.admin("/metrics")[1]
    (place / "shop.json").write_text(json.dumps(SAVED))
    edge.until(lambda: edge.get(signed()) == (200, b"for buyers"))
    edge.until(lambda: edge.admin("/readyz") == (200, b"LOC1-P1 ok\n"))


def test_a_hangup_reads_configuration_and_certificate_anew_and_ends_nothing(
    start: Callable[..., Edge], place: Path
) -> None:
    edge = start("--workers", "2")
    certificate = place / ".keyfront" / "authority" / "server-2.pem"
    locations: set[str] = set()

    def both_answer() -> bool:
        locations.add(_location(edge))
        return len(locations - {""}) == 2

    edge.until(both_answer)  # they have read their certificates, which takes its time on a busy machine
    certificate.unlink()
    edge.process.send_signal(signal.SIGHUP)
    edge.until(certificate.exists)
    assert edge.get(signed())[0] == 200
    edge.process.send_signal(signal.SIGTERM)
    said = edge.process.communicate(timeout=30)[1]
    assert edge.process.returncode == 0
    assert said.count("configuration and the certificate are read again") == 2


def test_an_edge_whose_terminal_is_closed_ends(place: Path) -> None:
    ours, terminal = os.openpty()
    process = subprocess.Popen(
        [
            *(str(KEYFRONT), "edge", "--json", "--config", "shop.json", "--keys", "keys"),
            *("--http-port", "0", "--https-port", "0"),
        ],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
        # So that it is the terminal of its session.
        preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        cwd=place,
    )
    os.close(terminal)
    assert process.stdout is not None
    with process.stdout:
        assert process.stdout.readline()
        os.close(ours)
        assert process.wait(30) == 0


class Download:
    """One that is under way, from an origin that sends the rest when it is told to."""

    def __init__(self, edge: Edge) -> None:
        self.connection = http.client.HTTPConnection("127.0.0.1", edge.printed["http"], timeout=60)
        self.connection.request("GET", signed("/slow"), headers={"Host": HOST})
        self.reply = self.connection.getresponse()
        assert (self.reply.status, self.reply.read(5)) == (200, b"first")

    def rest(self) -> bytes:
        with contextlib.closing(self.connection), self.reply:
            return self.reply.read()


@pytest.fixture
def rest(place: Path) -> Iterator[threading.Event]:
    """An origin with a file, `/slow`, of which only the beginning comes until this is set."""
    go_on = threading.Event()

    class Slow(Quiet):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"first")
            go_on.wait(60)
            with contextlib.suppress(OSError):
                self.wfile.write(b"later")

    with http_server(Slow) as port:
        (place / "origin").write_text(f"files=http://127.0.0.1:{port}")
        yield go_on
        go_on.set()


def refuses(edge: Edge) -> bool:
    try:
        edge.get("/")
    except OSError:
        return True
    return False


def test_a_download_under_way_runs_to_its_end_while_nobody_new_is_let_in(
    rest: threading.Event, start: Callable[..., Edge]
) -> None:
    edge = start()
    download = Download(edge)
    edge.process.send_signal(signal.SIGTERM)
    edge.until(lambda: refuses(edge))
    with pytest.raises(subprocess.TimeoutExpired):
        edge.process.wait(7)  # longer than any listener waits of itself
    rest.set()
    assert download.rest() == b"later"
    assert edge.process.wait(30) == 0


@pytest.mark.parametrize("how", ["its time is over", "a second signal"])
def test_a_download_that_does_not_end_is_cut(rest: threading.Event, start: Callable[..., Edge], how: str) -> None:
    edge = start("--drain", "1s" if how == "its time is over" else "1h")
    download = Download(edge)
    edge.process.send_signal(signal.SIGINT)
    edge.until(lambda: refuses(edge))
    if how == "a second signal":
        edge.process.send_signal(signal.SIGTERM)
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        download.rest()
    assert edge.process.wait(30) == 0


def test_an_operator_sees_decisions_metrics_and_logs(start: Callable[..., Edge], place: Path) -> None:
    edge = start("--log", "decisions", "--access-logs", "logs", "--admin-port", "0", "--workers", "2")
    assert edge.admin("/healthz") == (200, b"LOC1-P1 ok\nLOC2-P1 ok\n")
    edge.until(lambda: edge.admin("/readyz")[0] == 200)
    edge.until(lambda: edge.get(signed())[0] == 200)
    edge.until(lambda: b'key_pair_id="K1"' in edge.admin("/metrics")[1])
    metrics = edge.admin("/metrics")[1].decode()
    assert 'reason="missing-key-pair-id"' in metrics
    assert "keyfront_edge_origin_seconds_count" in metrics
    assert "keyfront_edge_configuration_read_timestamp_seconds" in metrics
    edge.process.send_signal(signal.SIGTERM)
    said = edge.process.communicate(timeout=30)[1]
    assert edge.process.returncode == 0
    assert f"GET http://{HOST}/book.txt" in said
    assert "Signature" not in said
    lines = [
        line for path in (place / "logs").glob("shop.*.gz") for line in gzip.decompress(path.read_bytes()).splitlines()
    ]
    assert any(b"\t/book.txt\t200\t" in line and b"Signature=hidden" in line for line in lines)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--config", "missing.json"], "'missing.json' cannot be read"),
        (["--config", "shop.json"], "no key of the key group group-1 is known"),
        (["--config", "shop.json", "--keys", "keys", "--origin", "files"], "write ID=URL"),
        (["--config", "shop.json", "--keys", "keys", "--origin", "video=http://a"], "there is no origin 'video'"),
        (["--keys", "keys"], "need --config"),
        (["--countries", "missing.json"], "cannot read --countries missing.json"),
        (
            ["--config", "shop.json", "--endpoint-url", "http://127.0.0.1:1"],
            "give --config or --endpoint-url, not both",
        ),
        (["--config", "shop.json", "--keys", "keys", "--access-logs", "shop.json"], "access logs cannot be written to"),
    ],
)
def test_a_mistake_is_one_line(
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    monkeypatch.chdir(place)
    assert main(["edge", "--http-port", "0", "--https-port", "0", *arguments]) == 2
    said, complained = capfd.readouterr()
    assert said == ""
    assert says in complained
    assert len(complained.strip().splitlines()) == 1


def _greets(edge: Edge, name: str) -> bool:
    """Whether a client that trusts the edge's authority takes it for `name`."""
    context = ssl.create_default_context(cafile=edge.printed["authority"])
    with (
        contextlib.suppress(ssl.SSLError, ConnectionError),
        socket.create_connection(("127.0.0.1", edge.printed["https"]), timeout=20) as connection,
        context.wrap_socket(connection, server_hostname=name),
    ):
        return True
    return False


def _said(edge: Edge, last: str) -> str:
    """What the edge has written to standard error, once `last` is in it."""
    assert edge.process.stderr is not None
    said = b""
    while last.encode() not in said:
        assert select.select([edge.process.stderr], [], [], 30)[0], said
        said += os.read(edge.process.stderr.fileno(), 65536)
    return said.decode()


def test_a_new_alias_gets_a_new_authority_only_when_the_user_says_so(start: Callable[..., Edge], place: Path) -> None:
    edge = start()
    trusted = Path(edge.printed["authority"]).read_bytes()
    edge.until(lambda: _greets(edge, HOST))
    saved = json.loads(json.dumps(SAVED))
    saved["DistributionConfig"]["Aliases"] = {"Quantity": 2, "Items": [HOST, "music.example.net"]}
    (place / "shop.json").write_text(json.dumps(saved))
    said = _said(edge, "trust the new one")
    assert said.count("certificate ") == 1
    assert "no certificate names music.example.net:" in said
    assert "--renew-authority" in said
    edge.until(lambda: _greets(edge, HOST))
    assert not _greets(edge, "music.example.net")
    assert Path(edge.printed["authority"]).read_bytes() == trusted
    edge.process.send_signal(signal.SIGINT)
    assert "certificate" not in edge.process.communicate(timeout=30)[1]

    edge = start("--renew-authority")
    edge.until(lambda: _greets(edge, "music.example.net"))
    assert _greets(edge, HOST)
    assert Path(edge.printed["authority"]).read_bytes() != trusted


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
@pytest.mark.parametrize("part", [".", "authority"])
def test_a_folder_that_another_user_left_is_not_used(
    place: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], part: str
) -> None:
    (place / ".keyfront" / "authority").mkdir(parents=True)
    os.chown(place / ".keyfront" / part, 12345, 12345)
    monkeypatch.chdir(place)
    assert main(["edge", "--http-port", "0", "--https-port", "0", "--config", "shop.json", "--keys", "keys"]) == 2
    said, complained = capfd.readouterr()
    assert said == ""
    assert "belongs to another user, uid 12345" in complained
