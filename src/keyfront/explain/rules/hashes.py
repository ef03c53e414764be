"""Hash algorithms that differ or are not known."""

from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage


@rule(
    "hash-algorithm-differs",
    "The link does not name the hash algorithm that signed it",
    stage=Stage.SIGNATURE,
    looks="Everything looks right, but CloudFront returns `AccessDenied`.",
    cause="CloudFront uses SHA-1, unless the parameter Hash-Algorithm=SHA256 (or the cookie "
    "CloudFront-Hash-Algorithm) is sent. The signature was made with the other algorithm.",
    fix="Sign with SHA-1, or sign with SHA-256 and send Hash-Algorithm=SHA256.",
    recipe="hash",
    guide="private-content-creating-signed-url-canned-policy.html",
)
def hash_algorithm_differs(facts: Facts) -> Found | None:
    if not facts.proved("hash-algorithm-differs"):
        return None
    said = facts.given.get("Hash-Algorithm")
    says = f"Hash-Algorithm={said}" if said else "no Hash-Algorithm, which means SHA-1"
    return Found(f"The signature matches when {facts.told('hash-algorithm-differs')}; the request has {says}.")


@rule(
    "hash-algorithm-unknown",
    "CloudFront does not know this hash algorithm",
    stage=Stage.SIGNATURE,
    looks="`Hash-Algorithm` is something other than `SHA1` or `SHA256`.",
    cause="Hash-Algorithm must be exactly SHA1 or SHA256.",
    fix="Write Hash-Algorithm=SHA256, or leave it out for SHA-1.",
    recipe="hash",
    guide="private-content-creating-signed-url-canned-policy.html",
)
def hash_algorithm_unknown(facts: Facts) -> Found | None:
    said = facts.given.get("Hash-Algorithm")
    return Found(f"Hash-Algorithm is {said[:40]!r}.") if said is not None and said not in ("SHA1", "SHA256") else None
