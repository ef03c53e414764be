"""Checks of origins: whether protected content can be fetched without CloudFront."""

from collections.abc import Iterator
from typing import Final

from keyfront.account.audit.documents import open_to_all
from keyfront.account.audit.rules.behaviors import in_order
from keyfront.account.audit.rules.grants import any_distribution, put_bucket_policy, terraform_grant, with_grant
from keyfront.account.audit.values import Bucket, Evidence, Finding, Plan, Rule, Severity, Stage
from keyfront.core.s3 import s3_host
from keyfront.inventory import Distribution, Origin

_PUBLIC: Final = Rule(
    "bucket-public",
    "A bucket behind CloudFront is public",
    "Anyone can read its objects from S3, without a signature.",
    Stage.CLOSE,
)
_UNSIGNED: Final = Rule(
    "origin-without-access-control",
    "An S3 origin has no working origin access control",
    "CloudFront's requests are unsigned, so they work only while the bucket is public.",
)
_ANY: Final = Rule(
    "bucket-open-to-any-distribution",
    "A bucket policy allows any distribution",
    "Without AWS:SourceArn, any account's distribution with this bucket as origin can read it, without a key group.",
    Stage.CLOSE,
)
_BLOCK: Final = Rule(
    "bucket-access-not-blocked",
    "Public access to a bucket is not blocked",
    "One wrong policy or ACL makes the content public.",
    Stage.CLOSE,
)
_NO_SECRET: Final = Rule(
    "custom-origin-open",
    "A web server behind CloudFront cannot recognise CloudFront",
    "Anyone who finds its name can send requests to it directly, without a signature.",
)
_WEAK: Final = Rule(
    "origin-secret-weak",
    "The header that proves CloudFront to an origin is easy to guess",
    "Anyone who guesses it can send requests to the origin directly. The value is not shown.",
)
_CLEAR: Final = Rule(
    "origin-over-http",
    "CloudFront uses plain HTTP to an origin of protected content",
    "Content and the secret header are sent unencrypted.",
)
RULES: Final = (_PUBLIC, _UNSIGNED, _ANY, _BLOCK, _NO_SECRET, _WEAK, _CLEAR)

_GUESSED: Final = ("secret", "password", "changeme", "cloudfront", "example", "token", "test", "12345")
_BLOCKS: Final = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


def bucket_of(origin: Origin) -> str:
    """Return the bucket of an origin; empty if it is not a bucket."""
    found = s3_host(origin.domain_name)
    return "" if found is None or found.website else found.bucket


def is_function_url(origin: Origin) -> bool:
    """Return whether the origin is the URL of a Lambda function."""
    return ".lambda-url." in origin.domain_name


def _is_website(origin: Origin) -> bool:
    found = s3_host(origin.domain_name)
    return found is not None and found.website


def protected_origins(account: Evidence) -> Iterator[tuple[Distribution, Origin]]:
    """Yield the origins that protected behaviors use, directly or in an origin group."""
    for distribution in account.inventory.distributions:
        wanted = {each.target_origin_id for each in in_order(distribution) if each.protected}
        wanted |= {member for group in distribution.origin_groups if group.id in wanted for member in group.members}
        yield from ((distribution, origin) for origin in distribution.origins if origin.id in wanted)


def mark(distribution: Distribution, origin: Origin) -> tuple[str, ...]:
    """Return the names of the protected behaviors that ask the origin."""
    return tuple(
        f"{distribution.id}:{each.path_pattern}"
        for each in in_order(distribution)
        if each.protected and each.target_origin_id == origin.id
    )


def _access(account: Evidence) -> Iterator[Finding]:
    for distribution, origin in protected_origins(account):
        where, marks = f"{distribution.id}/{origin.id}", mark(distribution, origin)
        control = account.inventory.access_controls.get(origin.access_control)
        signs = bool(origin.access_control) and (control is None or control.signing_behavior != "never")
        if bucket_of(origin) and not (signs or origin.access_identity):
            yield Finding(
                _UNSIGNED, Severity.HIGH, where,
                f"{origin.domain_name} has no origin access control"
                f"{' that signs' if origin.access_control else ''}.",
                "add an aws_cloudfront_origin_access_control (signing_behavior = \"always\"), and in origin: "
                "origin_access_control_id = aws_cloudfront_origin_access_control.content.id", marks=marks,
            )  # fmt: skip
        if origin.custom is None or signs:
            continue
        yield from _web(where, origin, marks)


def _web(where: str, origin: Origin, marks: tuple[str, ...]) -> Iterator[Finding]:
    fix = (
        'in origin: custom_header { name = "x-origin-secret", value = var.origin_secret } (32 random bytes), and check'
    )
    if _is_website(origin):
        yield Finding(
            _UNSIGNED, Severity.HIGH, where, f"{origin.domain_name} is an S3 website, which is public.",
            "use the bucket's regional domain name with an origin access control", marks=marks,
        )  # fmt: skip
    elif not origin.custom_headers:
        yield Finding(
            _NO_SECRET, Severity.HIGH, where, f"{origin.domain_name} gets no custom header.",
            f"{fix} it at the origin", marks=marks,
        )  # fmt: skip
    elif not any(_strong(value) for _, value in origin.custom_headers):
        names = ", ".join(header for header, _ in origin.custom_headers)
        yield Finding(
            _WEAK, Severity.MEDIUM, where, f"No custom header of {origin.domain_name} ({names}) has a random value.",
            f"{fix} the new one at the origin", marks=marks,
        )  # fmt: skip
    if origin.custom and origin.custom.protocol_policy == "http-only":
        yield Finding(
            _CLEAR, Severity.MEDIUM, where, f"CloudFront uses http-only for {origin.domain_name}.",
            'in custom_origin_config: origin_protocol_policy = "https-only"', marks=marks,
        )  # fmt: skip


def _strong(value: str) -> bool:
    """Return whether a value is hard to guess. Assumed: 16 characters, 10 of them different, no usual word."""
    return len(value) >= 16 and len(set(value)) >= 10 and not any(word in value.lower() for word in _GUESSED)


def _buckets(account: Evidence) -> Iterator[Finding]:
    for bucket in account.buckets.values():
        arn = f"arn:aws:s3:::{bucket.name}"
        users = [(each, origin) for each, origin in protected_origins(account) if bucket_of(origin) == bucket.name]
        marks = tuple(each for distribution, origin in users for each in mark(distribution, origin))
        yield from _public(bucket, arn, marks)
        if any_distribution(bucket.policy or {}, "s3:GetObject"):
            own = [each for each, origin in users if origin.access_control]
            policy = with_grant(bucket.policy or {}, "s3:GetObject", f"{arn}/*", own)
            yield Finding(
                _ANY, Severity.HIGH, arn, "cloudfront.amazonaws.com may read it without a condition.",
                'in the policy: "Condition": {"StringEquals": {"AWS:SourceArn": "arn:aws:cloudfront::ACCOUNT:'
                'distribution/ID"}}', marks=marks,
                plan=Plan(
                    (put_bucket_policy(bucket.name, policy),),
                    terraform=terraform_grant("s3:GetObject", f"{arn}/*", own),
                ) if own else Plan(),
            )  # fmt: skip
        if bucket.blocked is not None and (missing := [each for each in _BLOCKS if not bucket.blocked.get(each)]):
            yield Finding(
                _BLOCK, Severity.LOW, arn, f"Off: {', '.join(missing)}.",
                f"aws s3api put-public-access-block --bucket {bucket.name} --public-access-block-configuration "
                + ",".join(f"{each}=true" for each in _BLOCKS), marks=marks,
            )  # fmt: skip


def _public(bucket: Bucket, arn: str, marks: tuple[str, ...]) -> Iterator[Finding]:
    blocked = bucket.blocked or {}
    if open_to_all(bucket.policy, "s3:GetObject") and not blocked.get("RestrictPublicBuckets"):
        yield Finding(
            _PUBLIC, Severity.CRITICAL, arn, "Its policy lets anyone do s3:GetObject.",
            f"aws s3api put-public-access-block --bucket {bucket.name} --public-access-block-configuration "
            "RestrictPublicBuckets=true,BlockPublicPolicy=true,IgnorePublicAcls=true,BlockPublicAcls=true", marks=marks,
        )  # fmt: skip
    if bucket.public_grants and not blocked.get("IgnorePublicAcls"):
        yield Finding(
            _PUBLIC, Severity.CRITICAL, arn, f"Its ACL gives {', '.join(bucket.public_grants)} to everyone.",
            f"aws s3api put-bucket-acl --bucket {bucket.name} --acl private", marks=marks,
        )  # fmt: skip


CHECKS: Final = (_access, _buckets)
