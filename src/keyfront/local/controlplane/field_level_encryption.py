"""Field-level encryption: profiles (which form fields are encrypted with which key) and configurations.

Sources: the API model; Developer Guide, "Use field-level encryption to help protect sensitive data", "Quotas".
keyfront's edge encrypts no fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeVar

from keyfront.local.controlplane.account import COMMENT_CHARACTERS, LocalAccount, Operation, check_length, found
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import new_encryption_config_id, new_encryption_profile_id
from keyfront.local.controlplane.trust import distributions_with_encryption

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import (
        AnyBehavior,
        EncryptionConfig,
        EncryptionEntity,
        EncryptionProfileConfig,
    )

    AnyEncryption = TypeVar("AnyEncryption", EncryptionConfig, EncryptionProfileConfig)
    from keyfront.local.controlplane.store import Resource, Store

_CONTENT_TYPE = "application/x-www-form-urlencoded"
"""The only content type (Developer Guide, "Create a configuration")."""


def _accept_profile(
    account: LocalAccount, config: EncryptionProfileConfig, before: Resource[EncryptionProfileConfig] | None
) -> EncryptionProfileConfig:
    check_length(config["Name"], "Name", COMMENT_CHARACTERS, 1)
    _check_common(config, before)
    entities = config["EncryptionEntities"].get("Items", [])
    if not entities:
        raise APIError("InvalidArgument", "The parameter EncryptionEntities must have at least one item.")
    if len(entities) > (quota := account.quotas.encryption_entities_per_profile):
        message = f"A profile may have {quota} encryption entities; this one has {len(entities)}."
        raise APIError("TooManyFieldLevelEncryptionEncryptionEntities", message)
    for entity in entities:
        _check_entity(account, entity)
    return config


def _check_entity(account: LocalAccount, entity: EncryptionEntity) -> None:
    found(account.store.public_keys, entity["PublicKeyId"], "NoSuchPublicKey", "public key")
    check_length(entity["ProviderId"], "ProviderId", COMMENT_CHARACTERS, 1)
    patterns, quota = entity["FieldPatterns"].get("Items", []), account.quotas.field_patterns_per_profile
    if not patterns:
        raise APIError("InvalidArgument", "The parameter FieldPatterns must have at least one item.")
    if len(patterns) > quota:
        message = f"A profile may have {quota} field patterns; this one has {len(patterns)}."
        raise APIError("TooManyFieldLevelEncryptionFieldPatterns", message)
    for pattern in patterns:
        if not pattern or "*" in pattern[:-1]:
            message = f"A field pattern is a field's name or the beginning of one with a final *: {pattern[:100]!r}."
            raise APIError("InvalidArgument", message)
        if other := next((each for each in patterns if each != pattern and _covers(each, pattern)), None):
            raise APIError("InvalidArgument", f"Field patterns overlap: {other[:100]!r} and {pattern[:100]!r}.")
    if len(set(patterns)) < len(patterns):
        raise APIError("InvalidArgument", "The parameter FieldPatterns has the same pattern twice.")


def _covers(wildcard: str, pattern: str) -> bool:
    return wildcard.endswith("*") and pattern.startswith(wildcard[:-1])


def _accept_config(
    account: LocalAccount, config: EncryptionConfig, before: Resource[EncryptionConfig] | None
) -> EncryptionConfig:
    _check_common(config, before)
    arguments = config.get("QueryArgProfileConfig", {}).get("QueryArgProfiles", {}).get("Items", [])
    types = config.get("ContentTypeProfileConfig", {}).get("ContentTypeProfiles", {}).get("Items", [])
    if len(arguments) > (quota := account.quotas.query_argument_profiles_per_encryption):
        message = f"A configuration may have {quota} query argument profiles; this one has {len(arguments)}."
        raise APIError("TooManyFieldLevelEncryptionQueryArgProfiles", message)
    if len(types) > 1:
        message = f"A configuration may have 1 content type profile; this one has {len(types)}."
        raise APIError("TooManyFieldLevelEncryptionContentTypeProfiles", message)
    if any(not argument["ProfileId"] for argument in arguments):
        raise APIError("QueryArgProfileEmpty", "No profile specified for the field-level encryption query argument.")
    if bad := [each["ContentType"] for each in types if each["ContentType"] != _CONTENT_TYPE]:
        raise APIError("InvalidArgument", f"The ContentType must be {_CONTENT_TYPE}; it is {bad[0][:100]!r}.")
    for profile in _profiles_of(config):
        PROFILES.find(account, profile)
    return config


def _check_common(config: AnyEncryption, before: Resource[AnyEncryption] | None) -> None:
    check_length(config["CallerReference"], "CallerReference", COMMENT_CHARACTERS, 1)
    check_length(config.get("Comment", ""), "Comment", COMMENT_CHARACTERS)
    if before is not None and config["CallerReference"] != before.config["CallerReference"]:
        message = f"You cannot update the CallerReference: it is {before.config['CallerReference']!r}."
        raise APIError("IllegalUpdate", message)


def _check_reference(
    account: LocalAccount, config: EncryptionConfig, before: Resource[EncryptionConfig] | None
) -> None:
    for other in account.store.encryption_configs:
        if other.config["CallerReference"] == config["CallerReference"] and (before is None or other.id != before.id):
            message = (
                f"The caller reference {config['CallerReference']!r} belongs to another configuration: {other.id}."
            )
            raise APIError("FieldLevelEncryptionConfigAlreadyExists", message)


def _profiles_of(config: EncryptionConfig) -> list[str]:
    """Return the ids of the profiles that a configuration uses."""
    arguments = config.get("QueryArgProfileConfig", {}).get("QueryArgProfiles", {}).get("Items", [])
    types = config.get("ContentTypeProfileConfig", {}).get("ContentTypeProfiles", {}).get("Items", [])
    return [*(each["ProfileId"] for each in arguments), *(i for each in types if (i := each.get("ProfileId")))]


def _configs_with(store: Store, profile: str) -> list[Resource[EncryptionConfig]]:
    return [each for each in store.encryption_configs if profile in _profiles_of(each.config)]


def check_behavior(account: LocalAccount, behavior: AnyBehavior, name: str) -> None:
    """Check the field-level encryption of a cache behavior. `name` names the behavior in messages.

    Source: Developer Guide, "Add a field-level encryption configuration to a cache behavior": HTTPS from the viewer,
    and POST and PUT requests. Assumed: the order of the rules.
    """
    identifier = behavior["FieldLevelEncryptionId"]
    if not identifier:
        return
    CONFIGS.find(account, identifier)
    missing = {"POST", "PUT"} - set(behavior["AllowedMethods"]["Items"])
    if missing or behavior["ViewerProtocolPolicy"] == "allow-all":
        raise APIError(
            "IllegalFieldLevelEncryptionConfigAssociationWithCacheBehavior",
            "The specified configuration for field-level encryption can't be associated with the cache behavior "
            f"{name}: it must allow POST and PUT, and viewers must use HTTPS.",
        )


PROFILES: Family[EncryptionProfileConfig] = Family(
    noun="FieldLevelEncryptionProfile",
    plural="FieldLevelEncryptionProfiles",
    title="profile for field-level encryption",
    path="field-level-encryption-profile",
    table=lambda store: store.encryption_profiles,
    quota=lambda quotas: quotas.encryption_profiles,
    too_many="This account has {quota} profiles for field-level encryption, which is the quota: delete one first.",
    new_id=new_encryption_profile_id,
    accept=_accept_profile,
    unique=("Name", "CallerReference"),
    users=_configs_with,
    in_use="The specified profile for field-level encryption is in use by {users}.",
    beside=lambda profile: {"LastModifiedTime": profile.modified},
    summary=lambda profile: {
        "Id": profile.id,
        "LastModifiedTime": profile.modified,
        "Name": profile.config["Name"],
        "EncryptionEntities": profile.config["EncryptionEntities"],
        "Comment": profile.config.get("Comment"),
    },
)
CONFIGS: Family[EncryptionConfig] = Family(
    noun="FieldLevelEncryption",
    plural="FieldLevelEncryptionConfigs",
    title="configuration for field-level encryption",
    path="field-level-encryption",
    table=lambda store: store.encryption_configs,
    quota=lambda quotas: quotas.encryption_configs,
    too_many="This account has {quota} configurations for field-level encryption, which is the quota: "
    "delete one first.",
    new_id=new_encryption_config_id,
    accept=_accept_config,
    check=_check_reference,
    unique=(),
    users=distributions_with_encryption,
    in_use="The specified configuration for field-level encryption is in use by {users}.",
    error_noun="FieldLevelEncryptionConfig",
    beside=lambda config: {"LastModifiedTime": config.modified},
    summary=lambda config: {
        "Id": config.id,
        "LastModifiedTime": config.modified,
        **{n: v for n, v in config.config.items() if n != "CallerReference"},
    },
)
_OF_CONFIGS = CONFIGS.operations()
OPERATIONS: Mapping[str, Operation] = {
    **PROFILES.operations(),
    "CreateFieldLevelEncryptionConfig": _OF_CONFIGS["CreateFieldLevelEncryption"],
    "GetFieldLevelEncryption": _OF_CONFIGS["GetFieldLevelEncryption"],
    "GetFieldLevelEncryptionConfig": _OF_CONFIGS["GetFieldLevelEncryptionConfig"],
    "ListFieldLevelEncryptionConfigs": _OF_CONFIGS["ListFieldLevelEncryptionConfigs"],
    "UpdateFieldLevelEncryptionConfig": _OF_CONFIGS["UpdateFieldLevelEncryption"],
    "DeleteFieldLevelEncryptionConfig": _OF_CONFIGS["DeleteFieldLevelEncryption"],
}
