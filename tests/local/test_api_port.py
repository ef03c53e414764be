"""The HTTPS port of APIs: their addresses work as they are, and nothing else answers there."""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Loop, event_loop

from keyfront.edge.server.certificates import Authority
from keyfront.local import api_port
from keyfront.local.api_port import apis_alone, bind_api_port, certificate
from keyfront.web.serving import Listener, bind

API = "abc123.execute-api.eu-central-1.localhost"


@pytest.fixture(scope="module")
def loop() -> Iterator[Loop]:
    with event_loop() as running:
        yield running


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("authority")


async def _endpoint(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": str(scope["server"][1]).encode()})


@pytest.fixture(scope="module")
def port(loop: Loop, folder: Path) -> Iterator[int]:
    tls = certificate(folder)

    async def start() -> Listener:
        listener = Listener(apis_alone(_endpoint, 4566), bind("127.0.0.1", 0), tls=tls)
        listener.start()
        return listener

    listener = loop.run(start())
    yield listener.port
    loop.run(listener.stop())


def ask(port: int, folder: Path, name: str, host: str) -> tuple[int, bytes]:
    """The answer to who trusts the authority, and expects `name` in the certificate."""
    context = ssl.create_default_context(cafile=str(folder / "ca.pem"))
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=20, context=context)
    connection.sock = context.wrap_socket(socket.create_connection(("127.0.0.1", port)), server_hostname=name)
    connection.request("GET", "/", headers={"Host": host})
    answer = connection.getresponse()
    read = answer.status, answer.read()
    connection.close()
    return read


def test_an_api_answers_as_at_the_endpoints_port(port: int, folder: Path) -> None:
    assert ask(port, folder, API, API) == (200, b"4566")
    url = "abc123.lambda-url.us-east-1.localhost"
    assert ask(port, folder, url, url) == (200, b"4566")


@pytest.mark.parametrize("host", ["localhost", "films.s3.localhost", "evil.example", ""])
def test_no_service_answers(port: int, folder: Path, host: str) -> None:
    status, body = ask(port, folder, "localhost", host)
    assert (status, b"4566" in body) in ((403, False), (400, False))


def test_a_port_that_another_program_has_is_left_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    with bind("127.0.0.1", 0) as taken:
        monkeypatch.setattr(api_port, "PORT", taken.getsockname()[1])
        assert bind_api_port() == []


def test_without_room_for_its_certificate_it_is_left_out_and_the_log_says_why(
    small_disk: Callable[[int], Any], caplog: pytest.LogCaptureFixture
) -> None:
    disk = small_disk(1024)
    Authority(disk.path / "authority").server([])
    disk.fill()
    with caplog.at_level(logging.WARNING, "keyfront.local.api_port"):
        assert certificate(disk.path / "authority") is None
    (record,) = caplog.records
    assert "APIs and function URLs do not answer at port 443: certificates cannot be kept" in record.getMessage()
