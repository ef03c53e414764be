"""Cache policies: which parts of a request are in the cache key, and how long a response is cached.

Sources: the API model, CachePolicyConfig; Developer Guide, "Understand cache policies", "Quotas"; messages seen in the
field ("The parameter HeaderBehavior is invalid for policy with caching disabled").
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from keyfront.local.controlplane import policy_selections
from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.managed_policies import CACHE_POLICIES
from keyfront.local.controlplane.policies import operations, policy_family

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import CachePolicyConfig

_ONE_DAY, _ONE_YEAR = 86_400, 31_536_000


def _complete(given: CachePolicyConfig) -> CachePolicyConfig:
    """Fill in the TTLs (API model). Assumed: a policy without parameters has nothing in its cache key."""
    default = given.get("DefaultTTL", max(_ONE_DAY, given["MinTTL"]))
    maximum = given.get("MaxTTL", max(_ONE_YEAR, default))
    parameters = given.get("ParametersInCacheKeyAndForwardedToOrigin") or {
        "EnableAcceptEncodingGzip": False,
        "HeadersConfig": {"HeaderBehavior": "none"},
        "CookiesConfig": {"CookieBehavior": "none"},
        "QueryStringsConfig": {"QueryStringBehavior": "none"},
    }
    complete = {
        "Comment": "",
        **given,
        "DefaultTTL": default,
        "MaxTTL": maximum,
        "ParametersInCacheKeyAndForwardedToOrigin": {"EnableAcceptEncodingBrotli": False, **parameters},
    }
    return cast("CachePolicyConfig", complete)


def _check(account: LocalAccount, config: CachePolicyConfig) -> None:
    _check_ttls(config)
    parameters, quotas = config["ParametersInCacheKeyAndForwardedToOrigin"], account.quotas
    chosen = {
        "Header": parameters["HeadersConfig"],
        "Cookie": parameters["CookiesConfig"],
        "QueryString": parameters["QueryStringsConfig"],
    }
    for kind, selection in chosen.items():
        code = f"TooMany{kind}sInCachePolicy"
        policy_selections.check(selection, kind, quotas.names_per_policy, code)
    policy_selections.check_total(chosen, quotas.name_characters_per_policy)
    if config["MaxTTL"] == 0:
        _check_disabled(config)


def _check_ttls(config: CachePolicyConfig) -> None:
    if not 0 <= config["MinTTL"] <= config["DefaultTTL"] <= config["MaxTTL"]:
        raise APIError(
            "InvalidArgument",
            f"The TTLs are out of order: MinTTL ({config['MinTTL']}) must not be above DefaultTTL "
            f"({config['DefaultTTL']}), and DefaultTTL not above MaxTTL ({config['MaxTTL']}).",
        )


def _check_disabled(config: CachePolicyConfig) -> None:
    """Check that a policy that disables caching has nothing in its cache key."""
    parameters = config["ParametersInCacheKeyAndForwardedToOrigin"]
    for name, plain in (
        ("HeaderBehavior", parameters["HeadersConfig"]["HeaderBehavior"] == "none"),
        ("CookieBehavior", parameters["CookiesConfig"]["CookieBehavior"] == "none"),
        ("QueryStringBehavior", parameters["QueryStringsConfig"]["QueryStringBehavior"] == "none"),
        ("EnableAcceptEncodingGzip", not parameters["EnableAcceptEncodingGzip"]),
        ("EnableAcceptEncodingBrotli", not parameters.get("EnableAcceptEncodingBrotli")),
    ):
        if not plain:
            message = f"The parameter {name} is invalid for policy with caching disabled: MaxTTL is 0."
            raise APIError("InvalidArgument", message)


FAMILY: Family[CachePolicyConfig] = policy_family(
    "cache",
    table=lambda store: store.cache_policies,
    quota=lambda quotas: quotas.cache_policies,
    managed=CACHE_POLICIES,
    complete=_complete,
    check=_check,
)
OPERATIONS = operations(FAMILY)
