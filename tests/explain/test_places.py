"""What the edge refuses is never called allowed, however its path is written."""

from typing import Any

import pytest

from keyfront.core.access import authorise
from keyfront.core.paths import readings
from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest
from keyfront.edge.configuration import configure
from keyfront.explain import Budget, explain, from_inventory
from keyfront.inventory import CacheBehavior, Distribution, Inventory, KeyGroup, Origin, TrustedKey

NOW = 1_790_000_000
ID = "K2JCJMDEHXQW5F"
HOST = "media.example.com"
PATHS = [
    "/user/42/x",
    "/user/42/../43/x",
    "/user/42/%2e%2e/43/x",
    "/user/42/..%2F43/x",
    "/user/42/%252e%252e/43/x",
    "/user/42/..%5c43/x",
    "/user/42/..;/43/x",
    "/user/42/%c0%ae%c0%ae%c0%af43/x",
    "/user/42//x",
    "/user/42/a%2fb",
    "/public/x",
    "/public/../private/x",
    "/public/..%2fprivate/x",
    "/public/%252e%252e/private/x",
    "//private/x",
    "/private%252fx",
    "/private;v=1/x",
    "/private/%2e%2e/public/x",
    "/%2570rivate/x",
    "/",
]
SITES = {
    "everything is private": (CacheBehavior("*", "web", trusted_key_groups=("g",), protected=True),),
    "one folder is private": (
        CacheBehavior("/private/*", "web", trusted_key_groups=("g",), protected=True),
        CacheBehavior("*", "web"),
    ),
    "one folder is public": (
        CacheBehavior("/public/*", "web"),
        CacheBehavior("*", "web", trusted_key_groups=("g",), protected=True),
    ),
}


def _requests(path: str, signer: Signer) -> list[ViewerRequest]:
    url = f"https://{HOST}{path}"
    canned = f"Expires={NOW + 60}&Signature=&Key-Pair-Id={ID}"
    found = [ViewerRequest(url), ViewerRequest(f"{url}?{canned}")]
    for resource in (f"https://{HOST}/user/42/*", f"https://{HOST}/public/*", "*"):
        cookies = signer.sign_cookies(resource, expires=NOW + 60, starts=1)
        found.append(ViewerRequest(url, "; ".join(f"{name}={value}" for name, value in cookies.items())))
    return found


@pytest.mark.parametrize("behaviors", SITES.values(), ids=SITES)
@pytest.mark.parametrize("path", PATHS)
def test_explain_and_the_edge_agree(keys: Any, behaviors: tuple[CacheBehavior, ...], path: str) -> None:
    *others, default = behaviors
    distribution = Distribution(
        "E1",
        "d1.cloudfront.net",
        default,
        tuple(others),
        aliases=(HOST,),
        origins=(Origin("web", "origin.example.com"),),
        default_root_object="private/index.html",
    )
    key = keys.by_id[ID]
    account = Inventory((distribution,), {"g": KeyGroup("g", "g", (ID,))}, {ID: TrustedKey(ID, ID, key.public_key)})
    site = configure(account).sites["E1"]
    ways = readings(site.root if path == "/" else path)
    seen = set()
    for request in _requests(path, Signer(ID, key, clock=lambda: NOW)):
        decision = authorise(request, site.behavior(ways[0].path), site.behavior, ways, NOW)
        report = explain(request, now=NOW, distribution=from_inventory(distribution, account), budget=Budget(tries=0))
        refused = decision is not None and not decision.allowed
        assert report.verdict.outcome == ("refused" if refused else "allowed"), (request, decision)
        assert not refused or report.first is not None
        seen.add(refused)
    if behaviors is SITES["everything is private"]:
        assert seen == {True, False}  # nothing opens it, and a policy for everything does


def test_another_reading_is_told_with_the_place_that_it_names(keys: Any) -> None:
    key = keys.by_id[ID]
    cookies = Signer(ID, key, clock=lambda: NOW).sign_cookies(f"https://{HOST}/user/42/*", expires=NOW + 60, starts=1)
    request = ViewerRequest(
        f"https://{HOST}/user/42/..%2F43/x", "; ".join(f"{name}={value}" for name, value in cookies.items())
    )
    report = explain(request, now=NOW, trusted_keys={ID: key.public_key})
    assert report.first is not None
    assert (report.first.id, report.first.certainty) == ("path-may-mean-another-place", "likely")
    assert "/user/43/x" in report.first.evidence
    assert [step.name for step in report.steps if step.outcome == "failed"] == ["path"]
