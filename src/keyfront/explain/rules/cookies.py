"""Cookies: not sent, re-encoded, incomplete, or not looked at."""

import re
from urllib.parse import unquote

from keyfront.core.verification import ViewerRequest, verify
from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_PAGE = "private-content-signed-cookies.html"
_ATTRIBUTES = frozenset({"domain", "path", "secure", "httponly", "samesite", "max-age"})


def _attributes(facts: Facts) -> dict[str, str]:
    """Attributes of Set-Cookie lines that were pasted in place of a Cookie header; empty for a Cookie header."""
    found = {name.lower(): value for name, value in facts.cookies if name.lower() in _ATTRIBUTES}
    return found if facts.signed_cookies else {}


@rule(
    "cookies-not-sent",
    "The browser did not send CloudFront's cookies",
    stage=Stage.CREDENTIALS,
    looks="Other cookies arrive, those that begin with CloudFront- do not. CloudFront answers `MissingKey`.",
    cause="Browsers send a cookie only where its Domain, Path, Secure and SameSite allow it. A cookie that "
    "app.example.com sets for itself never reaches d….cloudfront.net or cdn.example.com; scripts need `credentials: "
    "'include'`.",
    fix="Serve the files under a name of your own domain, and set the cookies with Domain=example.com, Path=/, "
    "Secure. Let players and fetch() send credentials.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookies_not_sent(facts: Facts) -> Found | None:
    if facts.given or facts.public or not facts.cookies or facts.signed_cookies:
        return None
    if any(name.lower().startswith(("cloudfront-", "x-amz-")) for name, _ in (*facts.cookies, *facts.sent)):
        return None
    names = ", ".join(hiding.name(name) if value else hiding.HIDDEN for name, value in facts.cookies[:6])
    return Found(f"The Cookie header holds {names}, and none of CloudFront's.")


@rule(
    "cookies-incomplete",
    "One of the three signed cookies is missing",
    stage=Stage.CREDENTIALS,
    looks="Two of CloudFront's cookies arrive. CloudFront answers `MissingKey`, `MalformedPolicy` or "
    "`MalformedSignature`.",
    cause="CloudFront needs three cookies together: Key-Pair-Id, Signature, and Policy or Expires. Browsers drop a "
    "cookie over 4,096 bytes, and frameworks drop those that were set under another name or path.",
    fix="Set all three in the same answer, with the same Domain and Path. Keep the policy short: use wildcards.",
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
    return Found(f"{', '.join(missing)} is missing; there: {there}.") if missing else None


@rule(
    "cookies-re-encoded",
    "A framework encoded the cookies' values",
    stage=Stage.CREDENTIALS,
    looks="The cookies hold `%`, quotes, or begin with `s:` or `j:`. CloudFront answers `MalformedPolicy`, "
    "`MalformedSignature` or `InvalidKey`.",
    cause="CloudFront takes a cookie's value as it is. Many frameworks percent-encode values, put quotes around them, "
    "encrypt or sign them.",
    fix="Write the Set-Cookie headers yourself, or switch the encoding off (Express: encode: String; Laravel: "
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
        f"{', '.join(wrong)} was changed on its way: the value of {wrong[0]} "
        f"{_mark(facts.given[wrong[0].removeprefix('CloudFront-')])}."
    )


def _mark(value: str) -> str:
    """What shows that a value was encoded, and no more of it."""
    start = re.match(r"[\"']|[sj]:|eyJpdiI6", value)
    if start is not None:
        return f"begins with {start[0]}"
    escape = next(iter(re.findall(r"%[0-9A-Fa-f]{2}", value)), "")
    return f"holds {escape}, which stands for {unquote(escape)!a}"


@rule(
    "cookie-twice",
    "One of the signed cookies arrives twice",
    stage=Stage.CREDENTIALS,
    severity="warning",
    looks="Old cookies with another Domain or Path are still in the browser.",
    cause="Cookies with the same name and another Domain or Path stand side by side, and the browser sends both. We "
    "take it that the first counts, which is the one with the longer path.",
    fix="Delete the old cookies (Max-Age=0 with their Domain and Path), and always set them with the same attributes.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_twice(facts: Facts) -> Found | None:
    names = [name for name, _ in facts.cookies if name.removeprefix("CloudFront-") in facts.signed_cookies]
    twice = sorted({name for name in names if names.count(name) > 1})
    return Found(f"{', '.join(twice)} is there more than once.") if twice else None


@rule(
    "cookies-ignored",
    "The cookies do not count: the URL carries a signing parameter",
    stage=Stage.CREDENTIALS,
    severity="note",
    looks="Signed cookies are there, and the URL holds `Expires`, `Policy`, `Signature` or `Key-Pair-Id` as well.",
    cause="A URL with any signing parameter is judged as a signed URL; cookies are then not looked at.",
    fix="Ask for the bare URL if the cookies are meant. Do not name a parameter of your own Expires, Policy or "
    "Signature.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookies_ignored(facts: Facts) -> Found | None:
    if not (facts.by_url and facts.signed_cookies):
        return None
    alone = verify(ViewerRequest(facts.url, facts.request.cookie, facts.request.ip), facts.keys or {}, facts.now)
    names = ", ".join(name for name in facts.given)
    if alone.allowed and not facts.decision.allowed:
        return Found(f"The cookies alone would be let in; the URL's {names} is judged in their place.")
    if alone.reason == "expired" and facts.decision.allowed:
        return Found("The cookies have expired, which does no harm: the URL is judged, and it is in order.")
    return Found(f"The URL's {names} is judged in place of the cookies.")


@rule(
    "cookie-domain-differs",
    "The cookies are set for another domain",
    stage=Stage.CREDENTIALS,
    looks="The browser shows the cookies, and does not send them to CloudFront, which answers `MissingKey`.",
    cause="A browser sends a cookie to its Domain and the names below it, nowhere else. No site may set one for "
    "cloudfront.net or another public suffix.",
    fix="Serve the files under your own domain (an alternate domain name), and set Domain to the part that both names "
    "share.",
    recipe="cookie-domain",
    guide=_PAGE,
)
def cookie_domain_differs(facts: Facts) -> Found | None:
    domain = _attributes(facts).get("domain", "").lstrip(".").lower()
    host = facts.host.partition(":")[0]
    if not domain:
        return None
    if domain == "cloudfront.net":
        return Found("Domain is cloudfront.net, for which browsers take no cookies.")
    if host == domain or host.endswith(f".{domain}"):
        return None
    return Found(f"Domain is {domain}; the request asks for {host}.")


@rule(
    "cookie-path-differs",
    "The cookies are set for another path",
    stage=Stage.CREDENTIALS,
    looks="The cookies go out with some requests and not with others. CloudFront answers `MissingKey`.",
    cause="A browser sends a cookie only for its Path and what lies below. Without Path it takes the folder of the "
    "page that set it.",
    fix="Set Path=/.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_path_differs(facts: Facts) -> Found | None:
    path = _attributes(facts).get("path", "")
    if not path.startswith("/") or facts.path == path or facts.path.startswith(path.rstrip("/") + "/"):
        return None
    return Found(f"Path is {path}; the request asks for {facts.path}.")


@rule(
    "cookie-secure-over-http",
    "The cookies are Secure, and the request goes over http",
    stage=Stage.CREDENTIALS,
    looks="Works over https and not over http. CloudFront answers `MissingKey`.",
    cause="Browsers send a cookie with Secure over https only.",
    fix="Ask by https. Set the behavior to redirect http to https.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_secure_over_http(facts: Facts) -> Found | None:
    if "secure" not in _attributes(facts) or facts.scheme != "http":
        return None
    return Found("The cookies were set with Secure; the request asks for an http:// URL.")


@rule(
    "cookie-not-secure",
    "The cookies are not Secure, and the site is served over https",
    stage=Stage.CREDENTIALS,
    severity="warning",
    looks="Everything works. A Set-Cookie line has no `Secure`.",
    cause="A browser sends a cookie without Secure over http as well, where everybody on the way can read it, and "
    "download with it until it expires. With SameSite=None browsers drop it at once.",
    fix="Set Secure. Leave it out on a laptop that speaks http only.",
    recipe="sign-cookies",
    guide=_PAGE,
)
def cookie_not_secure(facts: Facts) -> Found | None:
    attributes = _attributes(facts)
    if not attributes or "secure" in attributes or facts.scheme != "https":
        return None
    return Found("The cookies were set without Secure; the request asks for an https:// URL.")
