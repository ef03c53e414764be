"""Django's own tests run in a process of their own: Django can be configured once in each."""

import subprocess
import sys
from pathlib import Path

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
