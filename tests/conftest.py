"""What every room's tests share."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

_LONG: Final = (
    "terraform/examples",
    "rotation/test_proof",
    "terraform",
    "stack/up",
    "audit",
    "streams",
    "stack/endpoint",
    "test_benchmarks",
    "rotation",
    "tables",
    "lambda",
    "conformance",
    "dropins",
)
"""What takes longest, or waits most, comes first: begun last, it would run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first; the order within each stays."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((rank for rank, start in enumerate(_LONG) if path.startswith(start)), len(_LONG))


def _find(tool: str) -> Path | None:
    beside = [Path("/usr/sbin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(tool) or next((str(d / tool) for d in beside if (d / tool).exists()), None)
    return Path(found) if found else None


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str], Path]:
    """The path of a program; where it is missing the test skips, and fails in CI."""

    def need(tool: str) -> Path:
        if found := _find(tool):
            return found
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {tool} installed")
        pytest.skip(f"{tool} is not installed")

    return need


class SmallDisk:
    """A file system of its own that can be filled, at `path`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._filler = path / ".filler"

    def fill(self, *, leave: int = 0) -> None:
        """Take what room there is, but for `leave` bytes."""
        with self._filler.open("ab", buffering=0) as file:
            try:
                while os.statvfs(self.path).f_bavail:
                    file.write(bytes(os.statvfs(self.path).f_frsize))
            except OSError as error:
                if error.errno != errno.ENOSPC:
                    raise
            file.truncate(max(file.tell() - leave, 0))

    def empty(self) -> None:
        """Let there be room again."""
        self._filler.unlink()


@pytest.fixture
def small_disk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], SmallDisk]]:
    """Mounts a file system of so many KiB. Skips where that is not allowed."""
    mounted: list[Path] = []

    def mount(size: int) -> SmallDisk:
        path = tmp_path_factory.mktemp("disk")
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}k,mode=700", "tmpfs", str(path)]
        if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
            pytest.skip("a small file system cannot be mounted here: run the tests as root")
        mounted.append(path)
        return SmallDisk(path)

    yield mount
    for path in mounted:
        subprocess.run(["umount", "-l", str(path)], check=True)
