"""`keyfront backend`: what is wrong is said before anything listens."""

import logging
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from keyfront.backend import Purchases, connect
from keyfront.backend.asgi.server import check
from keyfront.backend.service.database_address import weak_encryption
from keyfront.backend.service.settings import Settings

Run = Callable[..., tuple[int, str, str]]

COMPLETE = {
    "CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
    "SIGNER": "env:NO_KEY_YET",
    "KEYPAIR_ID": "K2JCJMDEHXQW5F",
    "JWT_SECRET": "0123456789abcdef0123456789abcdef",
    "JWT_ISSUER": "https://login.example.com/",
    "JWT_AUDIENCE": "shop",
}


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[pytest.MonkeyPatch]:
    """Settings that are complete; logs as they were, afterwards."""
    for name, value in COMPLETE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/shop.db")
    loggers = [logging.getLogger(name) for name in ("", "keyfront", "_granian")]
    before = [(each, each.level, each.handlers[:], each.propagate) for each in loggers]
    yield monkeypatch
    for each, level, handlers, propagate in before:
        each.setLevel(level)
        each.handlers, each.propagate = handlers, propagate


@pytest.mark.parametrize(
    ("changes", "arguments", "told"),
    [
        ({"CLOUDFRONT_DOMAIN": ""}, [], "CLOUDFRONT_DOMAIN is not set: give the distribution's domain"),
        ({"JWT_SECRET": "", "JWT_ISSUER": "", "JWT_AUDIENCE": ""}, [], "there is no way to identify customers"),
        ({"LINK_RATE": "many"}, [], "LINK_RATE is 'many': write a rate such as 120/minute"),
        ({"TRUSTED_PROXIES": "10.0.0.0/8 proxy"}, [], "the trusted proxy 'proxy' is not a network"),
        ({}, ["--trusted-proxy", "0.0.0.0/0"], "is every address, so every viewer could forge theirs"),
        ({}, ["--drain", "0s"], "--drain"),
        ({}, ["--host", "localhost"], "--host localhost is not an address: give one, such as 127.0.0.1"),
        ({"WEB_CONCURRENCY": "none"}, [], "WEB_CONCURRENCY"),
        ({"LOG_FORMAT": "xml"}, [], "LOG_FORMAT"),
        ({}, ["--host", "192.0.2.1"], "this machine has no such address; choose another with --port or --host"),
    ],
)
def test_a_wrong_setting_is_named(
    changes: dict[str, str], arguments: list[str], told: str, environment: pytest.MonkeyPatch, run: Run
) -> None:
    for name, value in changes.items():
        environment.setenv(name, value)
    status, said, err = run("backend", "--port", "0", *arguments)
    assert (status, said) == (2, "")
    assert told in " ".join(err.split())


def test_a_port_in_use_is_named(run: Run) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        status, _, err = run("backend", "--port", str(port))
        assert status == 2
        assert f"cannot listen on 127.0.0.1 port {port}: another program is listening there" in err
        status, _, err = run("backend", "--port", "0", "--metrics-port", str(port))
        assert status == 2
        assert f"port {port}: Address already in use; choose another with --metrics-port" in err


def test_a_schema_that_is_too_old_names_the_command(run: Run, tmp_path: Path) -> None:
    engine = connect(f"sqlite:///{tmp_path}/shop.db")
    Purchases(engine).check()
    with engine.begin() as connection:
        connection.execute(text("ALTER TABLE items DROP COLUMN currency"))
    engine.dispose()
    status, said, err = run("backend", "--port", "0")
    assert (status, said) == (2, "")
    assert "has no column items.currency, so it is too old: run `keyfront shop migrate`" in err


def test_a_database_that_does_not_answer_yet_is_a_warning(
    environment: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    environment.setenv("DATABASE_URL", "postgresql://shop:MARKER@127.0.0.1:1/shop")
    with caplog.at_level("WARNING"):
        check(Settings.from_environment())
    assert "the purchases database did not answer" in caplog.text
    assert "downloads get 503 until it answers" in caplog.text
    assert "MARKER" not in caplog.text


@pytest.mark.parametrize(
    ("url", "mode", "told"),
    [
        ("postgresql://shop:MARKER@db.internal/shop", "", "at db.internal may be unencrypted (sslmode=prefer)"),
        ("postgresql://db.internal/shop?sslmode=require", "", "is encrypted, but may lead to another server"),
        ("postgresql:///shop?host=db.internal", "disable", "may be unencrypted (sslmode=disable)"),
        ("postgresql://db.internal/shop?sslmode=verify-full", "", None),
        ("postgresql://db.internal/shop", "verify-ca", None),
        ("postgresql://localhost/shop", "", None),
        ("postgresql://127.0.0.1/shop", "", None),
        ("postgresql:///shop?host=/run/postgresql", "", None),
        ("sqlite:///shop.db", "", None),
    ],
)
def test_a_connection_that_others_could_read_is_named(url: str, mode: str, told: str | None) -> None:
    warning = weak_encryption(url, {"PGSSLMODE": mode})
    assert "MARKER" not in str(warning)
    assert (told is None and warning is None) or (told or "") in str(warning)
