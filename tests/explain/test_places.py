"""What the edge answers is what explain says that it answers."""

from dataclasses import replace
from typing import Any

import pytest

from keyfront.core.signing import Signer
from keyfront.core.verification import ViewerRequest
from keyfront.edge.configuration import configure
from keyfront.edge.decide import TurnedAway, decide
from keyfront.edge.request.admission import Door
from keyfront.edge.request.viewer import Request
from keyfront.explain import Budget, Report, explain, from_inventory
from keyfront.explain.configuration import Distribution as ExplainedDistribution
from keyfront.inventory import CacheBehavior, Distribution, GeoRestriction, Inventory, KeyGroup, Origin, TrustedKey

NOW = 1_790_000_000
ID = "K2JCJMDEHXQW5F"
HOST = "media.example.com"
METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE")
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
    account = _account(keys, behaviors)
    seen = {_agree(account, request).verdict.outcome for request in _requests(path, _signer(keys))}
    if behaviors is SITES["everything is private"]:
        assert seen == {"refused", "allowed"}  # nothing opens it, and a policy for everything does


@pytest.mark.parametrize("policy", ["allow-all", "https-only", "redirect-to-https"])
@pytest.mark.parametrize("allowed", [("GET", "HEAD"), ("GET", "HEAD", "OPTIONS"), METHODS], ids=len)
@pytest.mark.parametrize("method", [*METHODS, "BREW"])
def test_they_agree_on_protocols_and_methods(keys: Any, policy: Any, allowed: tuple[str, ...], method: str) -> None:
    narrow = CacheBehavior("/a/*", "web", viewer_protocol_policy=policy, allowed_methods=allowed)
    private = replace(narrow, path_pattern="/private/*", trusted_key_groups=("g",), protected=True)
    account = _account(keys, (narrow, private, CacheBehavior("*", "web", allowed_methods=METHODS)))
    for scheme in ("http", "https"):
        for path in ("/a/x", "/private/x", "/b/x", "/b/..%2fa/x", "/b/..%2fprivate/x"):
            _agree(account, ViewerRequest(f"{scheme}://{HOST}{path}"), method)
        signed = _signer(keys).sign_url(f"{scheme}://{HOST}/private/x", expires=NOW + 60)
        _agree(account, ViewerRequest(signed), method)


def test_they_agree_on_what_is_never_looked_at(keys: Any) -> None:
    account = _account(keys, SITES["everything is private"])
    for url, status in (
        (f"https://elsewhere.example.com/{'x' * 9000}", 403),
        (f"https://{HOST}/{'x' * 9000}", 413),
    ):
        answer = _agree(account, ViewerRequest(url)).verdict.answer
        assert answer is not None
        assert answer.status == status
    off = replace(account, distributions=(replace(account.distributions[0], enabled=False),))
    answer = _agree(off, ViewerRequest(_signer(keys).sign_url(f"https://{HOST}/a", expires=NOW + 60))).verdict.answer
    assert answer is not None
    assert (answer.status, answer.code) == (403, None)


@pytest.mark.parametrize("mode", ["whitelist", "blacklist"])
@pytest.mark.parametrize("country", ["", "DE", "FR"])
def test_they_agree_on_countries(keys: Any, mode: Any, country: str) -> None:
    account = _account(keys, SITES["one folder is public"])
    restricted = replace(account.distributions[0], geo_restriction=GeoRestriction(mode, frozenset({"DE"})))
    account = replace(account, distributions=(restricted,))
    signed = _signer(keys).sign_url(f"https://{HOST}/private/x", expires=NOW + 60)
    for url in (signed, f"https://{HOST}/public/x", f"https://{HOST}/private/x"):
        report = _agree(account, ViewerRequest(url), country=country)
        errors = [each.id for each in report.findings if each.severity == "error"]
        if country and (country == "DE") != (mode == "whitelist"):
            assert errors[0] == "geo-blocked"
        else:
            assert "geo-blocked" not in errors


def test_they_agree_on_a_null_character(keys: Any) -> None:
    for behaviors in SITES.values():
        url = _signer(keys).sign_url(f"https://{HOST}/private/a%00b", expires=NOW + 60)
        report = _agree(_account(keys, behaviors), ViewerRequest(url))
        assert report.first is not None
        assert report.first.id == "path-not-accepted"


def _signer(keys: Any) -> Signer:
    return Signer(ID, keys.by_id[ID], clock=lambda: NOW)


def _account(keys: Any, behaviors: tuple[CacheBehavior, ...]) -> Inventory:
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
    key = TrustedKey(ID, ID, keys.by_id[ID].public_key)
    return Inventory((distribution,), {"g": KeyGroup("g", "g", (ID,))}, {ID: key})


def _agree(account: Inventory, request: ViewerRequest, method: str = "GET", country: str = "") -> Report:
    """Explain's report on a request, which says the status and code that the edge answers it with."""
    scheme, _, rest = request.url.partition("://")
    target, _, query = rest.partition("?")
    host, slash, path = target.partition("/")
    headers = [(b"host", host.encode()), *([(b"cookie", request.cookie.encode())] if request.cookie else [])]
    viewer = Request(
        {
            "method": method,
            "scheme": scheme,
            "http_version": "1.1",
            "raw_path": (slash + path).encode(),
            "query_string": query.encode(),
            "client": ("192.0.2.1", 1),
            "headers": headers,
        }
    )
    decided = decide(configure(account), Door(), viewer, NOW, lambda _: country)
    distribution = from_inventory(account.distributions[0], account)
    report = explain(
        request, now=NOW, distribution=distribution, method=method, budget=Budget(tries=0), country=country
    )
    answer = report.verdict.answer
    assert answer is not None
    if not isinstance(decided, TurnedAway):
        assert (report.verdict.outcome, answer.status) == ("allowed", 200), request
        return report
    decision = decided.answer.decision
    expected = (decided.answer.status, decision.code if decision else None)
    assert (report.verdict.outcome, answer.status, answer.code) == ("refused", *expected), (request, method)
    assert report.first is not None
    return report


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


@pytest.mark.parametrize(
    ("name", "host", "answers"),
    [
        ("e1.cloudfront.localhost:8443", "e1.cloudfront.localhost:8080", True),
        ("e1.cloudfront.localhost:8443", "e2.cloudfront.localhost:8443", False),
        ("localhost:8081", "localhost:8082", True),
        ("localhost:8081", "localhost:8083", False),  # there the port names the distribution
        ("localhost:8081", "localhost:8080", False),
        ("d1.cloudfront.net", "d1.cloudfront.net:443", True),
    ],
)
def test_a_distribution_of_the_laptop_answers_on_both_of_its_ports(name: str, host: str, answers: bool) -> None:
    assert ExplainedDistribution(behaviors=(), domain_name=name).answers_to(host) is answers
