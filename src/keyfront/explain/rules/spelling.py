"""Bytes: paths and query strings that were signed in another form than they were asked in."""

import re
from urllib.parse import unquote

from keyfront.core.resource import covers
from keyfront.explain.facts import Facts
from keyfront.explain.registry import Found, rule
from keyfront.explain.rules import keys
from keyfront.explain.rules.resource import bare, mismatch, proof
from keyfront.explain.values import Stage

_CANNED = "private-content-creating-signed-url-canned-policy.html"
_CUSTOM = "private-content-creating-signed-url-custom-policy.html"


@rule(
    "path-encoding-differs",
    "The path is percent-encoded in another way than the one that was signed",
    stage=Stage.RESOURCE,
    looks="Names with spaces, umlauts, brackets or commas are refused with `AccessDenied`; plain names work.",
    cause="CloudFront compares the bytes that the viewer sends. A browser sends a space as %20 and ü as %C3%BC; if "
    "the plain form was signed, or another part of the program encodes after signing, the two differ.",
    fix="Encode the path first, then sign, and never touch the result.",
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
    "The query string is percent-encoded in another way than the one that was signed",
    stage=Stage.RESOURCE,
    looks="Links with `response-content-disposition` and a file name are refused with `AccessDenied`.",
    cause="CloudFront compares the bytes that the viewer sends. Browsers send ' as %27, SDKs may encode the query "
    "string after they signed it, and ( ) ! * are encoded by some and left by others.",
    fix="Encode the parameter's value first (also ' ( ) ! *), then sign, and never touch the result.",
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
    "A space and a + were taken for each other",
    stage=Stage.RESOURCE,
    looks="File names with spaces or plus signs are refused with `AccessDenied`.",
    cause="A form encodes a space as +, a path as %20. To CloudFront these are different bytes, and in a path + is a "
    "plus sign.",
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
    looks="CloudFront answers `AccessDenied` to links with two parameters or more of your own.",
    cause="The query string is part of what is signed, byte by byte. A URL builder, a proxy or a framework sorted the "
    "parameters afterwards.",
    fix="Put the parameters into the URL first, then sign it, and hand it on untouched.",
    recipe="sign-url",
    guide=_CANNED,
)
def query_order_differs(facts: Facts) -> Found | None:
    return proof(facts, "query-order-differs")


@rule(
    "query-added",
    "Parameters were added after signing",
    stage=Stage.RESOURCE,
    looks="The link works as it was made and fails with `?utm_source=…`, a version, or `response-content-disposition` "
    "added.",
    cause="With a canned policy the whole query string is signed. Whatever is added later makes it another URL.",
    fix="Add the parameters before signing. If others add them (trackers, players), sign a custom policy whose "
    "resource ends with *.",
    recipe="query-added",
    guide=_CANNED,
)
def query_added(facts: Facts) -> Found | None:
    if keys.parameter_name_case(facts):
        return None  # What is too many there is the misspelt parameter.
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
    "The resource asks for a query string that the request does not have",
    stage=Stage.RESOURCE,
    looks="The `Resource` holds a `?` with parameters. CloudFront answers `AccessDenied`.",
    cause="A pattern with a query string covers only URLs that have one that fits.",
    fix="Leave the query string out of Resource, or end it with * behind the path.",
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
    "The signed path and the one that was asked differ in a slash at the end",
    stage=Stage.RESOURCE,
    looks="CloudFront answers `AccessDenied` to a folder's address.",
    cause="/folder and /folder/ are two URLs.",
    fix="Sign the path as it stands in the link.",
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
    "Signed with another number of slashes",
    stage=Stage.RESOURCE,
    looks="The URL holds `//` behind the host, because a base address that ends with / and a key that begins with / "
    "were joined.",
    cause="//file and /file are two URLs to whoever compares bytes.",
    fix="Join host and key with exactly one slash, before signing.",
    recipe="resource",
    guide=_CANNED,
)
def slashes_differ(facts: Facts) -> Found | None:
    if found := proof(facts, "slashes-differ"):
        return found

    def single(url: str) -> str:
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{re.sub('//+', '/', rest)}"

    def doubled(url: str) -> str:
        scheme, _, rest = url.partition("://")
        return f"{scheme}://{rest.replace('/', '//', 1)}"

    pattern = mismatch(facts, single) or mismatch(facts, doubled)
    return Found(f"The policy allows {bare(pattern)}; the request asks for {bare(facts.url)}.") if pattern else None


@rule(
    "case-differs",
    "Small and capital letters differ from what was signed",
    stage=Stage.RESOURCE,
    looks="CloudFront answers `AccessDenied`. The path holds capital letters.",
    cause="Paths are case-sensitive in what is signed, in path patterns and in S3's keys.",
    fix="Keep the path as it is: do not lower it on the way to or from the signer.",
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
    looks="The signer was given `https://…/file?`. CloudFront answers `AccessDenied`.",
    cause="CloudFront takes the signing parameters out of the query string, and a ? that is then left over too. The "
    "policy has to be made without it.",
    fix="Sign the URL without a ? or & at its end.",
    recipe="sign-url",
    guide=_CANNED,
)
def dangling_question_mark(facts: Facts) -> Found | None:
    return proof(facts, "dangling-question-mark")


@rule(
    "html-escaped",
    "The URL was signed with &amp; in place of &",
    stage=Stage.RESOURCE,
    looks="CloudFront answers `AccessDenied` to links with two parameters or more of your own.",
    cause="The URL was escaped for HTML before it was signed.",
    fix="Sign the bare URL, and escape for HTML afterwards, when it is written into a page.",
    recipe="sign-url",
    guide=_CANNED,
)
def html_escaped(facts: Facts) -> Found | None:
    return proof(facts, "html-escaped")


@rule(
    "white-space-signed",
    "White space or quotes were signed with the URL",
    stage=Stage.RESOURCE,
    looks="The URL came from a file or an environment variable. CloudFront answers `AccessDenied`.",
    cause="A line end, a space or a quotation mark at the end of the URL became part of what was signed.",
    fix="Strip the URL before signing it.",
    recipe="sign-url",
    guide=_CANNED,
)
def white_space_signed(facts: Facts) -> Found | None:
    return proof(facts, "white-space-signed")
