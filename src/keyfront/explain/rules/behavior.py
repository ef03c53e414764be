"""Behaviors: which one the path meets, and what it asks for."""

from keyfront.core.paths import readings
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-trusted-signers.html"
_SETTINGS = "DownloadDistValuesCacheBehavior.html"


@rule(
    "behavior-is-public",
    "No signature is asked for on this path",
    stage=Stage.BEHAVIOR,
    severity="note",
    looks="The file is served with a wrong signature or with none.",
    cause="The cache behavior that the path falls under has no trusted key groups, so anybody may read it. The "
    "signing parameters are handed on to the origin, and become part of the cache key if query strings do.",
    fix="Name a trusted key group in that behavior (Restrict viewer access), if the files are meant to be private.",
    recipe="trusted-group",
    guide=_PAGE,
)
def behavior_is_public(facts: Facts) -> Found | None:
    if facts.behavior is None or facts.behavior.protected or earlier_behavior_is_public(facts):
        return None
    return Found(f"The path {facts.path} falls under the behavior {facts.behavior.pattern}, which trusts no key group.")


@rule(
    "earlier-behavior-is-public",
    "An earlier behavior takes this path, and opens it to anybody",
    stage=Stage.BEHAVIOR,
    severity="warning",
    looks="Files that should be private are served without a signature.",
    cause="Behaviors are tried in their order and the first that matches counts. One without trusted key groups "
    "stands before the protected one.",
    fix="Move the protected behavior up, or narrow the earlier one's path pattern.",
    recipe="trusted-group",
    guide=_SETTINGS,
)
def earlier_behavior_is_public(facts: Facts) -> Found | None:
    if not facts.public:
        return None
    # The default behavior matches everything: that it is protected shows nothing about an exception made on purpose.
    later = next((each for each in facts.matching[1:] if each.protected and each.pattern != "*"), None)
    if later is None:
        return None
    return Found(
        f"The path {facts.path} falls under {facts.matching[0].pattern} first; {later.pattern} behind it is protected."
    )


@rule(
    "path-may-mean-another-place",
    "The path can be read in two ways, and one of them is not allowed",
    stage=Stage.BEHAVIOR,
    looks="The path holds `..`, `%2F`, a backslash, `;` or two slashes, and keyfront's edge refuses the link though "
    "its signature is good.",
    cause="CloudFront judges the path in one reading and hands it on as it was sent. A server behind that reads it in "
    "another way would give out a file that the link does not open. What CloudFront itself does with such a path is "
    "published nowhere; keyfront refuses it, to be on the safe side (assumed).",
    fix="Ask for the file by its plain path: resolve `..` and double slashes before signing, and keep encoded slashes "
    "out of object keys.",
    recipe="sign-url",
    guide=_SETTINGS,
)
def path_may_mean_another_place(facts: Facts) -> Found | None:
    if facts.elsewhere is None:
        return None
    ways = [each.elsewhere or each.path for each in readings(facts.path)]
    other = next((way for way in reversed(ways) if way != facts.path), facts.path)
    return Found(
        f"As it stands, {facts.path} is let in. A server may also read it as {other}, for which the check says: "
        f"{facts.elsewhere.reason.replace('-', ' ')}.",
        "likely",
    )


@rule(
    "behavior-trusts-no-key",
    "The behavior asks for a signature and trusts no key that can be used",
    stage=Stage.KEY,
    looks="Every request is refused with `InvalidKey`: `Unknown Key`.",
    cause="The behavior's trusted key groups are empty, deleted, or hold only keys that cannot be read.",
    fix="Put a public key into the group that the behavior names.",
    recipe="trusted-group",
    guide=_PAGE,
)
def behavior_trusts_no_key(facts: Facts) -> Found | None:
    behavior = facts.behavior
    if behavior is None or not behavior.protected or behavior.keys is None or behavior.keys or behavior.signers:
        return None
    return Found(
        f"The behavior {behavior.pattern} names {', '.join(behavior.groups) or 'no group'}, in which there is no key."
    )


@rule(
    "trusted-signers",
    "The behavior trusts AWS accounts, not key groups",
    stage=Stage.KEY,
    severity="warning",
    looks="The behavior has trusted signers. A key in a key group is answered with `Unknown Key`.",
    cause="With trusted signers the key pairs of the accounts' root users count (APKA…). Their public keys cannot be "
    "read through the API, so they cannot be checked here.",
    fix="Move to a trusted key group: upload a public key, make a group, name it in the behavior.",
    recipe="trusted-group",
    guide=_PAGE,
)
def trusted_signers(facts: Facts) -> Found | None:
    if facts.behavior is None or not facts.behavior.signers:
        return None
    return Found(f"The behavior {facts.behavior.pattern} trusts {', '.join(facts.behavior.signers)}.")


@rule(
    "origin-access-not-configured",
    "CloudFront does not sign its requests to the S3 bucket",
    stage=Stage.ORIGIN,
    severity="warning",
    looks="The signature is accepted, and S3 answers `AccessDenied` with a `RequestId`.",
    cause="The behavior's origin is an S3 bucket without origin access control. A private bucket then refuses "
    "CloudFront.",
    fix="Give the origin an origin access control, and allow the distribution in the bucket policy.",
    recipe="origin-access",
    guide="private-content-restricting-access-to-s3.html",
)
def origin_access_not_configured(facts: Facts) -> Found | None:
    if facts.behavior is None or not facts.behavior.s3_without_access:
        return None
    return Found(f"The origin of the behavior {facts.behavior.pattern} is an S3 bucket without origin access control.")
