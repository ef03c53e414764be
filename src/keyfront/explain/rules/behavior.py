"""Behaviors: which one the path matches, and what it requires."""

from urllib.parse import unquote

from keyfront.core.paths import readings
from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-trusted-signers.html"
_SETTINGS = "DownloadDistValuesCacheBehavior.html"


@rule(
    "behavior-is-public",
    "This path requires no signature",
    stage=Stage.BEHAVIOR,
    severity="note",
    looks="The file is served with a wrong signature or without a signature.",
    cause="The cache behavior for this path has no trusted key groups, so anyone may read the file. The signing "
    "parameters are forwarded to the origin. They are part of the cache key if query strings are.",
    fix="If the files must be private, name a trusted key group in that behavior (Restrict viewer access).",
    recipe="trusted-group",
    guide=_PAGE,
)
def behavior_is_public(facts: Facts) -> Found | None:
    if facts.behavior is None or facts.behavior.protected or earlier_behavior_is_public(facts):
        return None
    return Found(f"The path {facts.path} matches the behavior {facts.behavior.pattern}, which trusts no key group.")


@rule(
    "earlier-behavior-is-public",
    "An earlier behavior matches this path and makes it public",
    stage=Stage.BEHAVIOR,
    severity="warning",
    looks="Files that should be private are served without a signature.",
    cause="CloudFront tries the behaviors in order and uses the first one that matches. A behavior without trusted "
    "key groups comes before the protected one.",
    fix="Move the protected behavior up, or narrow the earlier one's path pattern.",
    recipe="trusted-group",
    guide=_SETTINGS,
)
def earlier_behavior_is_public(facts: Facts) -> Found | None:
    if not facts.public:
        return None
    # The default behavior matches everything. If it is protected, an earlier public behavior can still be intended.
    later = next((each for each in facts.matching[1:] if each.protected and each.pattern != "*"), None)
    if later is None:
        return None
    return Found(
        f"The path {facts.path} matches {facts.matching[0].pattern} first; {later.pattern} after it is protected."
    )


@rule(
    "path-may-mean-another-place",
    "The path can be read in two ways, and one of them is not allowed",
    stage=Stage.BEHAVIOR,
    looks="The path contains `..`, `%2F`, a backslash, `;` or two slashes, and keyfront's edge refuses the link "
    "although its signature is valid.",
    cause="CloudFront checks the path in one reading and forwards it as it was sent. An origin that reads it "
    "differently would serve a file that the link does not allow. No public source says how CloudFront treats such a "
    "path. keyfront refuses it to be safe (assumed).",
    fix="Request the file by its plain path: resolve `..` and double slashes before signing, and keep encoded slashes "
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
        f"{facts.path} is allowed as sent. A server may also read it as {other}, for which the check says: "
        f"{facts.elsewhere.reason.replace('-', ' ')}.",
        "likely",
    )


@rule(
    "behavior-trusts-no-key",
    "The behavior requires a signature but trusts no usable key",
    stage=Stage.KEY,
    looks="CloudFront refuses every request with `InvalidKey`: `Unknown Key`.",
    cause="The behavior's trusted key groups are empty, deleted, or contain only keys that cannot be read.",
    fix="Add a public key to the group that the behavior names.",
    recipe="trusted-group",
    guide=_PAGE,
)
def behavior_trusts_no_key(facts: Facts) -> Found | None:
    behavior = facts.behavior
    if behavior is None or not behavior.protected or behavior.keys is None or behavior.keys or behavior.signers:
        return None
    return Found(f"The behavior {behavior.pattern} names {', '.join(behavior.groups) or 'no group'}, without any key.")


@rule(
    "trusted-signers",
    "The behavior trusts AWS accounts, not key groups",
    stage=Stage.KEY,
    severity="warning",
    looks="The behavior has trusted signers. A key in a key group gets `Unknown Key`.",
    cause="With trusted signers, CloudFront accepts the key pairs of the accounts' root users (APKA…). The API does "
    "not return their public keys, so they cannot be checked here.",
    fix="Use a trusted key group instead: upload a public key, create a group, and name it in the behavior.",
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
    looks="CloudFront accepts the signature, and S3 returns `AccessDenied` with a `RequestId`.",
    cause="The behavior's origin is an S3 bucket without origin access control, so a private bucket refuses "
    "CloudFront.",
    fix="Give the origin an origin access control, and allow the distribution in the bucket policy.",
    recipe="origin-access",
    guide="private-content-restricting-access-to-s3.html",
)
def origin_access_not_configured(facts: Facts) -> Found | None:
    if facts.behavior is None or not facts.behavior.s3_without_access:
        return None
    return Found(f"The origin of the behavior {facts.behavior.pattern} is an S3 bucket without origin access control.")


@rule(
    "parameter-has-no-effect",
    "A query parameter does not reach the origin, so it has no effect there",
    stage=Stage.ORIGIN,
    severity="note",
    looks="`response-content-disposition` or another parameter is in the link, and the file arrives as it is without "
    "it.",
    cause="The behavior's cache policy and origin request policy do not hand the parameter on. With CachingOptimized, "
    "the origin gets no query string at all. The parameter is still part of a canned policy's URL.",
    fix="Hand the parameter on with a cache policy that names it (for S3: response-content-disposition, "
    "response-content-type). Or leave it out, and set the header with a response headers policy or on the object.",
    recipe="query-added",
    guide="QueryStringParameters.html",
)
def parameter_has_no_effect(facts: Facts) -> Found | None:
    if facts.behavior is None:
        return None
    own = dict.fromkeys(name for name, _ in facts.sent if name and not (name in facts.given and not facts.public))
    lost = [hiding.name(name) for name in own if not facts.behavior.hands_on(unquote(name))]
    if not lost:
        return None
    return Found(f"The behavior {facts.behavior.pattern} does not hand on {', '.join(lost[:8])}.")
