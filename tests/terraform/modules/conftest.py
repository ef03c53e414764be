"""The modules in a folder of their own, and a whole AWS endpoint for the real Terraform to apply them to."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.servers import event_loop
from tests.terraform.provider import Providers

from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application

_HERE = Path(__file__).parent
_MODULES = _HERE.parents[2] / "terraform" / "modules"
_SECONDS = 5 * 60
OWN = sorted(file.parent.name for file in _MODULES.glob("*/main.tf"))
"""The modules by name."""


@dataclass(frozen=True)
class Workspace:
    """Terraform in one folder, told by environment variables alone that AWS is on this machine."""

    program: Path
    folder: Path
    endpoint_url: str
    init: list[str]
    providers: Providers

    def __call__(self, *arguments: str, expect: int = 0, **secrets: str) -> str:
        """Run a command and give what it says; `secrets` are variables that stand in no process list."""
        process = self.start(*arguments, **secrets)
        said, _ = process.communicate(timeout=_SECONDS)
        assert process.returncode == expect, f"terraform {' '.join(arguments)}: exit {process.returncode}\n{said}"
        return said

    def start(self, *arguments: str, **secrets: str) -> subprocess.Popen[str]:
        """Start a command."""
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment = {
            **ours,
            "AWS_ENDPOINT_URL": self.endpoint_url,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "CHECKPOINT_DISABLE": "1",
            # The provider's schema is hundreds of megabytes of small objects: collecting them would be half the work.
            "GOGC": "400",
        }
        environment |= self.providers.variables(self.folder, environment)
        return subprocess.Popen(
            [self.program, *arguments, "-no-color"],
            cwd=self.folder,
            env={**environment, **{f"TF_VAR_{name}": value for name, value in secrets.items()}},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def initialise(self) -> None:
        """`terraform init`."""
        self(*self.init, "-input=false")


@pytest.fixture(scope="session")
def endpoint_url() -> Iterator[str]:
    """The address of an account with every service: CloudFront is ours, the others are moto's."""
    endpoint = Endpoint(application(ControlPlane()))
    with event_loop() as loop:
        loop.run(endpoint.warm_up())
        listener = loop.listen(endpoint)
        yield f"http://127.0.0.1:{listener.port}"
        loop.loop.call_soon_threadsafe(endpoint.close)
        loop.run(listener.stop())
    endpoint.reset()


@pytest.fixture(scope="session")
def client(endpoint_url: str) -> Callable[[str], Any]:
    """Makes boto3 clients of that account."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    return lambda service: session.client(service, endpoint_url=endpoint_url)  # type: ignore[call-overload]


@pytest.fixture(scope="session")
def modules(
    terraform_program: Path,
    terraform_init: list[str],
    endpoint_url: str,
    providers: Providers,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Workspace]:
    """Each module by name, as it is shipped, with its provider."""
    folder = tmp_path_factory.mktemp("modules")
    for name in OWN:
        shutil.copytree(_MODULES / name, folder / name, ignore=shutil.ignore_patterns(".terraform*", "*.tfstate*"))
    workspaces = {
        name: Workspace(terraform_program, folder / name, endpoint_url, terraform_init, providers) for name in OWN
    }
    for workspace in workspaces.values():
        workspace.initialise()
    return workspaces


@pytest.fixture(scope="session")
def module_tests(modules: dict[str, Workspace]) -> Iterator[dict[str, subprocess.Popen[str]]]:
    """`terraform test` of every module, started together: each waits for deletions, most of its time."""
    started = {name: workspace.start("test") for name, workspace in modules.items()}
    yield started
    for process in started.values():
        process.kill()
        process.communicate()


@pytest.fixture
def secret(modules: dict[str, Workspace]) -> Workspace:
    """A configuration that uses the module `signing-key`."""
    beside = modules["signing-key"]
    workspace = replace(beside, folder=beside.folder.with_name("secret"))
    shutil.copytree(_HERE / "secret", workspace.folder)
    workspace.initialise()
    return workspace
