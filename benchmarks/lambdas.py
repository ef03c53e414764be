"""The download function on Amazon's runtime client: time to the first response, time of a call, memory.

Each turn is the whole life of a container: its start, a first 303, and a few more calls.
"""

import importlib.util
import json
import platform
import shutil
import sys
import zipfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import npm, parameters
from benchmarks.containers import Function, Life, lived
from benchmarks.contest import Aim, Peer, PeerError, Result, Row, race, rows
from benchmarks.signing import KEY_PAIR_ID, pkcs1
from keyfront import SigningKey
from keyfront.errors import KeyfrontError
from keyfront.local.lambdas import runtimes
from keyfront.packaging import Plan, build

_EMPTY: Final = "an empty handler"
_BARE: Final = "the bare signature: cryptography, no question asked"
_USUAL: Final = "the usual way: boto3, botocore's signer, rsa"
_ARTICLE: Final = "the article's Node.js handler, on our runtime client"
_COMPILED: Final = "keyfront, --bytecode, key from the extension"
_PLAIN: Final = "keyfront, key from the extension"
_FROM_SSM: Final = "keyfront, --bytecode, key from SSM"

_HANDLERS: Final = Path(__file__).parent / "handlers"
_NODE: Final = Path(__file__).parent / "node"
_NODE_CLIENT: Final = Path(runtimes.__file__).with_name("node") / "bootstrap.mjs"
_LAMBDAS_OWN: Final = (
    "awslambdaric", "runtime_client", "simplejson", "snapshot_restore_py", "boto3", "botocore", "s3transfer",
    "jmespath", "dateutil", "urllib3", "six",
)  # fmt: skip
"""The modules of Lambda's Python."""
_TURNS: Final = 9
_CALLS: Final = 40
"""Warm calls in each turn."""
_SECTION: Final = "Lambda, {what}"


def run(_seconds: float, rounds: int) -> Iterator[Row]:
    """Compare three forms of our function with an empty handler, a bare signature and two ways without keyfront."""
    with TemporaryDirectory(prefix="keyfront-bench-") as directory, ExitStack() as stack:
        try:
            lives = list(_lives(Path(directory), stack))
        except (KeyfrontError, PeerError) as error:
            yield Row(_SECTION.format(what="all"), "all", "ms", missing=str(error))
            return
        # A turn is a whole start, so many turns would take long.
        race([life.peer for life in lives], 1, min(rounds, _TURNS))
    yield from _rows(
        lives,
        "start of the process to first 303",
        "ms",
        lambda life: [life.first],
        min,
        _EMPTY,
        {_COMPILED: Aim(2.3, at_most=True)},
    )
    yield from _rows(
        [each for each in lives if each.peer.name != _EMPTY],
        "start to first 303, beside the usual way",
        "ms",
        lambda life: [life.first],
        min,
        _USUAL,
        {name: Aim(0.5, at_most=True) for name in (_COMPILED, _PLAIN, _FROM_SSM)},
    )
    yield from _rows(
        lives,
        "a call to a warm container, p50",
        "ms",
        lambda life: life.warm,
        median,
        _BARE,
        {_COMPILED: Aim(1.15, at_most=True)},
    )
    yield from _rows(lives, "a call to a warm container, p99", "ms", lambda life: life.warm, _p99, _BARE, {})
    yield from _rows(
        lives,
        "peak resident memory",
        "MB",
        lambda life: [life.memory],
        max,
        _EMPTY,
        {name: Aim(128, "figure", at_most=True) for name in (_COMPILED, _PLAIN, _FROM_SSM)},
    )


@dataclass(frozen=True)
class Lives:
    """A peer, and the measurements of its containers."""

    name: str
    function: Function | None = None
    missing: str | None = None
    lives: list[Life] = field(default_factory=list)

    @property
    def peer(self) -> Peer:
        """The peer for a race: each turn adds one life."""
        if self.function is None:
            return Peer(self.name, missing=self.missing)
        return Peer(self.name, self._live, turns=_TURNS)

    def _live(self, _: float) -> float:
        assert self.function is not None
        self.lives.append(lived(self.function, _CALLS))
        return self.lives[-1].first


def _rows(
    lives: Sequence[Lives],
    what: str,
    unit: str,
    figures: Callable[[Life], list[float]],
    pick: Callable[[list[float]], float],
    against: str,
    aims: dict[str, Aim],
) -> Iterator[Row]:
    results = [Result(each.peer, [figure for life in each.lives for figure in figures(life)]) for each in lives]
    yield from rows(_SECTION.format(what=what), unit, results, pick=pick, against=against, aims=aims)


def _lives(directory: Path, stack: ExitStack) -> Iterator[Lives]:
    key = SigningKey.generate("rsa")
    document = {"key_pair_id": KEY_PAIR_ID, "private_key": pkcs1(key).decode()}
    ssm = stack.enter_context(parameters.ssm(json.dumps(document)))
    port = stack.enter_context(parameters.extension(json.dumps(document)))
    own = _linked(directory / "runtime", _LAMBDAS_OWN)
    common = {
        "PATH": "/usr/bin:/bin", "PYTHONPATH": str(own), "PYTHONDONTWRITEBYTECODE": "1",
        "AWS_LAMBDA_FUNCTION_NAME": "downloads",
        "AWS_REGION": parameters.REGION, "AWS_DEFAULT_REGION": parameters.REGION, "AWS_ACCESS_KEY_ID": "id",
        "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": parameters.TOKEN, "AWS_ENDPOINT_URL": ssm,
        "CLOUDFRONT_DOMAIN": "media.example.com", "PRIVATE_KEY_PARAMETER": parameters.NAME, "KEYPAIR_ID": KEY_PAIR_ID,
        "KEYFRONT_ENTITLEMENTS": "keyfront.backend:anybody",
    }  # fmt: skip
    extended = {**common, "PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(port)}

    def python(handler: str, folder: Path, environment: dict[str, str]) -> Function:
        # Without site-packages: a function has only its package and Lambda's modules.
        return Function([sys.executable, "-S", "-m", "awslambdaric", handler], folder, environment)

    compiled = _package(directory / "compiled")
    plain = shutil.copytree(compiled, directory / "plain", ignore=shutil.ignore_patterns("__pycache__"))
    usual = _linked(directory / "usual", ("rsa", "pyasn1"))
    for folder in (usual, compiled):
        for each in _HANDLERS.glob("*.py"):
            shutil.copy(each, folder)
    ours = "keyfront.backend.aws_lambda.handler"
    yield Lives(_EMPTY, python("empty.handler", usual, common))
    yield Lives(_COMPILED, python(ours, compiled, extended))
    yield Lives(_PLAIN, python(ours, plain, extended))
    yield Lives(_FROM_SSM, python(ours, compiled, common))
    yield Lives(_BARE, python("bare.handler", compiled, {**common, "PRIVATE_KEY": document["private_key"]}))
    yield Lives(_USUAL, python("usual.handler", usual, common))
    if why := npm.missing():
        yield Lives(_ARTICLE, missing=why)
    else:
        yield Lives(
            _ARTICLE, Function([shutil.which("node") or "node", str(_NODE_CLIENT), "article.handler"], _NODE, common)
        )


def _package(folder: Path) -> Path:
    """Build our package with bytecode for this machine, and unpack it."""
    machine = platform.machine()
    architecture = {"aarch64": "arm64"}.get(machine, machine)
    python = ".".join(platform.python_version_tuple()[:2])
    built = build(Plan(architecture, python, bytecode=True), folder.with_suffix(".zip"))
    with zipfile.ZipFile(built.path) as archive:
        archive.extractall(folder)
    return folder


def _linked(folder: Path, names: Sequence[str]) -> Path:
    """Link modules of this environment into a new folder."""
    folder.mkdir()
    for name in names:
        found = importlib.util.find_spec(name)
        if found is None or found.origin is None:
            raise PeerError(f"{name} is not installed")
        origin = Path(found.origin)
        origin = origin.parent if origin.name == "__init__.py" else origin
        (folder / origin.name).symlink_to(origin)
    return folder


def _p99(figures: list[float]) -> float:
    return quantiles(figures, n=100)[98]
