"""Keys: which id the request names, whether it is trusted, and which key signed."""

import re

from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_SIGNERS = "private-content-trusted-signers.html"
_UNSET = ("undefined", "null", "None", "nil", "NaN", "false", "[object Object]")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_ACCESS_KEY = re.compile(r"(?:AKIA|ASIA)[A-Z0-9]{16}")
_DISTRIBUTION = re.compile(r"E[A-Z0-9]{12,13}")


def _signer(facts: Facts) -> str:
    """Return a sentence that names the signing key, if the request's id is unknown and the search found the key."""
    if facts.match is None or facts.key is not None or facts.match.key == facts.key_pair_id:
        return ""
    return f" The key {facts.match.key} made the signature."


@rule(
    "not-signed",
    "The request has no signature",
    stage=Stage.CREDENTIALS,
    looks="CloudFront returns `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="The cache behavior allows only requests with a signed URL or signed cookies, and this request has neither. "
    "Usually the unsigned URL was used by mistake, or the browser did not send the cookies.",
    fix="Use the signed URL as the signer returned it. With cookies, check in the browser's network view that it "
    "sends the three CloudFront- cookies with this request.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def not_signed(facts: Facts) -> Found | None:
    if facts.given or facts.public or facts.cookies:
        return None
    if any(name.lower() in _LOWER or name.lower() in _S3_NAMES for name in facts.names_of()):
        return None
    cookie = "no Cookie header was given"
    return Found(
        f"The URL has none of the parameters Expires, Policy, Signature, Key-Pair-Id; and {cookie}.",
        certainty="certain" if facts.behavior or facts.keys is not None or facts.response else "possible",
    )


_S3_NAMES = ("x-amz-signature", "x-amz-credential", "awsaccesskeyid")
_LOWER = frozenset(
    prefix + name
    for prefix in ("", "cloudfront-", "amp;")
    for name in ("expires", "policy", "signature", "key-pair-id", "hash-algorithm")
)


@rule(
    "html-escaped-ampersand",
    "The link was copied from HTML: it has &amp; instead of &",
    stage=Stage.CREDENTIALS,
    looks="The URL contains `&amp;Signature=`. CloudFront returns `MissingKey`.",
    cause="HTML writes & as &amp;. A URL copied from HTML, XML or an email template must be unescaped. Here a "
    "parameter is named `amp;Signature`, which CloudFront does not know.",
    fix="Escape the URL exactly once, with your template's own escaping. Read it from the parsed document.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def html_escaped_ampersand(facts: Facts) -> Found | None:
    names = [name for name in facts.names_of() if name.startswith("amp;") and name.lower() in _LOWER]
    return Found(f"The query string has {', '.join(names)}.") if names else None


@rule(
    "parameter-name-case",
    "A signing parameter's name has the wrong case",
    stage=Stage.CREDENTIALS,
    looks="The URL has `key-pair-id=` or `expires=`, or a cookie is named `Cloudfront-Policy`. CloudFront returns "
    "`MissingKey` or `MalformedPolicy`.",
    cause="The names are case-sensitive. CloudFront treats a name in another case as a parameter of your own.",
    fix="Write Expires, Policy, Signature, Key-Pair-Id, Hash-Algorithm. For cookies, put CloudFront- before the name.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def parameter_name_case(facts: Facts) -> Found | None:
    right = {"expires": "Expires", "policy": "Policy", "signature": "Signature", "key-pair-id": "Key-Pair-Id"}
    right["hash-algorithm"] = "Hash-Algorithm"
    wrong = [
        (name, right[name.lower()]) for name in facts.names_of() if name.lower() in right and name not in right.values()
    ]
    for name, _ in facts.cookies:
        tail = name.lower().removeprefix("cloudfront-")
        if name.lower().startswith("cloudfront-") and tail in right and name != f"CloudFront-{right[tail]}":
            wrong.append((name, f"CloudFront-{right[tail]}"))
    wrong = [(name, meant) for name, meant in wrong if meant.removeprefix("CloudFront-") not in facts.given]
    # A single `policy=` or `expires=` can be an application's own parameter.
    if not wrong or not (facts.given or len(wrong) >= 2):
        return None
    return Found("Wrong names: " + "; ".join(f"{name} (should be {meant})" for name, meant in wrong) + ".")


@rule(
    "key-pair-id-missing",
    "The key-pair id is missing",
    stage=Stage.CREDENTIALS,
    looks="CloudFront returns `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="CloudFront reads Key-Pair-Id first, because it names the public key that checks the signature. Often its "
    "setting was empty, or its cookie was not sent.",
    fix="Give the signer the public key's id, which begins with K. CloudFront lists it under Public keys.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_missing(facts: Facts) -> Found | None:
    if not facts.by_url or facts.key_pair_id or parameter_name_case(facts) or html_escaped_ampersand(facts):
        return None
    beside = ", ".join(facts.given)
    aside = ""
    if "Key-Pair-Id" in facts.signed_cookies:
        aside = " It is in the cookies, which CloudFront ignores if the URL has a signing parameter."
    none = "an empty" if "Key-Pair-Id" in facts.given else "no"
    return Found(f"The URL has {beside}, and {none} Key-Pair-Id.{aside}{_signer(facts)}")


@rule(
    "key-pair-id-unset",
    "The key-pair id comes from a variable that was not set",
    stage=Stage.KEY,
    looks="The URL has `Key-Pair-Id=undefined` (or `null`, `None`). CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="The signer was given a setting that does not exist, and wrote its language's word for no value.",
    fix="Set the public key's id, which begins with K. Make the program stop if it is missing.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_unset(facts: Facts) -> Found | None:
    if facts.key_pair_id not in _UNSET:
        return None
    return Found(f"{facts.called('Key-Pair-Id')} is {facts.shown_id}.{_signer(facts)}")


@rule(
    "key-pair-id-is-access-key",
    "The key-pair id is the id of an IAM access key",
    stage=Stage.KEY,
    looks="`Key-Pair-Id=AKIA…` CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="Ids that begin with AKIA or ASIA belong to IAM access keys, which sign API calls. CloudFront links are "
    "signed with a separate key pair; its id begins with K.",
    fix="Use the id of the public key, from the CloudFront console (Public keys) or `keyfront keys list`.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_is_access_key(facts: Facts) -> Found | None:
    if not _ACCESS_KEY.fullmatch(facts.key_pair_id):
        return None
    return Found(f"{facts.called('Key-Pair-Id')} is {facts.key_pair_id[:4]}… and has 20 characters.{_signer(facts)}")


@rule(
    "key-pair-id-of-another-kind",
    "The key-pair id is the id of something else",
    stage=Stage.KEY,
    looks="CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="A key-pair id is the id of a public key: a K and about 13 capital letters and digits. Key groups have ids "
    "like 1a2b3c4d-…. Distributions have ids that begin with E.",
    fix="Use the id of the public key, from the CloudFront console (Public keys) or `keyfront keys list`.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_of_another_kind(facts: Facts) -> Found | None:
    key_id = facts.key_pair_id
    if not key_id or facts.key is not None:
        return None
    if _UUID.fullmatch(key_id.lower()):
        return Found(f"{facts.called('Key-Pair-Id')} is {key_id}, which looks like the id of a key group.", "likely")
    if _DISTRIBUTION.fullmatch(key_id):
        return Found(f"{facts.called('Key-Pair-Id')} is {key_id}, which looks like the id of a distribution.", "likely")
    if key_id.startswith(("-----BEGIN", "MIIB", "ssh-")):
        return Found(f"{facts.called('Key-Pair-Id')} contains the key itself, not its id.")
    return None


@rule(
    "account-key-pair",
    "The key-pair id belongs to an old key pair of an AWS account",
    stage=Stage.KEY,
    severity="note",
    looks="`Key-Pair-Id=APKA…`",
    cause="Ids that begin with APKA belong to key pairs that only an account's root user can create. They work only "
    "on behaviors with trusted signers, not with trusted key groups.",
    fix="Create a key pair yourself, upload the public key, and add it to a trusted key group. IAM users can do this.",
    recipe="trusted-group",
    guide=_SIGNERS,
)
def account_key_pair(facts: Facts) -> Found | None:
    return Found(f"The id is {facts.shown_id}.") if facts.key_pair_id.startswith("APKA") else None


@rule(
    "key-group-on-another-behavior",
    "The key is trusted for another path, not for this one",
    stage=Stage.KEY,
    looks="CloudFront returns `InvalidKey`: `Unknown Key`. The same key works for other paths.",
    cause="Each cache behavior has its own trusted key groups. The behavior for this path does not trust the key's "
    "group.",
    fix="Add the key's group to the trusted key groups of the behavior that matches this path.",
    recipe="trusted-group",
    guide=_SIGNERS,
)
def key_group_on_another_behavior(facts: Facts) -> Found | None:
    if facts.distribution is None or facts.behavior is None or not facts.failed("trusted-key"):
        return None
    elsewhere = [each.pattern for each in facts.distribution.behaviors if facts.key_pair_id in (each.keys or {})]
    if not elsewhere:
        return None
    return Found(
        f"The path {facts.path} matches the behavior {facts.behavior.pattern}, which does not trust "
        f"{facts.key_pair_id}. It is trusted for {', '.join(elsewhere)}."
    )


@rule(
    "key-not-trusted",
    "CloudFront does not trust this key here",
    stage=Stage.KEY,
    fallback=True,
    looks="CloudFront returns `InvalidKey`: `Unknown Key`.",
    cause="The key-pair id is not in a trusted key group of the cache behavior for this path. The id may be mistyped "
    "or belong to another account, the key may not be in the group, or the behavior may not name the group.",
    fix="Compare the id with Public keys in the console. Add that key to a key group, and name the group in the "
    "behavior under Restrict viewer access.",
    recipe="trusted-key",
    guide=_SIGNERS,
)
def key_not_trusted(facts: Facts) -> Found | None:
    if facts.failed("trusted-key") and facts.key_pair_id:
        known = ", ".join(sorted(facts.keys or {})) or "none"
        return Found(f"The request names {facts.shown_id}. Trusted here: {known}.{_signer(facts)}")
    if facts.response and facts.response.code == "InvalidKey" and facts.response.kind == "viewer-check":
        named = facts.shown_id if facts.key_pair_id else "no id"
        return Found(f"CloudFront returned {facts.response.shown}; the request names {named}.")
    return None


@rule(
    "key-of-another-id",
    "The link names one key and was signed with another",
    stage=Stage.SIGNATURE,
    looks="CloudFront returns `AccessDenied`, but everything in the link looks right.",
    cause="The key-pair id and the private key belong to different pairs. This happens if they are stored in "
    "different places and only one was changed, or was copied from another environment.",
    fix="Store the id and the private key together, and change them together.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_of_another_id(facts: Facts) -> Found | None:
    if not facts.proved("key-of-another-id") or facts.match is None or (facts.key is None and facts.keys is not None):
        return None
    used, named = facts.match.key, facts.key_pair_id
    trusted = used in (facts.keys or {})
    return Found(
        f"The key {used} made the signature; the request names {named or 'no id'}.",
        fix=f"Send Key-Pair-Id={used}, or sign with the private key of {named}." if trusted and named else "",
    )


@rule(
    "private-key-of-another-id",
    "This private key does not belong to the id",
    stage=Stage.SIGNATURE,
    looks="CloudFront returns `AccessDenied` for everything that this private key signs with this id.",
    cause="CloudFront has another public key under this id, so it cannot verify signatures of this private key.",
    fix="Use the private key that belongs to the id, or upload this key's public key and use the new id.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def private_key_of_another_id(facts: Facts) -> Found | None:
    if facts.key is None or not facts.offered_keys or key_of_another_id(facts):
        return None
    accepted = any(check.name == "signature" and check.ok for check in facts.decision.checks)
    strangers = [f"the key {name} is {key.fingerprint}" for name, key in facts.offered_keys.items() if key != facts.key]
    if not strangers or accepted or len(strangers) < len(facts.offered_keys):
        return None
    return Found(f"{facts.key_pair_id} is {facts.key.fingerprint}; {', '.join(strangers)}.")
