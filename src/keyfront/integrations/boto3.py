"""Make a `Site` from a boto3 session, a signer's address and a distribution."""

from collections.abc import Iterator
from datetime import timedelta
from typing import TYPE_CHECKING

from keyfront.core.signing import Signer
from keyfront.errors import InputError, ServiceError
from keyfront.integrations.site import SignerSource, Site
from keyfront.keystore import CloudFrontCheck, open_keystore

if TYPE_CHECKING:
    from boto3 import Session
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront.type_defs import DistributionSummaryTypeDef, DistributionTypeDef


def from_boto3(
    session: "Session",
    signer: str | Signer | SignerSource,
    distribution: str | None = None,
    *,
    key_group: str | None = None,
    key_pair_id: str | None = None,
    max_lifetime: timedelta | None = None,
) -> Site:
    """Return a `Site` that signs for a distribution of the session's account, with a key that it trusts.

    `signer` is an address (`ssm:/shop/key`, `secretsmanager:…`, `kms:alias/…`, read with the session's credentials and
    region; `file:…`, `env:…`), a `Signer` or a `KeyStore`. `distribution` is an id, an alias or a domain name. URLs are
    signed for the given name; an id means the first alias, or `d….cloudfront.net` if there is no alias. If
    `distribution` is not given, it is the one that trusts `key_group` (id or name). `key_pair_id` is needed for a key
    in KMS, or a PEM that is stored without its id. `max_lifetime` as in `Site`.

    Fetches the key. Raises `InputError` if something does not exist or is not unique, or if the distribution does not
    trust the key. Raises `ServiceError` if AWS refuses.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    client = session.client("cloudfront")
    try:
        found = _distribution(client, distribution, key_group)
    except (BotoCoreError, ClientError) as error:
        raise ServiceError(f"the distribution could not be read through the CloudFront API: {error}") from None
    config = found["DistributionConfig"]
    names = [*config.get("Aliases", {}).get("Items", ()), found["DomainName"]]
    plain = [name for name in names if "*" not in name]
    domain = distribution if distribution is not None and distribution != found["Id"] else plain[0]
    if "*" in domain:
        raise InputError(f"{domain!r} is a wildcard: give the name below it that viewers request")
    keys = _keys(session, client, signer, key_pair_id, found)
    site = Site(keys, domain, aliases=plain, max_lifetime=max_lifetime)
    _check_trusted(site.signer().key_pair_id, found)
    return site


def _keys(
    session: "Session",
    client: "CloudFrontClient",
    signer: str | Signer | SignerSource,
    key_pair_id: str | None,
    found: "DistributionTypeDef",
) -> Signer | SignerSource:
    if not isinstance(signer, str):
        return signer
    return open_keystore(
        signer,
        key_pair_id,
        check=CloudFrontCheck(client),
        connect=lambda service: session.client(service),
        ipv6=found["DistributionConfig"].get("IsIPV6Enabled"),
    )


def _distribution(client: "CloudFrontClient", wanted: str | None, key_group: str | None) -> "DistributionTypeDef":
    if (wanted is None) == (key_group is None):
        raise InputError("give a distribution (id, alias or domain name), or a key_group that one distribution trusts")
    if wanted is None:
        return client.get_distribution(Id=_of_group(client, str(key_group)))["Distribution"]
    name = wanted.lower()
    if "." not in wanted:
        try:
            return client.get_distribution(Id=wanted)["Distribution"]
        except client.exceptions.NoSuchDistribution:
            raise InputError(f"there is no distribution {wanted!r} in this account: {_known(client)}") from None
    for listed in _listed(client):
        if any(name == each.lower() or _covers(each.lower(), name) for each in _names(listed)):
            return client.get_distribution(Id=listed["Id"])["Distribution"]
    raise InputError(f"no distribution in this account has the name {wanted!r}: {_known(client)}")


def _of_group(client: "CloudFrontClient", wanted: str) -> str:
    """Return the id of the one distribution that trusts a key group."""
    listing = client.list_key_groups()["KeyGroupList"]
    groups = [each["KeyGroup"] for each in listing.get("Items", ())]
    while "NextMarker" in listing:
        listing = client.list_key_groups(Marker=listing["NextMarker"])["KeyGroupList"]
        groups += [each["KeyGroup"] for each in listing.get("Items", ())]
    ids = [group["Id"] for group in groups if wanted in (group["Id"], group["KeyGroupConfig"]["Name"])]
    if not ids:
        names = ", ".join(sorted(group["KeyGroupConfig"]["Name"] for group in groups)) or "none"
        raise InputError(f"there is no key group {wanted!r} in this account: it has {names}")
    trusting = client.list_distributions_by_key_group(KeyGroupId=ids[0])["DistributionIdList"].get("Items", [])
    if len(trusting) != 1:
        found = ", ".join(trusting) or "none"
        raise InputError(
            f"the key group {wanted!r} must be trusted by exactly one distribution, but it is trusted by {found}: give "
            "a distribution instead"
        )
    return trusting[0]


def _check_trusted(key_pair_id: str, found: "DistributionTypeDef") -> None:
    trusted = {
        key_id
        for group in found.get("ActiveTrustedKeyGroups", {}).get("Items", ())
        for key_id in group.get("KeyPairIds", {}).get("Items", ())
    }
    if key_pair_id not in trusted:
        shown = ", ".join(sorted(trusted)) or "none, so it protects nothing"
        raise InputError(
            f"the distribution {found['Id']} does not trust the key {key_pair_id}: it trusts {shown}; add the key to "
            "a key group that its behavior trusts [key-not-trusted]"
        )


def _listed(client: "CloudFrontClient") -> "Iterator[DistributionSummaryTypeDef]":
    for page in client.get_paginator("list_distributions").paginate():
        yield from page["DistributionList"].get("Items", ())


def _covers(alias: str, name: str) -> bool:
    """Return whether a wildcard alias (`*.example.com`) covers a name: the `*` is one label or more."""
    return alias.startswith("*.") and name.endswith(alias[1:]) and len(name) > len(alias) - 1


def _known(client: "CloudFrontClient") -> str:
    names = [f"{each['Id']} ({', '.join(_names(each))})" for each, _ in zip(_listed(client), range(10), strict=False)]
    return f"it has {'; '.join(names)}" if names else "it has none"


def _names(listed: "DistributionSummaryTypeDef") -> list[str]:
    return [*listed.get("Aliases", {}).get("Items", ()), listed["DomainName"]]
