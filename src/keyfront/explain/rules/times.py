"""Times: expired, not yet valid, and numbers that are not seconds since 1970."""

from keyfront.core.misuse import MAX_LIFETIME
from keyfront.core.policy import LATEST
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.times import relative, span, utc
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"
# A number below this is a time before CloudFront existed (2008), so it was meant as something else.
_BEFORE_CLOUDFRONT = 1_200_000_000
_SKEW = 900


@rule(
    "expires-in-milliseconds",
    "The expiry is not in seconds",
    stage=Stage.POLICY,
    looks="`Expires` (or `AWS:EpochTime`) has 13 or more digits. CloudFront returns `MalformedPolicy`.",
    cause="CloudFront counts in seconds since 1970. JavaScript's Date.now() and Java's System.currentTimeMillis() "
    "count in milliseconds, so the number is a thousand times too large.",
    fix="Divide by 1000, round down, and sign again.",
    recipe="milliseconds",
    guide=_CANNED,
)
def expires_in_milliseconds(facts: Facts) -> Found | None:
    number = facts.expires_number
    if number is None or number <= LATEST:
        return None
    for factor, unit in ((1000, "milliseconds"), (1_000_000, "microseconds"), (1_000_000_000, "nanoseconds")):
        if _BEFORE_CLOUDFRONT < number / factor < LATEST and number / factor < facts.now + 50 * 31_557_600:
            meant = number // factor
            return Found(
                f"The expiry is {number}. As {unit} that is {utc(meant)}; as seconds it is after the year 2262, which "
                "CloudFront does not accept.",
                fix=f"Divide by {factor:,}, round down ({meant}), and sign again.",
            )
    return None


@rule(
    "expires-too-late",
    "The expiry is later than CloudFront accepts",
    stage=Stage.POLICY,
    looks="`Expires` is a very large number. CloudFront returns `MalformedPolicy`.",
    cause=f"The latest second that a policy may name is {LATEST} (April 2262).",
    fix="Choose an earlier expiry and sign again.",
    recipe="expiry",
    guide=_CANNED,
)
def expires_too_late(facts: Facts) -> Found | None:
    number = facts.expires_number
    if number is None or number <= LATEST or expires_in_milliseconds(facts):
        return None
    return Found(f"The expiry is {number}; the latest accepted is {LATEST}.")


@rule(
    "expires-is-a-duration",
    "The expiry is a duration, not a time",
    stage=Stage.EXPIRES,
    looks="`Expires` is a small number such as 3600. CloudFront returns `AccessDenied`.",
    cause="CloudFront reads the number as seconds since 1 January 1970. A small number is a time long ago, so the "
    "link had expired before it was made.",
    fix="Add the current time in seconds to the number, and sign again.",
    recipe="duration",
    guide=_CANNED,
)
def expires_is_a_duration(facts: Facts) -> Found | None:
    number = facts.expires_number
    if number is None or number >= _BEFORE_CLOUDFRONT or not facts.failed("expires"):
        return None
    return Found(
        f"The expiry is {number}: as a time that is {utc(number)}; as a duration it is {span(number)}.",
        certainty="certain" if number < 31_557_600 else "likely",
    )


@rule(
    "expires-not-a-number",
    "The expiry is not a whole number",
    stage=Stage.POLICY,
    looks="`Expires` is `NaN`, `undefined`, a date, or a number with a decimal point. CloudFront returns "
    "`MalformedPolicy`.",
    cause="CloudFront accepts whole seconds since 1970, written with the digits 0 to 9 only.",
    fix="Convert the date to whole seconds since 1970 (UTC), and sign again.",
    recipe="expiry",
    guide=_CANNED,
)
def expires_not_a_number(facts: Facts) -> Found | None:
    if facts.custom or not facts.failed("policy") or not facts.given.get("Expires"):
        return None
    text = facts.given["Expires"]
    if "&" in text or facts.expires_number is not None:
        return None
    return Found(f"{facts.called('Expires')} is {text[:60]!r}.")


@rule(
    "time-is-text",
    "A time in the policy is not a whole number",
    stage=Stage.POLICY,
    looks="In the decoded policy, `AWS:EpochTime` is in quotes or is a date. CloudFront returns `MalformedPolicy`.",
    cause="The times in a policy are JSON numbers: whole seconds, without quotes and without a decimal point.",
    fix="Write the time as a whole number without quotes, and sign again.",
    recipe="expiry",
    guide=_CUSTOM,
)
def time_is_text(facts: Facts) -> Found | None:
    if facts.proved("time-is-text"):
        return Found(f"The signature covers other bytes: {facts.told('time-is-text')}.")
    if not facts.custom or not facts.failed("policy"):
        return None
    for name in ("DateLessThan", "DateGreaterThan"):
        value = facts.condition(name, "AWS:EpochTime")
        if isinstance(value, str | float | bool):
            return Found(f"{name} is {value!r}: {'a string' if isinstance(value, str) else 'not a whole number'}.")
    return None


@rule(
    "signed-time-differs",
    "The signed time is not the one in the link",
    stage=Stage.SIGNATURE,
    looks="`Expires` looks right, yet the signature does not match.",
    cause="The signature covers the expiry. The number in the link must be exactly the signed number.",
    fix="Calculate the expiry once, in whole seconds, and use the same number in the policy and in the link.",
    recipe="expiry",
    guide=_CANNED,
)
def signed_time_differs(facts: Facts) -> Found | None:
    if not facts.proved("signed-time-differs"):
        return None
    return Found(f"The signature covers other bytes: {facts.told('signed-time-differs')}.")


@rule(
    "starts-not-a-second",
    "The start is not in seconds",
    stage=Stage.POLICY,
    looks="`DateGreaterThan` in the decoded policy has 13 digits. CloudFront returns `MalformedPolicy`.",
    cause="`DateGreaterThan` is in seconds since 1970, like the expiry.",
    fix="Divide by 1000, round down, and sign again.",
    recipe="milliseconds",
    guide=_CUSTOM,
)
def starts_not_a_second(facts: Facts) -> Found | None:
    value = facts.condition("DateGreaterThan", "AWS:EpochTime") if facts.custom else None
    if not isinstance(value, int) or isinstance(value, bool) or 0 <= value <= LATEST:
        return None
    return Found(f"DateGreaterThan is {value}.")


@rule(
    "expired",
    "The link has expired",
    stage=Stage.EXPIRES,
    looks="It worked before. CloudFront returns `AccessDenied`.",
    cause="CloudFront checks the time when a request arrives, and refuses it from the expiry on. A download that "
    "began before the expiry finishes. A new download, or a request for its next part, is refused.",
    fix="Make a new link. If links expire too early for your users, sign when they click, or sign for longer.",
    recipe="expiry",
    guide=_CANNED,
)
def expired(facts: Facts) -> Found | None:
    if not facts.failed("expires") or facts.policy is None or expires_is_a_duration(facts):
        return None
    end = facts.policy.expires
    what = "The link" if not facts.by_cookies else "The cookies' policy"
    return Found(f"{what} expired {relative(end, facts.now)}, at {utc(end)}.")


@rule(
    "not-yet-valid",
    "The link is not valid yet",
    stage=Stage.STARTS,
    looks="CloudFront returns `AccessDenied`. Some time later the same link works.",
    cause="The policy has a start (DateGreaterThan), and CloudFront refuses requests before it.",
    fix="Wait, or sign again with an earlier start. Leave DateGreaterThan out if the link should work at once.",
    recipe="expiry",
    guide=_CUSTOM,
)
def not_yet_valid(facts: Facts) -> Found | None:
    if not facts.failed("starts") or facts.policy is None or facts.policy.starts is None or clock_is_ahead(facts):
        return None
    start = facts.policy.starts
    return Found(f"The link is valid from {utc(start)}, which is {relative(start, facts.now)}.")


@rule(
    "clock-is-ahead",
    "The link starts in a few minutes: the signer's clock may be ahead",
    stage=Stage.STARTS,
    looks="A new link is refused with `AccessDenied`, and works a little later.",
    cause="The policy's start (DateGreaterThan) is a little later than now. This happens when the start is the "
    "signer's current time and its clock is ahead. A start of exactly now is refused as well.",
    fix="Leave DateGreaterThan out, or set it a few minutes back. Synchronise the signer's clock with a time server "
    "(NTP).",
    recipe="expiry",
    guide=_CUSTOM,
)
def clock_is_ahead(facts: Facts) -> Found | None:
    if not facts.failed("starts") or facts.policy is None or facts.policy.starts is None:
        return None
    ahead = facts.policy.starts - facts.now
    if ahead > _SKEW:
        return None
    return Found(
        f"The link is valid from {utc(facts.policy.starts)}, which is {relative(facts.policy.starts, facts.now)}.",
        certainty="likely",
    )


@rule(
    "starts-after-expiry",
    "The link is never valid: it starts after it ends",
    stage=Stage.STARTS,
    looks="CloudFront always returns `AccessDenied`.",
    cause="The policy's start (DateGreaterThan) is not before its expiry (DateLessThan).",
    fix="Sign again with a start before the expiry, or without a start.",
    recipe="expiry",
    guide=_CUSTOM,
)
def starts_after_expiry(facts: Facts) -> Found | None:
    policy = facts.policy
    if policy is None or policy.starts is None or policy.starts < policy.expires - 1:
        return None
    return Found(f"It starts at {utc(policy.starts)} and ends at {utc(policy.expires)}.")


@rule(
    "long-lived",
    "The link is valid for more than a week",
    stage=Stage.EXPIRES,
    severity="note",
    looks="The link or the cookies work for weeks. Anyone who gets hold of them can download until they expire.",
    cause="A signature cannot be revoked. To end it before it expires, you must remove the key from its key group, "
    "which ends every other link of that key as well. A rotation must also wait until the link has expired.",
    fix="Sign for minutes, and sign again when the viewer comes back. If you want a long lifetime, set max_lifetime.",
    recipe="expiry",
    guide=_CANNED,
)
def long_lived(facts: Facts) -> Found | None:
    if facts.policy is None or facts.policy.expires - facts.now <= MAX_LIFETIME:
        return None
    return Found(f"It expires {relative(facts.policy.expires, facts.now)}.")


@rule(
    "expires-soon",
    "The link expires within a minute",
    stage=Stage.EXPIRES,
    severity="note",
    looks="The link works now, but is refused if someone clicks it a little later.",
    cause="CloudFront checks the time when each request arrives. Each part of a video, and each resumed download, is "
    "a separate request.",
    fix="Sign for longer if a person must click the link or a player must load more parts.",
    recipe="expiry",
    guide=_CANNED,
)
def expires_soon(facts: Facts) -> Found | None:
    if facts.policy is None or not 0 < facts.policy.expires - facts.now <= 60:
        return None
    return Found(f"It expires {relative(facts.policy.expires, facts.now)}.")
