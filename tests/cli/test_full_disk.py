"""Commands on a disk that is full: one clear line, no traceback, and nothing half-written."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

KEYFRONT = Path(sys.executable).with_name("keyfront")
BLOCK = 4096


def fails(*arguments: str | Path, cwd: Path, stdout: Any = subprocess.PIPE) -> str:
    """What a command says that ends with status 2."""
    done = subprocess.run([KEYFRONT, *arguments], stdout=stdout, stderr=subprocess.PIPE, text=True, cwd=cwd, timeout=60)
    assert done.returncode == 2, done
    assert len(done.stderr.splitlines()) == 1, done.stderr
    return done.stderr


@pytest.mark.parametrize("blocks", [0, 1, 2])
def test_a_key_pair_is_written_whole_or_not_at_all(small_disk: Callable[[int], Any], blocks: int) -> None:
    disk = small_disk(64)
    disk.fill(leave=blocks * BLOCK)
    if blocks < 2:
        assert "No space left on device" in fails("keys", "generate", "--out", disk.path, cwd=disk.path)
        assert [path.name for path in disk.path.iterdir()] == [".filler"]
        disk.empty()
    subprocess.run([KEYFRONT, "keys", "generate", "--out", disk.path], check=True, capture_output=True)
    assert {path.name for path in disk.path.iterdir()} - {".filler"} == {"private_key.pem", "public_key.pem"}


def test_a_table_is_written_whole_or_not_at_all(small_disk: Callable[[int], Any], tmp_path: Path) -> None:
    subprocess.run([KEYFRONT, "keys", "generate", "--out", tmp_path], check=True, capture_output=True)
    rows = "".join(f"https://d111111abcdef8.cloudfront.net/{number}\n" for number in range(1000))
    (tmp_path / "in.csv").write_text(f"url\n{rows}")
    disk = small_disk(512)
    signing = (
        *("sign-table", tmp_path / "in.csv", disk.path / "out.csv", "--url-column", "url", "--expires", "1h"),
        *("--key-id", "K2JCJMDEHXQW5F", "--private-key", tmp_path / "private_key.pem"),
    )
    for leave in (0, 64 * BLOCK):
        disk.fill(leave=leave)
        assert "No space left on device" in fails(*signing, cwd=tmp_path)
        assert not (disk.path / "out.csv").exists()
        disk.empty()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no /dev/full")
def test_a_result_that_nobody_takes_is_no_success(tmp_path: Path) -> None:
    with Path("/dev/full").open("w") as full:
        said = fails("policy", "--help", cwd=tmp_path, stdout=full)
    assert said == "error: cannot write the result: No space left on device\n"
