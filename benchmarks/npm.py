"""The two npm packages that sign CloudFront URLs, called in one long-running Node process."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO

from benchmarks.contest import Peer, PeerError

PACKAGES = ("@aws-sdk/cloudfront-signer", "aws-cloudfront-sign")

_DIRECTORY = Path(__file__).parent / "node"


@contextmanager
def peers(private_key: str, key_pair_id: str, url: str, expires: int) -> Iterator[list[Peer]]:
    """Yield both packages as peers. Installs them if necessary; if that fails, the peers have the reason."""
    if why := missing():
        yield [Peer(package, missing=why) for package in PACKAGES]
        return
    task = {"privateKey": private_key, "keyPairId": key_pair_id, "url": url, "expires": expires}
    command = [shutil.which("node") or "node", str(_DIRECTORY / "signers.mjs")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as node:
        assert node.stdin is not None
        assert node.stdout is not None
        node.stdin.write(json.dumps(task) + "\n")
        yield [Peer(package, partial(_run, node.stdin, node.stdout, package)) for package in PACKAGES]
        node.stdin.close()


def _run(questions: IO[str], answers: IO[str], package: str, seconds: float) -> float:
    questions.write(json.dumps({"package": package, "seconds": seconds}) + "\n")
    questions.flush()
    answer = json.loads(answers.readline() or '{"error": "node ended"}')
    if "rate" not in answer:
        raise PeerError(str(answer["error"]))
    return float(answer["rate"])


def missing() -> str | None:
    """Install the packages of benchmarks/node if necessary. Return why that is not possible, or `None`."""
    for program in ("node", "npm"):
        if shutil.which(program) is None:
            return f"{program} is not installed"
    if all((_DIRECTORY / "node_modules" / package).is_dir() for package in _needed()):
        return None
    print("Installing the npm packages (once)", file=sys.stderr)
    command = [shutil.which("npm") or "npm", "ci", "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(command, cwd=_DIRECTORY, capture_output=True, text=True, timeout=300)
    except subprocess.TimeoutExpired:
        return "npm ci did not finish within five minutes"
    return None if done.returncode == 0 else f"npm ci failed with exit code {done.returncode}"


def _needed() -> list[str]:
    return list(json.loads((_DIRECTORY / "package.json").read_text())["dependencies"])
