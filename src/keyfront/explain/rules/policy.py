"""Policies: what is missing, malformed, or was written differently after it was signed."""

from keyfront.explain import hiding
from keyfront.explain.base64_readings import strict
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules import encoding, times
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"
_IAM = ("Effect", "Principal", "Action", "Sid", "NotAction", "NotPrincipal", "NotResource")


@rule(
    "expires-and-policy",
    "The link carries both Expires and Policy",
    stage=Stage.POLICY,
    severity="warning",
    looks="The URL holds `Expires=` and `Policy=`.",
    cause="A link carries either Expires (canned policy) or Policy (custom policy). With both, we take it that "
    "CloudFront judges by Policy (no public source says so).",
    fix="Send Policy, Signature and Key-Pair-Id for a custom policy; Expires, Signature and Key-Pair-Id for a canned "
    "one.",
    recipe="sign-url",
    guide=_CUSTOM,
)
def expires_and_policy(facts: Facts) -> Found | None:
    if not ("Expires" in facts.given and "Policy" in facts.given):
        return None
    if facts.match is not None and facts.match.url:
        return Found("Both are there, and the signature fits the canned policy that Expires stands for.")
    return Found("Both are there; Policy counts.")


@rule(
    "policy-missing",
    "Neither Expires nor Policy is there",
    stage=Stage.POLICY,
    looks="There is a `Key-Pair-Id`, and neither `Expires` nor `Policy`. CloudFront answers `MalformedPolicy`.",
    cause="Without one of them CloudFront does not know what was allowed. Some SDKs leave both out when a date was "
    "given in a form that they do not understand; a browser leaves out a cookie over 4,096 bytes.",
    fix="Send Expires for a canned policy or Policy for a custom one, exactly as the signer returned it.",
    recipe="sign-url",
    guide=_CANNED,
)
def policy_missing(facts: Facts) -> Found | None:
    if facts.given.get("Policy") or facts.given.get("Expires") or not facts.by_url or not facts.key_pair_id:
        return None
    return Found(f"Given are {', '.join(facts.given)}.")


@rule(
    "policy-not-encoded",
    "The policy was sent as it is, not encoded",
    stage=Stage.POLICY,
    looks="`Policy=` begins with `{` or `%7B`. CloudFront answers `MalformedPolicy`.",
    cause="The policy's JSON has to be encoded in CloudFront's form of base64 before it goes into the link.",
    fix="Encode the JSON with base64 and replace + by -, = by _ and / by ~. Sign the JSON, not the encoded text.",
    recipe="encoding",
    guide=_CUSTOM,
)
def policy_not_encoded(facts: Facts) -> Found | None:
    text = facts.given.get("Policy", "").lstrip()
    return Found(f"Policy begins with {text[:20]!r}.") if text.startswith("{") else None


@rule(
    "policy-unset",
    "The policy is a variable that was not set",
    stage=Stage.POLICY,
    looks="The URL or the cookie says `Policy=undefined`. CloudFront answers `MalformedPolicy`.",
    cause="The program wrote out a value that is not there. Signers return a policy only for custom policies; for "
    "canned ones there is Expires in its place.",
    fix="Send what the signer returned, and nothing else.",
    recipe="sign-cookies",
    guide=_CUSTOM,
)
def policy_unset(facts: Facts) -> Found | None:
    wrong = [name for name in ("Policy", "Expires", "Signature") if facts.given.get(name) in _NOTHING]
    return Found(f"{' and '.join(facts.called(name) for name in wrong)} is {facts.given[wrong[0]]}.") if wrong else None


_NOTHING = ("undefined", "null", "None", "nil")


@rule(
    "policy-unreadable",
    "The policy cannot be decoded",
    stage=Stage.POLICY,
    fallback=True,
    looks="CloudFront answers `MalformedPolicy`.",
    cause="The text is not CloudFront's form of base64, so that there is no policy to read.",
    fix="Encode the JSON with base64, replace + by -, = by _ and / by ~, and hand the result on untouched.",
    recipe="encoding",
    guide=_CUSTOM,
)
def policy_unreadable(facts: Facts) -> Found | None:
    text = facts.given.get("Policy", "")
    if not text or strict(text) is not None or encoding.standard_base64(facts) or encoding.url_safe_base64(facts):
        return None
    if encoding.plus_became_space(facts) or encoding.percent_encoded_twice(facts):
        return None
    return Found(f"{facts.called('Policy')} is {text[:40]!a}{'…' if len(text) > 40 else ''}.")


@rule(
    "policy-not-json",
    "The policy is not JSON",
    stage=Stage.POLICY,
    looks="Decoded, the policy is no valid JSON: single quotes, a comma too many, a piece missing. CloudFront answers "
    "`MalformedPolicy`.",
    cause="The policy was put together by hand, or a language's own way to print a dictionary was taken for JSON.",
    fix="Build it with a JSON library, or let the signer build it.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_not_json(facts: Facts) -> Found | None:
    if not facts.custom or not facts.failed("policy") or facts.document is not None or not facts.policy_readings:
        return None
    if strict(facts.given["Policy"]) is None:
        return None
    return Found(f"{facts.detail('policy')}. It begins with {hiding.policy(facts.policy_text)[:60]!a}.")


@rule(
    "policy-iam-style",
    "The policy is written like an IAM policy",
    stage=Stage.POLICY,
    looks="The decoded policy holds `Effect`, `Principal`, `Action` or `Version`. CloudFront answers "
    "`MalformedPolicy` (we take it; no public source says so).",
    cause="A policy for CloudFront looks like IAM's and is not: it has one statement with Resource and Condition only.",
    fix="Leave Version, Effect, Principal, Action and Sid out.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_iam_style(facts: Facts) -> Found | None:
    if not facts.custom or not isinstance(facts.document, dict):
        return None
    names = [name for name in ("Version", "Id") if name in facts.document]
    names += [name for name in _IAM if name in facts.statement]
    return Found(f"The policy holds {', '.join(names)}.") if names else None


@rule(
    "policy-several-statements",
    "The policy has more than one statement",
    stage=Stage.POLICY,
    looks="`Statement` is a list of two or more. CloudFront answers `MalformedPolicy`.",
    cause="CloudFront takes one statement, and one Resource in it.",
    fix="Use one Resource with wildcards that covers all you want to allow, or a signature for each.",
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
    looks="`DateLessThan` is missing in the decoded policy. CloudFront answers `MalformedPolicy`.",
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
        "Condition holds "
        + (", ".join(map(str, condition)) if isinstance(condition, dict) and condition else "nothing")
        + "."
    )


@rule(
    "policy-malformed",
    "CloudFront cannot take this policy",
    stage=Stage.POLICY,
    fallback=True,
    looks="CloudFront answers `MalformedPolicy`.",
    cause="Something in the policy is not as CloudFront wants it: a member that it does not know, a value of another "
    "kind, or a network that is none.",
    fix="Compare the decoded policy with the guide's example, or let a signer build it.",
    recipe="policy",
    guide=_CUSTOM,
)
def policy_malformed(facts: Facts) -> Found | None:
    if facts.failed("policy"):
        text = facts.detail("policy")
        return Found(f"{text[:1].upper()}{text[1:]}.")
    return None


@rule(
    "policy-white-space-differs",
    "The policy was signed with other white space than it is checked with",
    stage=Stage.SIGNATURE,
    looks="Signed with OpenSSL from a file, or from a JSON library's output. CloudFront answers `AccessDenied`.",
    cause="The signature covers every byte. For a canned policy CloudFront rebuilds the JSON without any white space; "
    "an `echo` that adds a line end, or a JSON library that puts spaces behind , and :, makes other bytes.",
    fix="Sign the JSON without white space: printf '%s' in a shell, separators=(',', ':') in Python.",
    recipe="policy",
    guide=_CANNED,
)
def policy_white_space_differs(facts: Facts) -> Found | None:
    if not facts.proved("policy-white-space-differs"):
        return None
    return Found(f"The signature was made over other bytes: {facts.told('policy-white-space-differs')}.")


@rule(
    "policy-rewritten",
    "The policy was written anew after it was signed",
    stage=Stage.SIGNATURE,
    looks="The decoded policy looks right. CloudFront answers `AccessDenied`.",
    cause="The signature covers every byte. The same JSON with another order of members, or with / written as \\/, is "
    "another text.",
    fix="Make the JSON once, keep its bytes, and use the same bytes for the signature and for the link. For a canned "
    "policy the form is fixed: Resource before Condition, nothing escaped.",
    recipe="policy",
    guide=_CANNED,
)
def policy_rewritten(facts: Facts) -> Found | None:
    return (
        Found(f"The signature was made over other bytes: {facts.told('policy-rewritten')}.")
        if facts.proved("policy-rewritten")
        else None
    )


@rule(
    "encoded-policy-signed",
    "The encoded policy was signed in place of its JSON",
    stage=Stage.SIGNATURE,
    looks="CloudFront answers `AccessDenied`.",
    cause="The signature has to be made over the policy's JSON. Here it was made over the base64 text.",
    fix="Sign the JSON's bytes; encode the policy and the signature afterwards, each by itself.",
    recipe="policy",
    guide=_CUSTOM,
)
def encoded_policy_signed(facts: Facts) -> Found | None:
    return (
        Found(f"The signature was made over other bytes: {facts.told('encoded-policy-signed')}.")
        if facts.proved("encoded-policy-signed")
        else None
    )


@rule(
    "signature-does-not-match",
    "The signature does not fit this request",
    stage=Stage.SIGNATURE,
    fallback=True,
    looks="CloudFront answers `AccessDenied`.",
    cause="What was signed is not what was asked for, or another private key signed it. None of the usual differences "
    "explains it.",
    fix="Compare the exact URL (or policy) at the place where it is signed with this one. Then check that the private "
    "key belongs to the id: keyfront explain --private-key FILE.",
    recipe="sign-url",
    guide=_CANNED,
)
def signature_does_not_match(facts: Facts) -> Found | None:
    if not facts.failed("signature") or facts.key is None or strict(facts.signature_text) is None:
        return None
    if facts.match is not None or times.expires_in_milliseconds(facts):
        return None
    tried = facts.search
    keys = len(facts.known_keys)
    kinds = "forms of the policy" if facts.custom else "forms of the URL and the policy"
    how = "were tried and none fits" if tried.complete else "were tried before time was up, and none fits"
    return Found(
        f"The key {facts.key_pair_id} did not sign this {'policy' if facts.custom else 'URL with this expiry'}. "
        f"{tried.tries:,} combinations of {kinds}, {keys} {'key' if keys == 1 else 'keys'} and both hashes {how}."
    )
