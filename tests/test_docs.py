"""What the README and the pages in docs/ show in Python runs as it stands."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from keyfront import SigningKey

_ROOT = Path(__file__).parent.parent


class _Headers:
    """The headers of whatever framework's response the pages talk about."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, str]] = []

    def append(self, name: str, value: str) -> None:
        self.sent.append((name, value))


@pytest.mark.parametrize("page", ["README.md", "docs/signing.md"])
def test_its_python_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (_ROOT / page).read_text("utf-8"), re.DOTALL)
    SigningKey.generate("ecdsa").write(tmp_path)
    monkeypatch.chdir(tmp_path)
    response = type("Response", (), {"headers": _Headers()})()
    names: dict[str, object] = {"response": response}
    for block in blocks:
        exec(block, names)
    assert str(names["url"]).startswith("https://d111111abcdef8.cloudfront.net/book.epub?Expires=")
    if "decision" in names:
        assert names["decision"].reason == "allowed"  # type: ignore[attr-defined]
        assert len(response.headers.sent) == 3


def test_the_middlewares_python_runs(tmp_path: Path) -> None:
    """In a process of its own: Django is set up once for good."""
    blocks = re.findall(r"```python\n(.*?)```", (_ROOT / "docs/middleware.md").read_text("utf-8"), re.DOTALL)
    SigningKey.generate("ecdsa").write(tmp_path)
    settings = "from django.conf import settings\nsettings.configure()\n"
    done = subprocess.run([sys.executable, "-c", settings + "\n".join(blocks)], cwd=tmp_path, capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")
    assert len(blocks) == 3


@pytest.mark.parametrize("page", [_ROOT / "README.md", _ROOT / "CHANGELOG.md", *sorted((_ROOT / "docs").glob("*.md"))])
def test_its_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
