"""Every rule of the API that a client can break, as a table: what is asked for, and the error it gets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

NOWHERE = "00000000-0000-4000-8000-000000000000"
OTHER = "E2QWRUHEXAMPLE"


@dataclass(frozen=True)
class Bench:
    """What a row of the table works with."""

    client: CloudFrontClient
    pems: list[str]
    make_key: Callable[[], str]
    make_group: Callable[..., str]
    trusting: Callable[..., str]
    make_distribution: Callable[..., str]
    config: Callable[..., dict[str, Any]]

    def key(self, **members: str) -> Callable[[], object]:
        config: Any = {"CallerReference": "new", "Name": "new", "EncodedKey": self.pems[0]} | members
        return lambda: self.client.create_public_key(PublicKeyConfig=config)

    def group(self, *keys: str, **members: str) -> Callable[[], object]:
        config: Any = {"Name": "new", "Items": list(keys)} | members
        return lambda: self.client.create_key_group(KeyGroupConfig=config)

    def distribution(self, **members: Any) -> Callable[[], object]:
        config: Any = self.config(**members)
        return lambda: self.client.create_distribution(DistributionConfig=config)

    def behavior(self, **members: Any) -> Callable[[], object]:
        default = {**self.config()["DefaultCacheBehavior"], **members}
        return self.distribution(DefaultCacheBehavior=default)


@pytest.fixture
def bench(
    cloudfront: CloudFrontClient,
    pems: list[str],
    make_key: Callable[[], str],
    make_group: Callable[..., str],
    trusting: Callable[..., str],
    make_distribution: Callable[..., str],
    config: Callable[..., dict[str, Any]],
) -> Bench:
    return Bench(cloudfront, pems, make_key, make_group, trusting, make_distribution, config)


def _trust(*groups: str) -> dict[str, Any]:
    return {"TrustedKeyGroups": {"Enabled": True, "Quantity": len(groups), "Items": list(groups)}}


def delete_a_key_of_a_group(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    b.make_group(key)
    return lambda: b.client.delete_public_key(Id=key, IfMatch=b.client.get_public_key(Id=key)["ETag"])


def rename_a_key(b: Bench) -> Callable[[], object]:
    got = b.client.get_public_key(Id=b.make_key())
    config, identifier = got["PublicKey"]["PublicKeyConfig"], got["PublicKey"]["Id"]
    config["Name"] = "renamed"
    return lambda: b.client.update_public_key(Id=identifier, IfMatch=got["ETag"], PublicKeyConfig=config)


def reuse_a_key_name(b: Bench) -> Callable[[], object]:
    b.make_key()
    return b.key(Name="made-0")


def reuse_a_key_reference(b: Bench) -> Callable[[], object]:
    b.make_key()
    return b.key(CallerReference="made 0")


def reuse_a_group_name(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    b.make_group(key)
    return b.group(key, Name="group-0")


def rename_a_group_to_a_taken_name(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    b.make_group(key)
    got = b.client.get_key_group_config(Id=(second := b.make_group(key)))
    config: Any = {**got["KeyGroupConfig"], "Name": "group-0"}
    return lambda: b.client.update_key_group(Id=second, IfMatch=got["ETag"], KeyGroupConfig=config)


def delete_a_trusted_group(b: Bench) -> Callable[[], object]:
    group = b.make_group()
    b.trusting(group)
    return lambda: b.client.delete_key_group(Id=group, IfMatch=b.client.get_key_group(Id=group)["ETag"])


def six_keys_in_a_new_group(b: Bench) -> Callable[[], object]:
    return b.group(*(b.make_key() for _ in range(6)))


def a_sixth_key_for_a_group(b: Bench) -> Callable[[], object]:
    keys = [b.make_key() for _ in range(6)]
    group = b.make_group(*keys[:5])
    got = b.client.get_key_group_config(Id=group)
    config: Any = {**got["KeyGroupConfig"], "Items": keys}
    return lambda: b.client.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=config)


def an_eleventh_key(b: Bench) -> Callable[[], object]:
    for _ in range(10):
        b.make_key()
    return b.key()


def an_eleventh_group(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    for _ in range(10):
        b.make_group(key)
    return b.group(key)


def five_groups_on_a_behavior(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    return b.behavior(**_trust(*(b.make_group(key) for _ in range(5))))


def reuse_a_distribution_reference(b: Bench) -> Callable[[], object]:
    b.make_distribution(CallerReference="once")
    return b.distribution(CallerReference="once")


def repeat_a_distribution(b: Bench) -> Callable[[], object]:
    config: Any = b.config()
    b.client.create_distribution(DistributionConfig=config)
    return lambda: b.client.create_distribution(DistributionConfig=config)


def delete_an_enabled_distribution(b: Bench) -> Callable[[], object]:
    made = b.make_distribution()
    return lambda: b.client.delete_distribution(Id=made, IfMatch=b.client.get_distribution(Id=made)["ETag"])


def delete_a_key_without_version(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    return lambda: b.client.delete_public_key(Id=key)


def delete_a_key_with_nonsense_for_version(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    return lambda: b.client.delete_public_key(Id=key, IfMatch="latest")


def delete_a_key_of_another_version(b: Bench) -> Callable[[], object]:
    key = b.make_key()
    return lambda: b.client.delete_public_key(Id=key, IfMatch="E0123456789ABC")


def update_a_group_without_version(b: Bench) -> Callable[[], object]:
    group = b.make_group()
    config: Any = b.client.get_key_group_config(Id=group)["KeyGroupConfig"]
    return lambda: b.client.update_key_group(Id=group, KeyGroupConfig=config)


def update_a_group_twice_with_one_version(b: Bench) -> Callable[[], object]:
    group = b.make_group()
    got: Any = b.client.get_key_group_config(Id=group)

    def update() -> object:
        return b.client.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=got["KeyGroupConfig"])

    update()
    return update


def update_a_distribution_twice_with_one_version(b: Bench) -> Callable[[], object]:
    made = b.make_distribution()
    got: Any = b.client.get_distribution_config(Id=made)

    def update() -> object:
        config = got["DistributionConfig"]
        return b.client.update_distribution(Id=made, IfMatch=got["ETag"], DistributionConfig=config)

    update()
    return update


ROWS: list[tuple[str, Callable[[Bench], Callable[[], object]], str, int]] = [
    ("a key in a group cannot be deleted", delete_a_key_of_a_group, "PublicKeyInUse", 409),
    ("a key's name cannot change", rename_a_key, "CannotChangeImmutablePublicKeyFields", 400),
    ("key names are unique", reuse_a_key_name, "PublicKeyAlreadyExists", 409),
    ("key references are unique", reuse_a_key_reference, "PublicKeyAlreadyExists", 409),
    ("group names are unique", reuse_a_group_name, "KeyGroupAlreadyExists", 409),
    ("group names stay unique", rename_a_group_to_a_taken_name, "KeyGroupAlreadyExists", 409),
    ("a key is a PEM", lambda b: b.key(EncodedKey="MIIB"), "InvalidArgument", 400),
    ("a key's comment is short", lambda b: b.key(Comment="c" * 129), "InvalidArgument", 400),
    ("a key has a name", lambda b: b.key(Name=""), "InvalidArgument", 400),
    ("a trusted group cannot be deleted", delete_a_trusted_group, "ResourceInUse", 409),
    ("at most 10 keys", an_eleventh_key, "TooManyPublicKeys", 400),
    ("at most 5 keys in a group", six_keys_in_a_new_group, "TooManyPublicKeysInKeyGroup", 400),
    ("at most 5 keys in a group, later", a_sixth_key_for_a_group, "TooManyPublicKeysInKeyGroup", 400),
    ("at most 10 groups", an_eleventh_group, "TooManyKeyGroups", 400),
    ("at most 4 groups on a behavior", five_groups_on_a_behavior, "TooManyKeyGroupsAssociatedToDistribution", 400),
    ("a behavior names existing groups", lambda b: b.behavior(**_trust(NOWHERE)), "TrustedKeyGroupDoesNotExist", 400),
    ("a group names existing keys", lambda b: b.group("K0000000000000"), "InvalidArgument", 400),
    ("a group has a key", lambda b: b.group(), "InvalidArgument", 400),
    ("a group has a key once", lambda b: b.group(key := b.make_key(), key), "InvalidArgument", 400),
    ("a group's comment is short", lambda b: b.group(b.make_key(), Comment="c" * 129), "InvalidArgument", 400),
    ("a distribution's comment is short", lambda b: b.distribution(Comment="c" * 129), "InvalidArgument", 400),
    ("no such key", lambda b: lambda: b.client.get_public_key(Id="K0"), "NoSuchPublicKey", 404),
    ("no such key's config", lambda b: lambda: b.client.get_public_key_config(Id="K0"), "NoSuchPublicKey", 404),
    (
        "no such key to delete",
        lambda b: lambda: b.client.delete_public_key(Id="K0", IfMatch=OTHER),
        "NoSuchPublicKey",
        404,
    ),
    (
        "no version, and no such key",
        lambda b: lambda: b.client.delete_public_key(Id="K0"),
        "InvalidIfMatchVersion",
        400,
    ),
    ("no such group", lambda b: lambda: b.client.get_key_group(Id=NOWHERE), "NoSuchResource", 404),
    ("no such group's config", lambda b: lambda: b.client.get_key_group_config(Id=NOWHERE), "NoSuchResource", 404),
    (
        "no such group to delete",
        lambda b: lambda: b.client.delete_key_group(Id=NOWHERE, IfMatch=OTHER),
        "NoSuchResource",
        404,
    ),
    ("no such distribution", lambda b: lambda: b.client.get_distribution(Id="E0"), "NoSuchDistribution", 404),
    ("quantities", lambda b: b.distribution(Aliases={"Quantity": 1, "Items": []}), "InconsistentQuantities", 400),
    (
        "quantities, deep down",
        lambda b: b.behavior(TrustedKeyGroups={"Enabled": False, "Quantity": 2, "Items": ["a"]}),
        "InconsistentQuantities",
        400,
    ),
    ("delete needs disabled", delete_an_enabled_distribution, "DistributionNotDisabled", 409),
    ("a reference is used once", reuse_a_distribution_reference, "DistributionAlreadyExists", 409),
    ("the same request again is refused too", repeat_a_distribution, "DistributionAlreadyExists", 409),
    ("a target exists", lambda b: b.behavior(TargetOriginId="nowhere"), "NoSuchOrigin", 404),
    ("If-Match is missing", delete_a_key_without_version, "InvalidIfMatchVersion", 400),
    ("If-Match is no version", delete_a_key_with_nonsense_for_version, "InvalidIfMatchVersion", 400),
    ("If-Match is another version", delete_a_key_of_another_version, "PreconditionFailed", 412),
    ("If-Match is missing at an update", update_a_group_without_version, "InvalidIfMatchVersion", 400),
    ("If-Match is an old version, group", update_a_group_twice_with_one_version, "PreconditionFailed", 412),
    ("If-Match is an old version", update_a_distribution_twice_with_one_version, "PreconditionFailed", 412),
]


@pytest.mark.parametrize(("ask", "code", "status"), [row[1:] for row in ROWS], ids=[row[0] for row in ROWS])
def test_a_broken_rule_gets_its_error(
    bench: Bench, ask: Callable[[Bench], Callable[[], object]], code: str, status: int
) -> None:
    call = ask(bench)
    with pytest.raises(ClientError) as raised:
        call()
    answer = raised.value.response
    assert (answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]) == (code, status)
    assert len(answer["Error"]["Message"]) > 20


PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
OTHER_KEYS: list[tuple[str, Callable[[], PrivateKey]]] = [
    ("1024 bits", lambda: rsa.generate_private_key(65537, 1024)),
    ("4096 bits", lambda: rsa.generate_private_key(65537, 4096)),
    ("secp384r1", lambda: ec.generate_private_key(ec.SECP384R1())),
    ("another kind", ed25519.Ed25519PrivateKey.generate),
]


@pytest.mark.parametrize(("found", "generate"), OTHER_KEYS, ids=[row[0] for row in OTHER_KEYS])
def test_a_key_is_rsa_2048_or_ecdsa_p256(bench: Bench, found: str, generate: Callable[[], PrivateKey]) -> None:
    pem = generate().public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
    with pytest.raises(bench.client.exceptions.InvalidArgument, match=found):
        bench.key(EncodedKey=pem)()


def test_a_key_group_is_trusted_by_so_many_distributions_and_no_more(
    with_plane: Callable[..., object], bench: Bench
) -> None:
    with_plane(Quotas(distributions_per_key_group=2))
    group = bench.make_group()
    first = bench.trusting(group)
    bench.trusting(group)
    with pytest.raises(bench.client.exceptions.TooManyDistributionsAssociatedToKeyGroup):
        bench.trusting(group)
    got: Any = bench.client.get_distribution_config(Id=first)
    config = got["DistributionConfig"]
    updated = bench.client.update_distribution(Id=first, IfMatch=got["ETag"], DistributionConfig=config)
    assert updated["Distribution"]["ActiveTrustedKeyGroups"]["Quantity"] == 1


def test_a_disabled_distribution_that_is_deployed_can_be_deleted(bench: Bench) -> None:
    made = bench.client.create_distribution(DistributionConfig=bench.config(Enabled=False))  # type: ignore[arg-type]
    bench.client.delete_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"])
    assert bench.client.list_distributions()["DistributionList"]["Quantity"] == 0


def test_a_refused_request_changes_nothing(bench: Bench) -> None:
    bench.make_distribution(CallerReference="once")
    before = bench.client.list_distributions()["DistributionList"]
    for ask in (bench.distribution(CallerReference="once"), bench.behavior(TargetOriginId="nowhere")):
        with pytest.raises(ClientError):
            ask()
    assert bench.client.list_distributions()["DistributionList"] == before
