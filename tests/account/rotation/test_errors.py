"""Each request of a rotation refused once: the error says what was tried, and whoever comes next finishes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

from keyfront.account.rotation import NewKey
from keyfront.account.rotation.ledger import LEASE_SECONDS
from keyfront.core.keys import SigningKey
from keyfront.errors import InputError, KeyfrontError, KeyLoadError, ServiceError
from keyfront.keystore import SignerDocument

if TYPE_CHECKING:
    from tests.account.rotation.conftest import World

DENIED = "AccessDeniedException"
# The first time that a rotation asks for it, and a later one.
ASKED = [
    ("cloudfront", "ListKeyGroups", 1),
    ("cloudfront", "ListPublicKeys", 1),
    ("cloudfront", "CreatePublicKey", 1),
    ("cloudfront", "GetKeyGroupConfig", 1),
    ("cloudfront", "UpdateKeyGroup", 1),
    ("cloudfront", "UpdateKeyGroup", 2),
    ("cloudfront", "GetPublicKey", 1),
    ("cloudfront", "DeletePublicKey", 1),
    ("ssm", "GetParametersByPath", 1),
    ("ssm", "GetParameter", 1),
    ("ssm", "GetParameter", 9),
    ("ssm", "PutParameter", 1),
    ("ssm", "PutParameter", 2),
    ("ssm", "PutParameter", 12),
    ("ssm", "DeleteParameter", 1),
]
CODES = {
    DENIED: "is missing; allow it|allow the IAM actions? {action}",
    "ThrottlingException": "too many requests to SSM",
    "ExpiredTokenException": "the AWS credentials have expired; renew them",
}


def whole(world: World, name: str) -> None:
    """A rotation by one worker, begun by it unless it has begun."""
    worker = world.worker(name)
    if worker.state() is None and world.document.key_pair_id == world.old_id:
        worker.start(world.plan())
    world.run(worker)


@pytest.mark.large
@pytest.mark.parametrize(
    ("service", "operation", "time", "code"),
    [*((*each, DENIED) for each in ASKED), *(("ssm", "PutParameter", 2, code) for code in CODES if code != DENIED)],
)
def test_a_request_that_is_refused_names_itself_and_nothing_is_half_done(
    service: str, operation: str, time: int, code: str, world: World
) -> None:
    client: Any = getattr(world, service)
    left = [time]

    def refuse(**_: object) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise ClientError({"Error": {"Code": code, "Message": "no"}}, operation)

    event = f"before-call.{service}.{operation}"
    client.meta.events.register(event, refuse)
    try:
        with pytest.raises((ClientError, ServiceError)) as caught:
            whole(world, "first")
    finally:
        client.meta.events.unregister(event, refuse)
    if isinstance(caught.value, ClientError):
        # The command makes the IAM action's name of it (tests/cli/test_aws_errors.py).
        assert caught.value.operation_name == operation
    else:
        caught.match(CODES[code].format(action=f"ssm:{operation}"))
        assert "could not be" in str(caught.value)
    world.watch()
    world.clock.now += LEASE_SECONDS + 1
    whole(world, "second")
    assert world.keys() == world.public_keys() == [world.document.key_pair_id]
    assert world.keys() != [world.old_id]
    world.was_safe()


def rsa_of_kms(world: World) -> NewKey:
    made = world.kms.create_key(KeySpec="RSA_4096", KeyUsage="SIGN_VERIFY")
    return NewKey(kms_key=made["KeyMetadata"]["KeyId"])


def encrypting(world: World) -> NewKey:
    made = world.kms.create_key(KeySpec="RSA_2048", KeyUsage="ENCRYPT_DECRYPT")
    return NewKey(kms_key=made["KeyMetadata"]["KeyId"])


def missing(world: World) -> NewKey:
    return NewKey(kms_key="alias/none")


@pytest.mark.parametrize(("make", "told"), [(rsa_of_kms, "RSA"), (encrypting, "SIGN_VERIFY"), (missing, "alias/none")])
def test_a_kms_key_of_the_wrong_type_is_told_before_anything_changes(
    make: Callable[[World], NewKey], told: str, world: World
) -> None:
    new, changes = make(world), world.changes
    with pytest.raises(KeyfrontError, match=told):
        world.worker().start(world.plan(new=new))
    assert world.changes == changes


def test_a_document_that_is_none_is_told_before_anything_changes(world: World) -> None:
    for text, told in (("-----BEGIN", "holds no JSON document"), ("{}", "key_pair_id .* is missing")):
        world.ssm.put_parameter(Name="/shop/signing-key", Value=text, Type="SecureString", Overwrite=True)
        changes = world.changes
        with pytest.raises(KeyLoadError, match=told):
            world.worker().start(world.plan())
        assert world.changes == changes


def test_a_document_of_another_group_is_told_before_anything_changes(world: World) -> None:
    SignerDocument("KOTHER", SigningKey.generate("ecdsa")).save(world.source)
    changes = world.changes
    with pytest.raises(InputError, match=r"signs with KOTHER, which shop .* does not hold"):
        world.worker().start(world.plan())
    assert world.changes == changes
