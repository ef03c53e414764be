"""The wheel and the sdist: what is in them, that they are the same each time, and that they name their commit."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Callable
from email import message_from_bytes
from pathlib import Path, PurePosixPath

import pytest

ROOT = Path(__file__).parents[1]
COMMIT = "0123456789abcdef0123456789abcdef01234567"
_BUILT_FROM = ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", "src", "terraform/modules")

pytestmark = pytest.mark.large


def _copied(place: Path) -> Path:
    """What packages are built from, at another path and with other times of its files."""
    skip = shutil.ignore_patterns("__pycache__", ".terraform*", "*.tfstate*", "*.egg-info")
    for name in _BUILT_FROM:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, place / name, ignore=skip, copy_function=shutil.copyfile)
        else:
            shutil.copyfile(ROOT / name, place / name)
    (place / ".cache").mkdir()
    (place / ".cache" / "of-another-tool").write_text("not ours")
    return place


def _build(source: Path, out: Path, *targets: str) -> dict[str, Path]:
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(out)]
    command += [word for target in targets for word in ("-t", target)]
    subprocess.run(command, cwd=source, env={**os.environ, "KEYFRONT_COMMIT": COMMIT}, check=True, capture_output=True)
    return {"wheel" if file.suffix == ".whl" else "sdist": file for file in out.iterdir()}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return _copied(tmp_path_factory.mktemp("source"))


@pytest.fixture(scope="module")
def built(source: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    return _build(source, tmp_path_factory.mktemp("built"), "sdist", "wheel")


def _of_wheel(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def _files(folder: Path, below: str) -> set[str]:
    return {
        f"{below}/{file.relative_to(folder).as_posix()}"
        for file in folder.rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    }


def test_the_wheel_has_the_package_the_terraform_modules_and_nothing_else(source: Path, built: dict[str, Path]) -> None:
    names = _of_wheel(built["wheel"])
    ours = {name for name in names if not name.startswith("keyfront-")}
    package = _files(source / "src" / "keyfront", "keyfront")
    assert ours == package | _files(source / "terraform" / "modules", "keyfront/terraform") | {"keyfront/commit.txt"}
    assert {"keyfront/py.typed", "keyfront/terraform/signing-key/main.tf"} <= ours
    about = {PurePosixPath(name).name for name in names - ours}
    assert about == {"METADATA", "RECORD", "WHEEL", "entry_points.txt", "LICENSE"}
    # A library: the files of the demo shop must stay small.
    assert built["wheel"].stat().st_size < 1_700_000


def test_the_sdist_has_what_a_wheel_is_built_from_and_nothing_else(built: dict[str, Path]) -> None:
    with tarfile.open(built["sdist"]) as archive:
        tops = Counter(PurePosixPath(name).parts[1] for name in archive.getnames() if "/" in name)
    files = {"CHANGELOG.md", "LICENSE", "PKG-INFO", "README.md", "pyproject.toml", ".gitignore"}
    assert set(tops) <= files | {"src", "terraform"}
    assert set(tops) >= (files - {".gitignore"}) | {"src", "terraform"}


def test_a_second_build_elsewhere_gives_the_same_bytes_also_from_the_sdist(
    built: dict[str, Path], tmp_path: Path
) -> None:
    again = tmp_path / "again"
    with tarfile.open(built["sdist"]) as archive:
        archive.extractall(again, filter="data")
    (unpacked,) = again.iterdir()
    second = _build(unpacked, tmp_path / "out", "sdist", "wheel")
    for kind, file in built.items():
        assert _digest(second[kind]) == _digest(file), kind


def _digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_wheel_names_its_commit(built: dict[str, Path], tmp_path: Path) -> None:
    with zipfile.ZipFile(built["wheel"]) as archive:
        archive.extractall(tmp_path)
    command = [sys.executable, "-c", "from keyfront.cli import main; main(['--version'])"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    said = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert said.stdout == f"keyfront 0.1.0 ({COMMIT[:12]})\n"


def test_the_description_can_be_shown_by_an_index(built: dict[str, Path]) -> None:
    """What `twine check` asks for: a description with its type, and the fields that an index needs."""
    with zipfile.ZipFile(built["wheel"]) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith("METADATA")]
        about = message_from_bytes(archive.read(name))
    assert about["Description-Content-Type"] == "text/markdown"
    assert str(about.get_payload()).startswith("# keyfront")
    assert (about["Name"], about["Requires-Python"], about["License-Expression"]) == (
        "keyfront",
        ">=3.11",
        "Apache-2.0",
    )
    assert about.get_all("Requires-Dist", [])[0] == "cryptography>=45"


@pytest.fixture
def checkout(tmp_path: Path) -> Callable[..., Path]:
    def make(**files: str) -> Path:
        (tmp_path / ".git" / "refs" / "heads").mkdir(parents=True)
        (tmp_path / "pyproject.toml").touch()
        for name, text in files.items():
            (tmp_path / ".git" / name.replace("__", "/").replace("_", "-")).write_text(text)
        return tmp_path / "src" / "keyfront"

    return make


@pytest.mark.parametrize(
    "files",
    [
        {"HEAD": COMMIT},
        {"HEAD": "ref: refs/heads/main\n", "refs__heads__main": f"{COMMIT}\n"},
        {"HEAD": "ref: refs/heads/main\n", "packed_refs": f"# pack-refs\n{COMMIT} refs/heads/main\n"},
    ],
)
def test_a_checkout_is_at_its_commit(checkout: Callable[..., Path], files: dict[str, str]) -> None:
    from keyfront.cli.commit import commit

    assert commit(checkout(**files)) == COMMIT[:12]


@pytest.mark.parametrize("files", [{}, {"HEAD": "ref: refs/heads/none"}, {"HEAD": "\x1b[31mred"}])
def test_no_commit_is_no_error(checkout: Callable[..., Path], files: dict[str, str]) -> None:
    from keyfront.cli.commit import commit

    assert commit(checkout(**files)) == ""
