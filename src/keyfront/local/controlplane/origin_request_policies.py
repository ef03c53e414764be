"""Origin request policies: which parts of a viewer's request reach the origin without being in the cache key.

Sources: the API model, OriginRequestPolicyConfig; Developer Guide, "Understand origin request policies", "Quotas";
messages seen in the field ("The parameter Headers contains Authorization that is not allowed").
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from keyfront.local.controlplane import policy_selections
from keyfront.local.controlplane.account import LocalAccount
from keyfront.local.controlplane.family import Family
from keyfront.local.controlplane.faults import APIError
from keyfront.local.controlplane.managed_policies import ORIGIN_REQUEST_POLICIES
from keyfront.local.controlplane.policies import operations, policy_family

if TYPE_CHECKING:
    from keyfront.local.controlplane.shapes import OriginRequestPolicyConfig

_IN_CACHE_POLICIES_ALONE = {"authorization", "accept-encoding"}


def _check(account: LocalAccount, config: OriginRequestPolicyConfig) -> None:
    chosen = {
        "Header": config["HeadersConfig"],
        "Cookie": config["CookiesConfig"],
        "QueryString": config["QueryStringsConfig"],
    }
    behavior, headers = (
        config["HeadersConfig"]["HeaderBehavior"],
        policy_selections.names(config["HeadersConfig"], "Header"),
    )
    for kind, selection in chosen.items():
        code = f"TooMany{kind}sInOriginRequestPolicy"
        policy_selections.check(selection, kind, account.quotas.names_per_policy, code)
    policy_selections.check_total(chosen, account.quotas.name_characters_per_policy)
    for header in headers:
        if behavior == "whitelist" and header.lower() in _IN_CACHE_POLICIES_ALONE:
            message = f"The parameter Headers contains {header} that is not allowed: use a cache policy for it."
            raise APIError("InvalidArgument", message)
        if behavior == "allViewerAndWhitelistCloudFront" and not header.lower().startswith("cloudfront-"):
            message = (
                f"The parameter Headers contains {header[:200]}; with {behavior} it can have only CloudFront-… headers."
            )
            raise APIError("InvalidArgument", message)


FAMILY: Family[OriginRequestPolicyConfig] = policy_family(
    "origin request",
    table=lambda store: store.origin_request_policies,
    quota=lambda quotas: quotas.origin_request_policies,
    managed=ORIGIN_REQUEST_POLICIES,
    check=_check,
)
OPERATIONS = operations(FAMILY)
