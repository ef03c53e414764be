"""Answers: what came back, and who said it. All of these look like the same 403 at first."""

from keyfront.core.s3 import is_s3
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_S3 = "private-content-restricting-access-to-s3.html"
_ERRORS = "http-403-permission-denied.html"


def _s3(facts: Facts, *codes: str) -> str | None:
    """What S3 said, if it said one of `codes` from behind CloudFront."""
    response = facts.response
    if response is None or response.kind != "s3" or response.code not in codes or is_s3(facts.host):
        return None
    return response.shown


@rule(
    "s3-access-denied",
    "CloudFront let the request in; S3 refused it",
    stage=Stage.ANSWER,
    looks="The body is S3's: `<Code>AccessDenied</Code>` with a `RequestId` and a `HostId`.",
    cause="CloudFront's own refusals have neither RequestId nor HostId. So the signature was accepted, and S3 refused "
    "CloudFront: the bucket policy does not allow the distribution (origin access control), or the object does not "
    "exist and CloudFront may not list the bucket.",
    fix="Give the origin an origin access control, and allow s3:GetObject to cloudfront.amazonaws.com for this "
    "distribution in the bucket policy. Check that the object is there under exactly this path, origin path included.",
    recipe="origin-access",
    guide=_S3,
)
def s3_access_denied(facts: Facts) -> Found | None:
    said = _s3(facts, "AccessDenied", "AllAccessDisabled", "AccountProblem")
    if said is None or s3_wants_its_own_signature(facts):
        return None
    return Found(f"The answer is {said}, with S3's RequestId.")


@rule(
    "s3-signature-does-not-match",
    "S3 refused a signature of its own",
    stage=Stage.ANSWER,
    looks="The body says `SignatureDoesNotMatch` and speaks of an AWS Secret Access Key.",
    cause="CloudFront let the request in; then S3 checked a signature for S3 that does not fit: a presigned S3 link "
    "that was sent by way of CloudFront, an Authorization or Host header handed on, or a key with characters that are "
    "encoded in two ways.",
    fix="Do not hand on Host and Authorization (use the managed policy AllViewerExceptHostHeader). Sign with "
    "CloudFront's signer, not with S3's presigner.",
    recipe="origin-access",
    guide=_S3,
)
def s3_signature_does_not_match(facts: Facts) -> Found | None:
    said = _s3(facts, "SignatureDoesNotMatch")
    return Found(f"The answer is {said}.") if said else None


@rule(
    "s3-invalid-access-key-id",
    "S3 was shown a key id that is none of its own",
    stage=Stage.ANSWER,
    looks="The body says `InvalidAccessKeyId`.",
    cause="S3 read an access key's id out of the URL. A CloudFront link reached S3 with a Key-Pair-Id in place of it, "
    "or a presigned S3 link with a key that was deleted.",
    fix="Sign the distribution's URL with CloudFront's signer, and ask CloudFront.",
    recipe="sign-url",
    guide=_S3,
)
def s3_invalid_access_key_id(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "s3" or response.code not in ("InvalidAccessKeyId", "InvalidToken"):
        return None
    return Found(f"The answer is {response.shown}.")


@rule(
    "s3-wants-its-own-signature",
    "S3 was given CloudFront's signing parameters",
    stage=Stage.ANSWER,
    looks="`Query-string authentication requires the Signature, Expires and AWSAccessKeyId parameters`.",
    cause="S3 has an old form of link with parameters called Signature and Expires, too. It saw CloudFront's. Either "
    "S3 was asked in place of CloudFront, or the behavior trusts no key group and handed the parameters on.",
    fix="Ask the distribution's host name, and name a trusted key group in the behavior: CloudFront then takes the "
    "parameters out.",
    recipe="trusted-group",
    guide=_S3,
)
def s3_wants_its_own_signature(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or "Query-string authentication requires" not in response.body:
        return None
    return Found(f"The answer is {response.shown}.")


@rule(
    "s3-no-such-key",
    "The file is not there",
    stage=Stage.ANSWER,
    looks="S3 answers 404 `NoSuchKey` or `NoSuchBucket`.",
    cause="CloudFront let the request in, and S3 has nothing under this path. Keys are case-sensitive, and the origin "
    "path is put before the URL's path.",
    fix="Compare the path, with the origin path before it, with the object's key.",
    recipe="origin-access",
    guide=_S3,
)
def s3_no_such_key(facts: Facts) -> Found | None:
    said = _s3(facts, "NoSuchKey", "NoSuchBucket")
    return Found(f"The answer is {said}.") if said else None


@rule(
    "geo-blocked",
    "The viewer's country is blocked",
    stage=Stage.ANSWER,
    looks="An HTML page: `The Amazon CloudFront distribution is configured to block access from your country`.",
    cause="The distribution has a geographic restriction. It has nothing to do with the signature.",
    fix="Allow the country in the distribution's geographic restrictions, or ask from another.",
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
    cause="A rule of the web access control list in front of the distribution blocked the request, before any "
    "signature was looked at.",
    fix="Look at AWS WAF's sampled requests for the rule, and make an exception.",
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
    "CloudFront could not tell which distribution was meant",
    stage=Stage.ANSWER,
    looks="An HTML page with 403 and `Bad request`.",
    cause="Usually the host name is no alternate domain name of any distribution, or http was used where only https "
    "is allowed. A GET with a body is answered like this, too.",
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
    "Somebody behind CloudFront refused",
    stage=Stage.ANSWER,
    looks="403 with a body that is neither CloudFront's nor S3's.",
    cause="CloudFront's own refusals have bodies that are known. This one comes from your web server, a function at "
    "the edge, or a custom error page that is configured for 403.",
    fix="Look at the origin's log, the functions on the behavior, and the distribution's custom error responses.",
    recipe="host",
    guide=_ERRORS,
)
def origin_refused(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind not in ("other", "cloudfront-page") or response.status not in (401, 403):
        return None
    if not response.body.strip() and not response.headers:
        return None
    # A custom error page for 403 looks like this too, and then the signature may well be at fault.
    return Found(f"The answer is {response.shown}.", certainty="possible" if not facts.decision.allowed else "likely")


@rule(
    "answer-and-input-disagree",
    "By what was given the request is in order, and CloudFront refused it",
    stage=Stage.ANSWER,
    fallback=True,
    looks="Everything checks out here, and CloudFront answers with an error of its viewer check.",
    cause="Something that counts is not what was given here: the distribution is still being deployed, the path falls "
    "under a behavior that trusts other keys, the key is not in the group, the viewer's address is another, or the "
    "link was not the same to the byte.",
    fix="Wait until the distribution is deployed. Give --distribution, and paste the request as the browser sent it "
    "(Copy as cURL).",
    recipe="trusted-group",
    guide=_ERRORS,
)
def answer_and_input_disagree(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "viewer-check" or facts.keys is None or not facts.decision.allowed:
        return None
    return Found(f"CloudFront answered {response.shown}.")


@rule(
    "answer-from-a-cache",
    "The file came, though the request is not in order: somebody else may have kept it",
    stage=Stage.ORIGIN,
    severity="note",
    looks="The browser shows the file after the link has expired.",
    cause="Browsers and proxies keep answers; CloudFront is not asked again. Or the path falls under a behavior that "
    "asks for no signature.",
    fix="Send Cache-Control: private, no-store (or a short max-age) with private files, and try in a private window.",
    recipe="host",
    guide="private-content-signed-urls.html",
)
def answer_from_a_cache(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "success" or facts.keys is None or facts.decision.allowed or facts.public:
        return None
    return Found(
        f"The answer was {response.status}, and by what was given it should have been a refusal.", certainty="possible"
    )
