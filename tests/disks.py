"""Disks that fill up: small file systems of the tests' own."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


class SmallDisk:
    """A file system that can be filled, at `path`."""

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
