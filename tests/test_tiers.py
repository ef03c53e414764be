"""The two tiers: what is large is known by its fixtures, and what is missing is skipped with a remedy."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests import conftest, needs, programs

_HERE = Path(__file__).parent


def test_large_programs_come_from_the_fixtures_that_make_a_test_large() -> None:
    asked = re.compile(r"need_tool\(\"(?:chromium|epubcheck|ffmpeg|initdb|java|npm|terraform)\"\)")
    assert [
        str(path) for path in _HERE.rglob("*.py") if path != Path(__file__) and asked.search(path.read_text())
    ] == []


def test_the_files_and_folders_that_are_named_as_large_or_long_are_there() -> None:
    beginnings = {*conftest._LARGE, *conftest._LONG}
    assert [each for each in sorted(beginnings) if not list(_HERE.glob(f"{each}*"))] == []


def test_a_missing_program_skips_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, need_tool: Callable[[str], Path]
) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setattr(needs, "find", lambda name: None)
    with pytest.raises(pytest.skip.Exception, match=r"^pdftoppm is not installed: apt-get install poppler-utils$"):
        need_tool("pdftoppm")


def test_a_missing_program_fails_in_ci(monkeypatch: pytest.MonkeyPatch, need_tool: Callable[[str], Path]) -> None:
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(needs, "find", lambda name: None)
    with pytest.raises(pytest.fail.Exception, match="nginx is not installed: apt-get install nginx"):
        need_tool("nginx")


def test_packages_are_those_of_programs_that_are_not_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(programs, "find", lambda name: None if name in ("java", "pdftotext", "pdftoppm") else Path("x"))
    assert programs.missing_packages() == ["default-jre-headless", "poppler-utils"]


@pytest.mark.parametrize(
    "file",
    [
        "registry.terraform.io/hashicorp/aws/5.1.0/linux_amd64/terraform-provider-aws_v5.1.0_x5",
        "registry.terraform.io/hashicorp/aws/terraform-provider-aws_5.1.0_linux_amd64.zip",
    ],
    ids=["unpacked", "packed"],
)
def test_a_mirror_is_found_by_the_provider_in_it(file: str, tmp_path: Path, need_tool: Callable[[str], Path]) -> None:
    need_tool("find")
    provider = tmp_path / file
    provider.parent.mkdir(parents=True)
    provider.touch()
    kept = tmp_path / "project" / ".terraform" / "providers" / "hashicorp" / "aws"
    kept.mkdir(parents=True)
    (kept / "terraform-provider-aws_v1").touch()
    assert needs.find_mirror(tmp_path) == tmp_path


def test_there_may_be_no_mirror(tmp_path: Path) -> None:
    assert needs.find_mirror(tmp_path) is None
