"""A function's package: what is for another machine is named before the first call, and not by the loader."""

from __future__ import annotations

import io
import platform
import zipfile
from pathlib import Path

import pytest

from keyfront.local.lambdas.function import Archive, FunctionError
from keyfront.local.lambdas.package import unpack

HERE = {"aarch64": "arm64"}.get(platform.machine(), platform.machine())
NUMBERS = {"x86_64": 62, "arm64": 183}
ELSEWHERE = next(name for name in NUMBERS if name != HERE)


def library(architecture: str) -> bytes:
    """The beginning of a shared library."""
    return b"\x7fELF\x02\x01\x01" + bytes(9) + (3).to_bytes(2, "little") + NUMBERS[architecture].to_bytes(2, "little")


def archive(files: dict[str, bytes]) -> Archive:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as package:
        for name, content in files.items():
            package.writestr(name, content)
    return Archive(str(hash(packed.getvalue())), packed.getvalue())


def test_a_package_for_another_architecture_is_named(tmp_path: Path) -> None:
    package = archive({"index.py": b"", "lib/_rust.abi3.so": library(ELSEWHERE)})
    for _ in range(2):
        with pytest.raises(FunctionError) as raised:
            unpack((package,), tmp_path / "code")
        assert f"is for {ELSEWHERE}, and this machine is {HERE}" in str(raised.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(HERE not in NUMBERS, reason="this machine has none of Lambda's architectures")
@pytest.mark.parametrize(
    "files",
    [
        {"index.py": b""},
        {"lib/own.so": library("x86_64"), "lib/other.so": library("arm64")},
        {"data.bin": b"\x7fELF", "empty": b""},
    ],
)
def test_code_for_this_machine_among_others_or_none_is_unpacked(tmp_path: Path, files: dict[str, bytes]) -> None:
    folder = unpack((archive(files),), tmp_path / "code")
    assert {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()} == set(files)
