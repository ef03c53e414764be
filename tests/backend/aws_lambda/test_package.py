"""The package: small, for Lambda's platform, of locked wheels, and the same to the byte wherever it is built."""

import hashlib
import json
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
from tests.backend.aws_lambda.conftest import ARCHITECTURE, PYTHON

from keyfront.cli import main
from keyfront.errors import InputError, ServiceError
from keyfront.packaging import ARCHITECTURES, EXTRAS, Plan, build
from keyfront.packaging.bytecode import compiled
from keyfront.packaging.contents import of_wheels
from keyfront.packaging.plan import PYTHONS
from keyfront.packaging.wheels import download, locked

LIMIT = 12_000_000


def machine(shared_object: bytes) -> int:
    """The machine of an ELF file: 62 is x86-64, 183 is AArch64."""
    assert shared_object[:4] == b"\x7fELF"
    return int.from_bytes(shared_object[18:20], "little")


@pytest.mark.parametrize(
    ("architecture", "number", "folders"), [("x86_64", 62, ["one", "another"]), ("arm64", 183, ["one"])]
)
def test_two_folders_give_the_same_bytes_for_the_architecture_that_was_asked_for(
    architecture: str, number: int, folders: list[str], tmp_path: Path, sales: Path
) -> None:
    sums = set()
    for name in folders:
        folder = tmp_path / name
        folder.mkdir()
        copy = folder / "sales.py"
        copy.write_bytes(sales.read_bytes())
        built = build(Plan(architecture, includes=(copy,)), folder / f"{name}.zip")
        content = built.path.read_bytes()
        assert (built.size, built.sha256) == (len(content), hashlib.sha256(content).hexdigest())
        sums.add(built.sha256)
        assert built.size < LIMIT
        assert {path.name for path in folder.iterdir()} == {"sales.py", f"{name}.zip"}
    assert len(sums) == 1
    with zipfile.ZipFile(tmp_path / "one" / "one.zip") as archive:
        entries = archive.infolist()
        names = [entry.filename for entry in entries]
        assert names == sorted(names)
        assert {entry.date_time for entry in entries} == {(1980, 1, 1, 0, 0, 0)}
        assert {entry.external_attr >> 16 for entry in entries} == {0o100644}
        libraries = [name for name in names if name.endswith(".so")]
        assert libraries
        assert {machine(archive.read(name)) for name in libraries} == {number}
        assert not [name for name in names if name.endswith((".pyc", ".pyi")) or "/tests/" in name]
        assert not [name for name in names if name.startswith(("boto", "starlette", "mangum", "keyfront/edge", "pip"))]
        assert [name for name in names if re.match(r"cryptography-.*\.dist-info/licenses/LICENSE", name)]


def test_locked_wheels_are_those_of_the_project(tmp_path: Path) -> None:
    lock = (Path(__file__).parents[3] / "requirements.lock").read_text("utf-8")
    for name in Plan(extras=EXTRAS).distributions:
        entry = locked([name])[0]
        pin = entry.split()[0]
        assert f"\n{pin} " in f"\n{lock}", f"{pin} is not what requirements.lock has"
        ours = set(re.findall(r"sha256:[0-9a-f]{64}", entry))
        block = re.split(r"^(?=\S)", lock[lock.index(f"\n{pin} ") + 1 :], flags=re.MULTILINE)[1]
        assert ours
        assert ours == set(re.findall(r"sha256:[0-9a-f]{64}", block))


def test_postgresql_brings_its_driver(tmp_path: Path) -> None:
    files = of_wheels(download(Plan(extras=("postgresql",)), tmp_path))
    tops = {name.partition("/")[0] for name in files}
    assert {"psycopg", "psycopg_binary", "psycopg_binary.libs", "sqlalchemy"} <= tops
    assert sum(map(len, files.values())) < 60_000_000


def test_a_wheel_that_is_another_than_the_locked_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wrong = re.sub(r"sha256:[0-9a-f]{64}", f"sha256:{'0' * 64}", "".join(locked(Plan().distributions)))
    lock = tmp_path / "locked.txt"
    lock.write_text(wrong, "utf-8")
    monkeypatch.setattr("keyfront.packaging.wheels._LOCK", lock)
    out = tmp_path / "function.zip"
    with pytest.raises(ServiceError, match="pip could not download the wheels"):
        build(Plan(), out)
    assert not out.exists()


def test_what_cannot_be_built_is_told_in_one_line(tmp_path: Path, sales: Path) -> None:
    with pytest.raises(InputError, match="the architecture 'mips' is not one of Lambda's: choose x86_64, arm64"):
        Plan("mips")
    with pytest.raises(InputError, match="nothing to add for 'oracle': choose dynamodb, postgresql"):
        Plan(extras=("oracle",))
    with pytest.raises(InputError, match=r"there is no file .*nothing\.py' to include"):
        Plan(includes=(tmp_path / "nothing.py",))
    with pytest.raises(InputError, match="there is no folder"):
        build(Plan(), tmp_path / "nowhere" / "function.zip")
    clash = tmp_path / "joserfc"
    clash.mkdir()
    (clash / "__init__.py").write_text("")
    with pytest.raises(InputError, match=r"would replace joserfc/__init__\.py"):
        build(Plan(includes=(clash,)), tmp_path / "function.zip")


def test_modules_go_along_compiled_the_same_each_time_and_are_what_python_loads(
    tmp_path: Path, built: Path, sales: Path
) -> None:
    again = build(Plan(ARCHITECTURE, PYTHON, includes=(sales,), bytecode=True), tmp_path / "again.zip")
    assert again.sha256 == hashlib.sha256(built.read_bytes()).hexdigest()
    assert again.size < LIMIT
    with zipfile.ZipFile(built) as archive:
        names = set(archive.namelist())
        modules = {name for name in names if name.endswith(".py")}
        assert len({name for name in names if name.endswith(".pyc")}) == len(modules)
        archive.extractall(tmp_path / "task")
    (tmp_path / "task" / "sales.py").write_text("raise SystemExit('the source was compiled again')")
    command = [sys.executable, "-S", "-c", "import sales; print(sales.may_download('mara', 'root'))"]
    done = subprocess.run(command, cwd=tmp_path / "task", capture_output=True, text=True, timeout=60, check=False)
    assert done.stdout.strip() == "root.txt", done.stderr


def test_a_module_that_does_not_compile_is_named() -> None:
    with pytest.raises(InputError, match=r"a module does not compile with Python .*wrong\.py"):
        compiled({"wrong.py": b"def broken(:\n"}, ".".join(map(str, sys.version_info[:2])))


def test_every_platform_has_tags_of_its_glibc() -> None:
    for architecture in ARCHITECTURES:
        for python in PYTHONS:
            newest = Plan(architecture, python).platforms[0]
            assert newest == f"manylinux_2_{26 if python == '3.11' else 34}_{ARCHITECTURES[architecture]}"


def test_the_command_writes_the_package_and_says_its_hash_for_terraform(
    tmp_path: Path, sales: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "function.zip"
    package = ["lambda", "package", "--out", str(out)]
    assert main([*package, "--include", str(sales), "--json"]) == 0
    said = json.loads(capsys.readouterr().out)
    assert said["sha256"] == hashlib.sha256(out.read_bytes()).hexdigest()
    assert (said["runtime"], said["architecture"]) == ("python3.12", "x86_64")
    assert main([*package, "--with", "oracle"]) == 2
    told = capsys.readouterr().err.splitlines()[-1]
    assert told == "error: there is nothing to add for 'oracle': choose dynamodb, postgresql"
