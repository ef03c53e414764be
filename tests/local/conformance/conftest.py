"""moto's own CloudFront tests, from its source distribution, against our endpoint."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys
import tarfile
import tomllib
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import pytest
from tests import needs

_HERE = Path(__file__).parent
_DOWNLOAD_SECONDS, _RUN_SECONDS = 120, 300
_NEEDED = (
    *("tests/__init__.py", "tests/conftest.py", "tests/markers.py"),
    *("tests/test_cloudfront/", "tests/test_cloudformation/"),
)


@dataclass(frozen=True)
class MotoTests:
    """moto's tests in a folder."""

    folder: Path

    def verified(self) -> set[str]:
        """The names of those that moto has run against AWS: they are decorated so."""
        sources = self._sources().values()
        return {name for source in sources for name in re.findall(r"@aws_verified\s+def (\w+)", source)}

    def addresses(self, names: Collection[str]) -> list[str]:
        """Where pytest finds the tests of CloudFront with these names."""
        sources = self._sources().items()
        return [f"{p}::{name}" for p, source in sources for name in re.findall(r"def (\w+)", source) if name in names]

    def _sources(self) -> dict[str, str]:
        files = sorted(self.folder.glob("tests/test_cloudfront/test_*.py"))
        return {path.relative_to(self.folder).as_posix(): path.read_text("utf-8") for path in files}

    def run(self, url: str, report: Path, chosen: Sequence[str] = ("tests/test_cloudfront",)) -> dict[str, str | None]:
        """Run files and tests against the endpoint at `url`: why each has failed, by its name, or `None`."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
        server = {"TEST_SERVER_MODE": "true", "TEST_SERVER_MODE_ENDPOINT": url}
        account = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
        plain = ["-q", "--tb=short", "-p", "no:xdist", "-p", "no:cacheprovider", "-c", os.devnull]
        ran = subprocess.run(
            [sys.executable, "-m", "pytest", *plain, "--rootdir=.", f"--junitxml={report}", *chosen],
            cwd=self.folder,
            env=environment | server | account,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_RUN_SECONDS,
            check=False,
        )
        assert ran.returncode in (0, 1), ran.stdout
        return {
            str(case.get("name")): _failure(case)
            for case in ElementTree.parse(report).iter("testcase")
            if case.find("skipped") is None
        }


def _failure(case: ElementTree.Element) -> str | None:
    found = [each for each in (case.find("failure"), case.find("error")) if each is not None]
    return f"{found[0].get('message')}\n{found[0].text}" if found else None


@dataclass(frozen=True)
class Difference:
    """Tests of moto that fail here, and why ours is nearer to the real service; a name stands for all its cases."""

    because: str
    tests: tuple[str, ...]
    cases: int
    without_identity_only: bool
    either_way: bool
    """They pass by chance."""

    def covers(self, case: str) -> bool:
        """Whether `case` (a test's name, with its parameters) is one of them."""
        return case in self.tests or case.partition("[")[0] in self.tests


@pytest.fixture(scope="session")
def differences() -> list[Difference]:
    """What `moto.toml` says."""
    return [
        Difference(
            d["because"],
            tuple(d["tests"]),
            d["cases"],
            d.get("without_identity_only", False),
            d.get("either_way", False),
        )
        for d in tomllib.loads((_HERE / "moto.toml").read_text("utf-8"))["differs"]
    ]


@pytest.fixture(scope="session")
def moto_tests(tmp_path_factory: pytest.TempPathFactory, pytestconfig: pytest.Config) -> MotoTests:
    """moto's tests, downloaded once and kept in pytest's cache. Skips where the package index cannot be reached."""
    kept = pytestconfig.cache.mkdir("moto")
    archive = kept / "moto-5.2.5.tar.gz"
    _download(archive)
    folder = tmp_path_factory.mktemp("moto-tests")
    with tarfile.open(archive) as opened:
        members = [m for m in opened if m.name.partition("/")[2].startswith(_NEEDED)]
        opened.extractall(folder, members, filter="data")
    return MotoTests(next(folder.iterdir()))


def _download(archive: Path) -> None:
    """With pip, from the index that it is configured for, which checks the hash; what is kept is checked here."""
    wanted = _HERE / "moto-sdist.txt"
    if archive.exists() and hashlib.sha256(archive.read_bytes()).hexdigest() in wanted.read_text("utf-8"):
        return
    archive.unlink(missing_ok=True)
    options = ["--quiet", "--disable-pip-version-check", "--no-deps", "--no-binary", "moto", "--require-hashes"]
    ran = subprocess.run(
        [sys.executable, "-m", "pip", "download", *options, "-r", str(wanted), "--dest", str(archive.parent)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=_DOWNLOAD_SECONDS,
        check=False,
    )
    if not archive.exists():
        needs.skip("moto's source distribution cannot be downloaded", ran.stdout[-500:])


@pytest.fixture
def endpoint() -> Callable[..., object]:
    """Starts the endpoint in a process of its own, for a `with`; gives its address."""

    @contextmanager
    def start(*arguments: str) -> Iterator[str]:
        server = [sys.executable, str(_HERE / "server.py"), *arguments]
        process = subprocess.Popen(server, stdout=subprocess.PIPE, text=True)
        try:
            assert process.stdout
            yield process.stdout.readline().strip()
        finally:
            process.terminate()
            process.communicate(timeout=30)

    return start
