"""Hosts and requests: where the request went, and what CloudFront refuses before it checks a signature."""

import re

from keyfront.core.access import HTTPS_ONLY, REDIRECTS
from keyfront.core.s3 import is_s3
from keyfront.core.urls import MAX_URL_BYTES
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "CNAMEs.html"
_SETTINGS = "DownloadDistValuesCacheBehavior.html"


@rule(
    "s3-was-asked",
    "The link leads to S3, not to CloudFront",
    stage=Stage.HOST,
    looks="The URL's host is `….s3.….amazonaws.com`. S3 returns `AccessDenied` with a `RequestId`, or mentions "
    "`AWSAccessKeyId`.",
    cause="S3 does not know CloudFront's signatures (Key-Pair-Id). The bucket's URL was signed and requested instead "
    "of the distribution's.",
    fix="Sign and request https://<your distribution's name>/<path>.",
    recipe="origin-host",
    guide="private-content-signed-urls.html",
)
def s3_was_asked(facts: Facts) -> Found | None:
    if not is_s3(facts.host):
        return None
    if any(name.lower() in ("x-amz-signature", "awsaccesskeyid") for name in facts.names_of()):
        return Found(f"The host is {facts.host}, and the link was presigned for S3. CloudFront is not involved.")
    return Found(f"The host is {facts.host}.")


@rule(
    "s3-presigned-at-cloudfront",
    "The link was presigned for S3, but the request went to CloudFront",
    stage=Stage.CREDENTIALS,
    looks="The URL contains `X-Amz-Signature` or `AWSAccessKeyId`. CloudFront returns `MissingKey`, or S3 "
    "`SignatureDoesNotMatch`.",
    cause="S3's presigned links are for S3's host, and S3 checks them. They are not valid with CloudFront's host, and "
    "CloudFront requires a signature made with a CloudFront key pair.",
    fix="Sign with CloudFront's signer (a Key-Pair-Id that begins with K), not with the S3 client's presigner.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def s3_presigned_at_cloudfront(facts: Facts) -> Found | None:
    names = [
        name for name in facts.names_of() if name.lower() in ("x-amz-signature", "x-amz-credential", "awsaccesskeyid")
    ]
    if not names or is_s3(facts.host) or facts.key_pair_id or facts.public:
        return None
    return Found(f"The query string has {', '.join(names)} and no Key-Pair-Id.")


@rule(
    "host-not-of-distribution",
    "This host name does not belong to the distribution",
    stage=Stage.HOST,
    looks="CloudFront returns 403 with an HTML page: `Bad request. We can't connect to the server for this app or "
    "website`.",
    cause="A request reaches a distribution by its domain name (d….cloudfront.net) or by one of its alternate domain "
    "names. A DNS record alone is not enough.",
    fix="Add the name to the distribution's alternate domain names, with a certificate for it.",
    recipe="host",
    guide=_PAGE,
)
def host_not_of_distribution(facts: Facts) -> Found | None:
    if facts.distribution is None or not facts.distribution.names or facts.distribution.answers_to(facts.host):
        return None
    return Found(
        f"The request is for {facts.host}; the distribution's names are {', '.join(facts.distribution.names)}."
    )


@rule(
    "distribution-disabled",
    "The distribution is disabled",
    stage=Stage.HOST,
    looks="Nothing is served any more.",
    cause="A disabled distribution serves no requests (with 403: assumed; no public source names the response).",
    fix="Enable it and wait until it is deployed.",
    recipe="host",
    guide="HowToEnableDisableDistribution.html",
)
def distribution_disabled(facts: Facts) -> Found | None:
    if facts.distribution is None or facts.distribution.enabled:
        return None
    return Found(f"Distribution {facts.distribution.id} has Enabled set to false.".replace("  ", " "))


@rule(
    "distribution-deploying",
    "The distribution is still being deployed",
    stage=Stage.HOST,
    severity="warning",
    looks="Soon after a change, the link works in some places and not in others.",
    cause="A change takes minutes to reach every edge location. Until then, some locations use the old configuration.",
    fix="Wait until the distribution's status is Deployed, and try again.",
    recipe="host",
    guide="HowToUpdateDistribution.html",
)
def distribution_deploying(facts: Facts) -> Found | None:
    if facts.distribution is None or facts.distribution.deployed:
        return None
    return Found("The distribution's status is InProgress.")


@rule(
    "https-only",
    "Only https is allowed here",
    stage=Stage.BEHAVIOR,
    looks="An http:// URL gets 403 or a redirect to https.",
    cause="The behavior's viewer protocol policy is https-only (403) or redirect-to-https.",
    fix="Use https:// in the link, and sign it with https://.",
    recipe="protocol",
    guide=_SETTINGS,
)
def https_only(facts: Facts) -> Found | None:
    if facts.behavior is None or facts.wrong_protocol is not HTTPS_ONLY:
        return None
    return Found(f"The request uses http://; the behavior {facts.behavior.pattern} is https-only.")


@rule(
    "redirected-to-https",
    "The request is redirected to https, but was not signed for it",
    stage=Stage.BEHAVIOR,
    severity="warning",
    looks="The browser follows a redirect from http to https, and the second request is refused.",
    cause="The behavior redirects http to https. A signature for http:// is not valid for https://.",
    fix="Use https:// in the link, and sign it with https://.",
    recipe="protocol",
    guide=_SETTINGS,
)
def redirected_to_https(facts: Facts) -> Found | None:
    if facts.behavior is None or facts.wrong_protocol not in REDIRECTS:
        return None
    return Found(f"The request uses http://; the behavior {facts.behavior.pattern} redirects to https.")


@rule(
    "method-not-allowed",
    "The behavior does not allow this method",
    stage=Stage.BEHAVIOR,
    looks="CloudFront returns 403 with an HTML page: `not configured to allow the HTTP request method`.",
    cause="By default, behaviors allow GET and HEAD. A browser's preflight needs OPTIONS; an upload needs PUT or POST.",
    fix="Allow the method in the behavior (Allowed HTTP methods).",
    recipe="host",
    guide=_SETTINGS,
)
def method_not_allowed(facts: Facts) -> Found | None:
    if facts.response and facts.response.kind == "method":
        return Found(
            f"CloudFront's page says so{f'; the method of the request is {facts.method}' if facts.method else ''}."
        )
    if facts.behavior is None or facts.wrong_method is None:
        return None
    return Found(
        f"The request uses {facts.method}; the behavior {facts.behavior.pattern} allows "
        f"{', '.join(facts.behavior.methods)}."
    )


@rule(
    "url-too-long",
    "The URL is longer than CloudFront accepts",
    stage=Stage.HOST,
    looks="CloudFront returns 413 or 414.",
    cause="CloudFront accepts URLs of up to 8,192 bytes, including the signing parameters.",
    fix="Shorten your own parameters, or use signed cookies.",
    recipe="sign-cookies",
    guide="cloudfront-limits.html",
)
def url_too_long(facts: Facts) -> Found | None:
    return Found(f"The URL has {facts.size:,} bytes.") if facts.size > MAX_URL_BYTES else None


@rule(
    "url-not-as-sent",
    "A browser sends this URL in another form",
    stage=Stage.HOST,
    severity="warning",
    looks="The URL contains spaces, non-ASCII letters or quotes, or was copied from a mail, a chat, a log or another "
    "link. This report is about the link as it was made.",
    cause="Browsers and HTTP clients percent-encode such characters before they send the request. CloudFront checks "
    "the encoded form.",
    fix="Paste the URL as the browser's network view shows it, or a curl command.",
    recipe="percent-encoding",
    guide="private-content-signed-urls.html",
)
def url_not_as_sent(facts: Facts) -> Found | None:
    if facts.pasted is not None and facts.pasted.lost:
        return _no_link(facts, facts.pasted.lost)
    if facts.proved("url-not-as-sent"):
        return Found(
            f"The signature is for the link without its end: {facts.told('url-not-as-sent')}.",
            title="A character after the link became part of it",
            cause="Mail programs, chats and people put a bracket, a dot or a quotation mark directly after a link.",
            fix="Open the link without that character. It needs no new signature.",
            severity="error",
            stage=Stage.RESOURCE,
        )
    if told := facts.repaired("url-not-as-sent"):
        return _changed_link(facts, told)
    told_elsewhere = any(facts.repaired(each) for each in _TOLD_ELSEWHERE)
    if facts.changed is not None and not told_elsewhere and not (facts.repaired("signature-cut-off") and not facts.key):
        return _changed_link(facts, ("the link as it was pasted asks for something else",))
    odd = re.findall(r"[^\x21-\x7e]|[\"<>`\\^{|}]", facts.request.url)
    return Found(f"It contains {', '.join(dict.fromkeys(ascii(character) for character in odd[:8]))}.") if odd else None


_TOLD_ELSEWHERE = ("html-escaped-ampersand", "key-pair-id-of-another-kind")


def _no_link(facts: Facts, lost: str) -> Found:
    told = f" What was done: {'; '.join(facts.repaired('url-not-as-sent'))}." if facts.given else ""
    return Found(
        f"{lost[:1].upper()}{lost[1:]}.{told}",
        title="This is not a whole link",
        cause="A signed link has a protocol, a host, a path and the signing parameters. A program that has no value "
        "writes undefined or null instead of the link.",
        fix="Paste the whole link, from https:// to the end of its key-pair id. If it is a path, add --host NAME.",
        severity="error",
    )


def _changed_link(facts: Facts, told: tuple[str, ...]) -> Found:
    evidence = f"{'; '.join(told)}. The rest of this report is about the link without that"
    if facts.changed is None:
        return Found(
            f"{evidence}. It asks for the same.",
            title="The link was taken out of what was pasted",
            cause="Mail programs, chats and other services wrap links. A browser finds the link in this one.",
            fix="Nothing, if the link also arrives like this where it is opened.",
        )
    return Found(
        f"{evidence}.{facts.without_that}",
        title="Another program changed the link on its way",
        cause="CloudFront checks the bytes that arrive. Mail programs, chats, shells, logs and redirects escape, break "
        "or extend links, and CloudFront then gets other parameters than the signer made.",
        fix="Open the link as it was made. Send it as a link of its own in HTML, or in one line with a space after it; "
        "encode it once (encodeURIComponent) inside another link. It needs no new signature.",
        severity="error",
    )


@rule(
    "url-part-unset",
    "A part of the URL comes from a variable that was not set",
    stage=Stage.HOST,
    severity="warning",
    looks="The host or a part of the path is `undefined`, `null`, `None` or `[object Object]`.",
    cause="The program that made the URL was given a setting or a field that does not exist, and wrote its language's "
    "word for no value. The signature is right for that URL, but there is no such host or file.",
    fix="Set the value, and make the program stop if it is missing. Then sign the new URL.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def url_part_unset(facts: Facts) -> Found | None:
    if facts.pasted is not None and facts.pasted.lost:
        return None
    if facts.host.partition(":")[0] in _UNSET_HOSTS:
        return Found(f"The host is {facts.host}.", severity="error")
    part = _UNSET_PART.search(facts.path)
    return Found(f"A part of the path is {part[1]}.", "likely") if part else None


_UNSET_HOSTS = ("undefined", "null", "none", "nil", "nan")
_UNSET_PART = re.compile(r"/(undefined|null|None|nil|NaN|%5Bobject%20Object%5D|\[object%20Object\])(?=/|$)")


@rule(
    "path-not-accepted",
    "CloudFront does not accept this path",
    stage=Stage.HOST,
    looks="The path contains `%00`, an encoded null character. CloudFront returns 400 with an HTML page (assumed; no "
    "public source says so). keyfront's edge also answers 400 to a # that a program sends in the path.",
    cause="A null character ends a path for some servers, so that they would serve another file than the one that was "
    "checked.",
    fix="Remove the character from the file's name, and sign the new path. Encode a # in a name as %23 before signing.",
    recipe="percent-encoding",
    guide="RequestAndResponseBehaviorCustomOrigin.html",
)
def path_not_accepted(facts: Facts) -> Found | None:
    return Found("The path contains %00.") if "%00" in facts.path else None
