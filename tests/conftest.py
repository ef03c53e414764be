"""What every room's tests share."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

_LONG: Final = (
    "terraform/examples",
    "rotation/test_proof",
    "terraform",
    "stack/up",
    "audit",
    "streams",
    "stack/endpoint",
    "test_benchmarks",
    "rotation",
    "tables",
    "lambda",
    "conformance",
    "dropins",
)
"""What takes longest, or waits most, comes first: begun last, it would run alone at the end."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Let the longest files begin first; the order within each stays."""
    items.sort(key=_rank)


def _rank(item: pytest.Item) -> int:
    path = item.path.relative_to(Path(__file__).parent).as_posix()
    return next((rank for rank, start in enumerate(_LONG) if path.startswith(start)), len(_LONG))


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
