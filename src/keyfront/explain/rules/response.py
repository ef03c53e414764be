"""Responses: what came back, and which service sent it. At first, most of them look like the same 403."""

from keyfront.core.s3 import is_s3
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_S3 = "private-content-restricting-access-to-s3.html"
_ERRORS = "http-403-permission-denied.html"


def _s3(facts: Facts, *codes: str) -> str | None:
    """Return S3's error if it is one of `codes` and came through CloudFront."""
    response = facts.response
    if response is None or response.kind != "s3" or response.code not in codes or is_s3(facts.host):
        return None
    return response.shown


@rule(
    "s3-access-denied",
    "CloudFront allowed the request; S3 refused it",
    stage=Stage.ANSWER,
    looks="The body is S3's: `<Code>AccessDenied</Code>` with a `RequestId` and a `HostId`.",
    cause="CloudFront's own refusals have no RequestId and no HostId. So CloudFront accepted the signature, and S3 "
    "refused CloudFront. Either the bucket policy does not allow the distribution (origin access control), or the "
    "object does not exist and CloudFront may not list the bucket.",
    fix="Give the origin an origin access control. In the bucket policy, allow s3:GetObject to "
    "cloudfront.amazonaws.com for this distribution. Check that the object exists under exactly this path, origin "
    "path included.",
    recipe="origin-access",
    guide=_S3,
)
def s3_access_denied(facts: Facts) -> Found | None:
    said = _s3(facts, "AccessDenied", "AllAccessDisabled", "AccountProblem")
    if said is None or s3_wants_its_own_signature(facts):
        return None
    return Found(f"The response is {said}, with S3's RequestId.")


@rule(
    "s3-signature-does-not-match",
    "S3 refused an S3 signature",
    stage=Stage.ANSWER,
    looks="The body says `SignatureDoesNotMatch` and mentions an AWS Secret Access Key.",
    cause="CloudFront allowed the request, but S3 then checked an S3 signature that does not match. The usual causes: "
    "a presigned S3 link was sent through CloudFront, an Authorization or Host header was forwarded, or the key has "
    "characters that can be encoded in two ways.",
    fix="Do not forward Host and Authorization (use the managed policy AllViewerExceptHostHeader). Sign with "
    "CloudFront's signer, not with S3's presigner.",
    recipe="origin-access",
    guide=_S3,
)
def s3_signature_does_not_match(facts: Facts) -> Found | None:
    said = _s3(facts, "SignatureDoesNotMatch")
    return Found(f"The response is {said}.") if said else None


@rule(
    "s3-invalid-access-key-id",
    "S3 received an access key id that it does not know",
    stage=Stage.ANSWER,
    looks="The body says `InvalidAccessKeyId`.",
    cause="S3 read an access key id from the URL. Either a CloudFront link reached S3 with a Key-Pair-Id instead, or "
    "a presigned S3 link uses a key that was deleted.",
    fix="Sign the distribution's URL with CloudFront's signer, and send the request to CloudFront.",
    recipe="sign-url",
    guide=_S3,
)
def s3_invalid_access_key_id(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "s3" or response.code not in ("InvalidAccessKeyId", "InvalidToken"):
        return None
    return Found(f"The response is {response.shown}.")


@rule(
    "s3-wants-its-own-signature",
    "S3 received CloudFront's signing parameters",
    stage=Stage.ANSWER,
    looks="`Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters`.",
    cause="S3 has an old form of link that also has parameters named Signature and Expires. It received CloudFront's. "
    "Either the request went to S3 directly, or the behavior trusts no key group and forwarded the parameters.",
    fix="Use the distribution's host name, and name a trusted key group in the behavior. CloudFront then removes the "
    "parameters.",
    recipe="trusted-group",
    guide=_S3,
)
def s3_wants_its_own_signature(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or "Query-string authentication requires" not in response.body:
        return None
    return Found(f"The response is {response.shown}.")


@rule(
    "s3-no-such-key",
    "The file does not exist",
    stage=Stage.ANSWER,
    looks="S3 answers 404 `NoSuchKey` or `NoSuchBucket`.",
    cause="CloudFront allowed the request, and S3 has no object under this path. Keys are case-sensitive, and the "
    "origin path comes before the URL's path.",
    fix="Compare the object's key with the origin path plus the URL's path.",
    recipe="origin-access",
    guide=_S3,
)
def s3_no_such_key(facts: Facts) -> Found | None:
    said = _s3(facts, "NoSuchKey", "NoSuchBucket")
    return Found(f"The response is {said}.") if said else None


@rule(
    "geo-blocked",
    "The viewer's country is blocked",
    stage=Stage.ANSWER,
    looks="An HTML page: `The Amazon CloudFront distribution is configured to block access from your country`.",
    cause="The distribution has a geographic restriction. It has nothing to do with the signature.",
    fix="Allow the country in the distribution's geographic restrictions, or send the request from another country.",
    recipe="host",
    guide="georestrictions.html",
)
def geo_blocked(facts: Facts) -> Found | None:
    return Found("CloudFront's page says so.") if facts.response and facts.response.kind == "geo-block" else None


@rule(
    "waf-blocked",
    "A firewall (AWS WAF) blocked the request",
    stage=Stage.ANSWER,
    looks="An HTML page: `Request blocked. We can't connect to the server for this app or website at this time`.",
    cause="A rule of the web access control list in front of the distribution blocked the request before CloudFront "
    "checked any signature.",
    fix="Find the rule in AWS WAF's sampled requests, and make an exception.",
    recipe="host",
    guide="distribution-web-awswaf.html",
)
def waf_blocked(facts: Facts) -> Found | None:
    return (
        Found("CloudFront's page says `Request blocked`.")
        if facts.response and facts.response.kind == "waf-block"
        else None
    )


@rule(
    "bad-request-page",
    "CloudFront found no distribution for the request",
    stage=Stage.ANSWER,
    looks="An HTML page with 403 and `Bad request`.",
    cause="Usually the host name is not an alternate domain name of any distribution, or http was used where only "
    "https is allowed. A GET with a body gets the same response.",
    fix="Add the host name to the distribution's alternate domain names, or correct the DNS record.",
    recipe="host",
    guide=_ERRORS,
)
def bad_request_page(facts: Facts) -> Found | None:
    if facts.response is None or facts.response.kind != "bad-request":
        return None
    return Found(f"CloudFront's page says `Bad request`; the request asks for {facts.host}.", certainty="likely")


@rule(
    "origin-refused",
    "Something behind CloudFront refused the request",
    stage=Stage.ANSWER,
    looks="403 with a body that is neither CloudFront's nor S3's.",
    cause="The bodies of CloudFront's own refusals are known. This one comes from your web server, an edge function, "
    "or a custom error page for 403.",
    fix="Check the origin's log, the behavior's functions, and the distribution's custom error responses.",
    recipe="host",
    guide=_ERRORS,
)
def origin_refused(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind not in ("other", "cloudfront-page") or response.status not in (401, 403):
        return None
    if not response.body.strip() and not response.headers:
        return None
    # A custom error page for 403 looks the same, and then the signature may be the cause.
    return Found(f"The response is {response.shown}.", certainty="possible" if not facts.decision.allowed else "likely")


@rule(
    "answer-and-input-disagree",
    "CloudFront refused a request that looks correct from the input",
    stage=Stage.ANSWER,
    fallback=True,
    looks="Every check passes here, but CloudFront returns an error of its signature check.",
    cause="The input differs from what CloudFront saw. The distribution may still be deploying, the path may match a "
    "behavior that trusts other keys, the key may not be in the group, or the viewer's address or a byte of the link "
    "may differ.",
    fix="Wait until the distribution is deployed. Pass --distribution, and paste the request as the browser sent it "
    "(Copy as cURL).",
    recipe="trusted-group",
    guide=_ERRORS,
)
def answer_and_input_disagree(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "viewer-check" or facts.keys is None or not facts.decision.allowed:
        return None
    return Found(f"CloudFront returned {response.shown}.")


@rule(
    "answer-from-a-cache",
    "The file was served, though the request should be refused: it may come from a cache",
    stage=Stage.ORIGIN,
    severity="note",
    looks="The browser shows the file after the link has expired.",
    cause="Browsers and proxies cache responses, so the request does not reach CloudFront. Or the path matches a "
    "behavior that requires no signature.",
    fix="Send Cache-Control: private, no-store (or a short max-age) with private files, and try again in a private "
    "window.",
    recipe="host",
    guide="private-content-signed-urls.html",
)
def answer_from_a_cache(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "success" or facts.keys is None or facts.decision.allowed or facts.public:
        return None
    return Found(f"The response was {response.status}, but the input should be refused.", certainty="possible")
