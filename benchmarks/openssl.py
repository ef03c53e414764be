"""`openssl speed`: the speed of the machine's own OpenSSL, without any other work."""

import shutil
import subprocess
from functools import partial
from typing import Literal

from benchmarks.contest import Peer, PeerError

NAME = "openssl speed"
_NAMES = {"rsa": "rsa2048", "ecdsa": "ecdsap256"}
_COLUMNS = {"sign": 3, "verify": 4}


def peer(algorithm: Literal["rsa", "ecdsa"], operation: Literal["sign", "verify"], *, cores: int = 0) -> Peer:
    """Return `openssl speed` for one algorithm as a peer. It runs for whole seconds, at least one.

    It counts its own CPU time. With `cores`, it uses that many cores at once and counts by the clock.
    """
    name = f"{f'{cores} x ' if cores else ''}{NAME} {_NAMES[algorithm]}"
    program = shutil.which("openssl")
    if program is None:
        return Peer(name, missing="openssl is not installed")
    command = [program, "speed", "-mr", *(("-elapsed", "-multi", str(cores)) if cores else ())]
    return Peer(name, partial(_speed, command, _NAMES[algorithm], _COLUMNS[operation]), turns=3)


def _speed(command: list[str], algorithm: str, column: int, seconds: float) -> float:
    done = subprocess.run(
        [*command, "-seconds", str(max(1, round(seconds))), algorithm], capture_output=True, text=True
    )
    # +F2:INDEX:BITS:SIGNATURES PER SECOND:VERIFICATIONS PER SECOND, of all processes together
    found = next((line for line in done.stdout.splitlines() if line.startswith("+F")), None)
    if found is None:
        raise PeerError(f"openssl speed failed with exit code {done.returncode}")
    return float(found.split(":")[column])
