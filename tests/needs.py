"""What a test does on a machine that lacks what the test needs: it skips, and fails in CI."""

import fcntl
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, NoReturn

import pytest
from tests.programs import find, how_to_install

_FIND_SECONDS: Final = 120
_INIT_SECONDS: Final = 90
_NPM_SECONDS: Final = 180
_PASSED: Final = ("pytest-of-*", "site-packages", "node_modules", ".terraform", ".git")
"""Folders in which nobody keeps a mirror."""

_CONFIGURATION: Final = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
"""


def skip(what: str, remedy: str) -> NoReturn:
    """Skip the test, with what is missing and how to get it. With `CI=true` the test fails."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"CI must have all that tests need. {what}: {remedy}")
    pytest.skip(f"{what}: {remedy}")


def program(name: str) -> Path:
    """The path of a program. Without it the test skips."""
    return find(name) or skip(f"{name} is not installed", how_to_install(name))


def cdk() -> None:
    """Skip the test without the CDK's library, which is written in TypeScript and runs in Node.js."""
    program("node")
    if find_spec("aws_cdk") is None:
        skip("aws-cdk-lib is not installed", "make .venv/cdk")


def npm_ci(folder: Path, packages: Path) -> None:
    """Install into `folder` what its lock file names, unless `packages` exists. Without npm's registry it skips."""
    if packages.exists():
        return
    command = [str(program("npm")), "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
    with (folder / "package-lock.json").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if packages.exists():
            return
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_NPM_SECONDS)
        except subprocess.TimeoutExpired:
            skip("npm packages cannot be installed", f"npm ci did not end within {_NPM_SECONDS} s")
    if done.returncode:
        skip("npm packages cannot be installed", f"let npm reach its registry ({_last_line(done.stderr)})")


class Workers:
    """The workers of one run of the tests: what they find out once."""

    def __init__(self, factory: pytest.TempPathFactory) -> None:
        base = factory.getbasetemp()
        self._folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(self, name: str, make: Callable[[], Mapping[str, Any]]) -> Mapping[str, Any]:
        """What `make` gives, as JSON has it. It is called once in a run, by whichever worker is first."""
        file = self._folder / f"once-{name}.json"
        with file.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not file.exists():
                file.write_text(json.dumps(make()), "utf-8")
        made: Mapping[str, Any] = json.loads(file.read_text("utf-8"))
        return made


def terraform_init_options(terraform: Path, workers: Workers, scratch: Path) -> list[str]:
    """What `terraform init` needs to find the AWS provider here. Without mirror and registry the test skips.

    A mirror is the folder that `KEYFRONT_TF_PLUGIN_DIR` names, or the first one that is found on this machine.
    """
    named = os.environ.get("KEYFRONT_TF_PLUGIN_DIR")
    found = {"mirror": named} if named else workers.once("terraform", lambda: _find_provider(terraform, scratch))
    if mirror := found.get("mirror"):
        return [f"-plugin-dir={mirror}"]
    if found.get("error"):
        skip("Terraform's AWS provider is not here", "let terraform reach its registry, or set KEYFRONT_TF_PLUGIN_DIR")
    return []


def _find_provider(terraform: Path, scratch: Path) -> dict[str, str]:
    """A mirror, or nothing if the registry answers, or the registry's error."""
    if mirror := find_mirror(Path("/")):
        return {"mirror": str(mirror)}
    (scratch / "main.tf").write_text(_CONFIGURATION, "utf-8")
    command = [str(terraform), "init", "-input=false", "-no-color", "-backend=false"]
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    try:
        done = subprocess.run(
            command, cwd=scratch, env=environment, capture_output=True, text=True, timeout=_INIT_SECONDS
        )
    except subprocess.TimeoutExpired:
        return {"error": f"terraform init did not end within {_INIT_SECONDS} s"}
    return {"error": _last_line(done.stderr)} if done.returncode else {}


def find_mirror(below: Path) -> Path | None:
    """A folder with the AWS provider as Terraform's mirrors have it, `below` a folder and on its file system.

    Unpacked it is HOST/NAMESPACE/TYPE/VERSION/PLATFORM/FILE below that folder, packed HOST/NAMESPACE/TYPE/FILE.zip.
    """
    search = find("find")
    if search is None:
        return None
    # Folders of earlier test runs hold providers that are none, and the others hold most files of a machine.
    passed = [word for name in _PASSED for word in ("-o", "-name", name)][1:]
    wanted = ["-name", "terraform-provider-aws*", "-not", "-type", "d", "-path", "*/hashicorp/aws/*"]
    command = [str(search), str(below), "-xdev", "(", *passed, ")", "-prune", "-o", *wanted, "-print", "-quit"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_FIND_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return None
    provider = done.stdout.strip()
    return Path(provider).parents[3 if provider.endswith(".zip") else 5] if provider else None


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:200] if lines else "it said nothing"
