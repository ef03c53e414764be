"""What every room's tests share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

_LONG: Final = ("terraform-examples", "terraform", "up", "state", "terraform-modules", "moto")
"""Groups of tests that share servers, the longest first: begun last, one of them would run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest groups begin first; the order within each stays."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    mark = item.get_closest_marker("xdist_group")
    name = mark.args[0] if mark and mark.args else ""
    return _LONG.index(name) if name in _LONG else len(_LONG)


def _find(tool: str) -> Path | None:
    beside = [Path("/usr/sbin"), *sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)]
    found = shutil.which(tool) or next((str(d / tool) for d in beside if (d / tool).exists()), None)
    return Path(found) if found else None


@pytest.fixture(scope="session")
def need_tool() -> Callable[[str], Path]:
    """The path of a program; where it is missing the test skips, and fails in CI."""

    def need(tool: str) -> Path:
        if found := _find(tool):
            return found
        if os.environ.get("CI") == "true":
            pytest.fail(f"CI must have {tool} installed")
        pytest.skip(f"{tool} is not installed")

    return need
