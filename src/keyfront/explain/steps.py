"""The edge's checks, step by step: what CloudFront checks, what it sees, and what it expects; and the policy."""

import json
from collections.abc import Iterator

from keyfront.core.access import REDIRECTS
from keyfront.explain import hiding, lineup
from keyfront.explain.facts import Facts
from keyfront.explain.rules import ids
from keyfront.explain.rules.policy import UNSET
from keyfront.explain.times import relative, utc
from keyfront.explain.values import Lineup, Outcome, Step


def steps(facts: Facts) -> tuple[Step, ...]:
    """Return every step, in CloudFront's order, including the steps after a failed one."""
    found = [*_host(facts), *_behavior(facts)]
    if not facts.public:
        found += _signature_steps(facts)
    if facts.elsewhere is not None:
        found.append(Step("path", "failed", facts.path, "a path that every server reads the same way"))
    return tuple(found)


def _host(facts: Facts) -> Iterator[Step]:
    if facts.distribution is None or not facts.distribution.names:
        return
    answers = facts.distribution.answers_to(facts.host)
    yield Step("host", "passed" if answers else "failed", facts.host, " or ".join(facts.distribution.names))


def _behavior(facts: Facts) -> Iterator[Step]:
    behavior = facts.behavior
    if behavior is None:
        yield Step(
            "behavior",
            "unknown",
            facts.path,
            "the distribution's configuration (--distribution), to see whether this path needs a signature",
        )
        return
    if not behavior.protected:
        whom = "requires no signature"
    elif behavior.keys is not None:
        whom = f"trusts {', '.join(sorted(behavior.keys)) or 'no key'} (groups: {', '.join(behavior.groups) or 'none'})"
    else:
        whom = f"trusts the groups {', '.join(behavior.groups) or 'none'}"
    yield Step("behavior", "passed", f"{facts.path} matches {behavior.pattern}, which {whom}")
    if facts.wrong_protocol is not None:
        yield Step("protocol", "failed", "http", "https (redirected)" if facts.wrong_protocol in REDIRECTS else "https")
    if facts.wrong_method is not None:
        yield Step("method", "failed", facts.method, ", ".join(behavior.methods))


def _signature_steps(facts: Facts) -> Iterator[Step]:
    if not facts.given:
        unsure = facts.behavior is None and facts.keys is None and facts.response is None
        # Any other code shows that CloudFront got a key-pair id, which is not in the input.
        left_out = facts.refused_with not in ("", "unknown", "MissingKey")
        seen = "not in the input, but CloudFront got one" if left_out else "no signature"
        outcome: Outcome = "unknown" if unsure or left_out else "failed"
        yield Step("credentials", outcome, seen, "a signed URL or signed cookies")
        return
    kind = "signed URL" if facts.by_url else "signed cookies"
    yield Step("credentials", "passed", f"{kind}: {', '.join(facts.given)}")
    for step in (_key_pair_id, _trusted_key, _policy, _signature):
        yield from step(facts)
    yield from _resource(facts)
    yield from _times(facts)
    yield from _address(facts)


def _key_pair_id(facts: Facts) -> Iterator[Step]:
    expected = "the id of a public key, K…"
    if not facts.key_pair_id:
        yield Step("key-pair-id", "failed", "none", expected)
    elif facts.has_likely_id or facts.key is not None:
        yield Step("key-pair-id", "passed", facts.shown_id)
    else:
        odd = ids.key_pair_id_of_another_kind(facts)
        yield Step(
            "key-pair-id", "unknown" if odd and odd.certainty == "likely" else "failed", facts.shown_id, expected
        )


def _trusted_key(facts: Facts) -> Iterator[Step]:
    if not facts.key_pair_id:
        return
    if facts.keys is None:
        yield Step(
            "trusted-key",
            "unknown",
            facts.shown_id,
            "the public key with this id (--public-key), and whether the path trusts it (--distribution)",
        )
    elif facts.key is not None:
        yield Step("trusted-key", "passed", f"{facts.shown_id}, {facts.key.algorithm.upper()}, {facts.key.fingerprint}")
    else:
        yield Step("trusted-key", "failed", facts.shown_id, ", ".join(sorted(facts.keys)) or "no key is trusted")


def _policy(facts: Facts) -> Iterator[Step]:
    if not facts.key_pair_id and facts.policy is None:
        return
    kind = "custom policy" if facts.custom else "canned policy"
    if facts.failed("policy"):
        yield Step("policy", "failed", facts.policy_problem, f"a {kind} that CloudFront can read")
    elif facts.policy is not None:
        yield Step("policy", "passed", kind)


def _signature(facts: Facts) -> Iterator[Step]:
    for check in facts.decision.checks:
        if check.name in ("signature", "hash-algorithm"):
            seen = f"cannot be decoded: {facts.signature_problem}" if facts.signature_problem else check.detail
            if check.ok or facts.decision.reason == "signature-mismatch":
                verb = "matches" if check.ok else "does not match"
                seen = f"{verb} the key {facts.shown_id} ({facts.given.get('Hash-Algorithm', 'SHA1')}){_change(facts)}"
            yield Step(check.name, "passed" if check.ok else "failed", seen, "", _signed(facts))
            return
    if not facts.key_pair_id:
        return
    if facts.match is not None and not facts.match.changes:
        yield Step("signature", "passed", f"matches the key {facts.match.key} and the request")
    elif facts.match is not None:
        yield Step("signature", "failed", f"does not match{_change(facts)}", "", _signed(facts))
    elif facts.signature_text in UNSET:
        yield Step("signature", "failed", facts.signature_text, "the signature that the signer returned")
    elif facts.signature_text:
        needed = "the public key that checks the signature (--public-key)"
        if facts.key is not None:
            needed = "a readable policy, which says what was signed"
        yield Step("signature", "unknown", f"{len(facts.signature_text)} characters", needed)


def _change(facts: Facts) -> str:
    if facts.match is None or not facts.match.changes:
        return ""
    texts = [change.text for change in facts.match.changes if change.text]
    return f"; it matches if {' and '.join(texts)}" if texts else ""


def _signed(facts: Facts) -> Lineup | None:
    if facts.match is None or not facts.match.url or facts.match.url == facts.url:
        return None
    return lineup.texts(facts.match.url, facts.url)


def _resource(facts: Facts) -> Iterator[Step]:
    pattern = facts.resource()
    if not facts.custom or facts.policy is None:
        return
    if pattern is None:
        yield Step("resource", "passed", "the policy has no Resource, so it covers everything")
        return
    outcome: Outcome = "failed" if facts.failed("resource") else "passed"
    lined = lineup.pattern(pattern, facts.url) if outcome == "failed" else None
    yield Step("resource", outcome, hiding.url(facts.url), hiding.url(pattern), lined)


def _times(facts: Facts) -> Iterator[Step]:
    policy = facts.policy
    if policy is None:
        return
    if policy.starts is not None:
        seen = f"{utc(policy.starts)}, {relative(policy.starts, facts.now)}"
        yield Step("starts", "failed" if facts.now <= policy.starts else "passed", seen, "a time that has passed")
    seen = f"{utc(policy.expires)}, {relative(policy.expires, facts.now)}"
    yield Step("expires", "failed" if facts.now >= policy.expires else "passed", seen, "a future time")


def _address(facts: Facts) -> Iterator[Step]:
    policy = facts.policy
    if policy is None or policy.ip is None:
        return
    if not facts.request.ip:
        yield Step("address", "unknown", "not known; give it with --ip", policy.ip)
        return
    failed = any(check.name == "address" and not check.ok for check in facts.decision.checks)
    yield Step("address", "failed" if failed else "passed", facts.request.ip, policy.ip)


def pretty_policy(facts: Facts) -> str:
    """Return the policy that counts, pretty-printed and without query values; empty if there is none."""
    if facts.custom:
        if facts.document is None:
            return hiding.policy(facts.policy_text)
        return json.dumps(hiding.document(facts.document), indent=2)
    if facts.policy is not None:
        return json.dumps(hiding.document(json.loads(facts.policy.to_bytes())), indent=2)
    return ""
