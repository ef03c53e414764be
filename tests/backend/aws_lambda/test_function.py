"""The function on Amazon's runtime client: who gets a link, in every form of event, and what operators are told."""

import base64
import hashlib
import json
import re
import time
from typing import Any
from urllib.parse import quote, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import OctKey

from keyfront.core.keys import SigningKey
from keyfront.core.verification import ViewerRequest, verify

SECRET = "0123456789abcdef0123456789abcdef"
MARA = {"sub": "mara", "name": "Mara Lindqvist"}
BOOK = "https://media.example.com/books/F%C3%BC%C3%9Fe%20%26%20100%25.epub"
TOKENS = {"JWT_SECRET": SECRET, "JWT_ISSUER": "https://login.example.com/", "JWT_AUDIENCE": "shop"}


def opens(url: str, key: SigningKey, cookies: dict[str, str] | None = None) -> bool:
    cookie = "; ".join(f"{name}={value}" for name, value in (cookies or {}).items())
    return verify(ViewerRequest(url, cookie), {"K2JCJMDEHXQW5F": key.public_key}, time.time()).allowed


def token(**claims: Any) -> str:
    said = {"iss": TOKENS["JWT_ISSUER"], "aud": "shop", "sub": "mara", "exp": int(time.time()) + 300} | claims
    return jwt.encode({"alg": "HS256"}, said, OctKey.import_key(SECRET))


def header(answer: dict[str, Any], name: str) -> str:
    if "multiValueHeaders" in answer:
        return str(answer["multiValueHeaders"][name][0])
    return str(answer["headers"][name])


def test_each_form_of_event_gets_its_own_form_of_303_to_a_link_that_opens(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    function = start(**TOKENS)
    bearer = {"authorization": f"Bearer {token()}", "host": "api.example.com"}
    asked = {
        "http": events.http("/download/lamps", claims=MARA),
        "function URL": events.http("/download/lamps", headers=bearer),
        "stage": events.http("/live/download/lamps", claims=MARA, stage="live"),
        "rest": events.rest("/download/lamps", claims=MARA),
        "balancer": events.balancer("/download/lamps", headers=bearer),
        "balancer, multi": events.balancer("/download/lamps", headers=bearer, many=True),
    }
    for form, event in asked.items():
        answer = function(event)
        assert answer["statusCode"] == 303, (form, answer)
        link = header(answer, "location")
        assert link.startswith(f"{BOOK}?"), form
        assert opens(link, signing_key), form
        assert header(answer, "cache-control") == "no-store"
        assert answer["isBase64Encoded"] is False
        assert answer["body"] == ""
        assert ("statusDescription" in answer) == form.startswith("balancer")
        assert ("cookies" in answer, "multiValueHeaders" in answer) == (False, form in ("rest", "balancer, multi"))


def test_a_link_comes_as_json_for_a_body_in_base64_and_in_plain(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    function = start()
    body = json.dumps({"item": "lamps"})
    kind = {"content-type": "application/json"}
    plain = events.http("/api/links", "POST", claims=MARA, body=body, headers=kind)
    coded = plain | {"body": base64.b64encode(body.encode()).decode(), "isBase64Encoded": True}
    for event in (
        plain,
        coded,
        events.rest("/api/links", "POST", claims=MARA, body=body, many={"Content-Type": [kind["content-type"]]}),
    ):
        answer = function(event)
        assert answer["statusCode"] == 200
        assert header(answer, "content-type") == "application/json"
        said = json.loads(answer["body"])
        assert said["item"] == "lamps"
        assert opens(said["url"], signing_key)


def cookies_of(answer: dict[str, Any]) -> list[str]:
    if "cookies" in answer:
        return list(answer["cookies"])
    if "multiValueHeaders" in answer:
        return list(answer["multiValueHeaders"]["set-cookie"])
    return [value for name, value in answer["headers"].items() if name.lower() == "set-cookie"]


def test_a_stream_opens_whole_with_cookies_for_its_folder_alone(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    function = start(COOKIE_DOMAIN="example.com", **TOKENS)
    bearer = {"authorization": f"Bearer {token()}"}
    for event in (
        events.http("/open/film", claims=MARA),
        events.rest("/open/film", claims=MARA),
        events.balancer("/open/film", headers=bearer, many=True),
        events.balancer("/open/film", headers=bearer),
    ):
        answer = function(event)
        assert answer["statusCode"] == 303
        assert header(answer, "location") == "https://media.example.com/films/harbour/index.m3u8"
        set_cookie = cookies_of(answer)
        assert len(set_cookie) == 3
        assert all(
            "; Path=/films/harbour/; Domain=example.com; Max-Age=3600; Secure; HttpOnly" in each for each in set_cookie
        )
        given = dict(each.partition(";")[0].split("=", 1) for each in set_cookie)
        assert opens("https://media.example.com/films/harbour/segment-17.ts", signing_key, given)
        assert not opens("https://media.example.com/films/other/index.m3u8", signing_key, given)


def test_cookies_for_an_item_in_no_folder_open_that_item_alone(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    answer = start(COOKIE_DOMAIN="example.com")(events.http("/open/root", claims=MARA))
    given = dict(each.partition(";")[0].split("=", 1) for each in answer["cookies"])
    assert opens("https://media.example.com/root.txt", signing_key, given)
    assert not opens("https://media.example.com/other.txt", signing_key, given)


@pytest.mark.parametrize(
    ("variables", "host", "said"),
    [
        ({}, "api.example.com", "COOKIE_DOMAIN is not set: cookies of 'api.example.com' would never reach"),
        ({"COOKIE_DOMAIN": "example.com"}, "api.other.org", "which cannot set cookies for COOKIE_DOMAIN 'example.com'"),
        ({"COOKIE_DOMAIN": "other.org"}, "api.other.org", "the distribution media.example.com is not under it"),
        ({"COOKIE_DOMAIN": "cloudfront.net"}, "a.cloudfront.net", "browsers accept no cookies"),
    ],
)
def test_cookies_that_would_never_reach_the_distribution_are_not_set(
    variables: dict[str, str], host: str, said: str, start: Any, events: Any
) -> None:
    function = start(**variables)
    answer = function(events.http("/open/film", claims=MARA, headers={"host": host}))
    assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (500, "broken")
    assert "cookies" not in answer
    assert said in function.messages


def test_claims_count_from_the_gateway_and_from_nowhere_else(start: Any, events: Any) -> None:
    function = start()
    forged = json.dumps({"jwt": {"claims": MARA}})
    for event in (
        events.http("/download/lamps"),
        events.http("/download/lamps", authorizer={"jwt": {"claims": MARA}}, claims=None),
        events.http("/download/lamps", headers={"authorizer": forged, "x-amzn-claims": forged}),
        events.rest("/download/lamps", authorizer={"claims": MARA}),
        events.balancer("/download/lamps", headers={"x-amzn-oidc-identity": "mara"}),
    ):
        answer = function(event)
        assert answer["statusCode"] == 401
        assert header(answer, "www-authenticate") == 'Bearer realm="downloads"'


REFUSED = (
    ("/download/nothing", MARA, 404, "no_such_item"),
    ("/download/lamps", {"sub": "tomas"}, 403, "not_bought"),
    ("/download/lamps", {"sub": ""}, 401, "invalid_token"),
    ("/download/lamps", {"sub": 7}, 401, "invalid_token"),
    ("/download/", MARA, 404, "no_such_item"),
    ("/download/..%2f..%2fetc", MARA, 404, "no_such_item"),
    ("/download/%00", MARA, 404, "no_such_item"),
    ("/nowhere", MARA, 404, "no_such_page"),
    ("/download/broken", MARA, 500, "broken"),
    ("/download/odd", MARA, 500, "broken"),
)


def test_what_is_refused_says_why_and_is_counted(shared: Any, events: Any) -> None:
    for path, claims, status, error in REFUSED:
        answer = shared(events.http(path, claims=claims))
        assert (answer["statusCode"], json.loads(answer["body"])["error"]) == (status, error), path
        assert "location" not in answer["headers"]
        assert shared.metric("Refusals")[-1]["reason"] == error
        assert "hunter2" not in shared.text + json.dumps(answer)


def test_a_function_of_the_users_that_fails_is_named_with_its_line(shared: Any, events: Any) -> None:
    shared(events.http("/download/broken", claims=MARA))
    shared(events.http("/download/odd", claims=MARA))
    assert re.search(r"sales:may_download raised RuntimeError at .*sales\.py:7", shared.messages)
    assert "sales:may_download returned int: return the object's key, True, False or None" in shared.messages


def test_an_async_function_of_the_users_keeps_its_event_loop(start: Any, events: Any) -> None:
    function = start(KEYFRONT_ENTITLEMENTS="sales:slow.may_download")
    for _ in range(3):
        answer = function(events.http("/download/anything", claims=MARA))
        assert header(answer, "location").startswith("https://media.example.com/1.txt?")


def test_anybody_gets_every_object_by_its_key_and_the_log_warns_of_it(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    function = start(KEYFRONT_ENTITLEMENTS="keyfront.backend:anybody")
    key = "guides/Füße & 灯 + 50%.pdf"
    for event in (events.http(f"/download/{quote(key, safe='')}"), events.balancer(f"/download/{quote(key)}")):
        link = header(function(event), "location")
        assert link.startswith(f"https://media.example.com/{quote(key)}?")
        assert opens(link, signing_key)
    assert "anyone may download everything" in function.messages


def test_head_and_other_methods_answer_as_over_http(shared: Any, events: Any) -> None:
    head = shared(events.http("/download/lamps", "HEAD", claims=MARA))
    assert (head["statusCode"], head["body"]) == (303, "")
    refused = shared(events.http("/download/lamps", "DELETE", claims=MARA))
    assert (refused["statusCode"], header(refused, "allow")) == (405, "GET, HEAD")
    forged = shared(events.http("/api/links", "POST", claims=MARA, headers={"sec-fetch-site": "cross-site"}))
    assert (forged["statusCode"], json.loads(forged["body"])["error"]) == (403, "cross_site")
    long = shared(events.http("/api/links", "POST", claims=MARA, body="x" * 70_000))
    assert long["statusCode"] == 413


def test_a_browser_gets_a_page_whose_style_its_policy_names(shared: Any, events: Any) -> None:
    page = shared(events.http("/download/lamps", headers={"accept": "text/html"}))
    assert page["statusCode"] == 401
    assert header(page, "content-type") == "text/html; charset=utf-8"
    assert "Please sign in first" in page["body"]
    style = page["body"].partition("<style>")[2].partition("</style>")[0]
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"'sha256-{digest}'" in header(page, "content-security-policy")


def test_the_key_is_fetched_once_for_many_downloads(start: Any, events: Any, parameters: Any) -> None:
    function = start()
    for _ in range(5):
        assert function(events.http("/download/lamps", claims=MARA))["statusCode"] == 303
    assert parameters.asked == 1
    downloads = function.metric("Downloads")
    assert len(downloads) == 5
    assert all(0 <= each["KeyAge"][0] < 300 for each in downloads)


@pytest.mark.parametrize(("kind", "asked"), [("on-demand", 1), ("provisioned-concurrency", 1), ("snap-start", 0)])
def test_the_key_is_there_before_the_first_download_but_in_no_snapshot(
    kind: str, asked: int, start: Any, events: Any, parameters: Any
) -> None:
    function = start(AWS_LAMBDA_INITIALIZATION_TYPE=kind)
    assert function(events.http("/healthz"))["statusCode"] == 200
    assert parameters.asked == asked
    assert function(events.http("/download/lamps", claims=MARA))["statusCode"] == 303
    assert parameters.asked == 1


def test_purchases_are_read_from_dynamodb_whose_client_is_there_before_the_first_download(
    start: Any, events: Any, parameters: Any, signing_key: SigningKey
) -> None:
    owned = {"pk": {"S": "CUSTOMER#mara"}, "sk": {"S": "ITEM#lamps"}}
    sold = {"pk": {"S": "ITEM#lamps"}, "sk": {"S": "ITEM"}, "title": {"S": "Lamps"}, "key": {"S": "books/lamps.epub"}}
    parameters.entries = {"CUSTOMER#mara ITEM#lamps": owned, "ITEM#lamps ITEM": sold}
    function = start(KEYFRONT_ENTITLEMENTS=None, ENTITLEMENTS_TABLE="shop")
    assert function(events.http("/healthz"))["statusCode"] == 200
    assert parameters.read == [["ITEM#0 ITEM"]]
    answer = function(events.http("/download/lamps", claims=MARA))
    assert parameters.read[1:] == [["ITEM#lamps ITEM", "CUSTOMER#mara ITEM#lamps"]]
    assert header(answer, "location").startswith("https://media.example.com/books/lamps.epub?")
    assert opens(header(answer, "location"), signing_key)
    assert function(events.http("/download/lamps", claims={"sub": "tomas"}))["statusCode"] == 403
    assert function(events.http("/download/others", claims=MARA))["statusCode"] == 404


def test_the_way_to_a_link_loads_no_sdk_and_nothing_for_pages(start: Any, events: Any, parameters: Any) -> None:
    function = start(KEYFRONT_ENTITLEMENTS="sales:loaded")
    for _ in range(2):
        location = header(function(events.http("/download/lamps", claims=MARA)), "location")
    assert location.startswith("https://media.example.com/http.client?")
    assert parameters.asked == 1


def test_the_extension_is_asked_where_it_is_and_says_what_is_missing(start: Any, events: Any, parameters: Any) -> None:
    extension = {"PARAMETERS_SECRETS_EXTENSION_HTTP_PORT": str(urlsplit(parameters.url).port)}
    function = start(KEYFRONT_ENTITLEMENTS="sales:loaded", **extension)
    for _ in range(2):
        location = header(function(events.http("/download/lamps", claims=MARA)), "location")
    assert location.startswith("https://media.example.com/none?")
    assert parameters.asked == 1
    parameters.error = "AccessDeniedException"
    function = start(**extension)
    assert function(events.http("/download/lamps", claims=MARA))["statusCode"] == 503
    assert "the extension says 400, AccessDenied: allow ssm:GetParameter" in function.messages


def test_who_downloaded_what_is_logged_and_no_token_and_no_signature_ever(
    start: Any, events: Any, signing_key: SigningKey
) -> None:
    function = start(COOKIE_DOMAIN="example.com", AWS_LAMBDA_LOG_LEVEL="DEBUG", POWERTOOLS_LOG_LEVEL="DEBUG", **TOKENS)
    good, expired = token(), token(exp=int(time.time()) - 300)
    secrets = [good, expired, SECRET, *signing_key.pem().splitlines()[1:-1]]
    for bearer in (good, expired, "garbage.token.value"):
        for path in ("/download/lamps", "/open/film", "/download/broken"):
            answer = function(
                events.http(path, headers={"authorization": f"Bearer {bearer}", "host": "api.example.com"})
            )
            if answer["statusCode"] == 303:
                secrets += re.findall(r"(?:Signature|Policy)=([^&;]+)", json.dumps(answer))
    assert len(secrets) > 6
    written = function.text
    assert not [secret for secret in secrets if secret in written]
    assert "garbage.token.value" not in written
    noted = [line for line in function.lines if line.get("item") == "lamps" and line.get("customer") == "mara"]
    assert len(noted) == 1
    assert noted[0]["function_request_id"]
