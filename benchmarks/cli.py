"""CPU time of a command, from its start to its end, and of an import."""

import resource
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from benchmarks.contest import Aim, Peer, PeerError, Row, Run, race, rows
from benchmarks.signing import EXPIRES, KEY_PAIR_ID, URL, pkcs1
from keyfront import SigningKey
from keyfront.core.keys import PRIVATE_KEY

_OURS = "keyfront sign"
_BARE = "import cryptography.hazmat.primitives.asymmetric.rsa"
_SIGNER = "from keyfront import Signer, SigningKey"
_RUNS = 7


def run(seconds: float, rounds: int) -> Iterator[Row]:
    """Compare `keyfront sign` with the AWS CLI's command and with an empty Python program. Each round is one start."""
    with TemporaryDirectory() as directory:
        key, key_for_aws = Path(directory, PRIVATE_KEY), Path(directory, "pkcs1.pem")
        made = SigningKey.generate("rsa")
        made.write(key.parent)
        key_for_aws.write_bytes(pkcs1(made))
        ours = ["sign", URL, "--key-id", KEY_PAIR_ID, "--private-key", str(key), "--expires", str(EXPIRES)]
        theirs = ["cloudfront", "sign", "--url", URL, "--key-pair-id", KEY_PAIR_ID]
        theirs += ["--private-key", f"file://{key_for_aws}", "--date-less-than", str(EXPIRES)]
        peers = [
            _peer(_OURS, "keyfront", ours),
            _peer("aws cloudfront sign", "aws", theirs),
            Peer("python -c pass", _start([sys.executable, "-c", "pass"])),
        ]
        results = race(peers, seconds, min(rounds, _RUNS))
    aims = {_OURS: Aim(0.25, "figure", at_most=True)}
    yield from rows("Start to answer", "s of CPU", results, pick=median, aims=aims)
    yield from _imports(seconds, min(rounds, _RUNS))


def _imports(seconds: float, rounds: int) -> Iterator[Row]:
    """Compare the import of the signer with the import of `cryptography`'s RSA only."""
    peers = [Peer(line, _milliseconds(_start([sys.executable, "-c", line]))) for line in (_BARE, _SIGNER)]
    results = race(peers, seconds, rounds)
    section = "Import, the interpreter's start included"
    yield from rows(section, "ms of CPU", results, pick=min)
    bare, signer = (min(result.figures) for result in results)
    yield Row(section, "the second over the first", "ms of CPU", signer - bare, aim=Aim(60.0, "figure", at_most=True))


def _milliseconds(run: Run) -> Run:
    return lambda seconds: 1000 * run(seconds)


def _peer(name: str, program: str, arguments: Sequence[str]) -> Peer:
    beside = Path(sys.executable).with_name(program)
    found = str(beside) if beside.exists() else shutil.which(program)
    return Peer(name, _start([found, *arguments])) if found else Peer(name, missing=f"{program} is not installed")


def _start(command: Sequence[str]) -> Run:
    """Return a run of exactly one start, whatever the seconds: a start cannot be divided."""

    def run(_: float) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode != 0:
            raise PeerError(
                f"{Path(command[0]).name} failed: {(done.stderr.strip().splitlines() or ['no output'])[-1]}"
            )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime

    return run
