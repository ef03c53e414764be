"""Checks of behaviors that are open beside protected ones: by what the origin holds, and by their siblings.

Words do not count here. The same objects through another behavior or another distribution, the same kind of file as
protected ones, and one open behavior among protected ones of the same origin are reported.
"""

from collections import Counter
from collections.abc import Iterator
from posixpath import splitext
from typing import Final, NamedTuple
from urllib.parse import quote

from keyfront.account.audit.patterns import UndecidedError, witness
from keyfront.account.audit.rules.behaviors import in_order, name, trusting
from keyfront.account.audit.rules.origins import bucket_of
from keyfront.account.audit.rules.reaching import in_behavior
from keyfront.account.audit.values import Evidence, Finding, Plan, Rule, Severity, Stage
from keyfront.core.paths import path_matcher
from keyfront.inventory import CacheBehavior, Distribution, Origin

_ELSEWHERE: Final = Rule(
    "open-through-another-distribution",
    "Protected objects are open through another distribution",
    "The other distribution serves the same objects of the same origin without a signature.",
    Stage.CLOSE,
)
_CONTENT: Final = Rule(
    "same-content-open",
    "An open behavior serves the same kind of file as protected ones",
    "Its files are in the same bucket and have the same type: everyone who knows or guesses a URL gets them.",
    Stage.CLOSE,
)
_SIBLING: Final = Rule(
    "open-beside-protected",
    "One behavior is open, and all others of its origin need a signature",
    "A folder that was added later, and forgotten, looks like this.",
    Stage.CLOSE,
)
RULES: Final = (_ELSEWHERE, _CONTENT, _SIBLING)

_OF_A_PAGE: Final = frozenset(
    ["", ".html", ".htm", ".css", ".js", ".mjs", ".map", ".json", ".txt", ".xml", ".ico", ".svg", ".png", ".jpg",
     ".jpeg", ".gif", ".webp", ".avif", ".woff", ".woff2", ".ttf", ".webmanifest", ".wasm"]
)  # fmt: skip
"""Endings of files that pages need (assumed). The same ending elsewhere says nothing about them."""
_MEANT_OPEN: Final = frozenset(
    ["public", "static", "assets", "css", "js", "img", "images", "icons", "fonts", "favicon", "robots", "known",
     "preview", "previews", "trailer", "trailers", "sample", "samples", "thumbnail", "thumbnails", "poster", "posters",
     "cover", "covers", "login", "health", "index", "api"]
)  # fmt: skip
"""Words in patterns that are open on purpose (assumed). They count for siblings alone, not for contents."""


class _Served(NamedTuple):
    """A behavior, and the objects of its origin as a pattern of their keys."""

    distribution: Distribution
    behavior: CacheBehavior
    pattern: str
    before: tuple[str, ...]
    """The patterns of the behaviors that are tried before it."""


def _served(account: Evidence) -> dict[str, list[_Served]]:
    """Return the behaviors of each origin's domain name."""
    found: dict[str, list[_Served]] = {}
    for distribution in account.inventory.distributions:
        order = in_order(distribution)
        for place, behavior in enumerate(order):
            origin = _origin(distribution, behavior)
            if origin is not None:
                earlier = tuple(_keys(origin, each) for each in order[:place])
                served = _Served(distribution, behavior, _keys(origin, behavior), earlier)
                found.setdefault(origin.domain_name, []).append(served)
    return found


def _origin(distribution: Distribution, behavior: CacheBehavior) -> Origin | None:
    group = next((each for each in distribution.origin_groups if each.id == behavior.target_origin_id), None)
    wanted = group.members[0] if group and group.members else behavior.target_origin_id
    return next((each for each in distribution.origins if each.id == wanted), None)


def _keys(origin: Origin, behavior: CacheBehavior) -> str:
    """Return the pattern of the keys that a behavior's requests ask the origin for."""
    return f"{origin.path}/{behavior.path_pattern.removeprefix('/')}"


def _elsewhere(account: Evidence) -> Iterator[Finding]:
    for behaviors in _served(account).values():
        for shut in (each for each in behaviors if each.behavior.protected):
            for free in behaviors:
                if free.behavior.protected or free.distribution is shut.distribution or not free.distribution.enabled:
                    continue
                try:
                    key = witness([shut.pattern, free.pattern], [*shut.before, *free.before])
                except UndecidedError:
                    continue
                if key is not None:
                    yield _open(_ELSEWHERE, Severity.HIGH, free, _of_both(shut, free, key), key)


def _of_both(shut: _Served, free: _Served, key: str) -> str:
    return (
        f"{free.distribution.id} serves the origin's {key} without a signature, and {shut.distribution.id} needs one "
        f"for it ({shut.behavior.path_pattern})."
    )


def _contents(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        order = in_order(distribution)
        held: dict[CacheBehavior, list[str]] = {each: [] for each in order}
        for origin in distribution.origins:
            bucket = account.buckets.get(bucket_of(origin))
            for path in _paths(origin, (bucket.objects if bucket else None) or ()):
                first = next(each for each in order if path_matcher(each.path_pattern)(path[1:]))
                if _origin(distribution, first) == origin:
                    held[first].append(path)
        kinds = Counter(_kind(path) for each in order if each.protected for path in held[each])
        for behavior in order:
            same = [path for path in held[behavior] if _kind(path) in kinds and _kind(path) not in _OF_A_PAGE]
            if same and not behavior.protected:
                served = _Served(distribution, behavior, "", ())
                text = (
                    f"Among the bucket's first objects are {len(same)} for {behavior.path_pattern} with the endings of "
                    f"protected ones ({', '.join(sorted({_kind(path) for path in same}))})."
                )
                yield _open(_CONTENT, Severity.MEDIUM, served, text, same[0])


def _paths(origin: Origin, keys: tuple[str, ...]) -> Iterator[str]:
    """Yield the paths under which CloudFront asks for these objects."""
    prefix = f"{origin.path}/".removeprefix("/")
    for key in keys:
        if key.startswith(prefix) and not key.endswith("/"):
            yield "/" + quote(key.removeprefix(prefix), safe="/!$&'()*+,;=:@~")


def _kind(path: str) -> str:
    return splitext(path)[1].lower()


def _alone(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        for origin in distribution.origins:
            named = [each for each in distribution.behaviors if each.target_origin_id == origin.id]
            free = [each for each in named if not each.protected]
            if len(free) != 1 or len(named) < 3:
                continue
            [behavior] = free
            words = set("".join(c if c.isalnum() else " " for c in behavior.path_pattern.lower()).split())
            if not words & _MEANT_OPEN and _kind(behavior.path_pattern) in ("", *_kinds(named)):
                served = _Served(distribution, behavior, "", ())
                others = ", ".join(each.path_pattern for each in named if each.protected)
                yield _open(_SIBLING, Severity.LOW, served, f"{others} need a signature, and it does not.", "")


def _kinds(behaviors: list[CacheBehavior]) -> set[str]:
    return {_kind(each.path_pattern) for each in behaviors if each.protected}


def _open(rule: Rule, severity: Severity, free: _Served, evidence: str, example: str) -> Finding:
    where = name(free.distribution, free.behavior)
    return Finding(
        rule, severity, where, evidence,
        "in the behavior: trusted_key_groups = [aws_cloudfront_key_group.links.id], or leave it open and ignore "
        f"{rule.id}:{where}", example=example, marks=(where,), distributions=(free.distribution.id,),
        plan=Plan(
            edit=trusting(free.distribution, free.behavior) if rule is _ELSEWHERE else "",
            terraform=in_behavior(free.behavior, "trusted_key_groups = [aws_cloudfront_key_group.links.id]"),
        ),
    )  # fmt: skip


CHECKS: Final = (_elsewhere, _contents, _alone)
