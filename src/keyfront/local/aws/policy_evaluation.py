"""The caller of an S3 request, for whom a bucket policy is evaluated.

moto has none. It opens a bucket to everybody as soon as its policy allows anybody, such as the one distribution in the
usual policy for an origin access control.
"""

from collections.abc import Mapping
from dataclasses import replace

from keyfront.account.resource_policies import Caller, Evaluation, cloudfront, judge
from keyfront.local.controlplane.identifiers import canonical_user_id

__all__ = ["Caller", "Evaluation", "anonymous", "judge", "signed"]


def anonymous(context: Mapping[str, str]) -> Caller:
    """Return the caller of an unsigned request."""
    return Caller("anonymous", frozenset(), context)


def signed(account: str, source_arn: str | None, context: Mapping[str, str]) -> Caller:
    """Return the caller of a signed request.

    `source_arn` is the distribution or origin access identity for which CloudFront acts. Assumed: inside Amazon this
    ARN is not sent as a header. Here the edge sends it in `x-amz-source-arn`. A policy may name an origin access
    identity by its ARN or by its canonical user, as the AWS CDK does.
    """
    if source_arn is None:
        root = f"arn:aws:iam::{account}:root"
        return Caller("account", frozenset({("AWS", account), ("AWS", root)}), context)
    caller = cloudfront(source_arn, account, context)
    _, is_identity, identity = source_arn.partition("CloudFront Origin Access Identity ")
    if not is_identity:
        return caller
    return replace(caller, principals=caller.principals | {("CanonicalUser", canonical_user_id(identity))})
