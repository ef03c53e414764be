"""References from distributions to key groups, origin access, policies, functions and other resources."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import AnyBehavior, DistributionConfig, EncryptionProfileConfig
    from keyfront.local.controlplane.store import Resource, Store

IDENTITY_PREFIX = "origin-access-identity/cloudfront/"
"""The prefix before the id of an S3 origin's origin access identity (API model, S3OriginConfig)."""


def behaviors(config: DistributionConfig) -> list[AnyBehavior]:
    """Return every cache behavior: the listed ones in order, then the default."""
    return [*config["CacheBehaviors"].get("Items", []), config["DefaultCacheBehavior"]]


def trusted_key_groups(config: DistributionConfig) -> list[str]:
    """Return the ids of all key groups that any behavior trusts, each once, in the order of the behaviors."""
    found = [group for behavior in behaviors(config) for group in behavior["TrustedKeyGroups"].get("Items", [])]
    return list(dict.fromkeys(found))


def trusted_signers(config: DistributionConfig) -> list[str]:
    """Return the accounts that any behavior trusts (`self` or a number), each once."""
    found = [account for behavior in behaviors(config) for account in behavior["TrustedSigners"].get("Items", [])]
    return list(dict.fromkeys(found))


def access_identities(config: DistributionConfig) -> set[str]:
    """Return the ids of the origin access identities that any origin uses."""
    named = (o.get("S3OriginConfig", {}).get("OriginAccessIdentity", "") for o in config["Origins"]["Items"])
    return {str(name).removeprefix(IDENTITY_PREFIX) for name in named if name}


def access_controls(config: DistributionConfig) -> set[str]:
    """Return the ids of the origin access controls that any origin uses."""
    return {control for origin in config["Origins"]["Items"] if (control := origin["OriginAccessControlId"])}


def policies(config: DistributionConfig, member: str) -> set[str]:
    """Return the ids of the policies that any behavior has in `member` (`CachePolicyId`, …)."""
    return {str(named) for behavior in behaviors(config) if (named := behavior.get(member))}


def distributions_trusting(store: Store, key_group: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with a behavior that trusts the key group."""
    return [d for d in store.distributions if key_group in trusted_key_groups(d.config)]


def distributions_with_identity(store: Store, identity: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with an origin that uses the origin access identity."""
    return [d for d in store.distributions if identity in access_identities(d.config)]


def distributions_with_control(store: Store, control: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with an origin that uses the origin access control."""
    return [d for d in store.distributions if control in access_controls(d.config)]


def distributions_with_policy(store: Store, member: str, policy: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with a behavior that has the policy in `member` (`CachePolicyId`, …)."""
    return [d for d in store.distributions if policy in policies(d.config, member)]


def functions(config: DistributionConfig) -> list[str]:
    """Return the ARNs of the CloudFront functions of all behaviors, one for each association."""
    return [
        association["FunctionARN"]
        for behavior in behaviors(config)
        for association in behavior["FunctionAssociations"].get("Items", [])
    ]


def distributions_with_realtime_log(store: Store, arn: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with a behavior that is associated with the real-time log configuration."""
    return distributions_with_policy(store, "RealtimeLogConfigArn", arn)


def distributions_with_encryption(store: Store, config: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with a behavior that uses the configuration for field-level encryption."""
    return distributions_with_policy(store, "FieldLevelEncryptionId", config)


def distributions_with_deployment(store: Store, policy: str) -> list[Resource[DistributionConfig]]:
    """Return the primary distributions with the continuous deployment policy."""
    return [d for d in store.distributions if d.config["ContinuousDeploymentPolicyId"] == policy]


def distributions_with_vpc_origin(store: Store, origin: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with an origin that is the VPC origin."""
    return [
        d
        for d in store.distributions
        if origin
        in [
            each["VpcOriginConfig"]["VpcOriginId"] for each in d.config["Origins"]["Items"] if "VpcOriginConfig" in each
        ]
    ]


def distributions_with_function(store: Store, arn: str) -> list[Resource[DistributionConfig]]:
    """Return the distributions with a behavior that is associated with the function."""
    return [d for d in store.distributions if arn in functions(d.config)]


def profiles_with_key(store: Store, key: str) -> list[Resource[EncryptionProfileConfig]]:
    """Return the profiles that encrypt with the public key."""
    return [
        profile
        for profile in store.encryption_profiles
        if key in [each["PublicKeyId"] for each in profile.config["EncryptionEntities"].get("Items", [])]
    ]
