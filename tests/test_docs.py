"""What the README and the pages in docs/ show in Python runs as it stands."""

import re
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


@pytest.mark.parametrize("page", [_ROOT / "README.md", _ROOT / "CHANGELOG.md", *sorted((_ROOT / "docs").glob("*.md"))])
def test_its_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", page.read_text("utf-8")):
        if "://" not in target:
            assert (page.parent / target).exists(), target
