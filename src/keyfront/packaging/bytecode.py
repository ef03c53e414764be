"""Compiled modules for a package. Lambda's `/var/task` is read-only, so each container compiles the missing ones.

Measured: this halves the function's time to start. Only the runtime's own minor version of Python can compile for it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from keyfront.errors import InputError
from keyfront.packaging.contents import Files

_TASK: Final = "/var/task"
_SECONDS: Final = 300


def compiled(files: Files, python: str) -> Files:
    """Return the `.pyc` files of the modules in `files` for a version of Python (`3.12`); the same bytes each time.

    Python does not compare them with their sources, because those never change on Lambda. Raises `InputError` if this
    Python is not installed, or if one of the user's modules does not compile.
    """
    interpreter = _interpreter(python)
    with tempfile.TemporaryDirectory(prefix="keyfront-bytecode-") as name:
        folder = Path(name)
        for path, content in files.items():
            if path.endswith(".py"):
                (folder / path).parent.mkdir(parents=True, exist_ok=True)
                (folder / path).write_bytes(content)
        command = [interpreter, "-S", "-m", "compileall", "-q", "-j", "1", "--invalidation-mode", "unchecked-hash"]
        # Sets of strings are written in the order of their hashes.
        environment = {**os.environ, "PYTHONHASHSEED": "0"}
        done = subprocess.run(  # noqa: S603
            [*command, "-s", name, "-p", _TASK, name],
            capture_output=True, text=True, env=environment, timeout=_SECONDS, check=False,
        )  # fmt: skip
        if done.returncode != 0:
            said = next((line for line in done.stdout.splitlines() if line.startswith("***")), "compileall failed")
            raise InputError(f"a module does not compile with Python {python}: {said.strip('* ').replace(name, '')}")
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.pyc")}


def _interpreter(python: str) -> str:
    if python == ".".join(map(str, sys.version_info[:2])):
        return sys.executable
    name = f"python{python}"
    found = shutil.which(name)
    # Version managers put a stand-in on the PATH even for versions that are not chosen.
    if found is None or subprocess.run([found, "-c", ""], capture_output=True, check=False).returncode != 0:  # noqa: S603
        raise InputError(
            f"--bytecode for Python {python} needs {name} on the PATH, because no other version can compile for it"
        )
    return found
