"""The backend as deploy/ describes it: the image's command with the compose file's settings, on PostgreSQL with TLS."""

import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import OctKey
from tests.backend.deployment import DEPLOY, Running, deployed, of_compose, of_image, of_unit
from tests.backend.postgres import Postgres

from keyfront.cli import main
from keyfront.core.keys import SigningKey

SECRET = "MARKERsecret" * 4
GIVEN = {
    "CLOUDFRONT_DOMAIN": "d111111abcdef8.cloudfront.net",
    "KEYPAIR_ID": "K2JCJMDEHXQW5F",
    "JWKS_URL": "https://login.example.com/jwks.json",
    "JWT_ISSUER": "https://login.example.com/",
    "JWT_AUDIENCE": "shop",
    "POSTGRES_PASSWORD": "owner",
    "BACKEND_PASSWORD": "MARKERpass'word",
    "TRUSTED_PROXIES": "127.0.0.1 10.0.0.0/8",
    "SIGNING_KEY_FILE": "signing-key",
}


def token(customer: str = "mara") -> str:
    claims = {"iss": GIVEN["JWT_ISSUER"], "aud": "shop", "sub": customer, "exp": 4_000_000_000}
    return jwt.encode({"alg": "HS256"}, claims, OctKey.import_key(SECRET))


@dataclass(frozen=True)
class Deployment:
    """What runs, and a client of it that downloads as Mara."""

    running: Running
    client: httpx.Client
    postgres: Postgres


@pytest.fixture(scope="module")
def psql(postgresql: Path) -> Path:
    # Beside the programs themselves: the PATH may have links to some of them only.
    return (postgresql / "initdb").resolve().parent / "psql"


@pytest.fixture(scope="module")
def deployment(
    postgres_server: Postgres,
    psql: Path,
    signing_key: SigningKey,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Deployment]:
    """The compose file's services, one after the other: roles.sql, migrate, backend."""
    folder, database = tmp_path_factory.mktemp("deployed"), postgres_server
    database.empty()
    roles: list[str | Path] = [psql, "--no-psqlrc", "-h", database.folder, "-U", "postgres", "-f", DEPLOY / "roles.sql"]
    subprocess.run(roles, check=True, env={"BACKEND_PASSWORD": GIVEN["BACKEND_PASSWORD"]}, capture_output=True)
    command, environment = of_compose("migrate", GIVEN)
    assert command is not None
    # The database has another name and owner here, and its certificate is checked.
    at = f"@{database.address}/postgres?sslmode=verify-full&sslrootcert={database.authority}"
    assert environment["DATABASE_URL"] == "postgresql://shop@database/shop"
    assert main([*command, "--database", f"postgresql://postgres{at}"]) == 0
    for words in (["items", "add", "lamps", "--key", "books/lamps.epub"], ["purchases", "grant", "mara", "lamps"]):
        assert main(["shop", *words, "--database", f"postgresql://postgres{at}"]) == 0

    private, _ = signing_key.write(folder / "key")
    command, environment = of_compose("backend", GIVEN)
    assert command is None
    del environment["JWKS_URL"]  # The tests have no issuer beside them.
    assert environment["DATABASE_URL"] == "postgresql://backend@database/shop"
    assert environment["SIGNER"] == f"file:/run/secrets/{GIVEN['SIGNING_KEY_FILE']}"
    environment |= {"DATABASE_URL": f"postgresql://backend{at}", "SIGNER": f"file:{private}", "JWT_SECRET": SECRET}
    arguments = [*of_image(), "--metrics-host", "127.0.0.1", "--metrics-port", "0", "--log-requests"]
    with (
        deployed(folder, environment, arguments) as running,
        httpx.Client(base_url=running.url, timeout=30, trust_env=False) as client,
    ):
        client.headers["Authorization"] = f"Bearer {token()}"
        yield Deployment(running, client, database)
    with database.connected() as connection:
        connection.execute("DROP OWNED BY backend")
        connection.execute("DROP ROLE backend")


@pytest.fixture
def client(deployment: Deployment) -> httpx.Client:
    return deployment.client


def test_a_role_that_only_reads_serves_downloads_over_tls(deployment: Deployment, client: httpx.Client) -> None:
    assert client.get("/readyz").json() == {"status": "ok", "database": True, "key": True, "tokens": True}
    answer = client.get("/download/lamps")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("https://d111111abcdef8.cloudfront.net/books/lamps.epub?Expires=")
    with deployment.postgres.connected() as connection:
        encrypted = "SELECT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'backend'"
        found = connection.execute(encrypted).fetchall()
    assert found
    assert set(found) == {(True,)}


def test_the_log_has_a_json_line_for_each_download_and_no_secret(deployment: Deployment, client: httpx.Client) -> None:
    client.get("/download/lamps", headers={"X-Forwarded-For": "127.0.0.1, 203.0.113.9, 10.1.1.1"})
    client.get("/download/lam%1b[2Jps?secret=MARKERquery")
    lines = deployment.running.lines()
    linked = next(line for line in lines if line["message"].startswith("link:"))
    assert {"customer": "mara", "item": "lamps", "seconds": 60, "level": "INFO"}.items() <= linked.items()
    requested = next(line for line in lines if line.get("viewer") == "203.0.113.9")
    facts = {"method": "GET", "path": "/download/lamps", "status": 303, "outcome": "redirect"}
    assert facts.items() <= requested.items()
    text = deployment.running.log.read_text()
    assert "\x1b" not in text
    for secret in ("MARKER", "Signature=", token()):
        assert secret not in text


def test_metrics_are_those_of_all_processes(deployment: Deployment) -> None:
    metrics = deployment.running.metrics
    assert metrics is not None

    def refused() -> float:
        found = re.search(r'requests_total\{outcome="no_such_item",status="404"\} (\S+)', httpx.get(metrics).text)
        return float(found[1]) if found else 0

    before = refused()
    headers = {"Authorization": f"Bearer {token()}"}
    for _ in range(16):
        # Without keep-alive: the system spreads connections over the processes.
        answer = httpx.get(f"{deployment.running.url}/download/nothing", headers=headers, trust_env=False)
        assert answer.status_code == 404
    assert refused() == before + 16
    text = httpx.get(metrics).text
    assert "keyfront_backend_response_seconds_bucket" in text
    assert "keyfront_backend_key_read_timestamp_seconds" in text


def test_a_table_that_it_may_not_change_stays_as_it_is(deployment: Deployment) -> None:
    with deployment.postgres.connected() as connection:
        rights = "SELECT privilege_type FROM information_schema.table_privileges WHERE grantee = 'backend'"
        assert set(connection.execute(rights).fetchall()) == {("SELECT",)}


@pytest.mark.large
def test_the_pages_first_block_works_as_pasted(tmp_path: Path, need_tool: Callable[[str], Path]) -> None:
    bash, _, _ = need_tool("bash"), need_tool("curl"), need_tool("openssl")
    page = (DEPLOY.parent / "docs" / "backend.md").read_text()
    block = page.partition("```console\n")[2].partition("```")[0]
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    lines = [line.removeprefix("$ ") for line in block.splitlines() if not line.startswith("$ pip install")]
    # On another port, and without a shell's job control.
    pasted = "\n".join(lines).replace("keyfront backend &", f"keyfront backend --port {port} &")
    pasted = pasted.replace("127.0.0.1:8000", f"127.0.0.1:{port}").replace("kill %1", "kill $!; wait $!")
    environment = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(
        [bash, "-c", pasted], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert (done.returncode, done.stderr.count("Traceback")) == (0, 0), done.stderr
    assert "HTTP/1.1 303 See Other" in done.stdout
    assert "location: https://d111111abcdef8.cloudfront.net/books/lamps.epub?Expires=" in done.stdout


def test_the_systemd_unit_is_valid_and_hardened(
    need_tool: Callable[[str], Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    analyze = need_tool("systemd-analyze")
    unit = tmp_path / "keyfront-backend.service"
    program = shutil.which("true")
    unit.write_text((DEPLOY / unit.name).read_text().replace("/usr/local/lib/keyfront/bin/keyfront", str(program)))

    def judged(*arguments: str) -> "subprocess.CompletedProcess[str]":
        command: list[Any] = [analyze, "--no-pager", *arguments, unit]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    verified = judged("verify")
    assert (verified.returncode, verified.stderr) == (0, "")
    # 0 is closed, 100 is open.
    secure = judged("security", "--offline=true", "--threshold=20")
    assert secure.returncode == 0, secure.stdout
    assert of_unit() == ["backend", "--log-format", "json"]


def test_the_image_is_without_rights_and_its_health_is_asked() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    assert re.findall(r"^USER (.+)$", text, re.MULTILINE) == ["65532:65532"]
    assert "/healthz" in text.partition("HEALTHCHECK")[2]


_WITHOUT = """
import sys
class Removed:
    def find_spec(self, name, path=None, target=None):
        if name in {removed!r}:
            raise ModuleNotFoundError(f"the image has no {{name}}")
sys.meta_path.insert(0, Removed())
import keyfront.keystore.kms, keyfront.keystore.secretsmanager, keyfront.keystore.ssm
"""


def test_the_image_starts_without_what_it_leaves_out() -> None:
    text = (DEPLOY / "Containerfile").read_text()
    (removed,) = re.findall(r"&& rm -r ([^\\]+)\\\n", text)
    (start,) = re.findall(r'python -c "([^"]+)"', text)
    modules = [each.replace("/", ".") for each in removed.split()]
    assert {"pygments", "sqlalchemy.testing"} <= set(modules)
    code = _WITHOUT.format(removed=modules) + start.replace("\\\n", "")
    started = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)
    assert (started.returncode, started.stderr) == (0, "")
    assert "Usage: keyfront backend" in started.stdout
