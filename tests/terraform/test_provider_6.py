"""The modules against the schema of the AWS provider 6, where a mirror of it is."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

_MODULES: Final = Path(__file__).parents[2] / "terraform" / "modules"
_MIRROR: Final = os.environ.get("KEYFRONT_TF_PLUGIN_DIR_6")
_PROVIDER: Final = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws", version = ">= 6" }
  }
}

variable "unknown" {
  type = any
}
"""


@pytest.mark.skipif(
    not _MIRROR, reason="no AWS provider 6 is here: set KEYFRONT_TF_PLUGIN_DIR_6 to a mirror (see CONTRIBUTING.md)"
)
def test_modules_are_valid(tmp_path: Path, terraform_program: Path) -> None:
    shutil.copytree(_MODULES, tmp_path / "modules", ignore=shutil.ignore_patterns(".terraform*", "tests"))
    folders = sorted(file.parent for file in (tmp_path / "modules").glob("*/main.tf"))
    # One configuration, so that Terraform reads the provider's schema once.
    calls = [f'module "{each.name}" {{\n  source = "./modules/{each.name}"\n{_required(each)}}}\n' for each in folders]
    (tmp_path / "main.tf").write_text("\n".join([_PROVIDER, *calls]))

    def terraform(*command: str) -> str:
        ran = subprocess.run(
            [str(terraform_program), *command, "-no-color"],
            cwd=tmp_path,
            env={**os.environ, "CHECKPOINT_DISABLE": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    terraform("init", "-input=false", f"-plugin-dir={_MIRROR}")
    assert re.search(r"hashicorp/aws v6\.", terraform("version"))
    # A warning of deprecation is how the provider announces what 7 takes away.
    assert "eprecated" not in (said := terraform("validate")), said


def _required(folder: Path) -> str:
    """Arguments for the variables that have no default: of a value that `validate` does not know."""
    pattern = re.compile(r'^variable "(\w+)" \{$(.*?)^\}$', re.MULTILINE | re.DOTALL)
    blocks = [each for file in folder.glob("*.tf") for each in pattern.findall(file.read_text())]
    return "".join(f"  {name} = var.unknown\n" for name, body in blocks if "\n  default " not in body)
