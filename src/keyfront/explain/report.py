"""From a request to a report: run the rules, sort their findings, and form the verdict."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Final

from keyfront.core.access import REDIRECTS, Rejection
from keyfront.core.keys import PublicKey
from keyfront.core.s3 import is_s3
from keyfront.core.verification import ACCESS_DENIED, ViewerRequest, refusal_for, verify
from keyfront.explain import hiding
from keyfront.explain.configuration import Distribution
from keyfront.explain.facts import Facts
from keyfront.explain.pasted_link import PastedLink
from keyfront.explain.request import RequestFacts
from keyfront.explain.responses import Response
from keyfront.explain.search import Budget
from keyfront.explain.steps import pretty_policy, steps
from keyfront.explain.values import Answer, Finding, Report, Stage, Step, Verdict
from keyfront.explain.weighing import findings_of

_USER: Final = re.compile(r"(?<=://)[^/]*@")


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
    headers: Mapping[str, str] | None = None,
    country: str = "",
    pasted: PastedLink | None = None,
) -> Report:
    """Explain why CloudFront allows or refuses `request` at `now` (seconds since the epoch). Never raises.

    Only the request is required; the report says what else is missing. `trusted_keys` maps key-pair ids to public keys.
    If the keys of `distribution` are known, they are used instead. `response` is the response that came back.
    `offered_keys` are keys with an unknown id, by a name to show. `hosts` are other names of the same distribution, and
    `origins` are its origins' host names: one of them may have been signed. `budget` limits the search for a variant
    that the signature matches. `headers` are the request's, with names in lower case. `country` is the viewer's (two
    capital letters). `pasted` says how the URL was found in a text (`keyfront.explain.inputs.links`).

    The report shows no value of a cookie, a header or a query parameter, except the signature's own terms.
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
        headers or {},
        country,
        pasted,
    )
    findings = findings_of(facts)
    taken = steps(facts)
    policy = facts.policy
    times = {"starts": policy.starts, "expires": policy.expires} if policy is not None else {}
    report = Report(
        verdict=_verdict(facts, findings, taken),
        url=hiding.url(facts.url),
        form="signed URL" if facts.by_url else "signed cookies" if facts.given else "nothing",
        policy=pretty_policy(facts),
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


def _verdict(facts: Facts, findings: tuple[Finding, ...], taken: tuple[Step, ...]) -> Verdict:
    sure = [each for each in findings if each.severity == "error" and each.certainty != "possible"]
    first = sure[0] if sure else None
    if first is not None and facts.pasted is not None and facts.pasted.lost:
        return Verdict("unknown", f"{first.title}.", None, ("the whole link, from https:// to its end",))
    if first is not None and first.stage is Stage.ANSWER and facts.response is not None:
        return Verdict("refused", f"{first.title}.", _of_response(facts.response))
    if is_s3(facts.host):
        return Verdict("unknown" if not facts.given else "refused", "The link leads to S3, not to CloudFront.")
    failed = next((step for step in taken if step.outcome == "failed"), None)
    certain = next((each for each in sure if each.certainty == "certain"), None)
    if failed is None and certain is None:
        return _not_refused(facts, taken, first)
    return _refusal(facts, failed, first or certain)


def _refusal(facts: Facts, failed: Step | None, reason: Finding | None) -> Verdict:
    answer = _answer(facts, failed, reason)
    if answer.status in (each.status for each in REDIRECTS):
        return Verdict(
            "refused", f"CloudFront redirects to https: {reason.title if reason else 'http is not allowed'}.", answer
        )
    title = reason.title if reason else f"the check of {failed.name if failed else 'the request'} fails"
    said = f"{answer.status} {answer.code}" if answer.code else str(answer.status)
    return Verdict("refused", f"CloudFront answers {said}: {_inside(title)}{_old_key_pair(facts, reason)}.", answer)


def _inside(title: str) -> str:
    """Return a finding's title as it stands inside a sentence."""
    return title if title.startswith(_NAMES) else f"{title[:1].lower()}{title[1:]}"


def _old_key_pair(facts: Facts, reason: Finding | None) -> str:
    """Return the words that name an old account key pair in the headline, unless the reason does."""
    if not facts.key_pair_id.startswith("APKA") or (reason is not None and "APKA" in reason.title):
        return ""
    return "; the key-pair id is that of an old account key pair (APKA…)"


_NAMES: Final = ("CloudFront", "S3", "HTTP", "URL", "IAM", "Expires", "AWS")


def _answer(facts: Facts, failed: Step | None, reason: Finding | None) -> Answer:
    """Return CloudFront's response: from the given response, or else as keyfront's edge decides."""
    if facts.response is not None and facts.response.kind == "viewer-check":
        return _of_response(facts.response)
    if reason is not None and reason.id in _CHANGED and facts.changed is not None:
        return _answer_to_the_changed(facts, facts.changed)
    if facts.rejection is not None:
        return Answer(facts.rejection.status)
    if reason is not None and reason.id in _NOT_SENT and not (facts.by_url and facts.key_pair_id):
        return _refused("missing-key-pair-id")
    if facts.elsewhere is not None:
        refusal = facts.elsewhere
        if isinstance(refusal, Rejection):
            return Answer(refusal.status)
        return Answer(refusal.status, refusal.code, refusal.message)
    if failed is not None and not (reason is not None and reason.stage in (Stage.HOST, Stage.BEHAVIOR)):
        if failed.name == "key-pair-id" and facts.key_pair_id:
            return _refused("unknown-key")
        return _refused(facts.reason("key-pair-id" if failed.name == "credentials" else failed.name))
    if reason is not None and reason.stage in _REASONS:
        return _refused(_REASONS[reason.stage])
    return Answer(ACCESS_DENIED.status)


_CHANGED: Final = ("url-not-as-sent", "html-escaped-ampersand", "key-pair-id-of-another-kind")
"""Findings about a link that other programs changed."""

_NOT_SENT: Final = (
    "cookie-domain-differs",
    "cookie-not-secure",
    "cookie-path-differs",
    "cookie-same-site",
    "cookie-secure-over-http",
    "signature-cut-off",
)
"""Findings about cookies that a browser keeps back, and about a link without its end: no key-pair id arrives."""


def _answer_to_the_changed(facts: Facts, changed: RequestFacts) -> Answer:
    """Return CloudFront's response to the link as it was pasted."""
    if not changed.key_pair_id:
        return _refused("missing-key-pair-id")
    if changed.key_pair_id != facts.key_pair_id:
        return _refused("unknown-key")
    decision = verify(changed.request, facts.known_keys, facts.now)
    failed = (check.reason for check in decision.checks if not check.ok and check.name != "trusted-key")
    return _refused(next(failed, "signature-mismatch"))


_REASONS: Final = {Stage.CREDENTIALS: "missing-key-pair-id", Stage.KEY: "unknown-key"}
"""The refusal's reason for a certain finding that no step shows, for example without the trusted keys."""


def _refused(reason: str) -> Answer:
    refusal = refusal_for(reason)
    return Answer(refusal.status, refusal.code, refusal.message)


def _of_response(response: Response) -> Answer:
    return Answer(response.status or ACCESS_DENIED.status, response.code or None, response.message or None)


def _not_refused(facts: Facts, taken: tuple[Step, ...], likely: Finding | None) -> Verdict:
    """Return the verdict if no check fails. `likely` is the first finding that may explain a refusal all the same."""
    missing = _missing(facts, taken)
    response = facts.response
    if facts.refused_with and response is not None:
        because = "the input is not enough to say why" if missing else "nothing in the input explains it"
        if likely is not None:
            because = f"most likely, {_inside(likely.title)}"
        said = f"{response.status or 403} {response.code}".rstrip()
        text = f"CloudFront answers {said}: {because}{_old_key_pair(facts, likely)}."
        return Verdict("refused", text, _of_response(response), missing)
    if response is not None and ((response.status >= 300 and response.kind != "success") or response.kind == "masked"):
        if response.kind == "redirect" and not facts.behavior:
            text = f"The response was {response.shown}, a redirect. The request after it is another one."
        else:
            text = f"The response was {response.shown}, which did not come from CloudFront's signature check."
        return Verdict("refused", text, Answer(response.status), missing)
    if facts.public:
        return Verdict("allowed", "CloudFront allows this request: this path requires no signature.", Answer(200))
    if missing:
        text = "The input shows nothing wrong, but it is not enough to tell"
        if likely is not None:
            text = f"The input is not enough to tell. Most likely, {_inside(likely.title)}"
        return Verdict("unknown", f"{text}{_old_key_pair(facts, likely)}.", None, missing)
    whom = "" if facts.behavior else ", if the path's cache behavior trusts this key"
    return Verdict("allowed", f"CloudFront allows this request{whom}{_old_key_pair(facts, None)}.", Answer(200))


def _missing(facts: Facts, taken: tuple[Step, ...]) -> tuple[str, ...]:
    """Return the input that would settle what is not known."""
    missing = []
    unknown = {step.name for step in taken if step.outcome == "unknown"}
    if "credentials" in unknown and facts.refused_with:
        missing.append("the cookies that the browser sent (--cookie)")
    elif "credentials" in unknown:
        missing.append("whether this path needs a signature (--distribution)")
    if unknown & {"trusted-key", "signature"}:
        missing.append("the public key that checks the signature (--public-key FILE, or --distribution)")
    if "address" in unknown:
        missing.append("the viewer's address (--ip)")
    return tuple(missing)


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
