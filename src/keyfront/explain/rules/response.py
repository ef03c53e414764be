"""Responses: what came back, and which service sent it. At first, most of them look like the same 403."""

from keyfront.core.access import REDIRECTS
from keyfront.explain import hiding
from keyfront.explain.facts import Facts
from keyfront.explain.functions import told
from keyfront.explain.registry import Found, rule
from keyfront.explain.values import Stage

_ERRORS = "http-403-permission-denied.html"


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
    if facts.response and facts.response.kind == "geo-block":
        return Found("CloudFront's page says so.")
    restriction = facts.distribution.geo_restriction if facts.distribution else None
    if restriction is None or facts.distribution is None:
        return None
    countries = ", ".join(sorted(restriction.countries)) or "none"
    says = f"only {countries} get content" if restriction.mode == "whitelist" else f"{countries} get no content"
    if facts.distribution.blocks(facts.country):
        return Found(f"The viewer is in {facts.country}; in this distribution {says}.", stage=Stage.BEHAVIOR)
    if facts.country:
        return None
    return Found(
        f"In this distribution {says}. The viewer's country is not known; give it with --country.",
        certainty="possible",
        title="The distribution gives content to some countries only",
        severity="note",
        stage=Stage.BEHAVIOR,
    )


@rule(
    "waf-blocked",
    "A firewall (AWS WAF) blocked the request",
    stage=Stage.ANSWER,
    looks="An HTML page: `Request blocked. We can't connect to the server for this app or website at this time`, or "
    "a header `x-amzn-waf-action`.",
    cause="A rule of the web access control list in front of the distribution blocked the request before CloudFront "
    "checked any signature.",
    fix="Find the rule in AWS WAF's sampled requests, and make an exception.",
    recipe="host",
    guide="distribution-web-awswaf.html",
)
def waf_blocked(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "waf-block":
        return None
    action = response.headers.get("x-amzn-waf-action", "")
    if not action:
        return Found("CloudFront's page says `Request blocked`.")
    return Found(
        f"The response is {response.shown}, with the header x-amzn-waf-action: {hiding.name(action)}.",
        title="A firewall (AWS WAF) answered with a puzzle instead of the file",
        cause="A rule answers with a CAPTCHA or a challenge. A person's browser can solve it; fetch(), players, image "
        "tags and other programs cannot.",
        fix="Exclude the files' paths from the rule, or let the page solve the puzzle before it asks for the files.",
    )


@rule(
    "edge-function-failed",
    "A function at the edge failed or refused the request",
    stage=Stage.ANSWER,
    looks="502 or 503 with a page that names `the CloudFront function` or `the Lambda function`, or an `X-Cache` such "
    "as `FunctionExecutionError`, `LambdaExecutionError`, `LambdaValidationError` or `LambdaLimitExceeded`.",
    cause="A CloudFront function or a Lambda@Edge function of the behavior threw an error, took too long, was "
    "throttled, or returned something that CloudFront does not accept. It has nothing to do with the signature.",
    fix="Read the function's log: CloudFront functions log in us-east-1, Lambda@Edge in the region near the viewer. "
    "Test it with this request (aws cloudfront test-function).",
    recipe="host",
    guide="troubleshooting-response-errors.html",
)
def edge_function_failed(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind != "function":
        return None
    running = [told(each) for each in facts.behavior.associations] if facts.behavior else []
    whose = f" The behavior runs {' and '.join(running)}." if running else ""
    result = f", with X-Cache: {response.result}" if response.result else ""
    return Found(f"The response is {response.shown}{result}.{whose}", title=_FAILED.get(response.result, ""))


_FAILED = {
    "FunctionExecutionError": "A CloudFront function failed",
    "FunctionThrottledError": "A CloudFront function took too long or was throttled",
    "LambdaExecutionError": "A Lambda@Edge function failed",
    "LambdaLimitExceeded": "A Lambda@Edge function was throttled, or took too long",
    "FunctionGeneratedResponse": "A CloudFront function answered instead of the origin",
    "LambdaGeneratedResponse": "A Lambda@Edge function answered instead of the origin",
    "LambdaValidationError": "A Lambda@Edge function returned something that CloudFront does not accept",
}


@rule(
    "origin-not-reached",
    "CloudFront could not reach the origin",
    stage=Stage.ANSWER,
    looks="502 or 504 with a page: `CloudFront wasn't able to connect to the origin`.",
    cause="CloudFront allowed the request. Then it found no server under the origin's name, could not agree on TLS "
    "with it, or waited too long for its response.",
    fix="Check the origin's name, port and certificate, and that its firewall lets CloudFront in.",
    recipe="host",
    guide="troubleshooting-response-errors.html",
)
def origin_not_reached(facts: Facts) -> Found | None:
    response = facts.response
    return Found(f"The response is {response.shown}.") if response and response.kind == "origin-down" else None


@rule(
    "error-hidden-by-a-page",
    "A custom error response hides the error",
    stage=Stage.ANSWER,
    looks="The answer is 200 with a page such as `/index.html` instead of the file. `X-Cache` says `Error from "
    "cloudfront`.",
    cause="A custom error response of the distribution replaces an error with a page and another status. This is not a "
    "cache: X-Cache says Error.",
    fix="Leave 403 out of the custom error responses for private files, or keep its status (response code 403).",
    recipe="host",
    guide="GeneratingCustomErrorResponses.html",
)
def error_hidden_by_a_page(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind not in ("masked", "other", "cloudfront-page"):
        return None
    masking = facts.distribution.masking(response.status) if facts.distribution else ()
    if not masking and response.kind != "masked":
        return None
    codes = [each.error_code for each in masking]
    shown = " or ".join(map(str, codes)) or "403 or 404"
    pages = ", ".join(dict.fromkeys(each.page_path for each in masking))
    seen = f"X-Cache says {response.result or 'nothing'}; the response is {response.status}"
    turned = f"; {shown} is turned into {response.status} {pages}" if masking else ""
    if facts.keys is not None and not facts.decision.allowed and not facts.public:
        return Found(
            f"{seen}{turned}. CloudFront's own refusal is hidden as well.", severity="warning", stage=Stage.ORIGIN
        )
    let_in = facts.public or (facts.keys is not None and facts.decision.allowed)
    if response.kind != "masked" and not let_in:
        return None
    whose = "the origin's" if let_in else "CloudFront's refusal of the signature, or the origin's"
    return Found(
        f"{seen}{turned}. The error behind it is {whose}.",
        certainty="certain" if let_in and response.kind == "masked" else "likely",
        title=f"The origin answered {shown}, and a custom error response hides it" if let_in else "",
        cause="CloudFront let the request in. The origin then answered with an error: the object does not exist, or "
        "the bucket does not let CloudFront read it. S3 answers 403 for both if CloudFront may not list the bucket. A "
        "custom error response replaces the error with a page. This is not a cache: X-Cache says Error."
        if let_in
        else "",
        fix="Check that the object exists under exactly this path and that the bucket policy allows the distribution. "
        "Leave 403 and 404 out of the custom error responses for private files, so that errors are seen."
        if let_in
        else "",
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
    seen = f"CloudFront's page says `Bad request`; the request asks for {facts.host}."
    if facts.response.status == 400:
        return Found(
            seen,
            "likely",
            title="CloudFront could not read the request",
            cause="The request line or a header is not as HTTP has it: a space, a bare # or a null character in the "
            "path, a wrong Host header, or http sent to the port for https.",
            fix="Percent-encode the path before it is signed, and send the request with a usual client.",
        )
    return Found(seen, certainty="likely")


@rule(
    "origin-refused",
    "Something behind CloudFront refused the request",
    stage=Stage.ANSWER,
    looks="403, 404, a redirect or 5xx with a body that is neither CloudFront's nor S3's.",
    cause="The bodies of CloudFront's own refusals are known. This one comes from your web server, an edge function, "
    "or a custom error page for 403.",
    fix="Check the origin's log, the behavior's functions, and the distribution's custom error responses.",
    recipe="host",
    guide=_ERRORS,
)
def origin_refused(facts: Facts) -> Found | None:
    response = facts.response
    if response is None or response.kind not in ("other", "cloudfront-page", "redirect") or response.status < 300:
        return None
    if facts.wrong_protocol in REDIRECTS or error_hidden_by_a_page(facts):
        return None
    if not response.body.strip() and not response.headers:
        return None
    # A custom error page for 403 looks the same, and then the signature may be the cause.
    unsure = response.status < 500 and not (facts.decision.allowed or facts.public)
    return Found(
        f"The response is {response.shown}.",
        certainty="possible" if unsure else "likely",
        title=_of_status(response.status) if response.kind != "cloudfront-page" else _BEFORE_THE_CHECK,
        cause="A page of CloudFront's own, not of its signature check, whose answer is XML: a firewall, a blocked "
        "country, a host name or a method that the distribution does not have, or http where https is required."
        if response.kind == "cloudfront-page"
        else "",
    )


_BEFORE_THE_CHECK = "CloudFront refused the request, but not because of its signature"


def _of_status(status: int) -> str:
    """Return the title for a status that is not a refusal."""
    if status < 400:
        return "CloudFront allowed the request; the origin or a function redirects it"
    if status == 404:
        return "CloudFront allowed the request; the origin has no file under this path"
    return "CloudFront allowed the request; the origin failed" if status >= 500 else ""


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
    if response is None or not facts.unlike_the_answer:
        return None
    if facts.refused_with == "MissingKey":
        return Found(
            f"CloudFront returned {response.shown}; the request that was given has the key-pair id {facts.shown_id}.",
            cause="CloudFront got a request without its signing parameters: another one than this. A redirect, a proxy "
            "or a rewrite removed the query string, or a page or player asked for a file that was not signed.",
            fix="Find the refused request in the browser's network view, and paste that one (Copy as cURL). Pass the "
            "query string on in redirects and rewrites.",
        )
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
