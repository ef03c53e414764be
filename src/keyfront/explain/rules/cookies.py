"""Cookies: not sent, re-encoded, incomplete, or ignored."""

import re
from collections.abc import Iterator, Mapping
from itertools import islice, product
from urllib.parse import unquote

from keyfront.core.verification import ViewerRequest, verify
from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-signed-cookies.html"
_MOST_COMBINED = 12


@rule(
    "cookies-not-sent",
    "The browser did not send CloudFront's cookies",
    stage=Stage.CREDENTIALS,
    looks="Other cookies arrive, but not those that begin with CloudFront-. CloudFront returns `MissingKey`.",
    cause="Browsers send a cookie only where its Domain, Path, Secure and SameSite allow it. A cookie that "
    "app.example.com sets for itself never reaches d….cloudfront.net or cdn.example.com. Scripts need `credentials: "
    "'include'`.",
    fix="Serve the files under your own domain, and set the cookies with Domain=example.com, Path=/, Secure. Make "
    "players and fetch() send credentials.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookies_not_sent(facts: Facts) -> Found | None:
    if facts.kept_back and facts.response is not None:
        return Found(
            f"CloudFront returned {facts.response.shown}, so that it got no key-pair id; the cookies that were given "
            "did not arrive.",
            "likely",
        )
    if facts.given or facts.public or not facts.cookies or facts.signed_cookies:
        return None
    if any(name.lower().startswith(("cloudfront-", "x-amz-")) for name, _ in (*facts.cookies, *facts.sent)):
        return None
    names = ", ".join(hiding.name(name) if value else hiding.HIDDEN for name, value in facts.cookies[:6])
    return Found(f"The Cookie header has {names}, and none of CloudFront's cookies.")


@rule(
    "cookies-incomplete",
    "One of the three signed cookies is missing",
    stage=Stage.CREDENTIALS,
    looks="Only two of CloudFront's cookies arrive. CloudFront returns `MissingKey`, `MalformedPolicy` or "
    "`MalformedSignature`.",
    cause="CloudFront needs three cookies together: Key-Pair-Id, Signature, and Policy or Expires. Browsers drop a "
    "cookie over 4,096 bytes, and frameworks drop cookies that were set under another name or path.",
    fix="Set all three in the same response, with the same Domain and Path. Use wildcards to keep the policy short.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookies_incomplete(facts: Facts) -> Found | None:
    if not facts.by_cookies:
        return None
    wanted = [("Key-Pair-Id",), ("Signature",), ("Policy", "Expires")]
    missing = [
        " or ".join(f"CloudFront-{name}" for name in names)
        for names in wanted
        if not any(facts.given.get(n) for n in names)
    ]
    there = ", ".join(f"CloudFront-{name}" for name, value in facts.given.items() if value) or "none"
    return Found(f"{', '.join(missing)} is missing; the request has {there}.") if missing else None


@rule(
    "cookies-re-encoded",
    "A framework encoded the cookie values",
    stage=Stage.CREDENTIALS,
    looks="The cookies contain `%` or quotes, or begin with `s:` or `j:`. CloudFront returns `MalformedPolicy`, "
    "`MalformedSignature` or `InvalidKey`.",
    cause="CloudFront reads a cookie's value unchanged. Many frameworks percent-encode, quote, encrypt or sign cookie "
    "values.",
    fix="Write the Set-Cookie headers yourself, or turn the encoding off (Express: encode: String; Laravel: "
    "EncryptCookies::except; Rails: raw header).",
    recipe="cookies-raw",
    guide=_PAGE,
)
def cookies_re_encoded(facts: Facts) -> Found | None:
    if not facts.by_cookies:
        return None
    wrong = [
        f"CloudFront-{name}"
        for name, value in facts.given.items()
        if re.search(r"%[0-9A-Fa-f]{2}", value) or value.startswith(('"', "'", "s:", "j:", "eyJpdiI6"))
    ]
    if not wrong:
        return None
    return Found(
        f"{', '.join(wrong)} was changed: the value of {wrong[0]} "
        f"{_mark(facts.given[wrong[0].removeprefix('CloudFront-')])}."
    )


def _mark(value: str) -> str:
    """Describe the sign that a value was encoded, without showing the rest of the value."""
    start = re.match(r"[\"']|[sj]:|eyJpdiI6", value)
    if start is not None:
        return f"begins with {start[0]}"
    escape = next(iter(re.findall(r"%[0-9A-Fa-f]{2}", value)), "")
    return f"contains {escape}, which is an encoded {unquote(escape)!a}"


@rule(
    "cookie-twice",
    "Two sets of signed cookies arrive together",
    stage=Stage.CREDENTIALS,
    severity="warning",
    looks="Old cookies with another Domain or Path are still in the browser, or cookies for a canned policy (Expires) "
    "are sent with cookies for a custom policy (Policy).",
    cause="A browser keeps cookies with the same name and different Domain or Path side by side, and sends both. The "
    "first one counts (assumed), which has the longer path. Values of two sets do not fit together.",
    fix="Delete the old cookies (Max-Age=0 with their Domain and Path), and always set them with the same attributes.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_twice(facts: Facts) -> Found | None:
    if facts.by_url:
        return None
    values: dict[str, list[str]] = {}
    for name, value in facts.cookies:
        if name.removeprefix("CloudFront-") in facts.signed_cookies and name.startswith("CloudFront-"):
            values.setdefault(name, []).append(value)
    twice = sorted(name for name, given in values.items() if len(given) > 1)
    both = not twice and {"CloudFront-Expires", "CloudFront-Policy"} <= values.keys()
    if not twice and not both:
        return None
    told = (
        "CloudFront-Expires and CloudFront-Policy are both sent"
        if both
        else f"{', '.join(twice)} is sent more than once"
    )
    if facts.decision.allowed or facts.keys is None:
        return Found(f"{told}.")
    opens = any(_opens(facts, each) for each in _sets(values))
    beside = ", and one set of them would be accepted alone" if opens else ""
    return Found(f"{told}{beside}.", "certain" if opens else "likely", severity="error")


def _sets(values: Mapping[str, list[str]]) -> Iterator[dict[str, str]]:
    """Yield every set that the values can make: one of each name, and Expires or Policy."""
    for chosen in islice(product(*values.values()), _MOST_COMBINED):
        whole = dict(zip(values, chosen, strict=True))
        yield whole
        for name in ("CloudFront-Expires", "CloudFront-Policy"):
            yield {other: value for other, value in whole.items() if other != name}


def _opens(facts: Facts, cookies: Mapping[str, str]) -> bool:
    header = "; ".join(f"{name}={value}" for name, value in cookies.items())
    return verify(ViewerRequest(facts.url, header, facts.request.ip), facts.keys or {}, facts.now).allowed


@rule(
    "cookies-ignored",
    "The cookies are ignored: the URL has a signing parameter",
    stage=Stage.CREDENTIALS,
    severity="note",
    looks="The request has signed cookies, and the URL has `Expires`, `Policy`, `Signature` or `Key-Pair-Id` as well.",
    cause="CloudFront checks a URL with any signing parameter as a signed URL, and ignores the cookies.",
    fix="To use the cookies, request the URL without signing parameters. Do not name your own parameters Expires, "
    "Policy or Signature.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookies_ignored(facts: Facts) -> Found | None:
    if not (facts.by_url and facts.signed_cookies):
        return None
    alone = verify(ViewerRequest(facts.url, facts.request.cookie, facts.request.ip), facts.keys or {}, facts.now)
    names = ", ".join(name for name in facts.given)
    if alone.allowed and not facts.decision.allowed:
        return Found(f"The cookies alone would be accepted, but CloudFront checks the URL's {names} instead.")
    if alone.reason == "expired" and facts.decision.allowed:
        return Found("The cookies have expired. This does no harm: CloudFront checks the URL, which is valid.")
    return Found(f"CloudFront checks the URL's {names} instead of the cookies.")


@rule(
    "cookie-domain-differs",
    "The cookies are set for another domain",
    stage=Stage.CREDENTIALS,
    looks="The browser has the cookies but does not send them to CloudFront. CloudFront returns `MissingKey`.",
    cause="A browser sends a cookie only to its Domain and the names below it. No site may set a cookie for "
    "cloudfront.net or another public suffix.",
    fix="Serve the files under your own domain (an alternate domain name), and set Domain to the part that the site's "
    "and the files' names share.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookie_domain_differs(facts: Facts) -> Found | None:
    domain = facts.attributes.get("domain", "").lstrip(".").lower()
    host = facts.host.partition(":")[0]
    if not domain:
        return None
    if domain == "cloudfront.net":
        return Found("Domain is cloudfront.net, for which browsers accept no cookies.")
    if host == domain or host.endswith(f".{domain}"):
        return None
    return Found(f"Domain is {domain}; the request asks for {host}.")


@rule(
    "cookie-path-differs",
    "The cookies are set for another path",
    stage=Stage.CREDENTIALS,
    looks="The browser sends the cookies with some requests and not with others. CloudFront returns `MissingKey`.",
    cause="A browser sends a cookie only for its Path and the paths below it. The default Path is the folder of the "
    "page that set the cookie.",
    fix="Set Path=/.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_path_differs(facts: Facts) -> Found | None:
    path = facts.attributes.get("path", "")
    if not path.startswith("/") or facts.path == path or facts.path.startswith(path.rstrip("/") + "/"):
        return None
    return Found(f"Path is {path}; the request asks for {facts.path}.")


@rule(
    "cookie-secure-over-http",
    "The cookies are Secure, and the request uses http",
    stage=Stage.CREDENTIALS,
    looks="The link works over https and not over http. CloudFront returns `MissingKey`.",
    cause="Browsers send a Secure cookie only over https.",
    fix="Use https. Set the behavior to redirect http to https.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_secure_over_http(facts: Facts) -> Found | None:
    if "secure" not in facts.attributes or facts.scheme != "http":
        return None
    return Found("The cookies were set with Secure; the request asks for an http:// URL.")


@rule(
    "cookie-not-secure",
    "The cookies are not Secure, and the site is served over https",
    stage=Stage.CREDENTIALS,
    severity="warning",
    looks="Everything works. A Set-Cookie line has no `Secure`.",
    cause="A browser also sends a cookie without Secure over http. Anyone on the network can then read it, and "
    "download with it until it expires. With SameSite=None, browsers drop such a cookie at once.",
    fix="Set Secure. Leave it out only on a laptop that serves http.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_not_secure(facts: Facts) -> Found | None:
    attributes = facts.attributes
    if not attributes or "secure" in attributes or facts.scheme != "https":
        return None
    if attributes.get("samesite", "").lower() == "none" or "partitioned" in attributes:
        return Found(
            "The cookies were set with SameSite=None or Partitioned, and without Secure.",
            title="The browser drops the cookies: SameSite=None needs Secure",
            severity="error",
        )
    return Found("The cookies were set without Secure; the request asks for an https:// URL.")
