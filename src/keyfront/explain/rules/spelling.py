"""Bytes: paths and query strings that were signed in one form and requested in another."""

import re
from urllib.parse import unquote

from keyfront.core.resource import covers
from keyfront.explain import neighbours
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules.credentials import parameter_name_case
from keyfront.explain.rules.resource import bare, mismatch, proof
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"


@rule(
    "path-encoding-differs",
    "The path's percent-encoding differs from the signed one",
    stage=Stage.RESOURCE,
    looks="Names with spaces, umlauts, brackets or commas are refused with `AccessDenied`. Plain names work.",
    cause="CloudFront compares the bytes that the viewer sends. A browser sends a space as %20 and ü as %C3%BC. The "
    "bytes differ if the plain form was signed, or if another part of the program encodes after signing.",
    fix="Encode the path first, then sign, and never change the result.",
    recipe="percent-encoding",
    guide=_CANNED,
)
def path_encoding_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "path-encoding-differs"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or facts.proved("plus-for-space"):
        return None
    if unquote(pattern) == unquote(facts.url) or covers(unquote(pattern), unquote(facts.url)):
        path, asked = (text.partition("?")[0] for text in (pattern, facts.url))
        return (
            Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.")
            if path != asked
            else None
        )
    return None


@rule(
    "query-encoding-differs",
    "The query string's percent-encoding differs from the signed one",
    stage=Stage.RESOURCE,
    looks="Links with `response-content-disposition` and a file name are refused with `AccessDenied`.",
    cause="CloudFront compares the bytes that the viewer sends. Browsers send ' as %27. SDKs may encode the query "
    "string after signing it. Some programs encode ( ) ! * and others do not.",
    fix="Encode the parameter's value first (also ' ( ) ! *), then sign, and never change the result.",
    recipe="percent-encoding",
    guide="QueryStringParameters.html",
)
def query_encoding_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "query-encoding-differs"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or "?" not in pattern or path_encoding_differs(facts):
        return None
    if unquote(pattern) == unquote(facts.url):
        return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.")
    return None


@rule(
    "plus-for-space",
    "A space and a + were confused",
    stage=Stage.RESOURCE,
    looks="File names with spaces or plus signs are refused with `AccessDenied`.",
    cause="A form encodes a space as +, a path encodes it as %20. CloudFront sees different bytes, and in a path + is "
    "a plus sign.",
    fix="Encode spaces as %20 (quote, encodeURIComponent, rawurlencode), then sign.",
    recipe="spaces",
    guide=_CANNED,
)
def plus_for_space(facts: Facts) -> Found | None:
    if found := proof(facts, "plus-for-space"):
        return found
    for one, other in (("%20", "+"), ("+", "%20")):
        if pattern := mismatch(facts, lambda url, one=one, other=other: url.replace(one, other)):  # type: ignore[misc]
            return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.")
    return None


@rule(
    "query-order-differs",
    "The parameters were signed in another order",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied` for links with two or more parameters of your own.",
    cause="The query string is part of what is signed, byte by byte. A URL builder, a proxy or a framework sorted the "
    "parameters after signing.",
    fix="Put the parameters into the URL first, then sign it, and pass it on unchanged.",
    recipe="sign-url",
    guide=_CANNED,
)
def query_order_differs(facts: Facts) -> Found | None:
    return proof(facts, "query-order-differs")


@rule(
    "query-added",
    "Parameters were added after signing",
    stage=Stage.RESOURCE,
    looks="The link works as it was made, and fails with `?utm_source=…`, a version, or "
    "`response-content-disposition` added.",
    cause="With a canned policy the whole query string is signed. Anything added later makes it a different URL.",
    fix="Add the parameters before signing. If others add them (trackers, players), sign a custom policy with a "
    "resource that ends with *.",
    recipe="query-added",
    guide=_CANNED,
)
def query_added(facts: Facts) -> Found | None:
    if parameter_name_case(facts):
        return None  # The added parameter is a misspelt signing parameter.
    if found := proof(facts, "query-added"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or "?" not in facts.url or "?" in pattern:
        return None
    if covers(pattern, facts.url.partition("?")[0]):
        return Found(
            f"The policy allows {bare(pattern)} without a query string; the request asks for {bare(facts.url)}.",
            fix="Sign a resource that ends with *, or add the parameters before signing.",
        )
    return None


@rule(
    "query-missing",
    "The resource requires a query string that the request does not have",
    stage=Stage.RESOURCE,
    looks="`Resource` contains a `?` with parameters. CloudFront returns `AccessDenied`.",
    cause="A pattern with a query string covers only URLs with a query string that matches.",
    fix="Leave the query string out of Resource, or end Resource with * after the path.",
    recipe="resource",
    guide=_CUSTOM,
)
def query_missing(facts: Facts) -> Found | None:
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource") or "?" in facts.url or "?" not in pattern:
        return None
    shorter = pattern.replace("\\?", "?").rpartition("?")[0]
    return (
        Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.")
        if covers(shorter, facts.url)
        else None
    )


@rule(
    "trailing-slash-differs",
    "The signed and the requested path differ by a slash at the end",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied` for a folder's URL.",
    cause="/folder and /folder/ are different URLs.",
    fix="Sign the path exactly as it is in the link.",
    recipe="resource",
    guide=_CANNED,
)
def trailing_slash_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "trailing-slash-differs"):
        return found

    def other(url: str) -> str:
        path, mark, query = url.partition("?")
        return (path[:-1] if path.endswith("/") else f"{path}/") + mark + query

    pattern = mismatch(facts, other)
    return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.") if pattern else None


@rule(
    "slashes-differ",
    "The signed URL has a different number of slashes",
    stage=Stage.RESOURCE,
    looks="The URL has `//` after the host, because a base URL that ends with / was joined with a key that begins "
    "with /.",
    cause="CloudFront compares bytes, so //file and /file are different URLs.",
    fix="Join the host and the key with exactly one slash before signing.",
    recipe="resource",
    guide=_CANNED,
)
def slashes_differ(facts: Facts) -> Found | None:
    if found := proof(facts, "slashes-differ"):
        return found

    def single(url: str) -> str:
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{re.sub('//+', '/', rest)}"

    start = f"{facts.scheme}://{facts.host}"
    asked = facts.url.removeprefix(f"{start}{facts.path}")
    others = [path for _, path in neighbours.slashed(facts.path)] + [f"/{facts.path}", facts.path[1:]]
    pattern = mismatch(facts, single) or next(
        filter(None, (mismatch(facts, lambda _, path=path: f"{start}{path}{asked}") for path in others)),  # type: ignore[misc]
        None,
    )
    return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.") if pattern else None


@rule(
    "case-differs",
    "Upper and lower case differ from the signed URL",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied`. The path contains capital letters.",
    cause="Paths are case-sensitive in signed URLs, in path patterns and in S3 keys.",
    fix="Keep the path as it is. Do not change it to lower case before or after signing.",
    recipe="resource",
    guide=_CANNED,
)
def case_differs(facts: Facts) -> Found | None:
    if found := proof(facts, "case-differs"):
        return found
    pattern = facts.resource()
    if pattern is None or not facts.failed("resource"):
        return None
    return (
        Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.")
        if covers(pattern.lower(), facts.url.lower())
        else None
    )


@rule(
    "dangling-question-mark",
    "A ? or & without parameters was signed",
    stage=Stage.RESOURCE,
    looks="The signer was given `https://…/file?`. CloudFront returns `AccessDenied`.",
    cause="CloudFront removes the signing parameters from the query string, and then a ? with nothing after it. The "
    "policy must be made without that ?.",
    fix="Sign the URL without a ? or & at its end.",
    recipe="sign-url",
    guide=_CANNED,
)
def dangling_question_mark(facts: Facts) -> Found | None:
    return proof(facts, "dangling-question-mark")


@rule(
    "html-escaped",
    "The URL was signed with &amp; instead of &",
    stage=Stage.RESOURCE,
    looks="CloudFront returns `AccessDenied` for links with two or more parameters of your own.",
    cause="The URL was escaped for HTML before it was signed.",
    fix="Sign the plain URL. Escape it for HTML afterwards, when it is written into a page.",
    recipe="sign-url",
    guide=_CANNED,
)
def html_escaped(facts: Facts) -> Found | None:
    return proof(facts, "html-escaped")


@rule(
    "white-space-signed",
    "White space or quotes were signed as part of the URL",
    stage=Stage.RESOURCE,
    looks="The URL came from a file or an environment variable. CloudFront returns `AccessDenied`.",
    cause="A line end, a space or a quotation mark at the end of the URL was signed with it.",
    fix="Strip the URL before signing it.",
    recipe="sign-url",
    guide=_CANNED,
)
def white_space_signed(facts: Facts) -> Found | None:
    return proof(facts, "white-space-signed")
