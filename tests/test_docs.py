"""What the README and the pages in docs/ show in Python runs as it stands; commands: tests/test_examples.py.

To add an example: write a ```python block. A page's blocks share one namespace, in a folder with `private_key.pem` and
`public_key.pem`; `_GIVEN` says what else a page takes for granted. `<!-- skip: next -->` before a block leaves it out.
"""

import json
import os
import subprocess
import sys
import traceback
from pathlib import Path

import pytest
from sybil import Sybil
from sybil.parsers.markdown import PythonCodeBlockParser, SkipParser

from keyfront import SigningKey

_ROOT = Path(__file__).parent.parent
_PAGES = [_ROOT / "README.md", *sorted((_ROOT / "docs").glob("*.md"))]
_SHOWN = Sybil(parsers=[PythonCodeBlockParser(), SkipParser()], pattern="*.md")

_GIVEN = {
    "explain.md": "url = 'https://d111111abcdef8.cloudfront.net/book.epub'",
    "middleware.md": "from django.conf import settings; settings.configure()",
    "django.md": """
from django.conf import settings
settings.configure(KEYFRONT={"SIGNER": "file:private_key.pem", "KEY_PAIR_ID": "K2JCJMDEHXQW5F", "DOMAIN": "m.example"})
INSTALLED_APPS, MIDDLEWARE = [], []
""",
}
"""What a page takes for granted: that its reader is in a Django project, or has a link to ask about."""


class _Headers:
    """The headers of whatever framework's response the pages talk about."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def append(self, name: str, value: str) -> None:
        self.sent.append((name, value))


def _has_python(page: Path) -> bool:
    return "```python" in page.read_text("utf-8")


_SHOWING = [page for page in _PAGES if _has_python(page)]
_ALONE = ("django.md", "middleware.md")
"""Pages with a process of their own: Django is set up once for good. The others share one."""


@pytest.fixture(scope="module")
def errors(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong, by the names of the pages: nothing, or a traceback."""
    alone = [[page] for page in _SHOWING if page.name in _ALONE]
    found: dict[str, str] = {}
    for pages in ([page for page in _SHOWING if page.name not in _ALONE], *alone):
        run = [sys.executable, "-W", "error", "-m", "tests.test_docs", *map(str, pages)]
        folder = tmp_path_factory.mktemp("docs")
        done = subprocess.run(run, cwd=folder, env={"PYTHONPATH": str(_ROOT)}, capture_output=True, text=True)
        result = folder / "errors.json"
        found |= json.loads(result.read_text()) if result.exists() else {page.name: done.stderr for page in pages}
    return found


@pytest.mark.parametrize("page", _SHOWING, ids=lambda page: page.name)
def test_its_python_runs(page: Path, errors: dict[str, str]) -> None:
    how = "how an example is added, and what it may use: the first lines of tests/test_docs.py"
    assert errors[page.name] == "", f"{errors[page.name]}\n{how}"


def _run_all(pages: list[Path]) -> dict[str, str]:
    """What went wrong with each page, in a folder of its own below this one."""
    here, found = Path.cwd(), dict[str, str]()
    for page in pages:
        folder = here / page.stem
        SigningKey.generate("ecdsa").write(folder)
        os.chdir(folder)
        try:
            _run(page)
        except BaseException:  # noqa: BLE001  pytest's failures and exits are no Exceptions
            found[page.name] = traceback.format_exc()
        else:
            found[page.name] = ""
        os.chdir(here)
    return found


def _run(page: Path) -> None:
    """Every block of `page` that is not marked to be skipped, in the page's order and in one namespace."""
    document = _SHOWN.parse(page)
    response = type("Response", (), {"headers": _Headers()})()
    document.namespace["response"] = response
    exec(_GIVEN.get(page.name, ""), document.namespace)
    for example in document.examples():
        example.evaluate()
    names = document.namespace
    if page.name in ("README.md", "signing.md"):
        assert str(names["url"]).startswith("https://d111111abcdef8.cloudfront.net/book.epub?Expires=")
    if "decision" in names:
        assert names["decision"].reason == "allowed"
        assert len(response.headers.sent) == 3


if __name__ == "__main__":
    Path("errors.json").write_text(json.dumps(_run_all([Path(page) for page in sys.argv[1:]])))
