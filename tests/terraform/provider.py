"""One process of Terraform's AWS provider for all commands in a folder.

Terraform starts the provider several times in each command, and each start takes a second of CPU time. It can also use
a process that runs already: see "Starting a provider in debug mode" in HashiCorp's documentation. Here that is a proxy
before the process (proxy.py).
"""

import base64
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from tests.needs import Workers
from tests.terraform.proxy import ANY_SIZE, Proxy

_INSTALLED: Final = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
_SAID: Final = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[str]
    socket: Path
    server: grpc.Server
    variables: dict[str, str]


class Providers:
    """Processes of a program, by folder. `stop` ends them."""

    def __init__(self, program: Path, workers: Workers) -> None:
        self._program, self._workers = program, workers
        self._running: dict[Path, _Running] = {}

    def variables(self, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what a command in `folder` needs in its environment.

        The provider gets `environment`, since it is the provider that reads `AWS_ENDPOINT_URL` and the credentials.
        """
        if folder not in self._running:
            self._running[folder] = self._start(folder, dict(environment))
        return self._running[folder].variables

    def _start(self, folder: Path, environment: dict[str, str]) -> _Running:
        process = subprocess.Popen(
            [self._program, "-debug"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,  # its log, which nobody would read
            text=True,
        )
        ((name, reached),) = _reached(process).items()
        socket = reached["Addr"]["String"]
        channel = grpc.insecure_channel(f"unix:{socket}", options=ANY_SIZE)
        server = grpc.server(ThreadPoolExecutor(32), handlers=[Proxy(channel, self._once)], options=ANY_SIZE)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        reached["Addr"] = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
        return _Running(process, Path(socket), server, {"TF_REATTACH_PROVIDERS": json.dumps({name: reached})})

    def _once(self, name: str, ask: Callable[[], bytes]) -> bytes:
        made = self._workers.once(f"provider-{name}", lambda: {"answer": base64.b64encode(ask()).decode()})
        return base64.b64decode(made["answer"])

    def stop(self) -> None:
        """End all processes."""
        for each in self._running.values():
            each.server.stop(None)
            each.process.kill()
            each.process.communicate()
            each.socket.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def providers(
    terraform_program: Path, terraform_init: list[str], workers: Workers, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Providers]:
    """Provider processes that commands share. The only `terraform init` that installs the provider is this one."""
    folder = tmp_path_factory.mktemp("provider")
    shutil.copy(Path(__file__).with_name("provider.tf"), folder)
    command = [str(terraform_program), *terraform_init, "-input=false"]
    environment = {**os.environ, "CHECKPOINT_DISABLE": "1"}
    subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, timeout=300)
    running = Providers(next(folder.glob(_INSTALLED)).resolve(), workers)
    yield running
    running.stop()


def _reached(process: subprocess.Popen[str]) -> dict[str, Any]:
    """How Terraform reaches the provider, by its source."""
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := _SAID.search(line):
            told: dict[str, Any] = json.loads(found[1])
            return told
    raise AssertionError(f"the provider ended: {''.join(said)}")
