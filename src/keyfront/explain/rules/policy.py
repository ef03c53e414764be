"""Policies: missing, malformed, or rewritten after signing."""

from keyfront.explain import hiding
from keyfront.explain.base64_readings import strict
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules import encoding, times
from keyfront.explain.unreadable import base64_problem
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"
_IAM = ("Effect", "Principal", "Action", "Sid", "NotAction", "NotPrincipal", "NotResource")


@rule(
    "expires-and-policy",
    "The link has both Expires and Policy",
    stage=Stage.POLICY,
    severity="warning",
    looks="The URL has `Expires=` and `Policy=`.",
    cause="A link has either Expires (canned policy) or Policy (custom policy). With both, CloudFront uses Policy "
    "(assumed; no public source says so).",
    fix="Send Policy, Signature and Key-Pair-Id for a custom policy; Expires, Signature and Key-Pair-Id for a canned "
    "one.",
    recipe="sign-url",
    guide=_CUSTOM,
)
def expires_and_policy(facts: Facts) -> Found | None:
    if not ("Expires" in facts.given and "Policy" in facts.given):
        return None
    if facts.match is not None and facts.match.url:
        canned = "The link has both, and the signature matches the canned policy for Expires."
        return Found(canned, severity="error" if facts.by_url else None)
    return Found("The link has both; Policy counts.")


@rule(
    "policy-missing",
    "Both Expires and Policy are missing",
    stage=Stage.POLICY,
    looks="The request has `Key-Pair-Id`, but no `Expires` and no `Policy`. CloudFront returns `MalformedPolicy`.",
    cause="CloudFront needs one of them to know what is allowed. Some SDKs leave both out if they do not understand "
    "the format of a date. A browser leaves out a cookie over 4,096 bytes.",
    fix="Send Expires for a canned policy or Policy for a custom one, exactly as the signer returned it.",
    recipe="sign-url",
    guide=_CANNED,
)
def policy_missing(facts: Facts) -> Found | None:
    if facts.given.get("Policy") or facts.given.get("Expires") or not facts.by_url or not facts.key_pair_id:
        return None
    empty = next((name for name in ("Policy", "Expires") if name in facts.given), "")
    return Found(f"{empty} is empty." if empty else f"The request has only {', '.join(facts.given)}.")


@rule(
    "policy-not-encoded",
    "The policy was sent without encoding",
    stage=Stage.POLICY,
    looks="`Policy=` begins with `{` or `%7B`. CloudFront returns `MalformedPolicy`.",
    cause="The policy's JSON must be encoded in CloudFront's base64 before it goes into the link.",
    fix="Encode the JSON with base64 and replace + with -, = with _ and / with ~. Sign the JSON, not the encoded text.",
    recipe="encoding",
    guide=_CUSTOM,
)
def policy_not_encoded(facts: Facts) -> Found | None:
    text = facts.given.get("Policy", "").lstrip()
    return Found(f"Policy begins with {text[:20]!r}.") if text.startswith("{") else None


@rule(
    "policy-unset",
    "The policy comes from a variable that was not set",
    stage=Stage.POLICY,
    looks="The URL or the cookie has `Policy=undefined`. CloudFront returns `MalformedPolicy`.",
    cause="The program wrote a value that was not set. Signers return Policy only for custom policies; for canned "
    "policies they return Expires.",
    fix="Send only the values that the signer returned.",
    recipe="sign-cookies",
    guide=_CUSTOM,
)
def policy_unset(facts: Facts) -> Found | None:
    wrong = [name for name in ("Policy", "Signature") if facts.given.get(name) in UNSET]
    if not wrong:
        return None
    evidence = f"{' and '.join(facts.called(name) for name in wrong)} is {facts.given[wrong[0]]}."
    if wrong != ["Signature"]:
        return Found(evidence)
    return Found(evidence, title="The signature comes from a variable that was not set", stage=Stage.SIGNATURE)


UNSET = ("undefined", "null", "None", "nil", "[object Object]", "[object Promise]", "(null)")
"""What programs write if they have no value."""


@rule(
    "policy-unreadable",
    "The policy cannot be decoded",
    stage=Stage.POLICY,
    fallback=True,
    looks="CloudFront returns `MalformedPolicy`.",
    cause="The text is not in CloudFront's base64, so CloudFront cannot read a policy.",
    fix="Encode the JSON with base64, replace + with -, = with _ and / with ~, and pass the result on unchanged.",
    recipe="encoding",
    guide=_CUSTOM,
)
def policy_unreadable(facts: Facts) -> Found | None:
    text = facts.given.get("Policy", "")
    if not text or strict(text) is not None or encoding.standard_base64(facts) or encoding.url_safe_base64(facts):
        return None
    if encoding.plus_became_space(facts) or encoding.percent_encoded_twice(facts):
        return None
    begins = (
        f"{facts.called('Policy')} begins with {text[:40]!a}"
        if len(text) > 40
        else f"{facts.called('Policy')} is {text!a}"
    )
    return Found(f"{begins}: {base64_problem(text)}.")


@rule(
    "policy-not-json",
    "The policy is not JSON",
    stage=Stage.POLICY,
    looks="The decoded policy is not valid JSON: it has single quotes, an extra comma, or a missing part. CloudFront "
    "returns `MalformedPolicy`.",
    cause="The policy was written by hand, or it is a printed dictionary of some language rather than JSON.",
    fix="Build it with a JSON library, or let the signer build it.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_not_json(facts: Facts) -> Found | None:
    if not facts.custom or not facts.failed("policy") or facts.document is not None or not facts.policy_readings:
        return None
    if strict(facts.given["Policy"]) is None:
        return None
    return Found(f"{facts.policy_problem}. It begins with {hiding.policy(facts.policy_text)[:60]!a}.")


@rule(
    "policy-iam-style",
    "The policy is written like an IAM policy",
    stage=Stage.POLICY,
    looks="The decoded policy contains `Effect`, `Principal`, `Action` or `Version`. CloudFront returns "
    "`MalformedPolicy` (assumed; no public source says so).",
    cause="A CloudFront policy looks like an IAM policy but is different: it has one statement, with only Resource "
    "and Condition.",
    fix="Leave out Version, Effect, Principal, Action and Sid.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_iam_style(facts: Facts) -> Found | None:
    if not facts.custom or not isinstance(facts.document, dict):
        return None
    names = [name for name in ("Version", "Id") if name in facts.document]
    names += [name for name in _IAM if name in facts.statement]
    return Found(f"The policy contains {', '.join(names)}.") if names else None


@rule(
    "policy-several-statements",
    "The policy has more than one statement",
    stage=Stage.POLICY,
    looks="`Statement` is a list of two or more. CloudFront returns `MalformedPolicy`.",
    cause="CloudFront accepts one statement with one Resource.",
    fix="Use one Resource with wildcards that covers every URL you want to allow, or make one signature for each.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_several_statements(facts: Facts) -> Found | None:
    statement = facts.document.get("Statement") if isinstance(facts.document, dict) else None
    if isinstance(statement, list) and len(statement) != 1:
        return Found(f"There are {len(statement)} statements.")
    if isinstance(facts.statement.get("Resource"), list):
        return Found("Resource is a list.")
    return None


@rule(
    "policy-without-expiry",
    "The policy has no expiry",
    stage=Stage.POLICY,
    looks="`DateLessThan` is missing from the decoded policy. CloudFront returns `MalformedPolicy`.",
    cause="Every policy needs DateLessThan. DateGreaterThan and IpAddress may be left out.",
    fix="Add Condition.DateLessThan with AWS:EpochTime, and sign again.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_without_expiry(facts: Facts) -> Found | None:
    if not facts.custom or not facts.failed("policy") or not facts.statement:
        return None
    condition = facts.statement.get("Condition")
    if isinstance(condition, dict) and "DateLessThan" in condition:
        return None
    return Found(
        "Condition contains "
        + (", ".join(map(str, condition)) if isinstance(condition, dict) and condition else "nothing")
        + "."
    )


@rule(
    "policy-malformed",
    "CloudFront does not accept this policy",
    stage=Stage.POLICY,
    fallback=True,
    looks="CloudFront returns `MalformedPolicy`.",
    cause="Part of the policy is not what CloudFront expects: an unknown member, a value of the wrong type, or an "
    "invalid network.",
    fix="Compare the decoded policy with the guide's example, or let the signer build it.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_malformed(facts: Facts) -> Found | None:
    if facts.failed("policy"):
        text = facts.policy_problem
        return Found(f"{text[:1].upper()}{text[1:]}.")
    return None


def _proof(facts: Facts, change: str) -> Found | None:
    return Found(f"The signature covers other bytes: {facts.told(change)}.") if facts.proved(change) else None


@rule(
    "policy-white-space-differs",
    "The signed policy has different white space",
    stage=Stage.SIGNATURE,
    looks="The policy was signed with OpenSSL from a file, or from a JSON library's output. CloudFront returns "
    "`AccessDenied`.",
    cause="The signature covers every byte. For a canned policy, CloudFront rebuilds the JSON without white space. An "
    "`echo` that adds a line end, or a JSON library that adds spaces after , and :, makes different bytes.",
    fix="Sign the JSON without white space: printf '%s' in a shell, separators=(',', ':') in Python.",
    recipe="policy",
    guide=_CANNED,
)
def policy_white_space_differs(facts: Facts) -> Found | None:
    return _proof(facts, "policy-white-space-differs")


@rule(
    "policy-rewritten",
    "The policy was rewritten after it was signed",
    stage=Stage.SIGNATURE,
    looks="The decoded policy looks right. CloudFront returns `AccessDenied`.",
    cause="The signature covers every byte. The same JSON with its members in another order, or with / written as "
    "\\/, is a different text.",
    fix="Make the JSON once, and use the same bytes for the signature and for the link. For a canned policy the form "
    "is fixed: Resource before Condition, nothing escaped.",
    recipe="policy",
    guide=_CANNED,
)
def policy_rewritten(facts: Facts) -> Found | None:
    return _proof(facts, "policy-rewritten")


@rule(
    "encoded-policy-signed",
    "The encoded policy was signed instead of its JSON",
    stage=Stage.SIGNATURE,
    looks="CloudFront returns `AccessDenied`.",
    cause="The signature must be over the policy's JSON. This one is over the base64 text.",
    fix="Sign the JSON's bytes. Then encode the policy and the signature separately.",
    recipe="policy",
    guide=_CUSTOM,
)
def encoded_policy_signed(facts: Facts) -> Found | None:
    return _proof(facts, "encoded-policy-signed")


@rule(
    "signature-does-not-match",
    "The signature does not match this request",
    stage=Stage.SIGNATURE,
    fallback=True,
    looks="CloudFront returns `AccessDenied`.",
    cause="Another URL or policy was signed, or another private key signed it. None of the usual mistakes explains "
    "the difference.",
    fix="Compare this URL (or policy) with the exact one that your program signs. Then check that the private key "
    "belongs to the id: keyfront explain --private-key FILE.",
    recipe="sign-url",
    guide=_CANNED,
)
def signature_does_not_match(facts: Facts) -> Found | None:
    if facts.pasted is not None and facts.pasted.lost:
        return None
    if not facts.failed("signature") or facts.key is None or strict(facts.signature_text) is None:
        return None
    if facts.match is not None or times.expires_in_milliseconds(facts):
        return None
    tried = facts.search
    keys = len(facts.known_keys)
    kinds = "forms of the policy" if facts.custom else "forms of the URL and the policy"
    how = "were tried and none matches" if tried.complete else "were tried before time was up, and none matches"
    return Found(
        f"The key {facts.key_pair_id} did not sign this {'policy' if facts.custom else 'URL with this expiry'}. "
        f"{tried.tries:,} combinations of {kinds}, {keys} {'key' if keys == 1 else 'keys'} and both hashes {how}."
    )
