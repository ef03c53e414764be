"""One process of Terraform's AWS provider for all commands in a folder.

Terraform starts the provider several times in each command, and each start takes a second of CPU time. It can also use
a process that runs already: see "Starting a provider in debug mode" in HashiCorp's documentation. Here that is a proxy
before the process (proxy.py).
"""

import base64
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import grpc
import pytest
from tests.needs import Workers
from tests.terraform.proxy import ANY_SIZE, Answers, Proxy

_INSTALLED: Final = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
_SAID: Final = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


@dataclass(frozen=True)
class _Running:
    process: subprocess.Popen[str]
    socket: Path
    server: grpc.Server
    variables: dict[str, str]


class Providers:
    """The processes, by folder. `stop` ends them."""

    def __init__(self, workers: Workers) -> None:
        self._workers = workers
        self._program: Path | None = None
        self._running: dict[Path, _Running] = {}
        self._answers = Answers()

    def variables(self, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what a command in `folder` needs in its environment: nothing before the first `terraform init`.

        That one installs the provider, for all folders. The provider gets `environment`, since it is the provider
        that reads `AWS_ENDPOINT_URL` and the credentials.
        """
        self._program = self._program or next(folder.glob(_INSTALLED), None)
        if self._program and folder not in self._running:
            self._running[folder] = self._start(self._program.resolve(), folder, dict(environment))
        return self._running[folder].variables if folder in self._running else {}

    def _start(self, program: Path, folder: Path, environment: dict[str, str]) -> _Running:
        process = subprocess.Popen(
            [program, "-debug"],
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
        settings = tuple(sorted(each for each in environment.items() if each[0].startswith("AWS_")))
        proxy = Proxy(channel, settings, self._answers, self._share)
        server = grpc.server(ThreadPoolExecutor(32), handlers=[proxy], options=ANY_SIZE)
        port = server.add_insecure_port("127.0.0.1:0")
        server.start()
        reached["Addr"] = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
        return _Running(process, Path(socket), server, {"TF_REATTACH_PROVIDERS": json.dumps({name: reached})})

    def _share(self, make: Callable[[], bytes]) -> bytes:
        made = self._workers.once("schema", lambda: {"schema": base64.b64encode(make()).decode()})
        return base64.b64decode(made["schema"])

    def stop(self) -> None:
        """End all processes."""
        for each in self._running.values():
            each.server.stop(None)
            each.process.kill()
            each.process.communicate()
            each.socket.unlink(missing_ok=True)


@pytest.fixture(scope="session")
def providers(workers: Workers) -> Iterator[Providers]:
    """Provider processes that commands share."""
    running = Providers(workers)
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
