"""An account in this process: our control plane, moto's SSM and KMS, an edge that lags behind, and a clock of its own.

Requests of boto3's are answered without sockets, so that a rotation can be killed behind every one that changes
something. What a process knows dies with it, so no other point is different for those who come after it. A lease that
is renewed is no such change: whoever comes next waits until it has expired.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import boto3
import pytest
from botocore import UNSIGNED
from botocore.awsrequest import AWSResponse
from botocore.compat import HTTPHeaders
from botocore.config import Config
from botocore.model import OperationModel
from moto import mock_aws
from moto.backends import get_backend
from moto.core.models import botocore_stubber

from keyfront.account.rotation import Account, Ledger, NewKey, Outcome, Phase, Plan, Rotation, Wait
from keyfront.core.keys import SigningKey
from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest, verify
from keyfront.keystore import SignerDocument, WritableSource, open_writable
from keyfront.local.controlplane import ControlPlane

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_kms import KMSClient
    from mypy_boto3_ssm import SSMClient

SIGNER = "ssm:/shop/signing-key"
URL = "https://d111111abcdef8.cloudfront.net/private/probe"
LAG = 64.0
"""Seconds after which the edge knows of a changed group."""


KEY = SigningKey.generate("ecdsa")


class KilledError(BaseException):
    """The process ends here: nothing in it gets to run any more."""


class _Raw:
    def __init__(self, body: bytes) -> None:
        self._body = body

    def stream(self, **_: object) -> Iterator[bytes]:
        yield self._body


class Clock:
    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class World:
    """An account with a group of one key, which its signers have in a parameter."""

    cloudfront: CloudFrontClient
    ssm: SSMClient
    kms: KMSClient
    clock: Clock
    old_id: str = ""
    group: str = ""
    changes: int = 0
    """Requests so far that changed something."""
    changes_before_undo: int = 0
    kill: int | None = None
    """Behind how many of those to be killed."""
    trusted: list[tuple[float, list[str]]] = field(default_factory=list)
    """What the group held, from when on."""
    documents: list[tuple[float, str]] = field(default_factory=list)
    """The ids that the signers' document named, from when on."""

    def begin(self, key: SigningKey) -> None:
        config = {"CallerReference": "old", "Name": "old", "EncodedKey": key.public_key.pem, "Comment": ""}
        self.old_id = self.cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]  # type: ignore[arg-type]
        made = self.cloudfront.create_key_group(KeyGroupConfig={"Name": "shop", "Items": [self.old_id]})
        self.group = made["KeyGroup"]["Id"]
        SignerDocument(self.old_id, key, "SHA1", 6).save(self.source)
        self.watch()

    @property
    def source(self) -> WritableSource:
        return open_writable(SIGNER, connect=lambda _: self.ssm)

    @property
    def document(self) -> Any:
        return SignerDocument.load(self.source)

    def plan(self, **changes: Any) -> Plan:
        values: dict[str, Any] = {"group": self.group, "signer": SIGNER, "grace": 3600, "propagation": 60, "probes": 3}
        return Plan(**{**values, "new": NewKey(), "signer_ttl": 60, "probe_url": URL, **changes})

    def worker(self, name: str = "one") -> Rotation:
        """A process that knows nothing but what is in the account."""
        return Rotation(
            Account(self.cloudfront),
            Ledger(self.ssm, self.group, holder=name, clock=self.clock),
            lambda address: open_writable(address, connect=lambda _: self.ssm),
            self.probe,
            kms=lambda: self.kms,
            find_probe_url=lambda _: URL,
            clock=self.clock,
        )

    def probe(self, signer: Signer, url: str) -> str:
        """An edge that learns of changes after a while, and lets in whatever verifies."""
        known = [keys for since, keys in self.trusted if since + LAG <= self.clock.now]
        keys = {signer.key_pair_id: signer.key.public_key} if known and signer.key_pair_id in known[-1] else {}
        signed = signer.sign_url(url, expires=int(self.clock.now) + 60)
        decision = verify(ViewerRequest(signed), keys, self.clock.now)
        return "" if decision.allowed else decision.reason

    def run(self, worker: Rotation, *, undo_at: Phase | None = None, until: Phase | None = None) -> Outcome | None:
        """Go on to the end, or `until` a phase; backwards from `undo_at` on. Time passes while it waits."""
        outcome: Outcome | None = None
        for _ in range(100):
            state = worker.state()
            if state is None or state.phase is until:
                return outcome
            if state.phase is undo_at and not state.back:
                self.changes_before_undo = self.changes
                worker.abort()
            outcome = worker.advance()
            self.watch()
            if isinstance(outcome, Wait):
                self.clock.now = max(outcome.until, self.clock.now + 1)
        raise AssertionError(f"no end: {outcome}")

    def keys(self) -> list[str]:
        return self.cloudfront.get_key_group(Id=self.group)["KeyGroup"]["KeyGroupConfig"]["Items"]

    def trusts(self, key_id: str) -> bool:
        return key_id in self.keys()

    def public_keys(self) -> list[str]:
        return [each["Id"] for each in self.cloudfront.list_public_keys()["PublicKeyList"].get("Items", [])]

    def parameters(self) -> list[str]:
        pages = self.ssm.get_paginator("describe_parameters").paginate()
        return sorted(each["Name"] for page in pages for each in page["Parameters"])

    def watch(self) -> None:
        """Note what is trusted and what is signed with now, and hold both against each other."""
        keys, document = self.keys(), self.document
        if not self.trusted or self.trusted[-1][1] != keys:
            self.trusted.append((self.clock.now, keys))
        if not self.documents or self.documents[-1][1] != document.key_pair_id:
            self.documents.append((self.clock.now, document.key_pair_id))
        assert document.key_pair_id in keys

    def was_safe(self, grace: float = 3660) -> None:
        """Nobody signed with a key before the edge knew it, and none left before its last link had expired."""
        for number, (since, key) in enumerate(self.documents):
            added = next(at for at, keys in self.trusted if key in keys)
            assert since == added or since >= added + LAG, f"{key} signed {since - added} s after it was added"
            if number + 1 < len(self.documents):
                replaced = self.documents[number + 1][0]
                gone = [at for at, keys in self.trusted if at > replaced and key not in keys]
                assert not gone or gone[0] >= replaced + grace, f"{key} left {gone[0] - replaced} s after the switch"


@dataclass
class Wires:
    """The clients that all worlds share, one after the other: to make them takes longer than a rotation."""

    cloudfront: CloudFrontClient
    ssm: SSMClient
    kms: KMSClient
    plane: ControlPlane = field(default_factory=ControlPlane)
    world: World | None = None

    def answer(self, request: Any, **_: object) -> AWSResponse:
        """What our control plane says."""
        parts = urlsplit(request.url)
        body = request.body or b""
        headers = {name: _text(value) for name, value in request.headers.items()}
        body = body.encode() if isinstance(body, str) else bytes(body)
        made = self.plane.handle(request.method, parts.path, parts.query, headers, body)
        return AWSResponse(request.url, made.status, HTTPHeaders.from_dict(made.headers), _Raw(made.body))

    def asked(self, params: Mapping[str, Any], context: dict[str, Any], **_: object) -> None:
        context["renews"] = params.get("Overwrite") and "/lease/" in params["Name"]

    def answered(self, model: OperationModel, context: Mapping[str, Any], **_: object) -> None:
        if self.world is None or context.get("renews") or model.name.startswith(("Get", "List", "Describe")):
            return
        self.world.changes += 1
        if self.world.changes == self.world.kill:
            raise KilledError


def _text(value: str | bytes) -> str:
    return value.decode() if isinstance(value, bytes) else value


@pytest.fixture(scope="module")
def wires() -> Iterator[Wires]:
    with mock_aws():
        session = boto3.session.Session(
            aws_access_key_id="testing", aws_secret_access_key="testing", region_name="eu-central-1"
        )
        config = Config(retries={"total_max_attempts": 1}, signature_version=UNSIGNED)
        cloudfront, ssm = session.client("cloudfront", config=config), session.client("ssm", config=config)
        wires = Wires(cloudfront, ssm, session.client("kms", config=config))
        # moto has a CloudFront of its own.
        cloudfront.meta.events.unregister("before-send", botocore_stubber)  # type: ignore[arg-type]
        cloudfront.meta.events.register("before-send", wires.answer)  # type: ignore[arg-type]
        for client in (cloudfront, ssm):
            client.meta.events.register("before-parameter-build.*.*", wires.asked)
            client.meta.events.register("after-call.*.*", wires.answered)
        yield wires


@pytest.fixture
def make_world(wires: Wires) -> Iterator[Callable[[], World]]:
    """A function that empties the account, and gives it a group of one key."""

    def make() -> World:
        get_backend("ssm").reset()
        wires.plane = ControlPlane()
        wires.world = None
        world = World(wires.cloudfront, wires.ssm, wires.kms, Clock())
        world.begin(KEY)
        wires.world = world
        return world

    yield make
    wires.world = None


@pytest.fixture
def world(make_world: Callable[[], World]) -> World:
    return make_world()
