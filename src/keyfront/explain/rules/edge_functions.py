"""Functions at the edge: what they do to signed URLs, and where no signature is checked before them."""

from keyfront.explain.configuration import Behavior
from keyfront.explain.facts import Facts
from keyfront.explain.functions import on_requests, told
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "edge-functions-choosing.html"


@rule(
    "function-after-check",
    "A function changes the path, but only after the signature check",
    stage=Stage.RESOURCE,
    severity="note",
    looks="The behavior has a viewer request or origin request function that rewrites paths (`/docs/` becomes "
    "`/docs/index.html`). A link to the rewritten path works, or a link to the path as viewers write it fails.",
    cause="CloudFront checks the URL that the viewer sends. The function runs after the check, on requests that "
    "passed it. What it makes of the path, the query string and the cookies changes nothing about the signature.",
    fix="Sign the URL that viewers request, not the one that the function makes of it. For a whole application sign "
    "cookies or a custom policy with a wildcard.",
    recipe="resource",
    guide=_PAGE,
)
def function_after_check(facts: Facts) -> Found | None:
    if facts.behavior is None or facts.public or not on_requests(facts.behavior):
        return None
    another = facts.failed("resource") or facts.proved("path-rewritten")
    if not another and not (facts.failed("signature") and facts.match is None):
        return None
    return Found(f"The behavior {facts.behavior.pattern} runs {_list(facts)}.", "likely" if another else "possible")


@rule(
    "function-without-check",
    "A function runs on this path, and no signature is checked before it",
    stage=Stage.BEHAVIOR,
    severity="note",
    looks="The behavior has a viewer request or origin request function, and no trusted key groups.",
    cause="CloudFront checks nothing here, so only the function decides who gets the file. If it returns a path of a "
    "protected folder of the same origin, the file is served without a signature.",
    fix="If the files must be private, name a trusted key group in that behavior. If the function makes pages for "
    "everyone, such as a login or the answer to a preflight, let it never return a protected path.",
    recipe="trusted-group",
    guide=_PAGE,
)
def function_without_check(facts: Facts) -> Found | None:
    if facts.distribution is None or facts.behavior is None or not facts.public or not on_requests(facts.behavior):
        return None
    beside = next((each for each in facts.distribution.behaviors if _is_beside(each, facts.behavior)), None)
    more = f" {beside.pattern} of the same origin needs a signature." if beside else ""
    return Found(
        f"The behavior {facts.behavior.pattern} trusts no key group, and runs {_list(facts)}.{more}",
        severity="warning" if beside else None,
    )


def _is_beside(other: Behavior, behavior: Behavior) -> bool:
    return other.protected and other.origin == behavior.origin


def _list(facts: Facts) -> str:
    return " and ".join(told(each) for each in on_requests(facts.behavior))
