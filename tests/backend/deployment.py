"""`keyfront backend` as it is deployed: its processes, and what deploy/ says about them."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from tests.waiting import wait_until

DEPLOY: Final = Path(__file__).parents[2] / "deploy"

_VARIABLE = re.compile(r"\$\{(?P<name>[A-Z_]+)(?::(?P<how>[?-])(?P<text>[^}]*))?\}")


@dataclass(frozen=True)
class Running:
    """The service, from its start to the end of the block."""

    process: subprocess.Popen[str]
    url: str
    metrics: str | None
    log: Path
    """Its standard error."""

    def lines(self) -> list[dict[str, Any]]:
        """The lines of a log in JSON."""
        return [json.loads(line) for line in self.log.read_text().splitlines()]

    def stop(self) -> int:
        """Ask it to stop, and give its exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(60)


@contextmanager
def deployed(folder: Path, environment: Mapping[str, str], arguments: Sequence[str]) -> Iterator[Running]:
    """The service with these arguments, on free ports of 127.0.0.1."""
    own = ["--host", "127.0.0.1", "--port", "0", "--json"]
    command = [sys.executable, "-m", "keyfront", *arguments, *own]
    log = folder / "log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.PIPE, stderr=errors, text=True
        )
    try:
        assert process.stdout is not None
        told = "".join(iter(process.stdout.readline, "}\n")) + "}" if process.poll() is None else ""
        assert told != "}", log.read_text()
        said = json.loads(told)
        yield Running(process, said["url"], said["metrics"], log)
    finally:
        if process.poll() is None:
            _end(process)
        if process.stdout is not None:
            process.stdout.close()


def _end(process: subprocess.Popen[str]) -> None:
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for pid in (*map(int, children.read_text().split()), process.pid):
        os.kill(pid, signal.SIGKILL)
    process.wait(30)


def of_unit() -> list[str]:
    """The arguments of the command that the systemd unit runs."""
    unit = (DEPLOY / "keyfront-backend.service").read_text()
    (line,) = re.findall(r"^ExecStart=/usr/local/lib/keyfront/bin/keyfront (.+)$", unit, re.MULTILINE)
    return shlex.split(line)


def of_image() -> list[str]:
    """The arguments of the command that the image runs if it is given none."""
    (line,) = re.findall(r"^CMD (\[.+\])$", (DEPLOY / "Containerfile").read_text(), re.MULTILINE)
    found: list[str] = json.loads(line)
    return found


def of_compose(service: str, given: Mapping[str, str]) -> tuple[list[str] | None, dict[str, str]]:
    """The arguments and the environment of a service of the compose file, with the variables in `given`."""
    described = yaml.safe_load((DEPLOY / "compose.yaml").read_text())["services"][service]
    environment = {name: _filled(value, given) for name, value in described["environment"].items()}
    return described.get("command"), environment


def _filled(text: str, given: Mapping[str, str]) -> str:
    def value(found: re.Match[str]) -> str:
        name, how = found["name"], found["how"]
        return given.get(name) or found["text"] if how == "-" else given[name]

    return _VARIABLE.sub(value, text)


def wait_until_closed(port: int) -> None:
    """Wait until nothing accepts connections at the port."""
    import socket

    def closed() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            return True
        except OSError:
            return False
        return False

    wait_until(closed)
