"""The rotation function, called as Secrets Manager calls it: by moto's, step by step, killed and denied anywhere."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import boto3
import pytest
from botocore.exceptions import ClientError
from moto.awslambda.utils import get_backend as get_lambda_backend
from moto.backends import get_backend
from moto.core.models import DEFAULT_ACCOUNT_ID
from tests.account.rotation.conftest import KEY, LAG, URL, KilledError

from keyfront.account.rotation.account import QuotaError
from keyfront.account.rotation.function_settings import Settings
from keyfront.account.rotation.secrets_manager import SecretRotation, handler
from keyfront.core.keys import SigningKey
from keyfront.errors import InputError, KeyfrontError, ServiceError
from keyfront.keystore import KMSReference, SignerDocument

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from tests.account.rotation.conftest import Wires, World

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
REGION = "eu-central-1"
FUNCTION = f"arn:aws:lambda:{REGION}:{DEFAULT_ACCOUNT_ID}:function:rotate"


class Secret:
    """A secret beside a world's group, and the function that rotates it."""

    def __init__(self, world: World, manager: SecretsManagerClient) -> None:
        self.world, self.manager = world, manager
        document = SignerDocument(world.old_id, KEY, "SHA1", 6)
        manager.create_secret(Name="shop", SecretString=document.to_json())
        self.steps: list[str] = []
        self.left = 900.0

    def settings(self, **changes: Any) -> Settings:
        return Settings(
            **{"key_group": self.world.group, "probes": 3, "probe_url": URL, "grace_seconds": 3600, **changes}
        )

    def rotation(self, **changes: Any) -> SecretRotation:
        return SecretRotation(
            self.settings(**changes),
            self.world.cloudfront,
            self.manager,
            probe=self.world.probe,
            remaining=lambda: self.left,
            clock=self.world.clock,
            sleep=self.sleep,
        )

    def sleep(self, seconds: float) -> None:
        self.world.clock.now += seconds
        self.left -= seconds

    def invoke(self, arn: str, *, body: str, **_: object) -> None:
        """What moto calls in place of Lambda."""
        event = json.loads(body)
        self.steps.append(event["Step"])
        self.step(event["Step"], event["ClientRequestToken"])

    def step(self, name: str, token: str, **changes: Any) -> None:
        self.left = 900.0
        try:
            self.rotation(**changes).step(name, "shop", token)
        finally:
            self.note()

    def note(self) -> None:
        """As `World.watch`, of the secret."""
        keys, named = self.world.keys(), self.document().key_pair_id
        if self.world.trusted[-1][1] != keys:
            self.world.trusted.append((self.world.clock.now, keys))
        if self.world.documents[-1][1] != named:
            self.world.documents.append((self.world.clock.now, named))
        assert named in keys

    def document(self, stage: str = "AWSCURRENT") -> SignerDocument:
        text = self.manager.get_secret_value(SecretId="shop", VersionStage=stage)["SecretString"]
        return SignerDocument.parse(text, source="shop")

    def begin(self) -> str:
        """A version that is AWSPENDING and has no value yet: what Secrets Manager leaves before the first step."""
        token = str(uuid4())
        secret: Any = get_backend("secretsmanager")[DEFAULT_ACCOUNT_ID][REGION].secrets["shop"]
        secret.remove_version_stages_from_old_versions(["AWSPENDING"])
        secret.versions[token] = {"createdate": 0, "version_id": token, "version_stages": ["AWSPENDING"]}
        return token

    def go_through(self, token: str) -> None:
        for each in STEPS:
            self.step(each, token)


@pytest.fixture
def make_secret(wires: Wires, make_world: Callable[[], World]) -> Callable[[], Secret]:
    manager = boto3.session.Session("testing", "testing", region_name=REGION).client("secretsmanager")

    manager.meta.events.register("after-call.*.*", wires.answered)

    def make() -> Secret:
        get_backend("secretsmanager").reset()
        world = make_world()
        wires.world = None
        made = Secret(world, manager)
        wires.world = world
        return made

    return make


@pytest.fixture
def secret(make_secret: Callable[[], Secret]) -> Secret:
    return make_secret()


def test_secrets_manager_rotates_in_the_safe_order(secret: Secret, monkeypatch: pytest.MonkeyPatch) -> None:
    functions = get_lambda_backend(DEFAULT_ACCOUNT_ID, REGION)
    monkeypatch.setattr(functions, "get_function", lambda arn: arn)
    monkeypatch.setattr(functions, "invoke", secret.invoke)
    secret.manager.rotate_secret(
        SecretId="shop", RotationLambdaARN=FUNCTION, RotationRules={"AutomaticallyAfterDays": 30}
    )
    assert tuple(secret.steps) == STEPS
    new = secret.document()
    assert isinstance(new.key, SigningKey)
    assert (new.version, new.hash_algorithm, new.key.algorithm) == (7, "SHA1", "ecdsa")
    assert secret.document("AWSPREVIOUS").key_pair_id == secret.world.old_id
    assert secret.world.keys() == [secret.world.old_id, new.key_pair_id]
    # What the old key signed is let in until it has expired, and not for longer.
    secret.world.clock.now += 3600 + 600 - 1
    assert secret.rotation().retire("shop") == []
    secret.world.clock.now += 1
    assert secret.rotation().retire("shop") == [secret.world.old_id]
    secret.note()
    assert secret.world.keys() == secret.world.public_keys() == [new.key_pair_id]
    secret.world.was_safe(4200)


def test_each_rotation_retires_what_the_last_one_left(secret: Secret) -> None:
    seen = {secret.world.old_id}
    for number in range(8):
        secret.go_through(secret.begin())
        seen.add(secret.document().key_pair_id)
        assert len(secret.world.keys()) == 2
        secret.world.clock.now += 5000
        assert len(seen) == number + 2
    secret.world.was_safe(4200)


def test_rotations_that_come_too_soon_keep_every_key_that_may_be_needed_and_end_at_a_full_group(secret: Secret) -> None:
    for _ in range(4):
        secret.go_through(secret.begin())
    before = secret.world.keys(), secret.world.public_keys(), secret.document().to_json()
    assert len(before[0]) == 5
    with pytest.raises(QuotaError, match="holds 5 keys, and CloudFront allows 5"):
        secret.step("createSecret", secret.begin())
    assert (secret.world.keys(), secret.world.public_keys(), secret.document().to_json()) == before
    secret.world.clock.now += 4200
    secret.go_through(secret.begin())
    assert len(secret.world.keys()) == 2


def whole_life(secret: Secret, token: str) -> None:
    """A rotation, and the end of the key that it replaced."""
    secret.go_through(token)
    secret.world.clock.now += 5000
    secret.rotation().retire("shop")


def killed(make_secret: Callable[[], Secret]) -> Iterator[tuple[Secret, str]]:
    """For each change that a rotation and its end make: a secret whose rotation was killed behind it."""
    whole = make_secret()
    whole_life(whole, whole.begin())
    assert whole.world.changes >= 7
    for at in range(1, whole.world.changes + 1):
        secret = make_secret()
        token = secret.begin()
        secret.world.kill = at
        with pytest.raises(KilledError):
            whole_life(secret, token)
        secret.world.kill = None
        secret.note()
        yield secret, token


@pytest.mark.large
def test_killed_at_any_point_the_same_steps_finish_it(make_secret: Callable[[], Secret]) -> None:
    for secret, token in killed(make_secret):
        secret.go_through(token)
        # Before the switch was noted, the grace begins anew: longer is safe.
        secret.rotation().retire("shop")
        secret.world.clock.now += 5000
        secret.rotation().retire("shop")
        secret.note()
        assert secret.world.keys() == secret.world.public_keys() == [secret.document().key_pair_id]
        assert secret.document().key_pair_id != secret.world.old_id
        secret.world.was_safe(4200)


def test_a_rotation_that_was_given_up_leaves_the_old_key_and_the_next_one_goes_through(secret: Secret) -> None:
    token = secret.begin()
    secret.step("createSecret", token)
    secret.step("setSecret", token)
    secret.manager.update_secret_version_stage(SecretId="shop", VersionStage="AWSPENDING", RemoveFromVersionId=token)
    with pytest.raises(InputError, match="is not AWSPENDING: this rotation was cancelled"):
        secret.step("finishSecret", token)
    assert secret.document().key_pair_id == secret.world.old_id
    secret.go_through(secret.begin())
    assert secret.document().key_pair_id != secret.world.old_id


def test_the_new_key_does_not_sign_before_the_edge_lets_it_in(secret: Secret) -> None:
    token = secret.begin()
    secret.step("createSecret", token)
    secret.step("setSecret", token)
    began = secret.world.clock.now
    secret.step("testSecret", token, propagation_seconds=0)
    assert secret.world.clock.now >= began + LAG
    # The account's own clock tells when the group was changed.
    rotation = secret.rotation(propagation_seconds=int(secret.world.clock.now - time.time()) + 900)
    secret.left = 600
    with pytest.raises(ServiceError, match=r"the function's time is over .*a timeout above PROPAGATION_SECONDS"):
        rotation.step("testSecret", "shop", token)


def test_a_key_that_somebody_took_out_of_the_group_never_signs(secret: Secret) -> None:
    token = secret.begin()
    for each in STEPS[:3]:
        secret.step(each, token)
    new = secret.document("AWSPENDING").key_pair_id
    secret.rotation()._account.remove(secret.world.group, new)
    for each in STEPS[2:]:
        with pytest.raises(InputError, match=f"{new} is not in key group .*cancel-rotate-secret"):
            secret.step(each, token)
    assert secret.document().key_pair_id == secret.world.old_id


@pytest.mark.parametrize(
    ("document", "settings", "told"),
    [
        (SignerDocument("KOTHER", KEY), {}, "signs with KOTHER, which key group .* does not hold: set KEY_GROUP"),
        (SignerDocument("KOTHER", KMSReference("alias/shop"), "SHA256"), {}, "keyfront rotate start --kms-key"),
        (None, {"key_group": "none"}, "there is no key group 'none'; there are: shop"),
    ],
)
def test_what_cannot_be_rotated_is_told_before_anything_changes(
    document: SignerDocument | None, settings: dict[str, str], told: str, secret: Secret
) -> None:
    if document:
        secret.manager.put_secret_value(SecretId="shop", SecretString=document.to_json())
    token, changes = secret.begin(), secret.world.changes
    with pytest.raises(InputError, match=told):
        secret.rotation(**settings).step("createSecret", "shop", token)
    assert secret.world.changes == changes


@pytest.mark.parametrize(("name", "token"), [("resetSecret", None), ("setSecret", "another")])
def test_an_event_of_no_rotation_is_told(name: str, token: str | None, secret: Secret) -> None:
    with pytest.raises(InputError, match=r"is not a step of a rotation|has no version another"):
        secret.rotation().step(name, "shop", token or secret.begin())


ACTIONS = {
    "createSecret": (
        *("secretsmanager:DescribeSecret", "secretsmanager:GetSecretValue", "cloudfront:ListKeyGroups"),
        *("cloudfront:ListPublicKeys", "cloudfront:CreatePublicKey", "secretsmanager:PutSecretValue"),
    ),
    "setSecret": ("cloudfront:GetKeyGroupConfig", "cloudfront:UpdateKeyGroup"),
    "finishSecret": (
        *("secretsmanager:UpdateSecretVersionStage", "cloudfront:GetPublicKeyConfig", "cloudfront:UpdatePublicKey"),
    ),
}


@pytest.mark.parametrize(
    ("step", "action", "code", "told"),
    [
        *((step, action, "AccessDenied", "{action}") for step, actions in ACTIONS.items() for action in actions),
        ("setSecret", "cloudfront:UpdateKeyGroup", "Throttling", "Throttling"),
        ("finishSecret", "secretsmanager:UpdateSecretVersionStage", "Throttling", "Throttling"),
    ],
)
def test_a_step_that_is_denied_names_the_action_and_is_done_by_the_next_call(
    step: str, action: str, code: str, told: str, secret: Secret
) -> None:
    token = secret.begin()
    for each in STEPS[: STEPS.index(step)]:
        secret.step(each, token)
    before = secret.world.keys(), secret.world.public_keys()
    service, _, operation = action.partition(":")
    client: Any = secret.world.cloudfront if service == "cloudfront" else secret.manager

    def refuse(**_: object) -> None:
        raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    client.meta.events.register(f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}", refuse)
    try:
        with pytest.raises(KeyfrontError, match=told.format(action=action)):
            secret.rotation().step(step, "shop", token)
    finally:
        client.meta.events.unregister(
            f"before-call.{client.meta.service_model.service_id.hyphenize()}.{operation}", refuse
        )
    assert (secret.world.keys(), secret.world.public_keys()) == before
    secret.go_through(token)
    assert secret.document().key_pair_id != secret.world.old_id


@pytest.mark.parametrize(
    ("environment", "told"),
    [
        ({}, "KEY_GROUP is not set"),
        ({"KEY_GROUP": "g", "PROBES": "many"}, "PROBES is 'many': give a whole number"),
        ({"KEY_GROUP": "g", "GRACE_SECONDS": "-1"}, "GRACE_SECONDS is -1: give seconds from 0 on"),
        ({"KEY_GROUP": "g", "KEY_TYPE": "dsa"}, "KEY_TYPE is 'dsa': give rsa or ecdsa"),
        ({"KEY_GROUP": "g"}, "the event has no SecretId"),
    ],
)
def test_a_function_that_is_set_up_wrongly_says_what_to_fix(
    environment: dict[str, str], told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(InputError, match=told):
        handler({"Step": "retire"}, None)
