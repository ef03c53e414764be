"""Requests as they come over the wire: well-formed ones in every dress, and attacks."""

from __future__ import annotations

import http.client
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from keyfront.local.controlplane import APIResponse, ControlPlane
from keyfront.local.controlplane.plane import BODY_BYTES

KEYS = "/2020-05-31/public-key"
CONFIG = "<CallerReference>1</CallerReference><Name>{name}</Name><EncodedKey>{key}</EncodedKey>"
Send = Callable[..., tuple[int, dict[str, str], str]]


@pytest.fixture
def send(endpoint: Any) -> Send:
    """Sends bytes to the listener as they are."""

    def request(
        method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], str]:
        connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=20)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, {n.lower(): v for n, v in answer.getheaders()}, answer.read().decode()
        finally:
            connection.close()

    return request


def code_of(body: str) -> str:
    found = re.search("<Code>(.*?)</Code>", body)
    return found[1] if found else ""


@pytest.fixture
def inner(pems: list[str]) -> str:
    """The members of a public key's configuration that is taken."""
    return CONFIG.format(name="signer", key=pems[0])


DRESSES = {
    "no namespace": "<PublicKeyConfig>{inner}</PublicKeyConfig>",
    "the API's namespace": '<PublicKeyConfig xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/">{inner}</PublicKeyConfig>',
    "an older namespace": '<PublicKeyConfig xmlns="http://cloudfront.amazonaws.com/doc/2019-03-26/">{inner}</PublicKeyConfig>',
    "a prologue": '<?xml version="1.0" encoding="UTF-8"?>\n<!-- mine -->\n<PublicKeyConfig>{inner}</PublicKeyConfig>\n',
    "members of tomorrow": "<PublicKeyConfig><Tomorrow><A/></Tomorrow>{inner}</PublicKeyConfig>",
    "attributes": '<PublicKeyConfig a="1">{inner}</PublicKeyConfig>',
}


@pytest.mark.parametrize("dress", DRESSES.values(), ids=DRESSES.keys())
def test_a_body_is_read_in_every_dress(send: Send, inner: str, dress: str) -> None:
    status, headers, body = send("POST", KEYS, dress.format(inner=inner).encode())
    assert status == 201, body
    assert headers["content-type"] == "text/xml"
    assert headers["etag"] in send("GET", headers["location"])[1]["etag"]


def test_a_body_in_utf_16_is_read(send: Send, inner: str) -> None:
    document = f'<?xml version="1.0" encoding="UTF-16"?><PublicKeyConfig>{inner}</PublicKeyConfig>'
    assert send("POST", KEYS, document.encode("utf-16"))[0] == 201


LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
ATTACKS = {
    "billion laughs": f'<!DOCTYPE a [<!ENTITY l0 "ha">{LAUGHS}]><PublicKeyConfig><Name>&l9;</Name></PublicKeyConfig>',
    "quadratic blowup": f'<!DOCTYPE a [<!ENTITY b "{"b" * 50_000}">]><PublicKeyConfig>{"&b;" * 999}</PublicKeyConfig>',
    "a file": '<!DOCTYPE a [<!ENTITY f SYSTEM "file:///etc/hostname">]><PublicKeyConfig><Name>&f;</Name></PublicKeyConfig>',
    "a request": '<!DOCTYPE a SYSTEM "http://127.0.0.1:9/x.dtd"><PublicKeyConfig/>',
    "parameter entities": '<!DOCTYPE a [<!ENTITY % p SYSTEM "file:///etc/hostname">%p;]><PublicKeyConfig/>',
    "an innocent DOCTYPE": "<!DOCTYPE PublicKeyConfig><PublicKeyConfig/>",
    "an unknown entity": "<PublicKeyConfig><Name>&nbsp;</Name></PublicKeyConfig>",
    "an abyss": "<PublicKeyConfig>" + "<a>" * 200_000 + "</a>" * 200_000 + "</PublicKeyConfig>",
    "an open abyss": "<a>" * 500_000,
}
NONSENSE = {
    "no XML": "hello",
    "JSON": '{"Name": "signer"}',
    "an open element": "<PublicKeyConfig><Name>signer",
    "two roots": "<PublicKeyConfig/><PublicKeyConfig/>",
    "a control character": "<PublicKeyConfig><Name>\x01</Name></PublicKeyConfig>",
    "an unknown encoding": '<?xml version="1.0" encoding="klingon"?><PublicKeyConfig/>',
    "another root": "<KeyGroupConfig/>",
    "an element in a text": "<PublicKeyConfig><Name><b>signer</b></Name></PublicKeyConfig>",
    "a member twice": "<PublicKeyConfig><Name>a</Name><Name>b</Name></PublicKeyConfig>",
}


@pytest.mark.parametrize("document", [*ATTACKS.values(), *NONSENSE.values()], ids=[*ATTACKS, *NONSENSE])
def test_a_body_that_cannot_be_read_safely_is_refused(send: Send, document: str) -> None:
    status, _, body = send("POST", KEYS, document.encode())
    assert (status, code_of(body)) == (400, "MalformedInput")
    assert len(body) < 2_000


def test_bytes_that_are_no_text_are_refused(send: Send) -> None:
    status, _, body = send("POST", KEYS, b"<PublicKeyConfig><Name>\xff\xfe</Name></PublicKeyConfig>")
    assert (status, code_of(body)) == (400, "MalformedInput")


def test_an_element_of_another_kind_in_a_list_is_refused(send: Send) -> None:
    document = "<KeyGroupConfig><Name>a</Name><Items><Key>K1</Key></Items></KeyGroupConfig>"
    status, _, body = send("POST", "/2020-05-31/key-group", document.encode())
    assert (status, code_of(body)) == (400, "MalformedInput")
    assert "Unexpected element Key in the list 'keyGroupConfig.items', which has PublicKey elements" in body


@pytest.mark.parametrize(
    ("element", "message"),
    [
        ("<Enabled>perhaps</Enabled>", "Value 'perhaps' is not a boolean at 'distributionConfig.enabled'"),
        ("<Enabled/>", "Value '' is not a boolean"),
        ("<Aliases><Quantity>two</Quantity></Aliases>", "Value 'two' is not an integer"),
        ("<Aliases><Quantity>99999999999</Quantity></Aliases>", "is not an integer"),
        ("<Aliases><Quantity>" + "9" * 10_000 + "</Quantity></Aliases>", "is not an integer"),
    ],
    ids=["boolean", "empty boolean", "integer", "large", "huge"],
)
def test_a_value_of_another_type_is_refused_where_it_stands(send: Send, element: str, message: str) -> None:
    document = f"<DistributionConfig>{element}</DistributionConfig>"
    status, _, body = send("POST", "/2020-05-31/distribution", document.encode())
    assert (status, code_of(body)) == (400, "MalformedInput")
    assert message in body


def test_missing_members_are_named_with_their_paths(send: Send) -> None:
    document = (
        "<DistributionConfig><Origins><Quantity>1</Quantity><Items><Origin/></Items></Origins></DistributionConfig>"
    )
    status, _, body = send("POST", "/2020-05-31/distribution", document.encode())
    assert (status, code_of(body)) == (400, "MalformedXML")
    assert "6 validation errors detected" in body
    for path in ("callerReference", "origins.items.1.member.domainName", "defaultCacheBehavior", "comment", "enabled"):
        missing = f"Value null at 'distributionConfig.{path}' failed to satisfy constraint: Member must not be null"
        assert missing in body


def test_a_thousand_problems_make_a_short_message(send: Send) -> None:
    origins = "<Origin/>" * 1_000
    document = f"<DistributionConfig><Origins><Items>{origins}</Items></Origins></DistributionConfig>"
    status, _, body = send("POST", "/2020-05-31/distribution", document.encode())
    assert (status, code_of(body)) == (400, "MalformedXML")
    assert len(body) < 3_000


@pytest.mark.parametrize("body", [None, b"", b" \n"], ids=["none", "empty", "blank"])
def test_a_missing_body_is_missed(send: Send, body: bytes | None) -> None:
    status, _, answer = send("POST", KEYS, body)
    assert (status, code_of(answer)) == (400, "MissingBody")


def test_a_missing_parameter_of_the_query_is_an_argument(send: Send) -> None:
    status, _, body = send("GET", "/2020-05-31/tagging")
    assert (status, code_of(body)) == (400, "InvalidArgument")
    assert "'resource'" in body


@pytest.mark.parametrize("size", [BODY_BYTES + 1, 3 * BODY_BYTES])
def test_a_huge_body_is_refused_and_the_refusal_arrives(send: Send, size: int) -> None:
    status, _, body = send("POST", KEYS, b"<" * size)
    assert (status, code_of(body)) == (413, "RequestEntityTooLarge")


def test_the_largest_body_is_still_read(send: Send, inner: str) -> None:
    document = f"<PublicKeyConfig>{inner}</PublicKeyConfig>".encode()
    assert send("POST", KEYS, document.ljust(BODY_BYTES))[0] == 201


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/", 400, "InvalidAction"),
        ("GET", "/2019-03-26/distribution", 400, "InvalidAction"),
        ("GET", "/2020-05-31/nonsense", 400, "InvalidAction"),
        ("GET", "/2020-05-31/distribution/", 400, "InvalidAction"),
        ("PATCH", "/2020-05-31/distribution", 405, "MethodNotAllowed"),
        ("POST", "/2020-05-31/tagging", 405, "MethodNotAllowed"),
        ("POST", "/2020-05-31/tagging?Operation=Other", 405, "MethodNotAllowed"),
        ("GET", "/2020-05-31/public-key/%00%1b", 404, "NoSuchPublicKey"),
        ("GET", "/2020-05-31/public-key/..%2F..", 404, "NoSuchPublicKey"),
        ("GET", "/2020-05-31/public-key/%ff", 404, "NoSuchPublicKey"),
        ("GET", "/2020-05-31/distribution?" + "a&" * 101, 400, "InvalidArgument"),
        ("POST", "/2020-05-31/streaming-distribution?WithTags", 501, "NotImplemented"),
    ],
)
def test_a_path_that_leads_nowhere_says_so(send: Send, method: str, path: str, status: int, code: str) -> None:
    got, headers, body = send(method, path)
    assert (got, code_of(body)) == (status, code)
    fault = "Receiver" if status >= 500 else "Sender"
    assert f'<ErrorResponse xmlns="http://cloudfront.amazonaws.com/doc/2020-05-31/"><Error><Type>{fault}<' in body
    assert f"<RequestId>{headers['x-amzn-requestid']}</RequestId>" in body


def test_every_answer_has_a_request_id_of_its_own(send: Send) -> None:
    ids = {send("GET", path)[1]["x-amzn-requestid"] for path in (KEYS, KEYS, f"{KEYS}/K0", "/")}
    assert len(ids) == 4


def test_line_ends_survive_the_way_in_and_out(send: Send, pems: list[str]) -> None:
    windows = pems[0].replace("\n", "&#13;\n")
    document = f"<PublicKeyConfig>{CONFIG.format(name='signer', key=windows)}</PublicKeyConfig>"
    _, headers, body = send("POST", KEYS, document.encode())
    assert windows in body
    assert windows in send("GET", headers["location"])[2]


def test_an_etag_may_come_in_quotes(send: Send, inner: str) -> None:
    made = send("POST", KEYS, f"<PublicKeyConfig>{inner}</PublicKeyConfig>".encode())[1]
    assert send("DELETE", made["location"], headers={"If-Match": f'"{made["etag"]}"'})[0] == 204


def test_two_versions_are_none(send: Send, inner: str, endpoint: Any) -> None:
    made = send("POST", KEYS, f"<PublicKeyConfig>{inner}</PublicKeyConfig>".encode())[1]
    connection = http.client.HTTPConnection(urlsplit(endpoint.url).netloc, timeout=20)
    connection.putrequest("DELETE", made["location"])
    connection.putheader("If-Match", "E0123456789ABC")
    connection.putheader("If-Match", made["etag"])
    connection.endheaders()
    answer = connection.getresponse().read().decode()
    connection.close()
    assert code_of(answer) == "InvalidIfMatchVersion"


def test_a_bug_of_ours_is_an_error_of_the_api_that_is_logged_and_changes_nothing(
    config: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    def broken(_: str) -> str:
        raise RuntimeError("no names today")

    plane = ControlPlane(domain_name=broken)
    plane.propagation.register("edge")
    document = (
        "<DistributionConfig><CallerReference>1</CallerReference><Comment/><Enabled>true</Enabled><Origins><Quantity>1"
        "</Quantity><Items><Origin><Id>a</Id><DomainName>localhost</DomainName><CustomOriginConfig><HTTPPort>80</HTTPPort>"
        "<HTTPSPort>443</HTTPSPort><OriginProtocolPolicy>http-only</OriginProtocolPolicy></CustomOriginConfig></Origin>"
        "</Items></Origins><DefaultCacheBehavior><TargetOriginId>a</TargetOriginId><ViewerProtocolPolicy>allow-all"
        "</ViewerProtocolPolicy><CachePolicyId>658327ea-f89d-4fab-a63d-7e88639e58f6</CachePolicyId>"
        "</DefaultCacheBehavior></DistributionConfig>"
    )

    def ask(method: str, body: str = "") -> APIResponse:
        return plane.handle(method, "/2020-05-31/distribution", "", {}, body.encode())

    response = ask("POST", document)
    assert response.status == 500
    assert code_of(response.body.decode()) == "InternalError"
    assert "no names today" not in response.body.decode()
    assert "no names today" in caplog.text
    assert response.headers["x-amzn-RequestId"] in caplog.text
    assert "<Quantity>0</Quantity>" in ask("GET").body.decode()
