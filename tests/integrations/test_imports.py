"""Frameworks are imported late, and a missing one is named with the extra that brings it."""

import subprocess
import sys

import pytest

from keyfront.home import install


@pytest.mark.parametrize(("room", "missing"), [("django", "django"), ("fastapi", "starlette"), ("flask", "flask")])
def test_a_missing_framework_is_named_with_its_extra(room: str, missing: str) -> None:
    code = f"import sys; sys.modules[{missing!r}] = None; import keyfront.integrations.{room}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert last.startswith(f"ModuleNotFoundError: keyfront.integrations.{room} needs ")
    assert last.endswith(install(room))


def test_signing_alone_imports_no_framework_and_no_boto3() -> None:
    code = (
        "import sys, keyfront; keyfront.Signer; keyfront.Site; "
        "import keyfront.integrations.botocore, keyfront.integrations.aio; "
        "print([name for name in ('django', 'starlette', 'flask', 'boto3', 'botocore') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout == "[]\n", done.stderr
