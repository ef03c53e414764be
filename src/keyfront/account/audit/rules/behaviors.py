"""Checks of behaviors: open paths that look private, paths of protected behaviors, and viewer settings."""

import json
import re
from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.patterns import UndecidedError, within, witness
from keyfront.account.audit.values import Evidence, Finding, Plan, Rule, Severity
from keyfront.inventory import CacheBehavior, Distribution

PRIVATE_WORDS: Final = frozenset(
    [
        "private",
        "secret",
        "secrets",
        "secure",
        "protected",
        "restricted",
        "internal",
        "confidential",
        "paid",
        "premium",
        "purchased",
        "purchases",
        "members",
        "member",
        "subscribers",
        "subscriber",
        "customers",
        "customer",
        "invoices",
        "invoice",
        "signed",
        "licensed",
        "downloads",
    ]
)
"""Words in paths that look private (assumed; `--private-word` adds more)."""

_PRIVATE: Final = Rule(
    "private-path-public",
    "A private-looking path needs no signature",
    "The behavior has no trusted key group: everyone who knows or guesses a URL gets the file.",
)
_SHADOW: Final = Rule(
    "behavior-shadows-protected",
    "An unprotected behavior takes paths of a protected one",
    "CloudFront tries behaviors in order and uses the first match: it serves these paths without a signature.",
)
_UNREACHABLE: Final = Rule(
    "behavior-unreachable",
    "A behavior is never used",
    "An earlier behavior takes every path that it matches, so its settings have no effect.",
)
_PLAIN: Final = Rule(
    "protected-over-http",
    "A protected behavior accepts plain HTTP",
    "Anyone on the network can read and use a signed URL or cookie sent over HTTP, until it expires.",
)
_LEGACY: Final = Rule(
    "legacy-trusted-signers",
    "A behavior trusts AWS accounts, not key groups",
    "Account key pairs are made by the root user. IAM cannot manage them, and no API can audit or rotate them.",
)
_NOBODY: Final = Rule(
    "behavior-trusts-no-key",
    "A protected behavior trusts no usable key",
    "CloudFront refuses every request with Unknown Key.",
)
_IPV6: Final = Rule(
    "ipv6-with-address-policies",
    "IPv6 is on, but policies limit addresses",
    "A policy's address is IPv4: a viewer who connects over IPv6 is refused, even with their own link.",
)
_TLS: Final = Rule(
    "weak-tls",
    "Old TLS versions are accepted",
    "TLS 1.0 and 1.1 are broken, and signed URLs are sent over them.",
)
_ERRORS: Final = Rule(
    "refusals-look-like-success",
    "A refusal gets a success status",
    "Browsers and caches keep a 403 that becomes a 200, and the refusal is hidden.",
)
_STATE: Final = Rule(
    "distribution-not-serving",
    "A distribution with protected behaviors is disabled or deploying",
    "The edge does not do yet what the configuration says.",
)
_LOGGING: Final = Rule(
    "no-access-log",
    "Protected content has no standard access log",
    "Without a log, nobody can see the use of a leaked link. The audit does not see logging v2, which is set "
    "up outside the distribution.",
)
RULES: Final = (
    _PRIVATE, _SHADOW, _UNREACHABLE, _PLAIN, _LEGACY, _NOBODY, _IPV6, _TLS, _ERRORS, _STATE, _LOGGING,
)  # fmt: skip


def name(distribution: Distribution, behavior: CacheBehavior) -> str:
    """Return a behavior's name in findings."""
    return f"{distribution.id}:{behavior.path_pattern}"


def in_order(distribution: Distribution) -> tuple[CacheBehavior, ...]:
    """Return all behaviors in the order of matching; the default behavior is the last."""
    return (*distribution.behaviors, distribution.default_behavior)


def is_protected(distribution: Distribution) -> bool:
    """Return whether any behavior requires a signature."""
    return any(behavior.protected for behavior in in_order(distribution))


def _each(account: Evidence) -> Iterator[tuple[Distribution, CacheBehavior]]:
    for distribution in account.inventory.distributions:
        for behavior in in_order(distribution):
            yield distribution, behavior


def edit(behavior: CacheBehavior, change: str) -> str:
    """Return the jq filter that makes `change` in a behavior of a distribution's configuration."""
    if behavior.path_pattern == "*":
        return f".DefaultCacheBehavior |= ({change})"
    return f"(.CacheBehaviors.Items[] | select(.PathPattern == {json.dumps(behavior.path_pattern)})) |= ({change})"


def trusting(distribution: Distribution, behavior: CacheBehavior) -> str:
    """Return the jq filter that protects a behavior as its distribution protects others; empty if none is."""
    groups = next((each.trusted_key_groups for each in in_order(distribution) if each.trusted_key_groups), ())
    trust = f"{{Enabled: true, Quantity: {len(groups)}, Items: {json.dumps(groups)}}}"
    return edit(behavior, f".TrustedKeyGroups = {trust}") if groups else ""


def _block(behavior: CacheBehavior) -> str:
    return "default_cache_behavior" if behavior.path_pattern == "*" else "ordered_cache_behavior"


def _private(account: Evidence) -> Iterator[Finding]:
    words = PRIVATE_WORDS | account.settings.private_words
    for distribution, behavior in _each(account):
        if behavior.protected:
            continue
        origin = next((each for each in distribution.origins if each.id == behavior.target_origin_id), None)
        place = origin.path if origin else ""
        found = sorted(words & set(re.split(r"[^a-z0-9]+", f"{behavior.path_pattern} {place}".lower())))
        if found:
            where = name(distribution, behavior)
            yield Finding(
                _PRIVATE, Severity.HIGH, where,
                f"{behavior.path_pattern!r}{f' (origin path {place})' if place else ''} has the word {found[0]!r} and "
                "trusts no key group.",
                f"in {_block(behavior)}: trusted_key_groups = [aws_cloudfront_key_group.links.id]",
                marks=(where,), plan=Plan(edit=trusting(distribution, behavior)),
            )  # fmt: skip


def _shadowing(account: Evidence) -> Iterator[Finding]:
    for distribution in account.inventory.distributions:
        order = distribution.behaviors
        for later, behind in enumerate(order):
            for before in range(later):
                yield from _pair(distribution, order[:before], order[before], behind)


def _pair(
    distribution: Distribution, earlier: tuple[CacheBehavior, ...], front: CacheBehavior, behind: CacheBehavior
) -> Iterator[Finding]:
    both = [front.path_pattern, behind.path_pattern]
    marks = (name(distribution, front), name(distribution, behind))
    if within(behind.path_pattern, front.path_pattern):
        yield Finding(
            _UNREACHABLE, Severity.LOW, marks[1], f"{both[0]!r} before it takes every path of {both[1]!r}.",
            f"move the ordered_cache_behavior {both[1]!r} above {both[0]!r}, or delete it", marks=marks[1:],
        )  # fmt: skip
    if front.protected or not behind.protected:
        return
    sure = True
    try:
        path = witness(both, [each.path_pattern for each in earlier])
    except UndecidedError:
        path, sure = _meeting(both), False
    if path is None:
        return
    # An exception that lies wholly inside is often intended; one that only overlaps hardly ever is.
    meant = within(both[0], both[1]) and not within(both[1], both[0])
    hides_all = within(both[1], both[0])
    severity = Severity.CRITICAL if hides_all else Severity.MEDIUM if meant else Severity.HIGH
    doubt = "" if sure else " (unless a behavior before both takes it: there are too many patterns to check)"
    yield Finding(
        _SHADOW, severity, marks[0],
        f"{path} is meant for {both[1]!r}, which needs a signature, but matches {both[0]!r} first{doubt}.",
        f"move the ordered_cache_behavior {both[1]!r} above {both[0]!r}, or give {both[0]!r} trusted_key_groups",
        example=path, marks=marks,
    )  # fmt: skip


def _meeting(both: list[str]) -> str | None:
    try:
        return witness(both)
    except UndecidedError:
        return "a path that was not found in time"


def _viewing(account: Evidence) -> Iterator[Finding]:
    for distribution, behavior in _each(account):
        if not behavior.protected:
            continue
        where = name(distribution, behavior)
        if behavior.viewer_protocol_policy == "allow-all":
            yield Finding(
                _PLAIN, Severity.MEDIUM, where, "The viewer protocol policy is allow-all.",
                f'in {_block(behavior)}: viewer_protocol_policy = "https-only"', marks=(where,),
                plan=Plan(edit=edit(behavior, '.ViewerProtocolPolicy = "https-only"')),
            )  # fmt: skip
        if behavior.trusted_signers:
            yield Finding(
                _LEGACY, Severity.HIGH, where, f"Trusted signers: {', '.join(behavior.trusted_signers)}.",
                "keyfront keys generate --out keys; keyfront keys upload keys/public_key.pem --name links; keyfront "
                "groups create links KEYID; add the group as trusted_key_groups beside the signers, sign with the "
                "new key, and remove trusted_signers when the last old link has expired",
                marks=(where,),
            )  # fmt: skip
        elif account.complete and not account.inventory.trusted_keys(behavior):
            yield Finding(
                _NOBODY, Severity.MEDIUM, where,
                f"No key of its groups ({', '.join(behavior.trusted_key_groups) or 'none'}) can be used.",
                f"keyfront groups add {(*behavior.trusted_key_groups, 'GROUP')[0]} KEYID", marks=(where,),
            )  # fmt: skip


def _distributions(account: Evidence) -> Iterator[Finding]:
    for each in account.inventory.distributions:
        if not is_protected(each):
            continue
        if each.ipv6:
            seen = account.settings.policies_carry_ip or (account.log is not None and account.log.with_address > 0)
            yield Finding(
                _IPV6, Severity.MEDIUM if seen else Severity.INFO, each.id,
                "IPv6 is on, and policies limit addresses." if seen
                else "IPv6 is on. This matters only if policies limit addresses (--policies-carry-ip, --access-log).",
                "in aws_cloudfront_distribution: is_ipv6_enabled = false",
                plan=Plan(edit=".IsIPV6Enabled = false") if seen else Plan(),
            )  # fmt: skip
        if each.minimum_protocol and not each.minimum_protocol.startswith(("TLSv1.2", "TLSv1.3")):
            yield Finding(
                _TLS, Severity.MEDIUM, each.id, f"The minimum is {each.minimum_protocol}.",
                'in viewer_certificate: minimum_protocol_version = "TLSv1.2_2021"',
                plan=Plan(edit='.ViewerCertificate.MinimumProtocolVersion = "TLSv1.2_2021"'),
            )  # fmt: skip
        for error in each.custom_errors:
            if error.error_code == 403 and 200 <= error.response_code < 300:
                yield Finding(
                    _ERRORS, Severity.LOW, each.id, f"403 becomes {error.response_code} ({error.page_path}).",
                    "in custom_error_response for 403: response_code = 403",
                    plan=Plan(
                        edit='(.CustomErrorResponses.Items[] | select(.ErrorCode == 403)) |= (.ResponseCode = "403")'
                    ),
                )  # fmt: skip
        if not each.enabled or each.status != "Deployed":
            state = each.status if each.enabled else "disabled"
            yield Finding(
                _STATE, Severity.INFO, each.id, f"It is {state}.",
                f"aws cloudfront wait distribution-deployed --id {each.id}" if each.enabled
                else f"delete it, or in aws_cloudfront_distribution {each.id}: enabled = true",
            )  # fmt: skip
        if not each.access_logs:
            yield Finding(
                _LOGGING, Severity.INFO, each.id, "Standard logging (legacy) is off.",
                'in aws_cloudfront_distribution: logging_config { bucket = "LOGS.s3.amazonaws.com" }',
            )  # fmt: skip


CHECKS: Final = (_private, _shadowing, _viewing, _distributions)
