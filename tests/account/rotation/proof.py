"""The proof that a rotation refuses nobody: signers sign and viewers download while keys are replaced beneath them.

`make proof-rotation` runs it whole (three edge locations that lag up to 20 s, links that live 30 s), CI a short one.
Everything is real: `keyfront up` with an edge location a process, key stores, `keyfront rotate` as processes of their
own. What is counted are requests with a signature that was valid a second longer than the request was sent.
"""

from __future__ import annotations

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3

from keyfront.account.rotation import Ledger, State
from keyfront.core.keys import PublicKey
from keyfront.core.signing import Signer
from keyfront.keystore import KeyStore, SignerDocument, WritableSource, open_keystore, open_writable

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

KEYFRONT = Path(sys.executable).with_name("keyfront")
_MARGIN = 1.0
"""Seconds that a link has to be valid for yet to be asked for: the way to the edge on a busy machine."""
# The command, but for the time after which a worker counts as dead: two minutes are long where many are killed.
_HASTY = (
    "import sys; from keyfront.account.rotation import ledger; from keyfront.cli import main; "
    "ledger.LEASE_SECONDS = {lease}; sys.exit(main())"
)


@dataclass(frozen=True)
class Scale:
    """How much of everything. Times are in seconds."""

    lag: int
    """The last edge location learns of a change after this time, the others before."""
    life: int
    """Of a link."""
    ttl: float
    """Of a signer's key."""
    rate: float
    """Links a second a signer makes, and a viewer asks for."""
    lease: float
    signers: int = 2
    viewers: int = 4
    edges: int = 3

    def options(self) -> list[str]:
        """What `keyfront rotate start` is told."""
        times = {"propagation": self.lag, "signer-ttl": 4 * self.ttl + 1, "grace": self.life, "longest-life": self.life}
        return [part for name, seconds in times.items() for part in (f"--{name}", f"{seconds:g}s")]


FULL = Scale(lag=20, life=30, ttl=2, rate=25, lease=15)
SHORT = Scale(lag=2, life=3, ttl=0.5, rate=8, lease=2, viewers=2, edges=2)


@dataclass
class Machine:
    """A running `keyfront up`."""

    printed: dict[str, Any]
    scale: Scale
    folder: Path
    address: str = ""
    """Where the signers take their key from."""

    @property
    def group(self) -> str:
        return str(self.printed["key_group"])

    @property
    def url(self) -> str:
        # http: `keyfront rotate` runs in another folder than the laptop, and knows nothing of its authority.
        return f"{self.printed['edge']['http']}/{self.printed['items'][0]['path']}"

    def client(self, service: Any) -> Any:
        given = self.printed["environment"]
        return boto3.session.Session().client(
            service,
            endpoint_url=given["AWS_ENDPOINT_URL"],
            region_name=given["AWS_DEFAULT_REGION"],
            aws_access_key_id=given["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=given["AWS_SECRET_ACCESS_KEY"],
        )

    def source(self) -> WritableSource:
        return open_writable(self.address, connect=self.client)

    def document(self) -> SignerDocument | None:
        return SignerDocument.load(self.source())

    def keystore(self) -> KeyStore:
        return open_keystore(self.address, ttl=self.scale.ttl)

    def keys(self) -> list[str]:
        """What the key group holds."""
        cloudfront: CloudFrontClient = self.client("cloudfront")
        return cloudfront.get_key_group(Id=self.group)["KeyGroup"]["KeyGroupConfig"]["Items"]

    def rotate(self, *arguments: str, wait: bool = True) -> subprocess.Popen[str]:
        """`keyfront rotate` for the group."""
        command = [sys.executable, "-c", _HASTY.format(lease=self.scale.lease), "rotate", arguments[0]]
        command += ["--group", self.group, *arguments[1:], *(["--wait"] if wait else []), "--json"]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def start(self, *more: str, wait: bool = True) -> subprocess.Popen[str]:
        """`keyfront rotate start`."""
        told = ["--signer", self.address, "--probe-url", self.url, *self.scale.options(), *more]
        return self.rotate("start", *told, wait=wait)

    def state(self) -> State | None:
        """The rotation under way."""
        return Ledger(self.client("ssm"), self.group, holder="a reader").read()


@contextmanager
def machine(scale: Scale) -> Iterator[Machine]:
    """A `keyfront up`, whose own signing key is the one to be rotated."""
    with TemporaryDirectory(prefix="keyfront-proof-") as folder:
        command = [str(KEYFRONT), "up", "--json", "--edges", str(scale.edges), "--propagation-delay", f"{scale.lag:g}s"]
        command += ["--port", "0", "--http-port", "0", "--https-port", "0", "--backend-port", "0"]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, cwd=folder, text=True)
        try:
            assert process.stdout is not None
            printed = json.loads(process.stdout.readline())
            before = {name: os.environ.get(name) for name in printed["environment"]}
            os.environ.update(printed["environment"])
            try:
                yield Machine(printed, scale, Path(folder), f"ssm:{printed['parameter']}")
            finally:
                for name, value in before.items():
                    os.environ.pop(name) if value is None else os.environ.update({name: value})
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)


@dataclass
class Counts:
    """Requests with a valid signature, by the id of the key that made it."""

    asked: dict[str, int] = field(default_factory=dict)
    refused: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return sum(self.asked.values())


class Load:
    """Signers that sign links as a backend does, and viewers that follow them at any time of their life."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._scale = machine.scale
        self._links: deque[tuple[str, str, float]] = deque(maxlen=int(4 * machine.scale.life * machine.scale.rate))
        self._lock = threading.Lock()
        self._end = threading.Event()
        self._doors = [location["http"] for location in machine.printed["edge"]["locations"]]
        self.counts = Counts()
        self.signers: dict[str, Signer] = {}
        """Each signer that signed, by its key-pair id."""
        self.failed: list[BaseException] = []

    @contextmanager
    def running(self) -> Iterator[Counts]:
        """For the block."""
        work = [self._sign] * self._scale.signers + [self._view] * self._scale.viewers
        threads = [threading.Thread(target=self._guarded, args=(each,)) for each in work]
        for thread in threads:
            thread.start()
        try:
            yield self.counts
            # Links of the last moment are followed to their end as well.
            time.sleep(min(self._scale.life, 2))
        finally:
            self._end.set()
            for thread in threads:
                thread.join()
        if self.failed:
            raise self.failed[0]

    def _guarded(self, work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001  raised again by who started it
            self.failed.append(error)

    def _sign(self) -> None:
        keys = self._machine.keystore()
        while not self._end.wait(1 / self._scale.rate):
            signer = keys.signer()
            expires = int(time.time()) + self._scale.life
            link = signer.sign_url(self._machine.url, expires=expires)
            with self._lock:
                self.signers[signer.key_pair_id] = signer
                self._links.append((link, signer.key_pair_id, expires))

    def _view(self) -> None:
        while not self._end.wait(1 / self._scale.rate):
            with self._lock:
                chosen = random.choice(self._links) if self._links else None
            if chosen is None or chosen[2] < time.time() + _MARGIN:
                continue
            link, key_id, _ = chosen
            door = random.choice(self._doors)
            answer = ask(link, door)
            with self._lock:
                self.counts.asked[key_id] = self.counts.asked.get(key_id, 0) + 1
                if answer != 200:
                    self.counts.refused.append(f"{answer} for a link of {key_id} at the location on port {door}")


def ask(link: str, door: int) -> int | str:
    """The status that the location on port `door` answers to `link`."""
    parts = urlsplit(link)
    connection = HTTPConnection("127.0.0.1", door, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers={"Host": parts.netloc, "Range": "bytes=0-0"})
        answer = connection.getresponse()
        answer.read()
        return 200 if answer.status == 206 else answer.status
    except (OSError, HTTPException) as error:
        return f"no answer ({error})"
    finally:
        connection.close()


def accepted(machine: Machine, signer: Signer) -> int:
    """How many locations let in what `signer` signs now."""
    doors = [location["http"] for location in machine.printed["edge"]["locations"]]
    link = signer.sign_url(machine.url, expires=int(time.time()) + 60)
    return sum(ask(link, door) == 200 for door in doors)


@dataclass(frozen=True)
class Result:
    """What a rotation came to under load."""

    name: str
    seconds: float
    counts: Counts
    late: int
    """Locations that let in, at the end, what the key signs that is no longer trusted."""
    kills: int = 0

    @property
    def holds(self) -> bool:
        """Whether nobody was refused, both keys had been asked for, and the other is trusted no more."""
        return not self.counts.refused and self.late == 0 and self.counts.total > 0

    def line(self) -> str:
        keys = " + ".join(f"{number:,}" for number in self.counts.asked.values())
        killed = f", killed {self.kills} times" if self.kills else ""
        return (
            f"{self.name:<44} {self.seconds:>5.0f} s  {keys:>17} requests, {len(self.counts.refused)} refused; "
            f"afterwards {self.late} of the locations take the other key{killed}"
        )


Doing = Callable[[Machine], int]
"""A rotation from its start to its end; returns how often it was killed."""


def under_load(name: str, machine: Machine, doing: Doing) -> Result:
    """What comes of `doing` while signers sign and viewers download."""
    load = Load(machine)
    began = time.monotonic()
    with load.running() as counts:
        time.sleep(machine.scale.ttl)
        kills = doing(machine)
    seconds = time.monotonic() - began
    trusted = machine.keys()
    others = [signer for key_id, signer in load.signers.items() if key_id not in trusted]
    deadline = time.monotonic() + machine.scale.lag + 10
    # Taken out of the group, a key is known to the last location for as long as that lags.
    while (late := sum(accepted(machine, signer) for signer in others)) and time.monotonic() < deadline:
        time.sleep(0.2)
    return Result(name, seconds, counts, late, kills)


def finished(process: subprocess.Popen[str], *, status: int = 0) -> str:
    """What it printed. Raises `AssertionError` when it ended otherwise."""
    out, err = process.communicate(timeout=900)
    assert process.returncode == status, f"exit status {process.returncode}: {out}{err}"
    return out


def waited(*more: str) -> Doing:
    """In one go."""

    def doing(machine: Machine) -> int:
        finished(machine.start(*more))
        return 0

    return doing


def killed(moments: int, *more: str, seed: int = 5) -> Doing:
    """Killed at so many moments of chance, and continued by another process each time."""

    def doing(machine: Machine) -> int:
        scale, chance, kills, old = machine.scale, random.Random(seed), 0, machine.keys()
        whole = scale.lag + 4 * scale.ttl + 1 + scale.life + 3
        process = machine.start(*more)
        for _ in range(moments):
            try:
                process.wait(timeout=1 + chance.random() * whole / moments)
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                kills += 1
            if machine.state() is None and machine.keys() != old:
                return kills
            process = _continued(machine, more)
        finished(process)
        return kills

    return doing


def _continued(machine: Machine, more: tuple[str, ...]) -> subprocess.Popen[str]:
    """The next worker, as a scheduler would run it: again and again, until the dead one's lease has run out."""
    for _ in range(100):
        process = machine.start(*more) if machine.state() is None else machine.rotate("continue")
        try:
            process.wait(timeout=0.5 + machine.scale.lease / 4)
        except subprocess.TimeoutExpired:
            return process
        if process.returncode == 0:
            return process
        assert process.returncode == 1, process.communicate()
        process.communicate()
        time.sleep(machine.scale.lease / 4)
    raise AssertionError("nobody could go on with the rotation")


def aborted(phase: str, *more: str) -> Doing:
    """Undone when it has come to `phase`."""

    def doing(machine: Machine) -> int:
        assert (before := machine.document()) is not None
        keys = machine.keys()
        process = machine.start(*more, wait=False)
        process.communicate(timeout=60)
        while (state := machine.state()) is not None and state.phase != phase:
            told = json.loads(finished(machine.rotate("continue", wait=False), status=3).splitlines()[-1])
            time.sleep(max(0, told["until"] - time.time()))
        finished(machine.rotate("abort"))
        assert machine.keys() == keys
        after = machine.document()
        assert after is not None
        assert after.key_pair_id == before.key_pair_id
        return 0

    return doing


def replaced_at_once(machine: Machine) -> int:
    """What people do without a tool: the new key in, the old one out, the signers told."""
    from keyfront.core.keys import SigningKey

    cloudfront: CloudFrontClient = machine.client("cloudfront")
    key = SigningKey.generate("ecdsa")
    config = {"CallerReference": str(time.time()), "Name": f"naive-{time.time_ns()}", "EncodedKey": key.public_key.pem}
    made = cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]
    group = cloudfront.get_key_group(Id=machine.group)
    changed = {**group["KeyGroup"]["KeyGroupConfig"], "Items": [made]}
    cloudfront.update_key_group(Id=machine.group, IfMatch=group["ETag"], KeyGroupConfig=changed)  # type: ignore[arg-type]
    SignerDocument(made, key).save(machine.source())
    time.sleep(machine.scale.lag + machine.scale.life)
    return 0


def kms_key(machine: Machine) -> tuple[str, PublicKey]:
    """A signing key in the machine's KMS: its ARN, and its public half."""
    kms = machine.client("kms")
    arn = kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    der = base64.b64encode(kms.get_public_key(KeyId=arn)["PublicKey"]).decode()
    return arn, PublicKey.load(f"-----BEGIN PUBLIC KEY-----\n{der}\n-----END PUBLIC KEY-----\n")


def to_a_file(machine: Machine) -> Machine:
    """The same machine, whose signers take their key from a file from now on."""
    document = machine.document()
    assert document is not None
    moved = Machine(machine.printed, machine.scale, machine.folder, f"file:{machine.folder / 'signer.json'}")
    document.save(moved.source())
    return moved


def main() -> int:
    """The whole proof, a line for each rotation."""
    failed = 0
    with machine(FULL) as there:

        def show(result: Result, *, holds: bool = True) -> None:
            nonlocal failed
            failed += result.holds != holds
            print(result.line(), "" if result.holds == holds else "  <-- WRONG", flush=True)
            for line in result.counts.refused[:5] if holds else ():
                print(f"    {line}")

        scale = FULL
        print(
            f"{scale.edges} edge locations that lag up to {scale.lag:g} s; links live {scale.life} s; {scale.signers} "
            f"signers keep a key for {scale.ttl:g} s; {scale.viewers} viewers",
            flush=True,
        )
        show(under_load("in one go, RSA for RSA", there, waited()))
        show(under_load("killed at random and continued, RSA to ECDSA", there, killed(4, "--key-type", "ecdsa")))
        show(under_load("aborted before the switch", there, aborted("added")))
        show(under_load("aborted after the switch", there, aborted("switched")))
        show(under_load("replaced at once, without keyfront rotate", there, replaced_at_once), holds=False)
        file = to_a_file(there)
        show(under_load("from a file to KMS, ECDSA", file, waited("--kms-key", kms_key(file)[0])))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
