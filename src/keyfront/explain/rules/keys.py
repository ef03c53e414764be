"""Keys: whether the key is trusted, and which key signed."""

from difflib import get_close_matches

from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules.ids import signer_of
from keyfront.explain.values import Stage

_SIGNERS = "private-content-trusted-signers.html"


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
        near = get_close_matches(facts.key_pair_id, facts.keys or {}, 1, 0.8)
        typed = f" It is nearly {near[0]}." if near else ""
        return Found(f"The request names {facts.shown_id}. Trusted here: {known}.{typed}{signer_of(facts)}")
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
