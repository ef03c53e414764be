"""Downloads a package's wheels with pip, only in the versions and with the hashes that keyfront was tested with."""

import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from keyfront.errors import InputError, ServiceError
from keyfront.packaging.plan import Plan

_LOCK: Final = Path(__file__).parent / "locked.txt"
_SECONDS: Final = 600


def download(plan: Plan, folder: Path) -> list[Path]:
    """Download the wheels of `plan` into `folder` with the user's pip configuration, and return them sorted by name.

    Raises `ServiceError` with pip's last error, and `InputError` if pip is not installed.
    """
    wanted = folder / "wanted.txt"
    wanted.write_text("".join(locked(plan.distributions)), "utf-8")
    command = [
        sys.executable, "-m", "pip", "download", "--quiet", "--no-input", "--disable-pip-version-check",
        "--no-deps", "--require-hashes", "--only-binary=:all:", "--implementation=cp",
        f"--python-version={plan.python}", f"--abi=cp{plan.python.replace('.', '')}", "--abi=abi3", "--abi=none",
        *(f"--platform={platform}" for platform in plan.platforms),
        f"--dest={folder}", f"--requirement={wanted}",
    ]  # fmt: skip
    _run(command)
    return sorted(folder.glob("*.whl"))


def locked(names: Sequence[str]) -> list[str]:
    """Return the lines that pin each of these packages, with the hashes of its files."""
    entries = re.split(r"^(?=\S)", _LOCK.read_text("utf-8"), flags=re.MULTILINE)
    found = {entry.partition("==")[0]: entry for entry in entries if "==" in entry.partition("\n")[0]}
    return [found[name] for name in names]


def _run(command: list[str]) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SECONDS, check=False)  # noqa: S603
    except subprocess.TimeoutExpired:
        raise ServiceError(f"pip did not finish within {_SECONDS} seconds: try again") from None
    if done.returncode == 0:
        return
    if "No module named pip" in done.stderr:
        raise InputError(f"{sys.executable} has no pip to download the wheels: run {sys.executable} -m ensurepip")
    errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or done.stderr.splitlines()
    # An index address may hold a password.
    said = re.sub(r"://[^/@\s]+@", "://…@", errors[-1] if errors else "no reason given")
    raise ServiceError(f"pip could not download the wheels: {said.removeprefix('ERROR: ')}")
