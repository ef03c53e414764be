"""CloudFront functions on the way of real requests, behind a listener, with a real origin."""

from __future__ import annotations

import json
import socket
import ssl
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import trustme
from tests.edge.conftest import HOST, Laid, Lay
from tests.edge.test_origins import serve_tls

from keyfront.edge.configuration import configure
from keyfront.inventory import CustomOrigin, EdgeFunction, FunctionAssociation, KeyValues, Origin

REQUEST, RESPONSE = "viewer-request", "viewer-response"
Serve = Callable[..., Laid]


def function(
    name: str, code: str, *, runtime: str = "cloudfront-js-2.0", store: KeyValues | None = None
) -> EdgeFunction:
    return EdgeFunction(f"arn:aws:cloudfront::123456789012:function/{name}", name, runtime, code, "1", store)


@pytest.fixture
def serve(lay: Lay) -> Serve:
    """Serve one behavior with a function for each event type."""

    def make(request: str = "", response: str = "", *, laid: Laid | None = None, **changes: Any) -> Laid:
        laid = laid or lay()
        laid.origin.answer("/a", b"the file", headers={"Cache-Control": "max-age=60", "X-From": "origin"})
        functions = {REQUEST: function("ask", request), RESPONSE: function("tell", response)}
        used = {kind: each for kind, each in functions.items() if each.code}
        store = changes.pop("store", None)
        used = {kind: replace(each, store=store) for kind, each in used.items()}
        associations = tuple(FunctionAssociation(kind, each.arn) for kind, each in used.items())
        origins = changes.pop("origins", (laid.web(),))
        root = changes.pop("default_root_object", "")
        behavior = laid.behavior(associations=associations, **changes)
        inventory = laid.inventory(laid.distribution(behavior, origins=origins, default_root_object=root))
        laid.edge.configuration = configure(replace(inventory, functions={each.arn: each for each in used.values()}))
        return laid

    return make


INDEX = """async function handler(event) {
  const request = event.request;
  if (request.uri.endsWith('/')) request.uri += 'index.html';
  return request;
}"""


def test_a_rewrite_reaches_the_origin_and_the_cache(serve: Serve) -> None:
    laid = serve(INDEX)
    laid.origin.answer("/docs/index.html", b"index", headers={"Cache-Control": "max-age=60"})

    first, second = laid.viewer.get("/docs/?x=1"), laid.viewer.get("/docs/index.html")

    assert (first.body, first.cache, second.cache) == (b"index", "Miss", "Hit")
    assert [each.target for each in laid.origin.asked] == ["/docs/index.html"]
    assert laid.outcomes[0].url.endswith("/docs/")


def test_the_signature_is_checked_before_the_function_and_on_the_viewers_url(serve: Serve) -> None:
    laid = serve(INDEX, trusted_key_groups=("g1",))
    laid.origin.answer("/docs/index.html", b"index")

    assert laid.viewer.get("/docs/").status == 403
    assert laid.viewer.ask("OPTIONS", "/docs/").status == 403
    assert laid.viewer.get(laid.signed("/docs/index.html").replace("/docs/index.html", "/docs/")).status == 403
    assert laid.viewer.get(laid.signed("/docs/")).body == b"index"
    assert laid.origin.asked[-1].target == "/docs/index.html"
    assert [outcome.decision.allowed for outcome in laid.outcomes if outcome.decision] == [False, False, True]


def test_a_function_cannot_open_what_the_signature_closed(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { e.request.uri = '/a'; e.request.querystring = {}; e.request.cookies = {};"
        " return e.request; }",
        trusted_key_groups=("g1",),
    )

    assert laid.viewer.get("/a").status == 403
    assert laid.viewer.get(laid.signed("/other")).body == b"the file"


def test_query_headers_and_cookies_are_objects_with_all_values(serve: Serve) -> None:
    laid = serve("function handler(e) { return {statusCode: 200, body: JSON.stringify(e)}; }")

    reply = laid.viewer.raw(
        b"GET /a%20b?x=1&y=%2F&x=2&z HTTP/1.1\r\nHost: " + HOST.encode() + b"\r\nAccept: a\r\nAccept: b\r\n"
        b"Cookie: c=1; d=2\r\nCookie: c=3\r\nX-Edge-Secret: no\r\nConnection: close\r\n\r\n"
    )
    event = json.loads(reply.body)

    assert reply.headers["x-cache"] == "FunctionGeneratedResponse from cloudfront"
    assert event["version"] == "1.0"
    assert event["context"]["eventType"] == REQUEST
    assert event["context"]["distributionId"] == "E1"
    assert event["context"]["requestId"] == reply.headers["x-amz-cf-id"]
    assert event["viewer"] == {"ip": "127.0.0.1"}
    assert event["request"] == {
        "method": "GET",
        "uri": "/a%20b",
        "querystring": {
            "x": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]},
            "y": {"value": "%2F"},
            "z": {"value": ""},
        },
        "headers": {"host": {"value": HOST}, "accept": {"value": "a", "multiValue": [{"value": "a"}, {"value": "b"}]}},
        "cookies": {"c": {"value": "1", "multiValue": [{"value": "1"}, {"value": "3"}]}, "d": {"value": "2"}},
    }


def test_changed_query_headers_and_cookies_are_sent_on(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { var r = e.request;"
        " r.querystring.y = {value: '2', multiValue: [{value: '2'}, {value: '3'}]};"
        " delete r.querystring.x; r.headers['x-new'] = {value: 'n'}; r.cookies.k = {value: 'v'}; return r; }",
        cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        origin_request_policy_id="216adef6-5c7f-47e4-b989-5492eafa07d3",
    )

    assert laid.viewer.get("/a?x=1", headers={"Cookie": "a=b"}).body == b"the file"
    asked = laid.origin.asked[-1]
    assert asked.target == "/a?y=2&y=3"
    assert (asked.headers["x-new"], asked.headers["cookie"]) == ("n", "a=b; k=v")


def test_a_query_string_may_be_written_as_a_text(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { e.request.querystring = 'a=1&b=2'; return e.request; }",
        cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
        origin_request_policy_id="216adef6-5c7f-47e4-b989-5492eafa07d3",
    )

    assert laid.viewer.get("/a?b=2&a=1").status == 200
    assert laid.origin.asked[-1].target == "/a?a=1&b=2"


def test_a_redirect_with_a_cookie_is_generated(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { return {statusCode: 302, statusDescription: 'Found',"
        " headers: {location: {value: '/elsewhere'}}, cookies: {id: {value: '1', attributes: 'Secure; Path=/'}}}; }",
        "function handler(e) { e.response.headers['x-no'] = {value: '1'}; return e.response; }",
    )

    reply = laid.viewer.get("/a")

    assert (reply.status, reply.headers["location"]) == (302, "/elsewhere")
    assert reply.headers["set-cookie"] == "id=1; Secure; Path=/"
    assert "x-no" not in reply.headers
    assert laid.origin.asked == []
    assert laid.outcomes[0].reason == "function-response"


FAILURES = (
    ("function handler(e) { throw new Error('x') }", 503, "is invalid or could not run"),
    ("function other() {}", 503, "is invalid or could not run"),
    ("function handler(e) { for (;;); }", 503, "is invalid or could not run"),
    ("function handler(e) { return new Array(1e8).join('') }", 503, "is invalid or could not run"),
    ("function handler(e) { var a = []; for (;;) a.push('x'.repeat(9999) + a.length) }", 503, "could not run"),
    ("function handler(e) { return {get statusCode() { throw 1 }} }", 503, "could not run"),
    ("function handler(e) { return new Promise(function () {}) }", 503, "could not run"),
    ("function handler(e) { }", 502, "must return the request or a response"),
    ("function handler(e) { e.request.headers.host = {value: 'x'}; return e.request }", 502, "read-only header."),
    ("function handler(e) { delete e.request.headers.host; return e.request }", 502, "read-only header."),
    ("function handler(e) { e.request.headers['x-edge-a'] = {value: 'x'}; return e.request }", 502, "disallowed"),
    (
        "function handler(e) { e.request.headers['X-A'] = {value: 'x'}; return e.request }",
        502,
        "names in lower case",
    ),
    ("function handler(e) { e.request.headers.a = {value: 'a\\r\\nb: c'}; return e.request }", 502, "is not valid"),
    (
        "function handler(e) { e.request.headers.a = {value: 'a'.repeat(30000)}; return e.request }",
        502,
        "larger than",
    ),
    ("function handler(e) { e.request.headers.a = 'a'; return e.request }", 502, "a value that is a string"),
    ("function handler(e) { e.request.method = 'PUT'; return e.request }", 502, "request.method is read-only"),
    ("function handler(e) { e.request.uri = 'x'; return e.request }", 502, "must begin with a slash"),
    ("function handler(e) { e.request.uri = '/x?y=1'; return e.request }", 502, "blanks and query string"),
    ("function handler(e) { e.request.querystring['<b>'] = 1; return e.request }", 502, "'&lt;b&gt;'"),
    ("function handler(e) { e.request.querystring.a = {value: 'b c'}; return e.request }", 502, "not URL-encoded"),
    ("function handler(e) { return {statusCode: 99} }", 502, "from 200 to 599"),
    ("function handler(e) { return {statusCode: 200, body: 'x'.repeat(50000)} }", 502, "larger than"),
    ("function handler(e) { return {statusCode: 200, body: {data: '?', encoding: 'base64'}} }", 502, "not base64"),
    ("function handler(e) { return {statusCode: 200, cookies: {a: {value: 'b\\r\\nc'}}} }", 502, "a cookie cannot"),
)


def test_a_function_that_fails_gets_cloudfronts_page(serve: Serve, lay: Lay) -> None:
    laid = lay()
    for code, status, text in FAILURES:
        serve(code, laid=laid)

        reply = laid.viewer.get("/a")

        assert (reply.status, text in reply.body.decode()) == (status, True), f"{code}: {reply.body.decode()}"
        assert laid.outcomes[-1].reason == "function-error"
    assert laid.origin.asked == []


def test_one_viewers_endless_loop_harms_no_other(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { if (e.request.querystring.bad) return new Array(1e8).join(''); return e.request; }"
    )

    assert [laid.viewer.get(target).status for target in ("/a", "/a?bad=1", "/a")] == [200, 503, 200]


def test_of_many_viewers_at_once_only_the_bad_ones_fail(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { if (e.request.querystring.bad) return new Array(1e8).join(''); return e.request; }"
    )
    targets = ["/a", "/a?bad=1", "/a", "/a?bad=2", "/a", "/a"] * 2

    with ThreadPoolExecutor(len(targets)) as viewers:
        statuses = list(viewers.map(lambda target: laid.viewer.get(target).status, targets))

    assert statuses == [503 if "bad" in target else 200 for target in targets]


def test_nothing_that_one_request_does_is_seen_by_the_next(serve: Serve) -> None:
    laid = serve(
        "var count = 0; function handler(e) { count++; var seen = String({}.hit) + typeof leak + count;"
        " globalThis.leak = 1;"
        " var key = e.request.querystring.key ? decodeURIComponent(e.request.querystring.key.value) : 'none';"
        " try { var o = {}; o[key]['hit'] = 'polluted'; } catch (_) {} return {statusCode: 200, body: seen}; }"
    )

    bodies = {laid.viewer.get("/a?key=__proto__").body for _ in range(3)}

    assert bodies == {b"undefinedundefined1"}


def test_a_viewer_response_function_changes_misses_and_hits_but_no_errors(serve: Serve) -> None:
    laid = serve(
        response="function handler(e) { var r = e.response;"
        " r.headers['x-seen'] = {value: e.request.uri + r.statusCode};"
        " delete r.headers['x-from']; r.cookies.id = {value: '7', attributes: 'Secure'}; return r; }"
    )
    laid.origin.answer("/bad", b"no", status=404)

    replies = [laid.viewer.get("/a"), laid.viewer.get("/a")]

    assert [reply.cache for reply in replies] == ["Miss", "Hit"]
    for reply in replies:
        assert (reply.body, reply.headers["x-seen"]) == (b"the file", "/a200")
        assert reply.headers["set-cookie"] == "id=7; Secure"
        assert "x-from" not in reply.headers
    assert "x-seen" not in laid.viewer.get("/bad").headers


def test_a_viewer_response_function_may_replace_the_body_and_the_status(serve: Serve) -> None:
    laid = serve(
        response="function handler(e) { e.response.statusCode = 201; e.response.body = 'mine'; return e.response; }"
    )

    reply = laid.viewer.get("/a")
    head = laid.viewer.ask("HEAD", "/a")

    assert (reply.status, reply.body, reply.headers["content-length"]) == (201, b"mine", "4")
    assert (head.status, head.headers["content-length"]) == (201, "4")


def test_a_viewer_response_function_that_fails_hides_the_content(serve: Serve, lay: Lay) -> None:
    laid = lay()
    for code, status in (
        ("function handler(e) { throw 1 }", 503),
        ("function handler(e) { return 1 }", 502),
        ("function handler(e) { e.response.headers.via = {value: 'x'}; return e.response }", 502),
        ("function handler(e) { e.response.headers['x-cache'] = {value: 'x'}; return e.response }", 502),
    ):
        serve(response=code, laid=laid)

        reply = laid.viewer.get("/a")

        assert (reply.status, reply.complete) == (status, True), code
        assert b"the file" not in reply.body


def test_a_function_reads_its_key_value_store(serve: Serve) -> None:
    store = KeyValues("s1", "e", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z", (("to", "/a"), ("n", "[1]")))
    laid = serve(
        "import cf from 'cloudfront';\nconst kvs = cf.kvs('s1');\nasync function handler(e) {\n"
        " if (!(await kvs.exists('to'))) throw new Error('none');\n e.request.uri = await kvs.get('to');\n"
        " if ((await kvs.get('n', {format: 'json'}))[0] !== 1) throw new Error('json');\n return e.request; }",
        store=store,
    )

    assert laid.viewer.get("/x").body == b"the file"


def test_a_function_chooses_another_origin(serve: Serve, lay: Lay) -> None:
    laid = lay()
    dead = Origin("dead", "127.0.0.1", custom=replace(laid.web().custom, http_port=1), connection_attempts=1)  # type: ignore[type-var]
    code = "import cf from 'cloudfront';\nfunction handler(e) { %s; return e.request; }"

    def status(call: str) -> int:
        serve(code % call, laid=laid, origins=(dead, laid.web()), target_origin_id="dead")
        return laid.viewer.get(f"/a?{len(call)}").status

    port = laid.origin.port
    assert status("1") == 502
    assert status("cf.selectRequestOriginById('web')") == 200
    assert status("cf.selectRequestOriginById('none')") == 502
    assert status(f"cf.updateRequestOrigin({{customOriginConfig: {{protocol: 'http', port: {port}}}}})") == 200
    assert status("cf.updateRequestOrigin({domainName: 'a b'})") == 502
    group = "cf.createRequestOriginGroup({originIds: [{originId: 'dead'}, {originId: 'web'}], failoverCriteria: %s})"
    assert status(group % "{statusCodes: [500]}") == 200
    assert status(group % "{}") == 502
    ids = "cf.createRequestOriginGroup({originIds: ['dead', 'web'], failoverCriteria: {statusCodes: [500]}})"
    assert status(ids) == 200
    assert status(ids.replace("'web'", "'none'")) == 502


GROUP = (
    "cf.createRequestOriginGroup({originIds: [{originId: 'web', originOverrides: {hostHeader: 'a.example'}}, 'web'],"
    " failoverCriteria: {statusCodes: [500]}})"
)


HOSTS = (
    ("cf.updateRequestOrigin({hostHeader: 'shop.example'})", "shop.example"),
    ("cf.selectRequestOriginById('web', {hostHeader: 'shop.example'})", "shop.example"),
    (GROUP, "a.example"),
    ("cf.updateRequestOrigin({domainName: 'localhost'})", "localhost"),
    ("cf.updateRequestOrigin({timeouts: {responseCompletionTimeout: 9}, mTLSConfig: 'off'})", HOST),
    ("cf.updateRequestOrigin({hostHeader: 'a:1'})", None),
    ("cf.updateRequestOrigin({sni: 'a b'})", None),
    ("cf.updateRequestOrigin({timeouts: {connectionTimeout: 11}})", None),
    ("cf.updateRequestOrigin({allowedCertificateNames: ['a.example']})", None),
    ("cf.selectRequestOriginById('web', {originPath: '/x'})", None),
)


def test_a_function_names_the_host_for_the_origin(serve: Serve, lay: Lay) -> None:
    laid = lay()
    for call, host in HOSTS:
        serve(
            f"import cf from 'cloudfront';\nfunction handler(e) {{ {call}; return e.request; }}",
            laid=laid,
            cache_policy_id="4135ea2d-6df8-44a3-9df3-4b5a84be39ad",
            origin_request_policy_id="216adef6-5c7f-47e4-b989-5492eafa07d3",
        )
        laid.origin.asked.clear()
        assert laid.viewer.get("/a").status == (502 if host is None else 200), call
        assert [asked.headers["host"] for asked in laid.origin.asked] == ([] if host is None else [host]), call


def test_a_function_names_the_certificate_for_the_origin(serve: Serve, lay: Lay, tmp_path: Path) -> None:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("shop.example").configure_cert(context)
    laid = lay(authorities=tmp_path / "ca.pem")
    code = "import cf from 'cloudfront';\nfunction handler(e) {{ cf.updateRequestOrigin({}); return e.request; }}"
    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve_tls, args=(listening, context), daemon=True)
        thread.start()
        custom = CustomOrigin(https_port=listening.getsockname()[1], protocol_policy="https-only")
        origins = (laid.web(custom=custom, connection_attempts=1),)
        for settings, status in (("{sni: 'shop.example'}", 200), ("{sni: 'other.example'}", 502)):
            serve(code.format(settings), laid=laid, origins=origins)
            assert laid.viewer.get(f"/{status}").status == status
    thread.join()


def test_a_response_function_sees_the_request_as_the_request_function_left_it(serve: Serve) -> None:
    laid = serve(
        "function handler(e) { e.request.headers.mark = {value: e.request.uri}; e.request.cookies.id = {value: '7'};"
        " e.request.uri = '/a'; return e.request; }",
        "function handler(e) { e.response.headers.seen = {value: e.request.uri + e.request.headers.mark.value};"
        " e.response.cookies.id = e.request.cookies.id; return e.response; }",
    )

    for cache in ("Miss", "Hit"):
        reply = laid.viewer.get("/x")
        assert (reply.headers["seen"], reply.headers["set-cookie"], reply.cache) == ("/a/x", "id=7", cache)
    assert laid.outcomes[0].url.endswith("/x")


def test_the_default_root_object_follows_the_function(serve: Serve) -> None:
    laid = serve("function handler(e) { return e.request; }", default_root_object="a")

    assert laid.viewer.get("/").body == b"the file"


def test_what_functions_log_is_kept_with_the_request(lay: Lay, serve: Serve) -> None:
    said: list[tuple[str, str, str, tuple[str, ...]]] = []
    laid = lay(
        on_log=lambda name, request, distribution, lines: said.append((name, request, distribution, tuple(lines)))
    )
    serve(
        "function handler(e) { console.log(`uri ${e.request.uri}`); console.log({a: 1}); return e.request; }", laid=laid
    )

    reply = laid.viewer.get("/a")

    assert said == [("ask", reply.headers["x-amz-cf-id"], "E1", ("uri /a", '{"a":1}'))]
