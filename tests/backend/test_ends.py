"""The service as it is deployed ends at SIGTERM: under load, and while what it asks never answers."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from tests.backend.conftest import BOUGHT, ISSUER, ITEMS, MARA, TOMAS, Issuer
from tests.waiting import wait_until

from keyfront.backend import connect, seed
from keyfront.core.keys import SigningKey

_HANGS = """
import pathlib, time

def asked(customer, item):
    pathlib.Path(__file__).with_name("asked").touch()
    time.sleep(3600)
"""


@contextmanager
def deployed(
    tmp_path: Path, signing_key: SigningKey, issuer: Issuer, **variables: str
) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """The service behind granian, and a client that downloads as Mara."""
    private, _ = signing_key.write(tmp_path / "key")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {
        "CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
        "SIGNER": f"file:{private}",
        "KEYPAIR_ID": "K2JCJMDEHXQW5F",
        "CHECK_KEY": "false",
        "JWT_KEY": issuer.pem(),
        "JWT_ISSUER": ISSUER,
        "JWT_AUDIENCE": "shop",
    }
    command = [sys.executable, "-m", "granian", "--interface", "asgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--factory", "keyfront.backend:from_environment"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            command, cwd=tmp_path, env={**os.environ, **environment, **variables}, stdout=log, stderr=log
        )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    headers = {"Authorization": f"Bearer {issuer.token()}"}
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", headers=headers, timeout=30, trust_env=False) as client:
        try:
            wait_until(lambda: _is_alive(client))
            yield process, client
        finally:
            if process.poll() is None:
                for pid in (*map(int, children.read_text().split()), process.pid):
                    os.kill(pid, signal.SIGKILL)
                process.wait(30)


def _is_alive(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


def test_it_ends_under_load(tmp_path: Path, signing_key: SigningKey, issuer: Issuer) -> None:
    url = f"sqlite:///{tmp_path}/shop.db"
    engine = connect(url)
    seed(engine, ITEMS, (MARA, TOMAS), BOUGHT)
    engine.dispose()
    over = threading.Event()
    statuses: list[int] = []

    def download(client: httpx.Client) -> None:
        while not over.is_set():
            try:
                statuses.append(client.get("/download/lamps").status_code)
            except httpx.TransportError:
                over.wait(0.05)

    with deployed(tmp_path, signing_key, issuer, DATABASE_URL=url) as (process, client), ThreadPoolExecutor(16) as pool:
        try:
            for _ in range(16):
                pool.submit(download, client)
            wait_until(lambda: len(statuses) > 100)
            process.send_signal(signal.SIGTERM)
            assert process.wait(30) == 0
        finally:
            over.set()
    assert set(statuses) == {303}


@pytest.mark.parametrize("requests", [1, 30])
def test_it_ends_while_what_it_asks_never_answers(
    requests: int, tmp_path: Path, signing_key: SigningKey, issuer: Issuer
) -> None:
    (tmp_path / "sales.py").write_text(_HANGS)
    variables = {"KEYFRONT_ENTITLEMENTS": "sales:asked", "PYTHONPATH": _with(tmp_path), "WAIT_SECONDS": "1"}
    with (
        deployed(tmp_path, signing_key, issuer, **variables) as (process, client),
        ThreadPoolExecutor(requests) as pool,
    ):
        answers = [pool.submit(_status, client) for _ in range(requests)]
        wait_until((tmp_path / "asked").exists)
        assert {answer.result(30) for answer in answers} == {503}
        process.send_signal(signal.SIGTERM)
        assert process.wait(30) == 0


def _status(client: httpx.Client) -> int:
    return client.get("/download/lamps").status_code


def _with(folder: Path) -> str:
    return os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
