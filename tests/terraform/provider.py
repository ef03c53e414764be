"""One process of Terraform's AWS provider for all commands in a folder.

Terraform starts the provider several times in each command, and each start takes a second of CPU time. It can also use
a process that runs already: see "Starting a provider in debug mode" in HashiCorp's documentation.
"""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Final

_INSTALLED: Final = ".terraform/providers/registry.terraform.io/hashicorp/aws/*/*/terraform-provider-aws*"
_SAID: Final = re.compile(r"TF_REATTACH_PROVIDERS='(.*)'")


class Providers:
    """The processes, by folder. `stop` ends them."""

    def __init__(self) -> None:
        self._program: Path | None = None
        self._running: dict[Path, subprocess.Popen[str]] = {}
        self._variables: dict[Path, dict[str, str]] = {}

    def variables(self, folder: Path, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what a command in `folder` needs in its environment: nothing before the first `terraform init`.

        That one installs the provider, for all folders. The provider gets `environment`, since it is the provider
        that reads `AWS_ENDPOINT_URL` and the credentials.
        """
        self._program = self._program or next(folder.glob(_INSTALLED), None)
        if self._program and folder not in self._variables:
            process = subprocess.Popen(
                [self._program.resolve(), "-debug"],
                cwd=folder,
                env=dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,  # its log, which nobody would read
                text=True,
            )
            self._running[folder] = process
            self._variables[folder] = {"TF_REATTACH_PROVIDERS": _address(process)}
        return self._variables.get(folder, {})

    def stop(self) -> None:
        """End all processes."""
        for process in self._running.values():
            process.kill()
            process.communicate()


def _address(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    said = []
    for line in process.stdout:
        said.append(line)
        if found := _SAID.search(line):
            return found[1]
    raise AssertionError(f"the provider ended: {''.join(said)}")
