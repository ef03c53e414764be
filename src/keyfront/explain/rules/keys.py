"""Keys: which id the request names, whether it is trusted, and whose key signed."""

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
    """A sentence that names the key which did sign, if the id in the request is nobody's and the search found out."""
    if facts.match is None or facts.key is not None or facts.match.key == facts.key_pair_id:
        return ""
    return f" The signature is that of the key {facts.match.key}."


@rule(
    "not-signed",
    "The request carries no signature",
    stage=Stage.CREDENTIALS,
    looks="CloudFront answers `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="The cache behavior lets in only requests with a signed URL or with signed cookies, and this request has "
    "neither. Usually the bare URL was used in place of the signed one, or the browser did not send the cookies.",
    fix="Use the signed URL as the signer returned it. With cookies: check in the browser's network view that the "
    "three CloudFront- cookies go out with this request.",
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
    "The link was copied out of HTML: it holds &amp; in place of &",
    stage=Stage.CREDENTIALS,
    looks="The URL holds `&amp;Signature=`. CloudFront answers `MissingKey`.",
    cause="HTML writes & as &amp;. Whoever takes a URL out of HTML, XML or an e-mail template has to turn it back; "
    "here a parameter is now called `amp;Signature`, and CloudFront does not know it.",
    fix="Put the URL into HTML with your template's own escaping, exactly once, and read it from the parsed document.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def html_escaped_ampersand(facts: Facts) -> Found | None:
    names = [name for name in facts.names_of() if name.startswith("amp;") and name.lower() in _LOWER]
    return Found(f"The query string holds {', '.join(names)}.") if names else None


@rule(
    "parameter-name-case",
    "A signing parameter's name is written with the wrong letters",
    stage=Stage.CREDENTIALS,
    looks="The URL holds `key-pair-id=` or `expires=`, or a cookie is called `Cloudfront-Policy`. CloudFront answers "
    "`MissingKey` or `MalformedPolicy`.",
    cause="The names are case-sensitive. CloudFront takes a name in other letters for a parameter of your own.",
    fix="Write Expires, Policy, Signature, Key-Pair-Id, Hash-Algorithm; with cookies, CloudFront- before it.",
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
    # `policy=` or `expires=` alone may well be an application's own.
    if not wrong or not (facts.given or len(wrong) >= 2):
        return None
    return Found("Written: " + "; ".join(f"{name} (meant: {meant})" for name, meant in wrong) + ".")


@rule(
    "key-pair-id-missing",
    "The key-pair id is missing",
    stage=Stage.CREDENTIALS,
    looks="CloudFront answers `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="CloudFront reads Key-Pair-Id first: it says with which public key the signature is to be checked. Often "
    "the setting that holds it was empty, or its cookie was not sent.",
    fix="Give the signer the public key's id (it begins with K), as CloudFront shows it under Public keys.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_missing(facts: Facts) -> Found | None:
    if not facts.by_url or facts.key_pair_id or parameter_name_case(facts) or html_escaped_ampersand(facts):
        return None
    beside = ", ".join(facts.given)
    aside = ""
    if "Key-Pair-Id" in facts.signed_cookies:
        aside = " It is among the cookies, which do not count beside a signing parameter in the URL."
    none = "an empty" if "Key-Pair-Id" in facts.given else "no"
    return Found(f"The URL holds {beside}, and {none} Key-Pair-Id.{aside}{_signer(facts)}")


@rule(
    "key-pair-id-unset",
    "The key-pair id is a variable that was not set",
    stage=Stage.KEY,
    looks="The URL says `Key-Pair-Id=undefined` (or `null`, `None`). CloudFront answers `InvalidKey`: `Unknown Key`.",
    cause="The signer was given a setting that does not exist, and wrote the word that its language has for nothing.",
    fix="Set the public key's id (it begins with K) and let the program stop when it is missing.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_pair_id_unset(facts: Facts) -> Found | None:
    if facts.key_pair_id not in _UNSET:
        return None
    return Found(f"{facts.called('Key-Pair-Id')} is {facts.shown_id}.{_signer(facts)}")


@rule(
    "key-pair-id-is-access-key",
    "The key-pair id is an IAM access key's id",
    stage=Stage.KEY,
    looks="`Key-Pair-Id=AKIA…` CloudFront answers `InvalidKey`: `Unknown Key`.",
    cause="Ids that begin with AKIA or ASIA belong to IAM access keys, with which API calls are signed. CloudFront's "
    "links are signed with a key pair of their own, whose id begins with K.",
    fix="Take the id of the public key from the CloudFront console (Public keys) or `keyfront keys list`.",
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
    looks="CloudFront answers `InvalidKey`: `Unknown Key`.",
    cause="A key-pair id is the id of a public key: a K and some 13 capital letters and digits. Key groups have ids "
    "like 1a2b3c4d-…, distributions have ids that begin with E.",
    fix="Take the id of the public key from the CloudFront console (Public keys) or `keyfront keys list`.",
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
        return Found(f"{facts.called('Key-Pair-Id')} holds a key itself, not its id.")
    return None


@rule(
    "account-key-pair",
    "The key-pair id is one of the old key pairs of an AWS account",
    stage=Stage.KEY,
    severity="note",
    looks="`Key-Pair-Id=APKA…`",
    cause="Ids that begin with APKA belong to key pairs that only an account's root user can make. They count only on "
    "behaviors with trusted signers, not on those with trusted key groups.",
    fix="Make a key pair of your own, upload the public key, and put it into a trusted key group: IAM users can do "
    "that.",
    recipe="trusted-group",
    guide=_SIGNERS,
)
def account_key_pair(facts: Facts) -> Found | None:
    return Found(f"The id is {facts.shown_id}.") if facts.key_pair_id.startswith("APKA") else None


@rule(
    "key-group-on-another-behavior",
    "The key is trusted on another path, not on this one",
    stage=Stage.KEY,
    looks="CloudFront answers `InvalidKey`: `Unknown Key`. The same key works for other paths.",
    cause="Trusted key groups are set on each cache behavior. The behavior that this path falls under does not trust "
    "the group that the key is in.",
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
        f"The path {facts.path} falls under the behavior {facts.behavior.pattern}, which does not trust "
        f"{facts.key_pair_id}. It is trusted under {', '.join(elsewhere)}."
    )


@rule(
    "key-not-trusted",
    "CloudFront does not trust this key here",
    stage=Stage.KEY,
    fallback=True,
    looks="CloudFront answers `InvalidKey`: `Unknown Key`.",
    cause="The key-pair id is in no trusted key group of the cache behavior that the path falls under. The id may be "
    "mistyped or of another account, the key may not be in the group, or the group not on the behavior.",
    fix="Compare the id with Public keys in the console. Put that key into a key group, and name the group in the "
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
        return Found(f"CloudFront answered {facts.response.shown}; the request names {named}.")
    return None


@rule(
    "key-of-another-id",
    "The link was signed with another key than the one that it names",
    stage=Stage.SIGNATURE,
    looks="CloudFront answers `AccessDenied`, and everything in the link looks right.",
    cause="The key-pair id and the private key belong to different pairs. This happens when the two are kept in "
    "different places and one of them was changed, or was copied from another environment.",
    fix="Keep the id and the private key together and change them together.",
    recipe="key-pair-id",
    guide=_SIGNERS,
)
def key_of_another_id(facts: Facts) -> Found | None:
    if not facts.proved("key-of-another-id") or facts.match is None or (facts.key is None and facts.keys is not None):
        return None
    used, named = facts.match.key, facts.key_pair_id
    trusted = used in (facts.keys or {})
    return Found(
        f"The signature fits the key {used}; the request names {named or 'no id'}.",
        fix=f"Send Key-Pair-Id={used}, or sign with the private key of {named}." if trusted and named else "",
    )


@rule(
    "private-key-of-another-id",
    "This private key is not the id's",
    stage=Stage.SIGNATURE,
    looks="CloudFront answers `AccessDenied` to everything that this private key signs under this id.",
    cause="The public half of the private key is not the public key that CloudFront has under this id. What it signs "
    "does not verify.",
    fix="Use the private key that belongs to the id, or upload this key's public half and use the id that it gets.",
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
