"""CloudFront's rules for the cache behaviors of a distribution.

Sources: the API model's error and member descriptions; Developer Guide, "Cache behavior settings"; "Quotas"; messages
in public bug reports ("The parameter MinTTL is required", "… cannot be used when a cache policy is associated…").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from keyfront.local.controlplane import (
    cache_policies,
    field_level_encryption,
    origin_request_policies,
    realtime_log_configs,
    response_headers_policies,
)
from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.identifiers import function_arn
from keyfront.local.controlplane.trust import (
    behaviors,
    distributions_trusting,
    distributions_with_encryption,
    distributions_with_policy,
    functions,
    policies,
    trusted_key_groups,
)

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import AnyBehavior, DistributionConfig, ForwardedValues

_PATH_PATTERN = re.compile(r"[A-Za-z0-9_\-.*$/~\"'@:+&?]{1,255}")
_ACCOUNT = re.compile(r"[0-9]{12}")
_FUNCTION_EVENTS = ("viewer-request", "viewer-response")
_LAMBDA_VERSION = re.compile(r"arn:aws:lambda:us-east-1:[0-9]{12}:function:[A-Za-z0-9_-]+:[0-9]+")
_READ = {"GET", "HEAD"}
_POLICIES = (cache_policies.FAMILY, origin_request_policies.FAMILY, response_headers_policies.FAMILY)
_METHODS = (_READ, _READ | {"OPTIONS"}, _READ | {"OPTIONS", "PUT", "POST", "PATCH", "DELETE"})
"""The three choices for allowed methods. Cached methods have the first two."""


def check_behaviors(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    """Check every cache behavior. In an update, `distribution` is the distribution's id.

    Raises `APIError` with the code of the first broken rule.
    """
    listed, quota = config["CacheBehaviors"].get("Items", []), account.quotas.cache_behaviors_per_distribution
    if len(listed) > quota:
        message = f"A distribution may have {quota} cache behaviors; this one has {len(listed)}."
        raise APIError("TooManyCacheBehaviors", message)
    _check_path_patterns([behavior["PathPattern"] for behavior in listed])
    groups = {group["Id"] for group in config["OriginGroups"].get("Items", [])}
    for behavior in behaviors(config):
        _check_methods(behavior)
        if behavior["TargetOriginId"] in groups and not set(behavior["AllowedMethods"]["Items"]) <= _METHODS[1]:
            raise APIError(
                "InvalidArgument",
                "The parameter AllowedMethods cannot include POST, PUT, PATCH, or DELETE for a cached behavior "
                f"associated with an origin group: {name_of(behavior)}.",
            )
        _check_caching(account, behavior)
        _check_policies(account, behavior)
        _check_trust(account, behavior)
        _check_functions(account, behavior)
        _check_lambda_functions(account, behavior)
    if len(functions(config)) > account.quotas.function_associations_per_distribution:
        quota = account.quotas.function_associations_per_distribution
        message = f"A distribution may have {quota} function associations; this one has {len(functions(config))}."
        raise APIError("TooManyFunctionAssociations", message)
    _check_key_group_quota(account, config, distribution)
    _check_policy_quotas(account, config, distribution)
    _check_encryption_quota(account, config, distribution)


def check_targets(config: DistributionConfig) -> None:
    """Raise `APIError` `NoSuchOrigin` for a behavior whose target is not an origin or an origin group."""
    targets = {origin["Id"] for origin in config["Origins"].get("Items", [])}
    targets |= {group["Id"] for group in config["OriginGroups"].get("Items", [])}
    if any(behavior["TargetOriginId"] not in targets for behavior in behaviors(config)):
        raise APIError("NoSuchOrigin", "One or more of your origins or origin groups do not exist.")


def name_of(behavior: AnyBehavior) -> str:
    """Return the behavior's name for messages: its path pattern."""
    return str(behavior.get("PathPattern", "Default (*)"))


def _check_path_patterns(patterns: list[str]) -> None:
    seen = set()
    for pattern in patterns:
        if not _PATH_PATTERN.fullmatch(pattern):
            raise APIError(
                "InvalidArgument",
                "The parameter PathPattern must have 1 to 255 of these characters: A-Z a-z 0-9 _ - . * $ / ~ \" ' @ : "
                f"+ & ?; it is {pattern[:300]!r}.",
            )
        same = pattern.removeprefix("/")
        if same in seen:
            # Assumed: the code. A pattern means the same with and without a leading slash.
            raise APIError("InvalidArgument", f"Two cache behaviors have the path pattern {pattern!r}.")
        seen.add(same)


def _check_methods(behavior: AnyBehavior) -> None:
    allowed, cached = behavior["AllowedMethods"], behavior["AllowedMethods"]["CachedMethods"]
    for name, given, choices in (
        ("AllowedMethods", allowed["Items"], _METHODS),
        ("CachedMethods", cached["Items"], _METHODS[:2]),
    ):
        if set(given) not in choices or len(set(given)) < len(given):
            known = " or ".join(", ".join(sorted(choice)) for choice in choices)
            message = f"The parameter {name} must be {known}; it is {', '.join(given)}."
            raise APIError("InvalidArgument", message)
    if not set(cached["Items"]) <= set(allowed["Items"]):
        raise APIError("InvalidArgument", "The parameter CachedMethods has a method that is not in AllowedMethods.")


def _check_caching(account: LocalAccount, behavior: AnyBehavior) -> None:
    """Check that a behavior has either a cache policy, or the older `ForwardedValues` with its TTLs."""
    forwarded = behavior.get("ForwardedValues")
    if behavior.get("CachePolicyId"):
        for member in ("ForwardedValues", "MinTTL", "DefaultTTL", "MaxTTL"):
            if member in behavior:
                raise APIError(
                    "InvalidArgument",
                    f"The parameter {member} cannot be used when a cache policy is associated to the cache behavior: "
                    f"{name_of(behavior)}.",
                )
        return
    for member in ("ForwardedValues", "MinTTL"):
        if member not in behavior:
            message = f"The parameter {member} is required in a cache behavior without CachePolicyId: "
            raise APIError("InvalidArgument", f"{message}{name_of(behavior)}.")
    if behavior.get("OriginRequestPolicyId"):
        message = f"An origin request policy needs a cache policy in the same cache behavior: {name_of(behavior)}."
        raise APIError("InvalidArgument", message)
    if not 0 <= behavior["MinTTL"] <= behavior["DefaultTTL"] <= behavior["MaxTTL"]:
        raise APIError(
            "InvalidTTLOrder",
            f"The TTLs of {name_of(behavior)} are out of order: MinTTL ({behavior['MinTTL']}) must not be above "
            f"DefaultTTL ({behavior['DefaultTTL']}), and DefaultTTL not above MaxTTL ({behavior['MaxTTL']}).",
        )
    if forwarded is not None:
        _check_forwarded(account, forwarded)


def _check_forwarded(account: LocalAccount, forwarded: ForwardedValues) -> None:
    quotas, cookies = account.quotas, forwarded["Cookies"]
    names = cookies.get("WhitelistedNames", {}).get("Items", [])
    if (cookies["Forward"] == "whitelist") != bool(names):
        message = "WhitelistedNames is required with Forward 'whitelist', and not allowed with other values; "
        message += f"Forward is {cookies['Forward']!r}."
        raise APIError("InvalidForwardCookies", message)
    keys = forwarded["QueryStringCacheKeys"].get("Items", [])
    if keys and not forwarded["QueryString"]:
        message = "QueryStringCacheKeys has parameters, but QueryString is false."
        raise APIError("InvalidQueryStringParameters", message)
    headers = forwarded["Headers"].get("Items", [])
    for what, given, quota, code in (
        ("cookies", names, quotas.forwarded_cookies_per_cache_behavior, "TooManyCookieNamesInWhiteList"),
        ("headers", headers, quotas.forwarded_headers_per_cache_behavior, "TooManyHeadersInForwardedValues"),
        ("query keys", keys, quotas.forwarded_query_strings_per_cache_behavior, "TooManyQueryStringParameters"),
    ):
        if len(given) > quota:
            raise APIError(code, f"A cache behavior may forward {quota} {what}; this one forwards {len(given)}.")


def _check_policies(account: LocalAccount, behavior: AnyBehavior) -> None:
    for family in _POLICIES:
        if identifier := str(behavior.get(family.member) or ""):
            family.find(account, identifier)
    field_level_encryption.check_behavior(account, behavior, name_of(behavior))
    if arn := behavior.get("RealtimeLogConfigArn"):
        realtime_log_configs.check_exists(account, arn, name_of(behavior))


def _check_trust(account: LocalAccount, behavior: AnyBehavior) -> None:
    groups, signers = behavior["TrustedKeyGroups"], behavior["TrustedSigners"]
    _check_switch(behavior, "TrustedKeyGroups", groups["Enabled"], groups["Quantity"])
    _check_switch(behavior, "TrustedSigners", signers["Enabled"], signers["Quantity"])
    trusted, quota = groups.get("Items", []), account.quotas.key_groups_per_cache_behavior
    if missing := [group for group in trusted if account.store.key_groups.get(group) is None]:
        message = f"The specified key group does not exist: {missing[0][:100]!r} ({name_of(behavior)})."
        raise APIError("TrustedKeyGroupDoesNotExist", message)
    if len(trusted) > quota:
        message = f"A cache behavior may trust {quota} key groups; {name_of(behavior)} trusts {len(trusted)}."
        raise APIError("TooManyKeyGroupsAssociatedToDistribution", message)
    for signer in signers.get("Items", []):
        # Assumed: every account with a well-formed number exists.
        if signer != "self" and not _ACCOUNT.fullmatch(signer):
            message = f"A trusted signer must be 'self' or an account number of 12 digits: {signer[:50]!r}."
            raise APIError("TrustedSignerDoesNotExist", message)


def _check_switch(behavior: AnyBehavior, member: str, enabled: bool, quantity: int) -> None:
    """Refuse a disabled list with keys, which would leave the behavior open. Assumed: the code."""
    if enabled != bool(quantity):
        raise APIError(
            "InvalidArgument",
            f"{member} of the cache behavior {name_of(behavior)} must be enabled with at least one item, or "
            "disabled without items.",
        )


def _check_functions(account: LocalAccount, behavior: AnyBehavior) -> None:
    associations = behavior["FunctionAssociations"].get("Items", [])
    published = {function_arn(account.number, f.id) for f in account.store.published_functions}
    events = [association["EventType"] for association in associations]
    viewers = [a["EventType"] for a in behavior["LambdaFunctionAssociations"].get("Items", [])]
    for association in associations:
        arn, event, problem = association["FunctionARN"], association["EventType"], ""
        if arn not in published:
            problem = f"the function {arn[:200]} does not exist, or is not published"
        elif event not in _FUNCTION_EVENTS:
            problem = f"a CloudFront function runs on {' or '.join(_FUNCTION_EVENTS)}, not on {event}"
        elif events.count(event) > 1:
            problem = f"it has two functions for the event {event}"
        elif set(viewers) & set(_FUNCTION_EVENTS):
            problem = "CloudFront functions and Lambda@Edge cannot both run on viewer events"
        if problem:
            raise APIError("InvalidFunctionAssociation", f"The cache behavior {name_of(behavior)}: {problem}.")


def _check_lambda_functions(account: LocalAccount, behavior: AnyBehavior) -> None:
    associations = behavior["LambdaFunctionAssociations"].get("Items", [])
    for association in associations:
        if not _LAMBDA_VERSION.fullmatch(association["LambdaFunctionARN"]):
            raise APIError(
                "InvalidLambdaFunctionAssociation",
                "The function ARN must reference a specific function version in us-east-1 (it ends with the version "
                f"number): {association['LambdaFunctionARN'][:200]!r}.",
            )
    events = [association["EventType"] for association in associations]
    if len(set(events)) < len(events):
        message = f"The cache behavior {name_of(behavior)} has two Lambda functions for one event type."
        raise APIError("InvalidLambdaFunctionAssociation", message)
    for arn in dict.fromkeys(association["LambdaFunctionARN"] for association in associations):
        if account.lambda_refusal is not None and (reason := account.lambda_refusal(arn)):
            raise APIError("InvalidLambdaFunctionAssociation", reason)


def _check_key_group_quota(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    quota = account.quotas.distributions_per_key_group
    for group in trusted_key_groups(config):
        others = [d for d in distributions_trusting(account.store, group) if d.id != distribution]
        if len(others) >= quota:
            message = f"{quota} distributions trust the key group {group} already, which is the quota."
            raise APIError("TooManyDistributionsAssociatedToKeyGroup", message)


def _check_encryption_quota(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    quota = account.quotas.distributions_per_encryption
    for encryption in policies(config, "FieldLevelEncryptionId"):
        others = [d for d in distributions_with_encryption(account.store, encryption) if d.id != distribution]
        if len(others) >= quota:
            message = f"{quota} distributions use the configuration {encryption} already, which is the quota."
            raise APIError("TooManyDistributionsAssociatedToFieldLevelEncryptionConfig", message)


def _check_policy_quotas(account: LocalAccount, config: DistributionConfig, distribution: str | None) -> None:
    quota = account.quotas.distributions_per_policy
    for family in _POLICIES:
        for policy in policies(config, family.member):
            others = [
                d for d in distributions_with_policy(account.store, family.member, policy) if d.id != distribution
            ]
            if policy not in family.managed and len(others) >= quota:
                message = f"{quota} distributions use the {family.title} {policy} already, which is the quota."
                raise APIError(f"TooManyDistributionsAssociatedTo{family.noun}", message)
