"""Profiles and configurations for field-level encryption, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]
Profile = Callable[..., dict[str, Any]]


def entity(key: str, *patterns: str) -> dict[str, Any]:
    listed = {"Quantity": len(patterns), "Items": list(patterns)}
    return {"PublicKeyId": key, "ProviderId": "shop", "FieldPatterns": listed}


@pytest.fixture
def profile(make_key: Callable[[], str]) -> Profile:
    """Returns the configuration of a profile with these changes."""
    key = make_key()

    def make(*patterns: str, **changes: Any) -> dict[str, Any]:
        entities = {"Quantity": 1, "Items": [entity(key, *(patterns or ("card*",)))]}
        return {"Name": "cards", "CallerReference": "one", "EncryptionEntities": entities, **changes}

    return make


def using(profile: str, **changes: Any) -> dict[str, Any]:
    """Return a configuration that uses a profile."""
    types = {"Format": "URLEncoded", "ProfileId": profile, "ContentType": "application/x-www-form-urlencoded"}
    arguments = {"QueryArg": "form", "ProfileId": profile}
    return {
        "CallerReference": "one",
        "ContentTypeProfileConfig": {
            "ForwardWhenContentTypeIsUnknown": True,
            "ContentTypeProfiles": {"Quantity": 1, "Items": [types]},
        },
        "QueryArgProfileConfig": {
            "ForwardWhenQueryArgProfileIsUnknown": True,
            "QueryArgProfiles": {"Quantity": 1, "Items": [arguments]},
        },
        **changes,
    }


@pytest.fixture
def made(cloudfront: CloudFrontClient, profile: Profile) -> tuple[str, str]:
    """The ids of a profile, and of a configuration that uses it."""
    one: Any = cloudfront.create_field_level_encryption_profile(FieldLevelEncryptionProfileConfig=profile())  # type: ignore[arg-type]
    identifier = one["FieldLevelEncryptionProfile"]["Id"]
    two: Any = cloudfront.create_field_level_encryption_config(FieldLevelEncryptionConfig=using(identifier))  # type: ignore[arg-type]
    return identifier, two["FieldLevelEncryption"]["Id"]


def test_a_profile_is_created_read_changed_listed_and_deleted(cloudfront: CloudFrontClient, profile: Profile) -> None:
    config: Any = profile(Comment="of today")
    created = cloudfront.create_field_level_encryption_profile(FieldLevelEncryptionProfileConfig=config)
    made, etag = created["FieldLevelEncryptionProfile"], created["ETag"]
    assert created["Location"].endswith(f"/field-level-encryption-profile/{made['Id']}")
    assert made["FieldLevelEncryptionProfileConfig"] == config
    assert cloudfront.get_field_level_encryption_profile(Id=made["Id"])["FieldLevelEncryptionProfile"] == made
    alone = cloudfront.get_field_level_encryption_profile_config(Id=made["Id"])
    assert (alone["FieldLevelEncryptionProfileConfig"], alone["ETag"]) == (config, etag)
    changed: Any = profile("name", Comment="of tomorrow")
    updated = cloudfront.update_field_level_encryption_profile(
        Id=made["Id"], IfMatch=etag, FieldLevelEncryptionProfileConfig=changed
    )
    assert updated["FieldLevelEncryptionProfile"]["FieldLevelEncryptionProfileConfig"] == changed
    listed: Any = cloudfront.list_field_level_encryption_profiles()["FieldLevelEncryptionProfileList"]
    assert listed["Items"] == [
        {
            "Id": made["Id"],
            "LastModifiedTime": updated["FieldLevelEncryptionProfile"]["LastModifiedTime"],
            "Name": "cards",
            "EncryptionEntities": changed["EncryptionEntities"],
            "Comment": "of tomorrow",
        }
    ]
    cloudfront.delete_field_level_encryption_profile(Id=made["Id"], IfMatch=updated["ETag"])
    assert cloudfront.list_field_level_encryption_profiles()["FieldLevelEncryptionProfileList"]["Quantity"] == 0


def test_a_configuration_is_created_read_changed_listed_and_deleted(
    cloudfront: CloudFrontClient, made: tuple[str, str]
) -> None:
    profile, identifier = made
    got = cloudfront.get_field_level_encryption(Id=identifier)
    config: Any = got["FieldLevelEncryption"]["FieldLevelEncryptionConfig"]
    assert config == using(profile)
    alone = cloudfront.get_field_level_encryption_config(Id=identifier)
    assert (alone["FieldLevelEncryptionConfig"], alone["ETag"]) == (config, got["ETag"])
    changed: Any = {**config, "Comment": "other"}
    updated = cloudfront.update_field_level_encryption_config(
        Id=identifier, IfMatch=got["ETag"], FieldLevelEncryptionConfig=changed
    )
    assert updated["FieldLevelEncryption"]["FieldLevelEncryptionConfig"] == changed
    (listed,) = cloudfront.list_field_level_encryption_configs()["FieldLevelEncryptionList"]["Items"]
    assert (listed["Id"], listed["Comment"]) == (identifier, "other")
    assert listed["QueryArgProfileConfig"] == config["QueryArgProfileConfig"]
    cloudfront.delete_field_level_encryption_config(Id=identifier, IfMatch=updated["ETag"])
    assert cloudfront.list_field_level_encryption_configs()["FieldLevelEncryptionList"]["Quantity"] == 0


def test_what_is_in_use_cannot_be_deleted(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    made: tuple[str, str],
    config: Callable[..., dict[str, Any]],
    make_distribution: Callable[..., str],
) -> None:
    profile, identifier = made
    methods = ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]
    behavior = {
        **config()["DefaultCacheBehavior"],
        "FieldLevelEncryptionId": identifier,
        "AllowedMethods": {"Quantity": 7, "Items": methods},
        "ViewerProtocolPolicy": "https-only",
    }
    distribution = make_distribution(DefaultCacheBehavior=behavior)
    etag = cloudfront.get_field_level_encryption(Id=identifier)["ETag"]
    refusal = refused(cloudfront.delete_field_level_encryption_config, Id=identifier, IfMatch=etag)
    assert refusal[:2] == ("FieldLevelEncryptionConfigInUse", 409)
    assert distribution in refusal[2]
    etag = cloudfront.get_field_level_encryption_profile(Id=profile)["ETag"]
    refusal = refused(cloudfront.delete_field_level_encryption_profile, Id=profile, IfMatch=etag)
    assert refusal[:2] == ("FieldLevelEncryptionProfileInUse", 409)
    key = cloudfront.list_public_keys()["PublicKeyList"]["Items"][0]["Id"]
    refusal = refused(cloudfront.delete_public_key, Id=key, IfMatch=cloudfront.get_public_key(Id=key)["ETag"])
    assert refusal[:2] == ("PublicKeyInUse", 409)
    assert profile in refusal[2]
    illegal = "IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior"
    for change in ({"ViewerProtocolPolicy": "allow-all"}, {"AllowedMethods": {"Quantity": 2, "Items": methods[:2]}}):
        given = config(DefaultCacheBehavior={**behavior, **change})
        assert refused(cloudfront.create_distribution, DistributionConfig=given)[:2] == (illegal, 400)


def test_a_configuration_has_so_many_distributions(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    with_plane: Callable[..., object],
    config: Callable[..., dict[str, Any]],
) -> None:
    with_plane(Quotas(distributions_per_encryption=0))
    made = cloudfront.create_field_level_encryption_config(FieldLevelEncryptionConfig={"CallerReference": "one"})
    behavior = {
        **config()["DefaultCacheBehavior"],
        "FieldLevelEncryptionId": made["FieldLevelEncryption"]["Id"],
        "AllowedMethods": {"Quantity": 7, "Items": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"]},
        "ViewerProtocolPolicy": "https-only",
    }
    refusal = refused(cloudfront.create_distribution, DistributionConfig=config(DefaultCacheBehavior=behavior))
    assert refusal[:2] == ("TooManyDistributionsAssociatedToFieldLevelEncryptionConfig", 400)


@pytest.mark.parametrize(
    ("patterns", "changes", "code"),
    [
        (("card*", "card-number"), {}, "InvalidArgument"),
        (("card", "card"), {}, "InvalidArgument"),
        (("c*d",), {}, "InvalidArgument"),
        (tuple(f"f{number}" for number in range(11)), {}, "TooManyFieldLevelEncryptionFieldPatterns"),
        ((), {"EncryptionEntities": {"Quantity": 0}}, "InvalidArgument"),
        ((), {"EncryptionEntities": {"Quantity": 1, "Items": [entity("K0", "a")]}}, "NoSuchPublicKey"),
        ((), {"EncryptionEntities": {"Quantity": 1, "Items": [entity("K0")]}}, "NoSuchPublicKey"),
        (
            (),
            {"EncryptionEntities": {"Quantity": 2, "Items": [entity("K0", "a"), entity("K0", "b")]}},
            "TooManyFieldLevelEncryptionEncryptionEntities",
        ),
        ((), {"Name": ""}, "InvalidArgument"),
        ((), {"Comment": "c" * 129}, "InvalidArgument"),
    ],
)
def test_a_profile_that_breaks_a_rule_is_refused(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    profile: Profile,
    patterns: tuple[str, ...],
    changes: dict[str, Any],
    code: str,
) -> None:
    given = profile(*patterns, **changes)
    refusal = refused(cloudfront.create_field_level_encryption_profile, FieldLevelEncryptionProfileConfig=given)
    assert refusal[0] == code


def test_a_configuration_that_breaks_a_rule_is_refused(
    cloudfront: CloudFrontClient, refused: Refusal, made: tuple[str, str]
) -> None:
    create, profile = cloudfront.create_field_level_encryption_config, made[0]
    other = {"CallerReference": "two"}
    assert refused(create, FieldLevelEncryptionConfig=using(profile))[:2] == (
        "FieldLevelEncryptionConfigAlreadyExists",
        409,
    )
    assert refused(create, FieldLevelEncryptionConfig=using("P0", **other))[0] == "NoSuchFieldLevelEncryptionProfile"
    many = using(profile, **other)
    many["QueryArgProfileConfig"]["QueryArgProfiles"] = {
        "Quantity": 6,
        "Items": [{"QueryArg": f"a{number}", "ProfileId": profile} for number in range(6)],
    }
    assert refused(create, FieldLevelEncryptionConfig=many)[0] == "TooManyFieldLevelEncryptionQueryArgProfiles"
    empty = using(profile, **other)
    empty["QueryArgProfileConfig"]["QueryArgProfiles"]["Items"][0]["ProfileId"] = ""
    assert refused(create, FieldLevelEncryptionConfig=empty)[0] == "QueryArgProfileEmpty"
    types = using(profile, **other)["ContentTypeProfileConfig"]["ContentTypeProfiles"]["Items"]
    for items, code in (
        (types * 2, "TooManyFieldLevelEncryptionContentTypeProfiles"),
        ([{**types[0], "ContentType": "text/plain"}], "InvalidArgument"),
    ):
        given = using(profile, **other)
        given["ContentTypeProfileConfig"]["ContentTypeProfiles"] = {"Quantity": len(items), "Items": items}
        assert refused(create, FieldLevelEncryptionConfig=given)[0] == code
    got = cloudfront.get_field_level_encryption(Id=made[1])
    given = using(profile, CallerReference="three")
    update = cloudfront.update_field_level_encryption_config
    refusal = refused(update, Id=made[1], IfMatch=got["ETag"], FieldLevelEncryptionConfig=given)
    assert refusal[0] == "IllegalUpdate"


def test_names_are_unique_and_an_account_has_so_many(
    cloudfront: CloudFrontClient, refused: Refusal, with_plane: Callable[..., object], make_key: Callable[[], str]
) -> None:
    with_plane(Quotas(encryption_profiles=1, encryption_configs=1))
    entities = {"Quantity": 1, "Items": [entity(make_key(), "a")]}
    create = cloudfront.create_field_level_encryption_profile
    first: Any = {"Name": "one", "CallerReference": "one", "EncryptionEntities": entities}
    create(FieldLevelEncryptionProfileConfig=first)
    for changes, code in (
        ({"CallerReference": "two"}, "FieldLevelEncryptionProfileAlreadyExists"),
        ({"CallerReference": "two", "Name": "two"}, "TooManyFieldLevelEncryptionProfiles"),
    ):
        assert refused(create, FieldLevelEncryptionProfileConfig={**first, **changes})[0] == code
    cloudfront.create_field_level_encryption_config(FieldLevelEncryptionConfig={"CallerReference": "one"})
    other = {"CallerReference": "two"}
    refusal = refused(cloudfront.create_field_level_encryption_config, FieldLevelEncryptionConfig=other)
    assert refusal[0] == "TooManyFieldLevelEncryptionConfigs"


def test_what_does_not_exist_is_not_found(cloudfront: CloudFrontClient, refused: Refusal) -> None:
    for call, code in (
        (cloudfront.get_field_level_encryption, "NoSuchFieldLevelEncryptionConfig"),
        (cloudfront.get_field_level_encryption_profile, "NoSuchFieldLevelEncryptionProfile"),
    ):
        assert refused(call, Id="X0")[:2] == (code, 404)
