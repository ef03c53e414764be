"""From a request to a report: run the rules, sort their findings, and form the verdict."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from keyfront.core.access import REDIRECTS, Rejection
from keyfront.core.keys import PublicKey
from keyfront.core.s3 import is_s3
from keyfront.core.verification import ACCESS_DENIED, ViewerRequest, refusal_for
from keyfront.explain import hiding
from keyfront.explain.configuration import Distribution
from keyfront.explain.facts import Facts
from keyfront.explain.responses import Response
from keyfront.explain.rules import RULES
from keyfront.explain.search import Budget
from keyfront.explain.steps import steps
from keyfront.explain.values import Answer, Finding, Report, Stage, Step, Verdict

_USER: Final = re.compile(r"(?<=://)[^/]*@")
_SEVERITIES: Final = ("error", "warning", "note")
_CERTAINTIES: Final = ("certain", "likely", "possible")


def explain(
    request: ViewerRequest,
    *,
    now: float,
    trusted_keys: Mapping[str, PublicKey] | None = None,
    distribution: Distribution | None = None,
    response: Response | None = None,
    offered_keys: Mapping[str, PublicKey] | None = None,
    method: str = "",
    hosts: Iterable[str] = (),
    origins: Iterable[str] = (),
    budget: Budget | None = None,
) -> Report:
    """Explain why CloudFront allows or refuses `request` at `now` (seconds since the epoch). Never raises.

    Only the request is required; the report says what else is missing. `trusted_keys` maps key-pair ids to public keys.
    If the keys of `distribution` are known, they are used instead. `response` is the response that came back.
    `offered_keys` are keys with an unknown id, by a name to show. `hosts` are other names of the same distribution, and
    `origins` are its origins' host names: one of them may have been signed. `budget` limits the search for a variant
    that the signature matches. The report shows no value of a cookie, a header or a query parameter, except the
    signature's own terms.
    """
    facts = Facts(
        _as_sent(request),
        now,
        trusted_keys,
        offered_keys or {},
        distribution,
        response,
        method,
        tuple(hosts),
        tuple(origins),
        budget or Budget(),
    )
    findings = _findings(facts)
    taken = steps(facts)
    policy = facts.policy
    times = {"starts": policy.starts, "expires": policy.expires} if policy is not None else {}
    report = Report(
        verdict=_verdict(facts, findings, taken),
        url=hiding.url(facts.url),
        form="signed URL" if facts.by_url else "signed cookies" if facts.given else "nothing",
        policy=facts.pretty_policy,
        times=tuple((name, at) for name, at in (*times.items(), ("asked", int(now))) if at is not None),
        steps=taken,
        findings=findings,
        searched=_searched(facts),
    )
    return hiding.report(report, facts.request.url, facts.cookies, facts.given)


def _as_sent(request: ViewerRequest) -> ViewerRequest:
    """Return `request` without its user, password and fragment, which viewers do not send."""
    bare, mark, query = request.url.partition("#")[0].partition("?")
    return replace(request, url=_USER.sub("", bare, count=1) + mark + query)


def _findings(facts: Facts) -> tuple[Finding, ...]:
    """Return the findings: errors first, then certain before possible, then in CloudFront's order of checks."""
    found: list[Finding] = []
    for rule in sorted(RULES.values(), key=lambda each: each.fallback):
        if facts.public and Stage.CREDENTIALS <= rule.stage <= Stage.ADDRESS:
            continue  # CloudFront does not check the signature there.
        if rule.fallback and _explained(rule.stage, found):
            continue
        if finding := rule.finding(facts):
            found.append(finding)
    return tuple(
        sorted(
            found,
            key=lambda each: (
                _SEVERITIES.index(each.severity),
                each.certainty == "possible",
                each.stage,
                _CERTAINTIES.index(each.certainty),
            ),
        )
    )


def _explained(stage: Stage, found: Iterable[Finding]) -> bool:
    """Return whether another finding already explains `stage`, so that no fallback is needed."""
    for finding in found:
        if finding.severity != "error" or finding.certainty == "possible":
            continue
        if finding.stage == stage or (Stage.CREDENTIALS <= finding.stage <= stage <= Stage.SIGNATURE):
            return True
    return False


def _verdict(facts: Facts, findings: tuple[Finding, ...], taken: tuple[Step, ...]) -> Verdict:
    sure = [each for each in findings if each.severity == "error" and each.certainty != "possible"]
    first = sure[0] if sure else None
    if first is not None and first.stage is Stage.ANSWER and facts.response is not None:
        return Verdict("refused", f"{first.title}.", _of_response(facts.response))
    if is_s3(facts.host):
        return Verdict("unknown" if not facts.given else "refused", "The link leads to S3, not to CloudFront.")
    failed = next((step for step in taken if step.outcome == "failed"), None)
    certain = next((each for each in sure if each.certainty == "certain"), None)
    if failed is None and certain is None:
        return _not_refused(facts, taken)
    reason = first or certain
    answer = _answer(facts, failed, reason)
    if answer.status in (each.status for each in REDIRECTS):
        return Verdict(
            "refused", f"CloudFront redirects to https: {reason.title if reason else 'http is not allowed'}.", answer
        )
    title = reason.title if reason else f"the check of {failed.name if failed else 'the request'} fails"
    said = f"{answer.status} {answer.code}" if answer.code else str(answer.status)
    return Verdict(
        "refused",
        f"CloudFront answers {said}: {title[:1].lower()}{title[1:]}."
        if not title.startswith(_NAMES)
        else f"CloudFront answers {said}: {title}.",
        answer,
    )


_NAMES: Final = ("CloudFront", "S3", "HTTP", "URL", "IAM", "Expires", "AWS")


def _answer(facts: Facts, failed: Step | None, reason: Finding | None) -> Answer:
    """Return CloudFront's response: from the given response, or else as keyfront's edge decides."""
    if facts.response is not None and facts.response.kind == "viewer-check":
        return _of_response(facts.response)
    if facts.rejection is not None:
        return Answer(facts.rejection.status)
    if facts.elsewhere is not None:
        refusal = facts.elsewhere
        if isinstance(refusal, Rejection):
            return Answer(refusal.status)
        return Answer(refusal.status, refusal.code, refusal.message)
    if failed is not None and not (reason is not None and reason.stage in (Stage.HOST, Stage.BEHAVIOR)):
        return _refused(facts.reason("key-pair-id" if failed.name == "credentials" else failed.name))
    if reason is not None and reason.stage in _REASONS:
        return _refused(_REASONS[reason.stage])
    return Answer(ACCESS_DENIED.status)


_REASONS: Final = {Stage.CREDENTIALS: "missing-key-pair-id", Stage.KEY: "unknown-key"}
"""The refusal's reason for a certain finding that no step shows, for example without the trusted keys."""


def _refused(reason: str) -> Answer:
    refusal = refusal_for(reason)
    return Answer(refusal.status, refusal.code, refusal.message)


def _of_response(response: Response) -> Answer:
    return Answer(response.status or ACCESS_DENIED.status, response.code or None, response.message or None)


def _not_refused(facts: Facts, taken: tuple[Step, ...]) -> Verdict:
    if facts.public:
        return Verdict("allowed", "CloudFront allows this request: this path requires no signature.", Answer(200))
    missing = []
    unknown = {step.name for step in taken if step.outcome == "unknown"}
    if "credentials" in unknown:
        missing.append("whether this path needs a signature (--distribution)")
    if unknown & {"trusted-key", "signature"}:
        missing.append("the public key that checks the signature (--public-key FILE, or --distribution)")
    if "address" in unknown:
        missing.append("the viewer's address (--ip)")
    response = facts.response
    if response is not None and response.kind == "viewer-check":
        return Verdict(
            "refused",
            f"CloudFront returned {response.shown}; nothing in the input explains it.",
            _of_response(response),
            tuple(missing),
        )
    if response is not None and response.status >= 400:
        return Verdict(
            "refused",
            f"The response was {response.shown}, which did not come from CloudFront's signature check.",
            Answer(response.status),
            tuple(missing),
        )
    if missing:
        return Verdict(
            "unknown",
            "The input shows nothing wrong, but it is not enough to tell.",
            None,
            tuple(missing),
        )
    whom = "" if facts.behavior else ", if the path's cache behavior trusts this key"
    return Verdict("allowed", f"CloudFront allows this request{whom}.", Answer(200))


def _searched(facts: Facts) -> str:
    found = facts.search
    if not found.tries:
        return ""
    if found.match is not None:
        texts = [change.text or change.id.replace("-", " ") for change in found.match.changes]
        if not texts:
            return f"The signature matches the request, with the key {found.match.key}."
        tries = "1 try" if found.tries == 1 else f"{found.tries:,} tries"
        return f"A variant that the signature matches was found after {tries}: {' and '.join(texts)}."
    if found.complete:
        return f"The signature matches none of the {found.tries:,} likely variants of this request that were tried."
    return f"The search stopped after {found.tries:,} tries, before it had tried every likely variant of this request."
