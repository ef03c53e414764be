"""`keyfront terraform modules`: whoever installed keyfront has its modules, from a checkout or from the wheel."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hatchling.builders.wheel import WheelBuilder

Run = Callable[..., tuple[int, str, str]]

_ROOT = Path(__file__).parents[2]
_SHIPPED = sorted(main.parent.name for main in (_ROOT / "terraform" / "modules").glob("*/main.tf"))


def test_the_modules_are_copied_and_never_over_others(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "modules"
    status, said, err = run("terraform", "modules", "--out", str(out))
    assert (status, err) == (0, "")
    assert [line.split(": ")[0] for line in said.splitlines()] == [str(out / name) for name in _SHIPPED]
    assert "](" not in said
    for name in _SHIPPED:
        assert (out / name / "main.tf").read_text() == (_ROOT / "terraform" / "modules" / name / "main.tf").read_text()
        assert not (out / name / "tests").exists()

    (out / _SHIPPED[0] / "main.tf").write_text("# mine\n")
    status, said, err = run("terraform", "modules", "--out", str(out))
    assert (status, said) == (2, "")
    assert f"{out / _SHIPPED[0]} exists: delete it, or choose another --out" in err
    assert (out / _SHIPPED[0] / "main.tf").read_text() == "# mine\n"


def test_a_folder_that_cannot_be_made_is_named(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, said, err = run("terraform", "modules", "--out", str(tmp_path / "file"))
    assert (status, said) == (2, "")
    assert str(tmp_path / "file" / _SHIPPED[0]) in err


@pytest.mark.large
def test_the_wheel_has_them(tmp_path: Path) -> None:
    (wheel,) = WheelBuilder(str(_ROOT)).build(directory=str(tmp_path), versions=["standard"])
    names = zipfile.ZipFile(wheel).namelist()
    assert {name.split("/")[2] for name in names if name.startswith("keyfront/terraform/")} - {"README.md"} == set(
        _SHIPPED
    )
    assert json.dumps(names).count(".terraform/") == 0
