"""Signing parameters: missing, or under another name."""

from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage


@rule(
    "not-signed",
    "The request has no signature",
    stage=Stage.CREDENTIALS,
    looks="CloudFront returns `MissingKey`: `Missing Key-Pair-Id query parameter or cookie value`.",
    cause="The cache behavior allows only requests with a signed URL or signed cookies, and this request has neither. "
    "Usually the unsigned URL was used by mistake, or the browser did not send the cookies.",
    fix="Use the signed URL as the signer returned it. With cookies, check in the browser's network view that it "
    "sends the three CloudFront- cookies with this request.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def not_signed(facts: Facts) -> Found | None:
    if facts.pasted is not None and facts.pasted.lost:
        return None
    if facts.given or facts.public or facts.cookies:
        return None
    if any(name.lower() in _LOWER or name.lower() in _S3_NAMES for name in facts.names_of()):
        return None
    cookie = "no Cookie header was given"
    return Found(
        f"The URL has none of the parameters Expires, Policy, Signature, Key-Pair-Id; and {cookie}.",
        certainty="certain" if facts.behavior or facts.keys is not None or facts.response else "possible",
    )


_S3_NAMES = ("x-amz-signature", "x-amz-credential", "awsaccesskeyid")
_LOWER = frozenset(
    prefix + name
    for prefix in ("", "cloudfront-", "amp;")
    for name in ("expires", "policy", "signature", "key-pair-id", "hash-algorithm")
)


@rule(
    "html-escaped-ampersand",
    "The link was copied from HTML: it has &amp; instead of &",
    stage=Stage.CREDENTIALS,
    looks="The URL contains `&amp;Signature=`. CloudFront returns `MissingKey`.",
    cause="HTML writes & as &amp;. A URL copied from HTML, XML or an email template must be unescaped. Here a "
    "parameter is named `amp;Signature`, which CloudFront does not know.",
    fix="Escape the URL exactly once, with your template's own escaping. Read it from the parsed document.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def html_escaped_ampersand(facts: Facts) -> Found | None:
    if facts.changed is not None and facts.repaired("html-escaped-ampersand"):
        return Found(
            "The link was pasted with &amp; between its parameters. The rest of this report is without it."
            + facts.without_that
        )
    names = [name for name in facts.names_of() if name.startswith("amp;") and name.lower() in _LOWER]
    return Found(f"The query string has {', '.join(names)}.") if names else None


@rule(
    "parameter-name-case",
    "A signing parameter's name has the wrong case",
    stage=Stage.CREDENTIALS,
    looks="The URL has `key-pair-id=` or `expires=`, or a cookie is named `Cloudfront-Policy`. CloudFront returns "
    "`MissingKey` or `MalformedPolicy`.",
    cause="The names are case-sensitive. CloudFront treats a name in another case as a parameter of your own.",
    fix="Write Expires, Policy, Signature, Key-Pair-Id, Hash-Algorithm. For cookies, put CloudFront- before the name.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def parameter_name_case(facts: Facts) -> Found | None:
    right = {"expires": "Expires", "policy": "Policy", "signature": "Signature", "key-pair-id": "Key-Pair-Id"}
    right["hash-algorithm"] = "Hash-Algorithm"
    wrong = [
        (name, right[name.lower()]) for name in facts.names_of() if name.lower() in right and name not in right.values()
    ]
    for name, _ in facts.cookies:
        tail = name.lower().removeprefix("cloudfront-")
        if name.lower().startswith("cloudfront-") and tail in right and name != f"CloudFront-{right[tail]}":
            wrong.append((name, f"CloudFront-{right[tail]}"))
    wrong = [(name, meant) for name, meant in wrong if meant.removeprefix("CloudFront-") not in facts.given]
    # A single `policy=` or `expires=` can be an application's own parameter.
    if not wrong or not (facts.given or len(wrong) >= 2):
        return None
    return Found("Wrong names: " + "; ".join(f"{name} (should be {meant})" for name, meant in wrong) + ".")


@rule(
    "parameter-twice",
    "A signing parameter appears twice",
    stage=Stage.CREDENTIALS,
    looks="The URL has `Signature=` or `Expires=` twice, often because a signed URL was signed again.",
    cause="CloudFront can read only one value of each signing parameter.",
    fix="Sign the URL without the parameters of an earlier signature.",
    recipe="sign-url",
    guide="private-content-signed-urls.html",
)
def parameter_twice(facts: Facts) -> Found | None:
    names = [name for name in facts.names_of() if name in facts.given]
    twice = sorted({name for name in names if names.count(name) > 1}) if facts.by_url else []
    return Found(f"{', '.join(twice)} appears more than once in the URL.") if twice else None
