"""Finds the program on this machine that runs a function, for each Lambda runtime that can run here."""

import logging
import platform
import re
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from keyfront.local.lambdas.function import Function, FunctionError

_log = logging.getLogger(__name__)

_NODE_CLIENT: Final = Path(__file__).with_name("node") / "bootstrap.mjs"
_OURS: Final = ".".join(platform.python_version_tuple()[:2])


@dataclass(frozen=True)
class Start:
    """How to start a function's process: the command, and the variables that its runtime adds."""

    command: tuple[str, ...]
    variables: Mapping[str, str]


def starting(function: Function, task: Path, layers: Path) -> Start:
    """Return how to start `function`, with its code in `task` and its layers in `layers`.

    Raises `FunctionError` if this machine cannot run its runtime.
    """
    path = f"{layers}/bin:/usr/local/bin:/usr/bin:/bin"
    common = {"PATH": path, "LD_LIBRARY_PATH": f"{task}:{task}/lib:{layers}/lib"}
    if found := re.fullmatch(r"python(\d+\.\d+)", function.runtime):
        if find_spec("awslambdaric") is None:
            raise _cannot(function, "Amazon's runtime client is not installed (pip install awslambdaric)")
        if found[1] != _OURS:
            _note(function.runtime, f"Python {_OURS}, which this machine has")
        folders = (f"{layers}/python", f"{layers}/python/lib/python{_OURS}/site-packages")
        command = (sys.executable, "-m", "awslambdaric", function.handler)
        return Start(command, {**common, "PYTHONPATH": ":".join(folders)})
    if function.runtime.startswith("nodejs"):
        node = shutil.which("node")
        if node is None:
            raise _cannot(function, "node is not on the PATH")
        _note(function.runtime, f"{node}, with keyfront's runtime client")
        folders = (f"{layers}/nodejs/node_modules", f"{task}/node_modules")
        return Start((node, str(_NODE_CLIENT), function.handler), {**common, "NODE_PATH": ":".join(folders)})
    if function.runtime.startswith("provided"):
        own = next((place for place in (task / "bootstrap", layers / "bootstrap") if place.is_file()), None)
        if own is None:
            raise FunctionError("InvalidEntrypoint", "Couldn't find valid bootstrap(s): [/var/task/bootstrap]")
        return Start((str(own),), common)
    raise _cannot(function, "only Python, Node.js and provided runtimes run on the laptop")


@cache
def _note(runtime: str, instead: str) -> None:
    _log.warning("functions of runtime %s run on %s", runtime, instead)


def _cannot(function: Function, why: str) -> FunctionError:
    return FunctionError("InvalidRuntimeException", f"Runtime {function.runtime} cannot run here: {why}.")
