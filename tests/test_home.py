"""No file and no output leads to a home that is not the project's: there is one constant, and it is empty so far."""

import json
import os
import re
import subprocess
import sys
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from keyfront import home
from keyfront.explain import values
from keyfront.explain.rules import RULES

_ROOT = Path(__file__).parents[1]
_WALKED = (
    "src", "docs", "terraform", "benchmarks", "README.md", "CHANGELOG.md", "Makefile", "pyproject.toml",
    "requirements.lock",
)  # fmt: skip
_TEXT = {".py", ".md", ".toml", ".tf", ".hcl", ".html", ".css", ".js", ".json", ".svg", ".txt", ".sh", ".lock", ""}
_HOSTS = (
    r"(?:github\.com|githubusercontent\.com|github\.io|gitlab\.com|bitbucket\.org|codeberg\.org|pypi\.org|"
    r"readthedocs\.io|readthedocs\.org|npmjs\.com|registry\.terraform\.io|hub\.docker\.com|docker\.io|ghcr\.io|quay\.io)"
)
_ELSEWHERE = {
    "a page on somebody's host": re.compile(rf"{_HOSTS}[/:][^\s\"'`)>]*keyfront", re.IGNORECASE),
    "a name below somebody's host": re.compile(rf"\bkeyfront[\w-]*\.{_HOSTS}", re.IGNORECASE),
    "a domain": re.compile(r"://(?:[\w-]+\.)*keyfront\.(?!localhost|example|test|invalid)[a-z]{2,}", re.IGNORECASE),
    "a name on a package index": re.compile(
        r"\b(?:pip3?|pipx|uv|poetry|conda|npm|brew|docker)\s+(?:tool\s+|pip\s+)?(?:install|add|run|download|pull|i)\s"
        r"[^\n`(]*(?<![./\w-])keyfront(?![-/.\w])|\b(?:uvx|npx)\s+keyfront\b",
        re.IGNORECASE,
    ),
    "an extra of that name": re.compile(r"(?<!`)\bkeyfront\[[a-z][a-z,]*\]"),
    "a module of a registry": re.compile(r"\bsource\s*=\s*\"(?!\.)[^\"]*keyfront", re.IGNORECASE),
}


def _files() -> Iterator[Path]:
    for name in _WALKED:
        top = _ROOT / name
        if top.is_file():
            yield top
        for folder, folders, files in os.walk(top):
            folders[:] = [each for each in folders if not each.startswith((".", "__")) and each != "node_modules"]
            yield from (Path(folder, each) for each in files if Path(each).suffix in _TEXT)


def _elsewhere(text: str) -> list[str]:
    if home.HOME:
        text = text.replace(home.HOME, "")
    return [f"{what}: {found[0]}" for what, pattern in _ELSEWHERE.items() for found in pattern.finditer(text)]


def test_no_file_leads_elsewhere() -> None:
    told: list[str] = []
    for file in _files():
        text = file.read_text("utf-8", "replace")
        if file.name == "pyproject.toml":
            # Its extras name each other, which pip resolves without an index.
            text = re.sub(r"^\s*\"?keyfront\[.*$|= \[\"keyfront\[[a-z,]+\]\"", "", text, flags=re.MULTILINE)
            text = re.sub(r"\"keyfront\[[a-z,]+\]\"", "", text)
        told += [f"{file.relative_to(_ROOT)}: {each}" for each in _elsewhere(text)]
    assert told == []


@pytest.mark.parametrize(
    "text",
    [
        "https://github.com/keyfront/keyfront/blob/main/docs/findings.md#expired",
        "git+ssh://git@github.com:keyfront/keyfront.git",
        "https://keyfront.readthedocs.io/",
        "https://docs.keyfront.dev/audit",
        "pip install keyfront",
        "pip install 'keyfront[cli,aws]'",
        "uv tool install keyfront",
        "uvx keyfront up",
        "docker pull keyfront",
        "https://pypi.org/project/keyfront/",
        'source = "keyfront/private-content/aws"',
    ],
)
def test_the_walk_would_find_it(text: str) -> None:
    assert _elsewhere(text)


def test_the_package_names_no_other_home() -> None:
    urls = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"].get("urls", {})
    assert all(home.HOME and url.startswith(home.HOME) for url in urls.values())


def test_pages_derive_from_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    assert values.page_of("expired") == ""
    monkeypatch.setattr(home, "HOME", "https://code.example.com/keyfront")
    assert values.page_of("expired") == "https://code.example.com/keyfront/blob/main/docs/findings.md#expired"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel brings, and nothing of the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    build = "import hatchling.build, sys; print(hatchling.build.build_wheel(sys.argv[1]))"
    subprocess.run([sys.executable, "-c", build, folder], cwd=_ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder / "site")
    return folder / "site"


def test_a_wheel_tells_of_every_finding(installed: Path, tmp_path: Path) -> None:
    code = (
        "import keyfront, sys; from keyfront.cli import main; assert keyfront.__file__.startswith(sys.argv[1]);"
        "sys.exit(main(['explain', '--about', 'all', '--json']) or main(['explain', '--about', 'expired']))"
    )
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    done = subprocess.run(
        [sys.executable, "-c", code, str(installed)], cwd=tmp_path, capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    listed, end = json.JSONDecoder().raw_decode(done.stdout)
    assert [each["id"] for each in listed] == list(RULES)
    assert all(each["looks"] and each["code"]["Python"] and each["code"]["Terraform"] for each in listed)
    assert RULES["expired"].fix in done.stdout[end:]
    (metadata,) = installed.glob("*.dist-info/METADATA")
    assert "Project-URL" not in metadata.read_text("utf-8") or home.HOME


def test_an_id_that_is_none_is_told_with_its_like(run_keyfront: Callable[..., tuple[int, str, str]]) -> None:
    status, out, err = run_keyfront("explain", "--about", "expird")
    assert (status, out) == (2, "")
    assert "did you mean expired?" in err
    status, _, err = run_keyfront("explain", "https://media.example.com/", "--about", "expired")
    assert status == 2
    assert "give it without a request" in err


@pytest.fixture
def run_keyfront() -> Callable[..., tuple[int, str, str]]:
    def run(*words: str) -> tuple[int, str, str]:
        code = "import sys; from keyfront.cli import main; sys.exit(main(sys.argv[1:]))"
        done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    return run
