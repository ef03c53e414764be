"""Buckets: what S3 answered behind CloudFront, and why."""

import re

from keyfront.core.s3 import is_s3
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.responses import Response
from keyfront.explain.values import Stage

_S3 = "private-content-restricting-access-to-s3.html"


def _s3(facts: Facts, *codes: str) -> str | None:
    """Return S3's error if it is one of `codes` and came through CloudFront."""
    response = facts.response
    if response is None or response.kind != "s3" or is_s3(facts.host):
        return None
    # The response to a HEAD request has no body, and so no code.
    usual = {"AccessDenied": 403, "NoSuchKey": 404}
    unnamed = not response.code and any(usual.get(code) == response.status for code in codes)
    return response.shown if response.code in codes or unnamed else None


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
    if said is None or s3_wants_its_own_signature(facts) or s3_may_not_decrypt(facts):
        return None
    if facts.response is not None and facts.response.website:
        return Found(
            f"The response is {said}, on the page of a bucket's website.",
            title="CloudFront allowed the request; the bucket's website refused it",
            cause="A website endpoint (s3-website) serves public objects only. It knows no origin access control, so "
            "CloudFront cannot sign its requests there. A missing object gets 403 as well.",
            fix="Use the bucket's own name (BUCKET.s3.REGION.amazonaws.com) as the origin, with an origin access "
            "control.",
        )
    seen = (
        "with S3's RequestId" if facts.response and facts.response.body.strip() else "and its Server header is AmazonS3"
    )
    return Found(f"The response is {said}, {seen}.")


@rule(
    "s3-may-not-decrypt",
    "S3 may not use the KMS key that encrypts the object",
    stage=Stage.ANSWER,
    looks="The body is S3's: `AccessDenied` with `kms:Decrypt`, a code that begins with `KMS.`, or `Requests "
    "specifying Server Side Encryption with AWS KMS managed keys require AWS Signature Version 4`.",
    cause="CloudFront allowed the request and may read the bucket. The object is encrypted with a KMS key (SSE-KMS), "
    "and the key's own policy decides who may decrypt. The bucket policy does not help.",
    fix="In the KMS key's policy, allow kms:Decrypt to cloudfront.amazonaws.com, with the condition that AWS:SourceArn "
    "is this distribution's ARN.",
    recipe="kms-key",
    guide=_S3,
)
def s3_may_not_decrypt(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "s3" or is_s3(facts.host):
        return None
    if response.code.startswith("KMS."):
        return _unusable_key(response)
    if response.says("with AWS KMS managed keys require AWS Signature Version 4"):
        return Found(
            f"The response is {response.shown}.",
            title="An origin access identity cannot read objects that KMS encrypts",
            cause="S3 decrypts SSE-KMS objects only for requests with AWS Signature Version 4. CloudFront signs so "
            "with an origin access control, not with an origin access identity, and not without any of them.",
            fix="Give the origin an origin access control instead of the identity. In the KMS key's policy, allow "
            "kms:Decrypt to cloudfront.amazonaws.com, on the condition that AWS:SourceArn is this distribution's ARN.",
        )
    if response.says("kms:Decrypt") or response.says("ciphertext refers to a customer master key"):
        return Found(f"The response is {response.shown}, and its message names kms:Decrypt.")
    return None


def _unusable_key(response: Response) -> Found:
    state, fix = next(
        (each for code, *each in _KEY_STATES if code in response.code),
        ("cannot be used", "Look at the key's state in KMS, and make it usable again."),
    )
    return Found(
        f"The response is {response.shown}.",
        title=f"The KMS key that encrypts the object {state}",
        cause="CloudFront allowed the request, and S3 asked KMS to decrypt the object. KMS does that only with an "
        "enabled key.",
        fix=f"{fix} To stop using the key, encrypt the objects again with another one.",
    )


_KEY_STATES = (
    ("Disabled", "is disabled", "Enable the key (aws kms enable-key)."),
    ("InvalidState", "waits for its deletion or is not ready", "Cancel that (aws kms cancel-key-deletion); enable it."),
    ("NotFound", "does not exist any more", "Bring back the key's material or a backup of the objects."),
)  # fmt: skip


@rule(
    "s3-redirected",
    "S3 redirects away from CloudFront",
    stage=Stage.ANSWER,
    looks="307 `TemporaryRedirect` or 301 `PermanentRedirect` with a `Location` at S3, or 400 "
    "`AuthorizationHeaderMalformed`. The browser then asks S3 directly and gets 403.",
    cause="The origin is the bucket's global name (BUCKET.s3.amazonaws.com), and the bucket is in another region or "
    "only some hours old. S3 then answers with the regional name, and CloudFront hands the redirect to the viewer.",
    fix="Use the bucket's regional name as the origin: BUCKET.s3.REGION.amazonaws.com. Then invalidate the cache.",
    recipe="regional-origin",
    guide="http-3xx-status-codes.html",
)
def s3_redirected(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "s3" or is_s3(facts.host):
        return None
    codes = ("TemporaryRedirect", "PermanentRedirect", "Redirect", "AuthorizationHeaderMalformed")
    if response.code not in codes and not 300 < response.status < 309:
        return None
    where, shown = response.endpoint, response.shown.rstrip(".")
    told = re.search(r"expecting '([a-z0-9-]+)'", response.body)
    region = response.headers.get("x-amz-bucket-region", "") or (told[1] if told else "")
    origin = facts.behavior.origin if facts.behavior else ""
    seen = f"The response is {shown}, and S3 names {where}" if where else f"The response is {shown}"
    named = f"; the origin is {origin}" if origin else ""
    if not where and origin.endswith(".s3.amazonaws.com") and re.fullmatch(r"[a-z0-9-]{5,25}", region):
        where = f"{origin.removesuffix('.s3.amazonaws.com')}.s3.{region}.amazonaws.com"
    fix = f"Use {where} as the origin's domain name. Then invalidate the cache." if where else ""
    return Found(f"{seen}{named}.", fix=fix)


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
    looks="S3 answers 404 `NoSuchKey`, or `NoSuchBucket`.",
    cause="CloudFront allowed the request, and S3 has no object under this path. Keys are case-sensitive, and the "
    "origin path comes before the URL's path.",
    fix="Compare the object's key with the origin path plus the URL's path.",
    recipe="origin-access",
    guide=_S3,
)
def s3_no_such_key(facts: Facts) -> Found | None:
    if said := _s3(facts, "NoSuchBucket"):
        origin = f"; the origin is {facts.behavior.origin}" if facts.behavior and facts.behavior.origin else ""
        return Found(
            f"The response is {said}{origin}.",
            title="The bucket does not exist",
            cause="CloudFront allowed the request, and S3 has no bucket with the name in the origin. It was deleted, "
            "or the name is mistyped. Anybody may create a bucket with that name, and would then serve the files.",
            fix="Correct the origin's domain name, or create the bucket again, before somebody else does.",
        )
    said = _s3(facts, "NoSuchKey")
    return Found(f"The response is {said}.") if said else None


@rule(
    "s3-refused",
    "CloudFront allowed the request; S3 answered with another error",
    stage=Stage.ANSWER,
    looks="The body is S3's, with a `RequestId` and a code that no other finding explains, such as "
    "`InvalidObjectState` or `SlowDown`.",
    cause="CloudFront accepted the signature and asked S3, and S3 did not return the object. The code says why.",
    fix="Look up the code in the list of S3's errors. Check the object (its storage class, its encryption) and the "
    "bucket.",
    recipe="origin-access",
    guide=_S3,
)
def s3_refused(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "s3" or response.status < 400 or is_s3(facts.host):
        return None
    if any(known(facts) for known in _EXPLAINED):
        return None
    title, cause, fix = _CODES.get(response.code, ("", "", ""))
    if not response.code:
        fix = "Repeat the request with GET: the body of the response names the code. HEAD gets no body."
    return Found(f"The response is {response.shown.rstrip('.')}.", title=title, cause=cause, fix=fix)


_EXPLAINED = (
    s3_access_denied,
    s3_may_not_decrypt,
    s3_redirected,
    s3_signature_does_not_match,
    s3_invalid_access_key_id,
    s3_wants_its_own_signature,
    s3_no_such_key,
)
_CODES = {
    "InvalidObjectState": (
        "The object is archived, so that S3 cannot serve it",
        "CloudFront allowed the request. The object is in an archive (S3 Glacier, or Intelligent-Tiering's archive).",
        "Restore the object (aws s3api restore-object), or keep files that are served in another storage class.",
    ),
    "SlowDown": (
        "S3 gets too many requests for this part of the bucket",
        "CloudFront allowed the request. S3 limits the requests for each prefix of keys.",
        "Let CloudFront keep the files longer, and turn on Origin Shield. S3 grows with the load after some minutes.",
    ),
    "MethodNotAllowed": (
        "S3 does not allow this method on the object",
        "CloudFront allowed the request. The newest version is a delete marker, or the method writes.",
        "Use GET or HEAD. Restore the object if it was deleted.",
    ),
    "InvalidRange": (
        "The request asks for bytes behind the end of the file",
        "CloudFront allowed the request. The file is shorter than the player or the program expects.",
        "Upload the whole file again, and invalidate the cache.",
    ),
    "NoSuchVersion": ("The version of the object does not exist", "", ""),
    "NoSuchWebsiteConfiguration": (
        "The bucket has no website, but the origin is its website endpoint",
        "CloudFront allowed the request. The origin's name is a website endpoint (s3-website).",
        "Use the bucket's own name (BUCKET.s3.REGION.amazonaws.com) as the origin, with an origin access control.",
    ),
}
