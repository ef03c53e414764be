"""The modules' pages: tables as the code has them, and an index of all modules."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tools import module_tables

import keyfront

_MODULES = module_tables.MODULES


def test_the_tables_are_those_of_the_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert module_tables.main([]) == 0, capsys.readouterr().err


def test_a_table_shows_types_defaults_and_what_must_be_given(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("# one\n\n<!-- BEGIN_TF_DOCS -->\nold\n<!-- END_TF_DOCS -->\n\nafter\n")
    (tmp_path / "main.tf").write_text('resource "a" "b" {\n  type = "no variable"\n}\n')
    (tmp_path / "versions.tf").write_text(
        'terraform {\n  required_version = ">= 1.9"\n  required_providers {\n'
        '    aws = {\n      source  = "hashicorp/aws"\n      version = ">= 5.80, < 7"\n    }\n  }\n}\n'
    )
    (tmp_path / "variables.tf").write_text(
        'variable "name" {\n  description = "Its \\"name\\", a|b."\n  type        = string\n}\n'
        'variable "all" {\n  description = "All."\n  type = map(object({\n    type = optional(string, "a")\n  }))\n'
        '  default = { b = { c = ["d", 1, true, null] } }\n}\n'
    )
    (tmp_path / "outputs.tf").write_text('output "id" {\n  description = "The id."\n  value       = 1\n}\n')
    assert module_tables.updated(tmp_path / "README.md") == (
        "# one\n\n<!-- BEGIN_TF_DOCS -->\n"
        "## Requirements\n\n| Name | Version |\n|------|---------|\n| terraform | >= 1.9 |\n| aws | >= 5.80, < 7 |\n\n"
        "## Inputs\n\n| Name | Description | Type | Default | Required |\n"
        "|------|-------------|------|---------|:--------:|\n"
        '| all | All. | <pre>map(object({<br/>    type = optional(string, "a")<br/>  }))</pre> | '
        '<pre>{<br/>  "b": {<br/>    "c": [<br/>      "d",<br/>      1,<br/>      true,<br/>      null<br/>    ]<br/>'
        "  }<br/>}</pre> | no |\n"
        '| name | Its "name", a\\|b. | `string` | n/a | yes |\n\n'
        "## Outputs\n\n| Name | Description |\n|------|-------------|\n| id | The id. |\n"
        "<!-- END_TF_DOCS -->\n\nafter\n"
    )


def test_a_table_that_is_not_current_fails_and_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(_MODULES / "entitlements-table", tmp_path / "modules" / "table")
    monkeypatch.setattr(module_tables, "ROOT", tmp_path)
    monkeypatch.setattr(module_tables, "MODULES", tmp_path / "modules")
    readme = tmp_path / "modules" / "table" / "README.md"
    current = readme.read_text()
    readme.write_text(current.replace("The table's ARN.", "Something else."))
    assert module_tables.main([]) == 1
    assert "modules/table/README.md is not current: run python tools/module_tables.py" in capsys.readouterr().err
    assert module_tables.main(["--write"]) == 0
    assert readme.read_text() == current
    readme.write_text("# table\n")
    with pytest.raises(SystemExit, match="must have one line <!-- BEGIN_TF_DOCS -->"):
        module_tables.main([])


def test_the_index_has_every_module_and_the_version() -> None:
    index = (_MODULES / "README.md").read_text()
    listed = re.findall(r"^\| \[([a-z-]+)\]\(\1/README\.md\) \|", index, re.MULTILINE)
    assert sorted(listed) == sorted(file.parent.name for file in _MODULES.glob("*/main.tf"))
    assert re.findall(r"\?ref=v([^\"]+)", index) == [keyfront.__version__]
