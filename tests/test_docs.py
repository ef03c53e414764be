"""What the README and the pages in docs/ show in Python runs as it stands; commands: tests/test_examples.py.

To add an example: write a ```python block. A page's blocks share one namespace, in a folder with `private_key.pem` and
`public_key.pem`; `_GIVEN` says what else a page takes for granted. `<!-- skip: next -->` before a block leaves it out.
"""

import subprocess
import sys
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


@pytest.mark.parametrize("page", [page for page in _PAGES if _has_python(page)], ids=lambda page: page.name)
def test_its_python_runs(page: Path, tmp_path: Path) -> None:
    """Each page in a process of its own: Django is set up once for good."""
    SigningKey.generate("ecdsa").write(tmp_path)
    run = [sys.executable, "-W", "error", "-m", "tests.test_docs", str(page)]
    done = subprocess.run(run, cwd=tmp_path, env={"PYTHONPATH": str(_ROOT)}, capture_output=True, text=True)
    how = "how an example is added, and what it may use: the first lines of tests/test_docs.py"
    assert done.returncode == 0, f"{done.stderr}\n{how}"


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
    _run(Path(sys.argv[1]))
