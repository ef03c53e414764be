"""The laptop and Terraform for the examples, which run at the same time: most of it is waiting."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from types import ModuleType
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.request import HTTPRedirectHandler, HTTPSHandler, Request, build_opener

import boto3
import pytest
from tests.servers import Quiet, http_server
from tests.terraform.provider import Providers

_ROOT = Path(__file__).parents[3]
_SECONDS = 10 * 60
_FREE_PORTS = ["--port", "0", "--http-port", "0", "--https-port", "0", "--backend-port", "0"]
_KEYFRONT = Path(sys.executable).with_name("keyfront")
# The provider's schema is hundreds of megabytes of small objects: collecting garbage would be half the work.
_QUIET = {
    "TF_IN_AUTOMATION": "1",
    "TF_INPUT": "0",
    "TF_CLI_ARGS": "-no-color",
    "TF_CLI_CONFIG_FILE": os.devnull,
    "CHECKPOINT_DISABLE": "1",
    "GOGC": "400",
}


@dataclass(frozen=True)
class Call:
    """A request that Terraform sent to the endpoint."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


class _Recorder(Quiet):
    """Notes each request, and passes it on to the endpoint and the answer back."""

    protocol_version = "HTTP/1.1"
    endpoint: ClassVar[str]
    calls: ClassVar[list[Call]]

    def _pass_on(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        # Who calls an API that Terraform made is not Terraform.
        if ".execute-api." not in self.headers["Host"]:
            self.calls.append(Call(self.command, self.path, {k.lower(): v for k, v in self.headers.items()}, body))
        connection = HTTPConnection(self.endpoint, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        connection.request(self.command, self.path, body, headers)
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                self.send_header(name, value)
        length = answer.getheader("Content-Length", "0") if self.command == "HEAD" else str(len(content))
        self.send_header("Content-Length", length)
        self.end_headers()
        self.wfile.write(content)

    do_GET = do_PUT = do_POST = do_DELETE = do_HEAD = do_PATCH = _pass_on


@dataclass(frozen=True)
class Laptop:
    """A running `keyfront up`, and the requests that came to its endpoint by way of `address`."""

    printed: dict[str, Any]
    address: str
    calls: list[Call]
    opener: Any

    def fetch(self, url: str) -> tuple[int, bytes]:
        """Status and body from the edge, whose certificate is checked."""
        try:
            with self.opener.open(Request(url), timeout=60) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            with error:
                return error.code, error.read()

    def client(self, service: str) -> Any:
        """A boto3 client of the endpoint itself, which is not recorded."""
        session = boto3.Session("test", "test", region_name="us-east-1")
        return session.client(service, endpoint_url=self.printed["endpoint"])  # type: ignore[call-overload]

    def switch(self) -> dict[str, str]:
        """The variables that `keyfront terraform env` says to export."""
        variables: dict[str, str] = json.loads(self._env("--json", self.address))["environment"]
        return variables

    def provider(self) -> str:
        """The provider block that `keyfront terraform env --provider` prints. What it sends there is not recorded."""
        return self._env("--provider", self.printed["endpoint"])

    def _env(self, form: str, endpoint: str) -> str:
        command = [str(_KEYFRONT), "terraform", "env", form, "--endpoint-url", endpoint]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout


@dataclass
class Terraform:
    """Terraform in one example's folder, sent to the laptop by the switch and nothing else."""

    program: Path
    init: list[str]
    folder: Path
    switch: dict[str, str]
    providers: Providers
    variables: dict[str, object] = field(default_factory=dict)
    said: str = ""

    @cached_property
    def _environment(self) -> dict[str, str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
        return {**kept, **_QUIET, **self.switch}

    def __call__(self, *arguments: str, **variables: object) -> str:
        """Run a command, give what it says; the test fails when it fails."""
        given = {**self.variables, **variables}
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in given.items()}
        ran = subprocess.run(
            [self.program, *arguments],
            cwd=self.folder,
            env={
                **self._environment,
                **self.running_provider(),
                **{f"TF_VAR_{name}": text for name, text in texts.items()},
            },
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, f"terraform {' '.join(arguments)}: exit {ran.returncode}\n{ran.stdout}"
        return ran.stdout

    def running_provider(self) -> dict[str, str]:
        """The variables with which a command uses the provider that runs already."""
        return self.providers.variables(self.folder, self._environment)

    def initialise(self) -> None:
        """`terraform init`."""
        self(*self.init)

    def apply(self, *, plan: bool = True, **variables: object) -> dict[str, Any]:
        """Apply, plan again without a difference, and give the outputs."""
        self.said = self("apply", "-auto-approve", **variables)
        if plan:
            self("plan", "-detailed-exitcode", **variables)
        return self.outputs()

    def outputs(self) -> dict[str, Any]:
        """The configuration's outputs."""
        return {name: output["value"] for name, output in self.state()["outputs"].items()}

    def destroy(self, **variables: object) -> None:
        """Destroy; nothing is in the state any more."""
        self("destroy", "-auto-approve", **variables)
        assert self.state()["resources"] == []

    def state(self) -> dict[str, Any]:
        state: dict[str, Any] = json.loads((self.folder / "terraform.tfstate").read_text())
        return state


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *args: Any) -> None:
        return None


class _OnThisMachine(HTTPSConnection):
    """Takes every name for this machine, as curl and browsers take `x.cloudfront.localhost`."""

    def connect(self) -> None:
        self._create_connection = lambda address, *rest: socket.create_connection(("127.0.0.1", address[1]), *rest)
        super().connect()


class _Trusting(HTTPSHandler):
    def __init__(self, authority: str) -> None:
        super().__init__()
        self._trusts = ssl.create_default_context(cafile=authority)

    def https_open(self, req: Request) -> Any:
        return self.do_open(_OnThisMachine, req, context=self._trusts)


def _start(folder: Path, options: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [_KEYFRONT, "up", "--json", *options, *_FREE_PORTS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
    )


@contextmanager
def _reach(process: subprocess.Popen[str]) -> Iterator[Laptop]:
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        line = process.stdout.readline()
        if not line:
            pytest.fail(f"keyfront up ended: {process.stderr.read()}")
        printed = json.loads(line)
        calls: list[Call] = []
        endpoint = printed["endpoint"].removeprefix("http://")
        recorder = type("Recorder", (_Recorder,), {"endpoint": endpoint, "calls": calls})
        with http_server(recorder) as port:
            opener = build_opener(_Trusting(printed["authority"]), _NoRedirects())
            yield Laptop(printed, f"http://127.0.0.1:{port}", calls, opener)
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=30)
        process.stdout.close()
        process.stderr.close()


@pytest.fixture(scope="session")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the repository's Terraform, with the tests' own configurations beside the examples."""
    folder = tmp_path_factory.mktemp("repository")
    unwanted = shutil.ignore_patterns(".terraform*", "keys", "*.tfstate*")
    shutil.copytree(_ROOT / "terraform", folder / "terraform", ignore=unwanted)
    for name in ("stranger", "grown"):
        shutil.copytree(_ROOT / "tests" / "terraform" / name, folder / "terraform" / "examples" / name, ignore=unwanted)
    return folder


@pytest.fixture(scope="session")
def laptops(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Laptop, Laptop]]:
    """`keyfront up`: in the repository with ports for names and IAM enforced, and elsewhere without an option."""
    places: list[tuple[Path, list[str]]]
    places = [(repository, ["--addressing", "port", "--enforce-iam"]), (tmp_path_factory.mktemp("laptop"), [])]
    started = [_start(folder, options) for folder, options in places]
    with _reach(started[0]) as first, _reach(started[1]) as second:
        yield first, second


@pytest.fixture(scope="session")
def laptop(laptops: tuple[Laptop, Laptop]) -> Laptop:
    """The one whose distributions have ports."""
    return laptops[0]


@pytest.fixture(scope="session")
def laptop_with_names(laptops: tuple[Laptop, Laptop]) -> Laptop:
    """The one whose distributions have names."""
    return laptops[1]


@pytest.fixture(scope="session")
def in_folder(
    terraform_program: Path, terraform_init: list[str], repository: Path, providers: Providers
) -> Callable[..., Terraform]:
    """Terraform in an example's folder, sent somewhere by a switch."""
    examples = repository / "terraform" / "examples"
    return lambda name, switch: Terraform(terraform_program, terraform_init, examples / name, switch, providers)


@pytest.fixture(scope="session")
def as_written(
    terraform_program: Path,
    terraform_init: list[str],
    need_tool: Callable[[str], Path],
    repository: Path,
    laptop: Laptop,
) -> Callable[..., str]:
    """Runs a page's commands in the repository as they stand there, but for ports, confirmations and the registry.

    Terraform starts its provider itself, as it does for users, unless variables for another way are given.
    """
    tools = {str(terraform_program.parent), str(need_tool("curl").parent), str(_KEYFRONT.parent)}
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "TF_"))}
    yes = {"TF_CLI_ARGS_apply": "-auto-approve", "TF_CLI_ARGS_destroy": "-auto-approve"}
    yes["TF_CLI_ARGS_init"] = " ".join(terraform_init[1:])
    environment = {**kept, **_QUIET, **yes, "PATH": os.pathsep.join([*tools, os.environ["PATH"]])}

    def run(commands: list[str], variables: Mapping[str, str] | None = None) -> str:
        here = f"keyfront terraform env --endpoint-url {laptop.address}"
        script = "\n".join(["set -euo pipefail", *commands]).replace("keyfront terraform env", here)
        ran = subprocess.run(
            ["bash", "-c", script],
            cwd=repository,
            env={**environment, **(variables or {})},
            capture_output=True,
            text=True,
            timeout=_SECONDS,
            check=False,
        )
        assert ran.returncode == 0, f"{script}\n{ran.stdout}\n{ran.stderr}"
        return ran.stdout

    return run


@pytest.fixture(scope="session")
def permissions() -> ModuleType:
    """What requests need of IAM: permissions.py."""
    spec = importlib.util.spec_from_file_location("permissions", Path(__file__).with_name("permissions.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def together() -> Iterator[Callable[[dict[str, Callable[[], None]]], dict[str, Future[None]]]]:
    """Starts several pieces of work at the same time."""
    with ThreadPoolExecutor(16) as pool:
        yield lambda work: {name: pool.submit(todo) for name, todo in work.items()}
