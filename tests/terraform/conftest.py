"""An endpoint behind a listener, and the real Terraform with the real AWS provider in front of it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from tests.servers import event_loop
from tests.terraform.provider import Providers, providers  # noqa: F401  a fixture

from keyfront.local.aws import Endpoint
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application
from keyfront.web.types import ASGIApp

_HERE = Path(__file__).parent
_SECONDS = 5 * 60


@dataclass(frozen=True)
class Terraform:
    """Terraform in one working directory. It needs no `terraform init`, as its provider runs already."""

    program: Path
    directory: Path
    endpoint: str
    providers: Providers

    def __call__(self, *arguments: str, expect: int = 0) -> str:
        """Run a command, give what it says; the test fails when it exits in another way."""
        # The provider's schema is hundreds of megabytes of small objects: collecting garbage would be half the work.
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        environment = {**kept, "TF_IN_AUTOMATION": "1", "CHECKPOINT_DISABLE": "1", "GOGC": "400"}
        environment |= self.providers.variables(self.directory, environment)
        ran = subprocess.run(
            [self.program, *arguments, "-input=false", "-no-color"],
            cwd=self.directory,
            env={**environment, "TF_VAR_endpoint": self.endpoint},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert ran.returncode == expect, f"terraform {' '.join(arguments)}: exit {ran.returncode}\n{ran.stdout}"
        return ran.stdout

    def outputs(self) -> dict[str, dict[str, str]]:
        """What the state says of the configuration's outputs."""
        state = json.loads((self.directory / "terraform.tfstate").read_text())
        return {name: output["value"] for name, output in state["outputs"].items()}

    def resources(self) -> list[str]:
        """The types of the resources in the state, each once."""
        state = json.loads((self.directory / "terraform.tfstate").read_text())
        return sorted({item["type"] for item in state["resources"] if item["mode"] == "managed"})


def _deploying(plane: ControlPlane) -> ASGIApp:
    """CloudFront's API with an edge that has a distribution's change as soon as the change is answered."""
    answer = application(plane)
    plane.propagation.register("edge")

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(scope, receive, send)
        plane.propagation.applied("edge", {d.id: d.etag for d in list(plane._account.store.distributions)})

    return app


@pytest.fixture(scope="session")
def account_at() -> Iterator[tuple[ControlPlane, str]]:
    """An account, and its address: it stays the same, as the provider takes seconds to check another one."""
    plane = ControlPlane()
    endpoint = Endpoint(_deploying(plane))
    with event_loop() as loop:
        listener = loop.listen(endpoint)
        yield plane, f"http://127.0.0.1:{listener.port}"
        loop.loop.call_soon_threadsafe(endpoint.close)
        loop.run(listener.stop())


@pytest.fixture
def control_plane_url(account_at: tuple[ControlPlane, str]) -> Iterator[str]:
    """The address of an empty account."""
    plane, url = account_at
    yield url
    plane.reset()


@pytest.fixture
def workspace(
    terraform_program: Path,
    providers: Providers,  # noqa: F811
    tmp_path: Path,
    control_plane_url: str,
) -> Callable[..., Terraform]:
    """Makes a working directory with one of the configurations, its variables, and a state of its own."""

    def make(name: str, configuration: str, **variables: object) -> Terraform:
        directory = tmp_path / name
        directory.mkdir()
        for file in ("provider.tf", f"{configuration}/main.tf"):
            shutil.copy(_HERE / file, directory)
        (directory / "test.auto.tfvars.json").write_text(json.dumps(variables))
        return Terraform(terraform_program, directory, control_plane_url, providers)

    return make


@pytest.fixture
def account(control_plane_url: str) -> Callable[[], dict[str, int]]:
    """Counts what the account has of its own, by kind."""
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name="us-east-1")
    client = session.client("cloudfront", endpoint_url=control_plane_url)

    def count() -> dict[str, int]:
        lists = {
            "distributions": client.list_distributions()["DistributionList"]["Quantity"],
            "key groups": client.list_key_groups()["KeyGroupList"]["Quantity"],
            "public keys": client.list_public_keys()["PublicKeyList"]["Quantity"],
            "key value stores": client.list_key_value_stores()["KeyValueStoreList"]["Quantity"],
            "functions": client.list_functions()["FunctionList"]["Quantity"],
            "controls": client.list_origin_access_controls()["OriginAccessControlList"]["Quantity"],
            "identities": client.list_cloud_front_origin_access_identities()["CloudFrontOriginAccessIdentityList"][
                "Quantity"
            ],
            "cache policies": client.list_cache_policies(Type="custom")["CachePolicyList"]["Quantity"],
            "origin request policies": client.list_origin_request_policies(Type="custom")["OriginRequestPolicyList"][
                "Quantity"
            ],
            "response headers policies": client.list_response_headers_policies(Type="custom")[
                "ResponseHeadersPolicyList"
            ]["Quantity"],
        }
        return {name: number for name, number in lists.items() if number}

    return count
