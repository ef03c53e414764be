"""Each module as a repository of its own: laid out, and found by the real Terraform in a registry."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import tarfile
from pathlib import Path
from typing import ClassVar

import pytest
from tests.servers import Quiet, http_server
from tools.module_repositories import Release, lay_out, main, modules

from keyfront import home


@pytest.fixture(scope="module")
def repositories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("laid") / "out"
    assert main(["--namespace", "acme", "--version", "1.2.3", "--out", str(out)]) == 0
    return out


def test_each_module_is_a_repository_with_its_examples(repositories: Path) -> None:
    assert sorted(each.name for each in repositories.iterdir()) == [f"terraform-aws-{name}" for name in modules()]
    for place in repositories.iterdir():
        assert {"LICENSE", "README.md", "main.tf", "outputs.tf", "variables.tf", "versions.tf"} <= {
            file.name for file in place.iterdir()
        }
    examples = repositories / "terraform-aws-download-endpoint" / "examples"
    assert [each.name for each in examples.iterdir()] == ["quickstart"]
    assert all("tests" in file.parts for file in repositories.rglob("*.pem")), "public keys of tests alone"


def test_modules_come_from_the_registry_in_the_released_version(repositories: Path) -> None:
    for file in repositories.rglob("*.*"):
        if file.suffix in (".tf", ".hcl", ".md"):
            sources = re.findall(r'^ *source *= "(\.[^"]*)"$', file.read_text(), re.MULTILINE)
            # What is left leads to the repository itself.
            assert all((file.parent / each).exists() or (file.parents[1] / each).exists() for each in sources), file
    text = (repositories / "terraform-aws-signing-key" / "examples" / "kms" / "main.tf").read_text()
    assert '  source  = "acme/signing-key/aws"\n  version = "1.2.3"\n' in text
    teams = (repositories / "terraform-aws-private-content" / "examples" / "two-teams" / "main.tf").read_text()
    assert '  source   = "acme/trusted-key-group/aws"\n  version  = "1.2.3"\n  for_each = ' in teams


def test_no_page_has_a_link_that_leads_nowhere(repositories: Path) -> None:
    pages = list(repositories.rglob("*.md"))
    assert pages
    for page in pages:
        text = page.read_text()
        assert "terraform/examples/" not in text
        for target in re.findall(r"\]\(([^):#]+)(?:#[^)]*)?\)", text):
            assert (page.parent / target).exists(), f"{page}: {target}"


def test_links_out_of_a_module_lead_to_the_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(home, "HOME", "https://code.example.com/keyfront")
    lay_out("log-queries", tmp_path / "one", Release("acme", "1.2.3"))
    assert "(https://code.example.com/keyfront/blob/main/docs/logs.md)" in (tmp_path / "one" / "README.md").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--namespace", "a b"], "'a b' is not a namespace"),
        (["--namespace", "acme", "--version", "v1"], "'v1' is not a version of a registry"),
        (["--namespace", "acme"], "exists: delete it, or choose another --out"),
    ],
)
def test_bad_options_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    kept = tmp_path / "terraform-aws-signing-key" / "kept"
    kept.parent.mkdir()
    kept.touch()
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--out", str(tmp_path)])
    assert ended.value.code == 2
    assert message in capsys.readouterr().err
    assert [each.name for each in tmp_path.iterdir()] == ["terraform-aws-signing-key"]
    assert kept.exists()


class _Registry(Quiet):
    """A module registry: versions and downloads, as Terraform's protocol has them."""

    folder: ClassVar[Path]

    def do_GET(self) -> None:
        name = next((each for each in modules() if f"/{each}" in self.path), "")
        if self.path.endswith("/versions"):
            self.answer(200, json.dumps({"modules": [{"versions": [{"version": "1.2.3"}]}]}).encode())
        elif self.path.endswith("/download"):
            self.answer(204, X_Terraform_Get=f"/{name}.tar.gz?archive=tar.gz")
        else:
            packed = io.BytesIO()
            with tarfile.open(fileobj=packed, mode="w:gz") as archive:
                archive.add(self.folder / f"terraform-aws-{name}", arcname=".")
            self.answer(200, packed.getvalue())


def test_terraform_finds_the_modules_of_an_example_in_a_registry(tmp_path: Path, terraform_program: Path) -> None:
    registry = type("Registry", (_Registry,), {"folder": tmp_path / "out"})
    release = Release("registry.test/acme", "1.2.3")
    settings = tmp_path / "terraform.rc"
    with http_server(registry) as port:
        settings.write_text(
            f'host "registry.test" {{\n  services = {{ "modules.v1" = "http://127.0.0.1:{port}/modules/" }}\n}}\n'
        )
        for name in modules():
            lay_out(name, tmp_path / "out" / f"terraform-aws-{name}", release)
        formatted = [str(terraform_program), "fmt", "-check", "-recursive", "-diff", str(tmp_path / "out")]
        assert subprocess.run(formatted, capture_output=True, text=True).stdout == ""
        example = tmp_path / "out" / "terraform-aws-download-endpoint" / "examples" / "quickstart"
        kept = {name: value for name, value in os.environ.items() if not name.startswith("TF_")}
        ran = subprocess.run(
            [terraform_program, "get", "-no-color"],
            cwd=example,
            env={**kept, "TF_CLI_CONFIG_FILE": str(settings), "CHECKPOINT_DISABLE": "1"},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    found = json.loads((example / ".terraform" / "modules" / "modules.json").read_text())["Modules"]
    wanted = {"content": "private-content", "download_endpoint": "download-endpoint"}
    wanted |= {"signing_key": "signing-key", "trusted_key_group": "trusted-key-group"}
    assert {each["Key"]: each["Source"] for each in found if each["Key"]} == {
        key: f"{release.namespace}/{name}/aws" for key, name in wanted.items()
    }
