"""Writes the commit into the packages that are built, for `keyfront --version`. hatchling runs it (pyproject.toml).

The commit comes from the sdist, from KEYFRONT_COMMIT, or from git in a checkout. A package that is built elsewhere
names none.
"""

import os
import re
import shutil
import subprocess
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from hatchling.builders.config import BuilderConfig
from hatchling.builders.hooks.plugin.interface import BuildHookInterface

_FILE = "commit.txt"
_COMMIT = re.compile(r"[0-9a-f]{7,40}")
_SHOWN = 12


class CustomBuildHook(BuildHookInterface[BuilderConfig]):
    """Adds `keyfront/commit.txt` to a wheel, and to the sdist that a wheel may be built from later."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the file. An editable install needs none: it looks into the checkout."""
        root = Path(self.root)
        if version == "editable":
            return
        commit = _of_sdist(root) or os.environ.get("KEYFRONT_COMMIT") or _of_git(root)
        if not _COMMIT.fullmatch(commit):
            return
        with NamedTemporaryFile("w", suffix=_FILE, delete=False) as file:
            file.write(f"{commit[:_SHOWN]}\n")
        Path(file.name).chmod(0o644)
        self._written = Path(file.name)
        # Not in the package of an sdist: the wheel's files would have another order, and so other bytes.
        place = f"keyfront/{_FILE}" if self.target_name == "wheel" else f"src/{_FILE}"
        build_data["force_include"][file.name] = place

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove the temporary file."""
        del version, build_data, artifact_path
        if written := getattr(self, "_written", None):
            written.unlink(missing_ok=True)


def _of_sdist(root: Path) -> str:
    file = root / "src" / _FILE
    return file.read_text("utf-8").strip() if file.exists() else ""


def _of_git(root: Path) -> str:
    git = shutil.which("git")
    if git is None or not (root / ".git").exists():
        return ""
    said = subprocess.run([git, "rev-parse", "HEAD"], cwd=root, capture_output=True, text=True, check=False)  # noqa: S603
    return said.stdout.strip()
