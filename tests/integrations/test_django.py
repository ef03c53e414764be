"""Django's own tests run in a process of their own: Django can be configured once in each."""

import re
import subprocess
import sys
from pathlib import Path

from keyfront import SigningKey

_ROOT = Path(__file__).parents[2]


def test_the_django_site_behaves() -> None:
    cases = "tests/integrations/site/cases.py"
    done = subprocess.run(
        [sys.executable, "-m", "pytest", cases, "-q", "-n", "0", "-p", "no:cacheprovider"],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert " passed" in done.stdout


def test_a_new_project_with_the_lines_of_the_page_passes_its_checks(tmp_path: Path) -> None:
    def run(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, *arguments], cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False
        )
        return done.stdout + done.stderr

    assert not run("-m", "django", "startproject", "shop", ".")
    blocks = re.findall(
        r"^```python\n(.*?)^```", (_ROOT / "docs" / "django.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    lines, storages = blocks[0], next(block for block in blocks if "STORAGES" in block)
    with (tmp_path / "shop" / "settings.py").open("a", encoding="utf-8") as settings:
        settings.write(f"{lines}\n{storages}")
    assert "keyfront.W002" in run("manage.py", "check")
    SigningKey.generate("ecdsa").write(tmp_path)
    assert "no issues" in run("manage.py", "check")
