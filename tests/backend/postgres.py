"""A PostgreSQL server of the tests' own, on a socket in a folder, and with TLS on an address of this machine."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import trustme
from tests.waiting import wait_until


class Postgres:
    """A PostgreSQL server of the test's own, on a socket in a directory of its own."""

    def __init__(self, programs: Path, directory: Path) -> None:
        self._programs = programs
        self.folder = directory
        # PostgreSQL refuses to run as root.
        self._user: dict[str, Any] = (
            {"user": "postgres", "group": "postgres", "extra_groups": []} if os.geteuid() == 0 else {}
        )
        self._process: subprocess.Popen[bytes] | None = None
        self.url = f"postgresql+psycopg://postgres@/postgres?host={directory}"
        # Linux has all of 127.0.0.0/8, so each process of the tests has an address of its own for the usual port.
        pid = os.getpid()
        self.address = f"127.{1 + pid // 65536 % 254}.{pid // 256 % 256}.{1 + pid % 254}"
        self.authority = directory / "authority.pem"

    def create(self) -> None:
        data = self.folder / "data"
        command: list[str | Path] = [
            self._programs / "initdb",
            "-D",
            data,
            "-U",
            "postgres",
            "-A",
            "trust",
            "-E",
            "UTF8",
            "--no-sync",
        ]
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True, **self._user)
        with (data / "pg_hba.conf").open("a") as rules:
            rules.write("hostssl all all 127.0.0.0/8 trust\n")
        self._certify(data)

    def _certify(self, data: Path) -> None:
        """A certificate for `address`, of `authority`."""
        authority = trustme.CA()
        issued = authority.issue_cert(self.address)
        authority.cert_pem.write_to_path(self.authority)
        self.authority.chmod(0o644)
        issued.cert_chain_pems[0].write_to_path(data / "server.pem")
        issued.private_key_pem.write_to_path(data / "server.key")
        (data / "server.key").chmod(0o600)
        if self._user:
            for name in ("server.pem", "server.key"):
                shutil.chown(data / name, "postgres", "postgres")

    def start(self) -> None:
        command: list[str | Path] = [
            self._programs / "postgres", "-D", self.folder / "data", "-k", self.folder,
            "-c", f"listen_addresses={self.address if sys.platform == 'linux' else ''}", "-c", "fsync=off",
            "-c", "ssl=on", "-c", "ssl_cert_file=server.pem", "-c", "ssl_key_file=server.key",
        ]  # fmt: skip
        log = (self.folder / "log").open("ab")
        process: subprocess.Popen[bytes] = subprocess.Popen(
            command, cwd=self.folder, stdout=log, stderr=log, **self._user
        )
        self._process = process
        log.close()

        def answers() -> bool:
            try:
                psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres").close()
            except psycopg.OperationalError:
                assert process.poll() is None, (self.folder / "log").read_text()
                return False
            return True

        wait_until(answers, told=lambda: "PostgreSQL did not start")

    def stop(self) -> None:
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(30)
            self._process = None

    @contextmanager
    def frozen(self) -> Iterator[None]:
        """The server and all its processes stopped (SIGSTOP), until the end of the block."""
        assert self._process is not None
        parent = self._process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        # The one that forks the others first.
        pids = [parent, *map(int, children)]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def empty(self) -> None:
        """Take our tables out."""
        with self.connected() as connection:
            connection.execute("DROP TABLE IF EXISTS purchases, items, customers, keyfront_schema")

    def connected(self) -> "psycopg.Connection[tuple[Any, ...]]":
        """A connection as the owner."""
        return psycopg.connect(host=str(self.folder), user="postgres", dbname="postgres")

    @contextmanager
    def role(self, name: str) -> Iterator[None]:
        """A role without rights, until the end of the block."""
        with self.connected() as connection:
            connection.execute(f"CREATE ROLE {name} LOGIN")
        try:
            yield
        finally:
            with self.connected() as connection:
                connection.execute(f"DROP OWNED BY {name}")
                connection.execute(f"DROP ROLE {name}")
