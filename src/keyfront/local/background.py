"""Starts `keyfront up` in the background, and returns when everything runs: `keyfront up --wait`."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from keyfront.errors import InputError, ServiceError
from keyfront.ownership import own_folder

_LOG: Final = "up.log"
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)  # Windows has none


def start(arguments: Sequence[str], home: Path) -> dict[str, Any]:
    """Run `keyfront up` with `arguments` in a process of its own, and return its document with `pid` and `log`.

    It runs until a signal ends it. What it reports later goes into a log file in the folder `home`. Raises
    `InputError` if that cannot be written, and `ServiceError` with the program's own words if it cannot start.
    """
    log = own_folder(home) / _LOG
    try:
        descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINK, 0o600)
    except OSError as error:
        raise InputError(f"cannot write {log}: {error.strerror}; remove it") from None
    with os.fdopen(descriptor, "wb") as reports:
        process = subprocess.Popen(  # noqa: S603  this program again, with the user's own options
            [sys.executable, "-m", "keyfront", "up", "--json", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=reports,
            start_new_session=True,  # Ctrl-C in this terminal must not end it
        )
    assert process.stdout is not None
    try:
        with process.stdout:
            line = process.stdout.readline()
    except BaseException:
        process.send_signal(signal.SIGTERM)
        raise
    if not line:
        process.wait()
        raise ServiceError(_said(log))
    return {**json.loads(line), "pid": process.pid, "log": str(log.absolute())}


def _said(log: Path) -> str:
    """Return the error that the process reported."""
    lines = log.read_text("utf-8", "replace").strip().splitlines()
    try:
        return str(json.loads(lines[-1])["error"])
    except (IndexError, ValueError, KeyError, TypeError):
        return f"keyfront up ended before it was ready: see {log}"
