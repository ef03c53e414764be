"""Which requests are looked at: hosts, sizes, methods, protocols, and which behavior a path belongs to."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from keyfront.edge.configuration import configure
from keyfront.edge.request.admission import Door
from keyfront.inventory import Distribution

if TYPE_CHECKING:
    from tests.edge.conftest import Laid, Lay

HOST = "d1.cloudfront.localhost"
ALL_METHODS = ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "POST", "DELETE")


@pytest.mark.parametrize(
    ("host", "distribution"),
    [
        (HOST, "E1"),
        (f"{HOST}:8443", "E1"),
        (f"{HOST}:8080", "E1"),
        (HOST.upper(), "E1"),
        ("D1.CloudFront.localhost:1", "E1"),
        ("d2.cloudfront.localhost", "E2"),
        ("www.example.com", "E1"),
        ("WWW.Example.COM:8080", "E1"),
        ("a.example.com", "E2"),
        ("a.b.example.com", "E2"),
        ("x.deep.example.com", "E3"),
        ("example.com", ""),
        ("wwwexample.com", ""),
        ("deep.example.com", "E2"),
        ("d3.cloudfront.localhost.", ""),
        ("localhost", ""),
        ("127.0.0.1", ""),
        ("[::1]:8080", ""),
    ],
)
def test_a_host_leads_to_its_distribution(laid: Laid, host: str, distribution: str) -> None:
    laid.edge.configuration = configure(
        laid.inventory(
            laid.distribution(aliases=("www.example.com",)),
            named(laid, "E2", "*.example.com"),
            named(laid, "E3", "*.Deep.example.com"),
        )
    )
    laid.origin.answer("/a", b"a")
    reply = laid.viewer.get("/a", host=host)
    assert reply.status == (200 if distribution else 403)
    assert laid.outcomes[-1].distribution_id == distribution
    if not distribution:
        assert b"Bad request." in reply.body
        assert reply.headers["content-type"] == "text/html"
        assert reply.headers["x-cache"] == "Error from cloudfront"
        assert reply.headers["x-amz-cf-id"].encode() in reply.body


def named(laid: Laid, id: str, alias: str) -> Distribution:  # noqa: A002
    return laid.distribution(id=id, domain_name=f"d{id[1]}.cloudfront.localhost:8443", aliases=(alias,))


def test_a_disabled_distribution_does_not_serve(laid: Laid) -> None:
    laid.serve(enabled=False)
    assert laid.viewer.get("/a").status == 403
    assert laid.outcomes[-1].reason == "distribution-disabled"
    assert laid.origin.asked == []


@pytest.mark.parametrize(
    ("policy", "method", "status"),
    [
        ("allow-all", "GET", 404),
        ("https-only", "GET", 403),
        ("https-only", "POST", 403),
        ("redirect-to-https", "GET", 301),
        ("redirect-to-https", "HEAD", 301),
        ("redirect-to-https", "POST", 307),
        ("redirect-to-https", "DELETE", 307),
    ],
)
def test_http_is_treated_as_the_viewer_protocol_policy_says(lay: Lay, policy: str, method: str, status: int) -> None:
    laid = lay(Door(https_port=8443))
    laid.serve(laid.behavior(viewer_protocol_policy=policy, allowed_methods=ALL_METHODS))
    reply = laid.viewer.ask(method, "/a%2Fb/../c?x=%20&Signature=s", host="D1.cloudfront.localhost:8080")
    assert reply.status == status
    if status in (301, 307):
        assert reply.headers["location"] == f"https://{HOST}:8443/a%2Fb/../c?x=%20&Signature=s"
        assert reply.headers["x-cache"] == "Redirect from cloudfront"
        assert reply.headers["server"] == "CloudFront"
    assert (laid.origin.asked != []) is (status == 404)


def test_the_usual_https_port_is_not_named_in_a_redirect(lay: Lay) -> None:
    laid = lay(Door(https_port=443))
    laid.serve(laid.behavior(viewer_protocol_policy="redirect-to-https"))
    assert laid.viewer.get("/a").headers["location"] == f"https://{HOST}/a"


def test_a_redirect_comes_before_the_question_for_a_signature(laid: Laid) -> None:
    laid.serve(laid.behavior(viewer_protocol_policy="redirect-to-https", trusted_key_groups=("g1",)))
    assert laid.viewer.get("/a").status == 301


@pytest.mark.parametrize("method", [*ALL_METHODS, "TRACE", "BREW", "CONNECT"])
@pytest.mark.parametrize("allowed", [("GET", "HEAD"), ("GET", "HEAD", "OPTIONS"), ALL_METHODS])
def test_a_method_that_the_behavior_does_not_allow_is_refused(
    laid: Laid, method: str, allowed: tuple[str, ...]
) -> None:
    laid.serve(laid.behavior(allowed_methods=allowed))
    laid.origin.answer("/a", b"a")
    reply = laid.viewer.ask(method, "/a")
    if method == "CONNECT":
        assert reply.status in (400, 403)
    elif method in allowed:
        assert reply.status == 200
        assert laid.origin.asked[0].method == method
    else:
        assert reply.status == 403
        assert b"not configured to allow the HTTP request method" in reply.body
    assert (laid.origin.asked != []) is (method in allowed)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_a_get_with_a_body_is_refused(laid: Laid, method: str) -> None:
    assert laid.viewer.ask(method, "/a", body=b"x").status == 403
    assert laid.viewer.ask(method, "/a", headers={"Transfer-Encoding": "chunked"}).status == 403
    assert laid.viewer.ask(method, "/a", body=b"").status == 404
    assert len(laid.origin.asked) == 1


@pytest.mark.parametrize(
    ("target_bytes", "header_bytes", "status"),
    [(100, 0, 404), (8192, 0, 404), (8193, 0, 413), (100, 20_000, 404), (100, 20_500, 413), (9000, 30_000, 413)],
)
def test_urls_and_requests_have_a_longest_size(laid: Laid, target_bytes: int, header_bytes: int, status: int) -> None:
    path = "/" + "a" * (target_bytes - len(f"http://{HOST}/?b") - 10)
    target = f"{path}?b={'c' * 9}"
    assert len(f"http://{HOST}{target}") == target_bytes
    reply = laid.viewer.get(target, headers={"X-Filler": "x" * header_bytes})
    assert reply.status == status
    if status == 413:
        assert reply.headers["connection"] == "close"


@pytest.mark.parametrize(
    ("target", "pattern"),
    [
        ("/images/a.jpg", "images/*.jpg"),
        ("/images/deep/a.jpg", "images/*.jpg"),
        ("/images/a.jpg?x=.gif", "images/*.jpg"),
        ("/images/a.JPG", "/images/*"),
        ("/Images/a.jpg", "*"),
        ("/images/a.png", "/images/*"),
        ("/other/images/a.jpg", "*"),
        ("/a1.css", "/a?.css"),
        ("/a12.css", "*"),
        ("/a.css", "*"),
        ("/x/y.gif", "*.gif"),
        ("/y.gif/z", "*"),
        ("/x?y.gif", "*"),
        ("/exact", "exact"),
        ("/exact/", "*"),
        ("/exact%2f", "*"),
        ("/ex%61ct", "exact"),
        ("/other/../exact", "exact"),
        ("/", "*"),
    ],
)
def test_the_first_behavior_that_matches_serves(laid: Laid, target: str, pattern: str) -> None:
    """Each behavior's origin names it in its path."""
    patterns = ["images/*.jpg", "/images/*", "/a?.css", "*.gif", "exact", "*"]
    origins = [laid.web(id=str(number), path=f"/{number}") for number in range(len(patterns))]
    behaviors = [laid.behavior(each, target_origin_id=str(number)) for number, each in enumerate(patterns)]
    laid.serve(*behaviors, origins=tuple(origins))
    laid.viewer.get(target)
    assert patterns[int(laid.origin.asked[0].target[1])] == pattern
    assert laid.origin.asked[0].target[2:] == target.partition("?")[0]


def test_a_behavior_listed_first_opens_what_a_later_one_protects(laid: Laid) -> None:
    laid.serve(laid.behavior("*.jpg"), laid.behavior("/private/*", trusted_key_groups=("g1",)), laid.behavior())
    laid.origin.answer("/private/a.jpg", b"open")
    assert laid.viewer.get("/private/a.jpg").body == b"open"
    assert laid.viewer.get("/private/a.png").status == 403


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_the_default_root_object_stands_for_the_root_alone(laid: Laid, method: str) -> None:
    laid.serve(laid.behavior(allowed_methods=ALL_METHODS), default_root_object="index.html")
    laid.viewer.ask(method, "/?a=b")
    assert laid.origin.asked[0].target == "/index.html"
    laid.viewer.get("/install/")
    assert laid.origin.asked[1].target == "/install/"
    laid.viewer.get("/install")
    assert laid.origin.asked[2].target == "/install"


def test_the_default_root_object_is_protected_where_its_own_path_is(laid: Laid) -> None:
    laid.serve(laid.behavior("*.html", trusted_key_groups=("g1",)), laid.behavior(), default_root_object="index.html")
    laid.origin.answer("/index.html", b"welcome")
    assert laid.viewer.get("/").status == 403
    assert laid.viewer.get(laid.signed("/")).body == b"welcome"


def test_every_port_knows_both_of_the_ports_that_a_distribution_has_for_itself(lay: Lay) -> None:
    laid = lay()
    laid.origin.answer("/a", b"a")
    own = replace(laid.distribution(), domain_name="localhost:10001")
    laid.edge.configuration = configure(laid.inventory(own))
    for host in ("localhost:10001", "localhost:10002"):
        assert laid.viewer.get("/a", host=host).body == b"a"
    for host in ("localhost", "localhost:10000", "localhost:10003"):
        assert laid.viewer.get("/a", host=host).status == 403


def test_a_port_of_its_own_serves_one_distribution_under_the_names_of_this_machine(lay: Lay) -> None:
    laid = lay(Door(https_port=10001, distribution_id="E2"))
    other = replace(
        laid.distribution(laid.behavior(viewer_protocol_policy="redirect-to-https")),
        id="E2",
        domain_name="localhost:10001",
        aliases=("www.example.com",),
    )
    laid.edge.configuration = configure(laid.inventory(laid.distribution(), other))
    for host in ("localhost", "localhost:10002", "127.0.0.1:10002", "[::1]:10002", "LOCALHOST", "www.example.com"):
        reply = laid.viewer.get("/a", host=host)
        assert reply.status == 301
        assert reply.headers["location"] == f"https://{host.lower().removesuffix(':10002')}:10001/a"
    assert laid.viewer.get("/a", host=HOST).status == 403
    assert laid.viewer.get("/a", host="evil.example").status == 403
    laid.edge.configuration = configure(laid.inventory(laid.distribution()))
    assert laid.viewer.get("/a", host="localhost").status == 403
