"""Checks of functions at the edge: what they may open beside trusted key groups, and what they never see."""

from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.rules.behaviors import in_order, name, trusting
from keyfront.account.audit.values import Evidence, Finding, Plan, Rule, Severity, Stage
from keyfront.inventory import CacheBehavior

_BESIDE: Final = Rule(
    "function-beside-protected",
    "A function on an open behavior can reach protected content",
    "CloudFront checks the viewer's URL, and not the path that a function makes of it: a rewrite into a protected "
    "folder of the same origin needs no signature.",
    Stage.CLOSE,
)
_UNSEEN: Final = Rule(
    "preflight-before-function",
    "Preflights of a protected behavior are refused before its function",
    "A preflight has no cookies. CloudFront checks the signature first, so a function that answers OPTIONS never runs.",
    Stage.CHANGE,
)
RULES: Final = (_BESIDE, _UNSEEN)

_OF_REQUESTS: Final = ("viewer-request", "origin-request")


def _beside(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        order = in_order(distribution)
        protected = {each.target_origin_id: each for each in reversed(order) if each.protected}
        for behavior in order:
            functions = _rewriting(behavior)
            behind = protected.get(behavior.target_origin_id)
            if behavior.protected or not functions or behind is None:
                continue
            where = name(distribution, behavior)
            yield Finding(
                _BESIDE, Severity.MEDIUM, where,
                f"{behavior.path_pattern!r} needs no signature and runs {', '.join(functions)}, and "
                f"{behind.path_pattern!r} of the same origin needs one.",
                f"make sure that the function never returns a path of {behind.path_pattern!r}, or give the behavior "
                "an origin of its own, or trusted_key_groups",
                marks=(where, name(distribution, behind)), plan=Plan(edit=trusting(distribution, behavior)),
            )  # fmt: skip


def _unseen(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        for behavior in in_order(distribution):
            running = [each.arn for each in behavior.associations if each.event_type == "viewer-request"]
            if not behavior.protected or "OPTIONS" not in behavior.allowed_methods or not running:
                continue
            where = name(distribution, behavior)
            yield Finding(
                _UNSEEN, Severity.INFO, where,
                f"{behavior.path_pattern!r} needs a signature, allows OPTIONS and runs {running[0]}.",
                "remove OPTIONS if the function does not answer it; otherwise serve the application and its content "
                "from one host, or move what needs preflights into a behavior without key groups",
                marks=(where,),
            )  # fmt: skip


def _rewriting(behavior: CacheBehavior) -> list[str]:
    return [each.arn for each in behavior.associations if each.event_type in _OF_REQUESTS]


CHECKS: Final = (_beside, _unseen)
