"""HTTP APIs and function URLs on the laptop: reached by curl, routed, guarded and answered as on Amazon."""

from __future__ import annotations

import base64
import io
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from zipfile import ZipFile

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from tests.keys import shared_rsa
from tests.servers import Quiet, http_server
from tests.waiting import wait_until

_ECHO = "def handler(event, context): return event"


@dataclass(frozen=True)
class EndpointResponse:
    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Web:
    """An endpoint with functions, and HTTP APIs before them."""

    endpoint: Any
    functions: Any
    gateway: Any

    def deploy(self, source: str, name: str = "shop", **settings: Any) -> str:
        """A Python function; its ARN."""
        held = io.BytesIO()
        with ZipFile(held, "w") as package:
            package.writestr("app.py", source)
        given = {"Runtime": "python3.12", "Role": "arn:aws:iam::123456789012:role/runs", "Handler": "app.handler"}
        made = self.functions.create_function(FunctionName=name, Code={"ZipFile": held.getvalue()}, **given, **settings)
        return str(made["FunctionArn"])

    def api(self, arn: str, *keys: str, version: str = "2.0", stage: str = "$default", **route: Any) -> str:
        """An HTTP API with these routes to a function; its address."""
        made = self.gateway.create_api(Name="api", ProtocolType="HTTP")
        integration = self.gateway.create_integration(
            ApiId=made["ApiId"], IntegrationType="AWS_PROXY", IntegrationUri=arn, PayloadFormatVersion=version
        )
        for key in keys:
            target = f"integrations/{integration['IntegrationId']}"
            self.gateway.create_route(ApiId=made["ApiId"], RouteKey=key, Target=target, **route)
        self.gateway.create_stage(
            ApiId=made["ApiId"], StageName=stage, AutoDeploy=True, StageVariables={"mode": "link"}
        )
        return str(made["ApiEndpoint"])

    def ask(self, url: str, method: str = "GET", body: bytes = b"", **headers: str) -> EndpointResponse:
        """One request, as sent by somebody who resolves names under localhost."""
        parts = urlsplit(url)
        connection = HTTPConnection("127.0.0.1", self.endpoint.port, timeout=30)
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request(method, target, body, {"Host": parts.netloc, **named})
        got = connection.getresponse()
        content = got.read()
        connection.close()
        return EndpointResponse(got.status, got.headers, content)


@pytest.fixture
def web(endpoint: Any) -> Web:
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    endpoint.client("iam").create_role(RoleName="runs", AssumeRolePolicyDocument=document)
    return Web(endpoint, endpoint.client("lambda"), endpoint.client("apigatewayv2"))


def test_curl_reaches_a_quick_created_api_by_its_name_at_the_endpoints_port(
    web: Web, need_tool: Callable[[str], Path]
) -> None:
    arn = web.deploy(
        "def handler(event, context): return {'statusCode': 303, 'headers': {'location': event['rawPath']}}"
    )
    url = web.gateway.create_api(Name="quick", ProtocolType="HTTP", Target=arn)["ApiEndpoint"]
    assert re.fullmatch(r"https://[a-z0-9]+\.execute-api\.us-east-1\.localhost", url)
    assert [each["ApiEndpoint"] for each in web.gateway.get_apis()["Items"]] == [url]
    command = [
        str(need_tool("curl")),
        "-s",
        "-o",
        "/dev/null",
        "-w",
        "%{http_code} %header{location}",
        f"http://{urlsplit(url).hostname}:{web.endpoint.port}/secret.txt",
    ]
    assert subprocess.run(command, capture_output=True, check=True).stdout == b"303 /secret.txt"


def test_the_event_has_everything_of_the_request(web: Web) -> None:
    url = web.api(web.deploy(_ECHO), "POST /items/{id}/{rest+}")
    event = web.ask(
        f"{url}/items/a%20b/c/d%2Fe?x=1&x=2&y=%26",
        "POST",
        b'{"a": 1}',
        content_type="application/json",
        cookie="a=1; b=2",
    ).json
    assert (event["version"], event["routeKey"]) == ("2.0", "POST /items/{id}/{rest+}")
    assert (event["rawPath"], event["rawQueryString"]) == ("/items/a%20b/c/d%2Fe", "x=1&x=2&y=%26")
    assert event["pathParameters"] == {"id": "a b", "rest": "c/d/e"}
    assert event["queryStringParameters"] == {"x": "1,2", "y": "&"}
    assert event["cookies"] == ["a=1", "b=2"]
    assert "cookie" not in event["headers"]
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": 1}', False)
    assert event["stageVariables"] == {"mode": "link"}
    context = event["requestContext"]
    assert (context["http"]["method"], context["http"]["sourceIp"]) == ("POST", "127.0.0.1")
    assert context["domainPrefix"] == context["apiId"]


def test_a_body_that_is_no_text_arrives_in_base64_and_leaves_so(web: Web) -> None:
    source = (
        "def handler(event, context):\n"
        "    return {'statusCode': 201, **{name: event[name] for name in ('body', 'isBase64Encoded')}}"
    )
    url = web.api(web.deploy(source), "$default")
    answer = web.ask(url, "PUT", bytes(range(256)), content_type="application/octet-stream")
    assert (answer.status, answer.body) == (201, bytes(range(256)))


def test_format_1_is_what_an_old_handler_knows(web: Web) -> None:
    source = (
        "import json\ndef handler(event, context):\n    cookies = {'Set-Cookie': ['a=1', 'b=2']}\n"
        "    return {'statusCode': 200, 'body': json.dumps(event), 'multiValueHeaders': cookies}"
    )
    url = web.api(web.deploy(source), "GET /items/{id}", version="1.0")
    answer = web.ask(f"{url}/items/7?x=1&x=2")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]
    event = answer.json
    assert (event["version"], event["httpMethod"], event["resource"]) == ("1.0", "GET", "/items/{id}")
    assert event["multiValueQueryStringParameters"] == {"x": ["1", "2"]}
    assert event["pathParameters"] == {"id": "7"}


@pytest.mark.parametrize(
    ("method", "path", "route"),
    [
        ("GET", "/items", "GET /items"),
        ("POST", "/items", "ANY /items"),
        ("GET", "/items/7", "GET /items/{id}"),
        ("GET", "/items/new", "GET /items/new"),
        ("GET", "/items/7/x/y", "ANY /items/{proxy+}"),
        ("GET", "/elsewhere", "$default"),
        ("GET", "/", "$default"),
    ],
)
def test_the_most_specific_route_is_taken(web: Web, method: str, path: str, route: str) -> None:
    keys = ("$default", "ANY /items/{proxy+}", "GET /items/{id}", "GET /items/new", "ANY /items", "GET /items")
    url = web.api(web.deploy("def handler(event, context): return event['routeKey']"), *keys)
    assert web.ask(f"{url}{path}", method).body.decode() == route


def test_what_no_route_and_no_api_has_is_not_found(web: Web) -> None:
    url = web.api(web.deploy(_ECHO), "GET /items")
    for asked in (f"{url}/other", f"http://nothing.execute-api.localhost:{web.endpoint.port}/items"):
        answer = web.ask(asked)
        assert (answer.status, answer.body) == (404, b'{"message":"Not Found"}')


def test_a_named_stage_is_the_first_part_of_the_path(web: Web) -> None:
    url = web.api(web.deploy(_ECHO), "GET /items", stage="live")
    event = web.ask(f"{url}/live/items").json
    assert (event["rawPath"], event["requestContext"]["stage"]) == ("/live/items", "live")
    assert web.ask(f"{url}/items").status == 404


@pytest.mark.parametrize(
    ("result", "status", "body", "kind"),
    [
        ("{'item': 1}", 200, b'{"item": 1}', "application/json"),
        ("'Hello'", 200, b"Hello", "application/json"),
        ("{'statusCode': 404, 'body': 'gone'}", 404, b"gone", "text/plain;charset=UTF-8"),
        ("{'statusCode': '204'}", 204, b"", None),
        ("{'statusCode': 'nothing'}", 500, b'{"message":"Internal Server Error"}', "application/json"),
        ("{'statusCode': 200, 'headers': {'a': 'b\\r\\nc: d'}}", 500, b'{"message":"Internal Server Error"}', None),
        ("1 / 0", 500, b'{"message":"Internal Server Error"}', "application/json"),
    ],
)
def test_a_result_becomes_an_answer(web: Web, result: str, status: int, body: bytes, kind: str | None) -> None:
    url = web.api(web.deploy(f"def handler(event, context): return {result}"), "$default")
    answer = web.ask(url)
    assert (answer.status, answer.body) == (status, body)
    assert kind is None or answer.headers["content-type"] == kind


def test_several_cookies_are_several_headers(web: Web) -> None:
    source = (
        "def handler(event, context):\n"
        "    return {'statusCode': 303, 'cookies': ['a=1', 'b=2'], 'headers': {'Location': '/x'}}"
    )
    answer = web.ask(web.api(web.deploy(source), "$default"))
    assert (answer.status, answer.headers["location"]) == (303, "/x")
    assert answer.headers.get_all("set-cookie") == ["a=1", "b=2"]


def test_a_function_that_may_not_run_now_is_unavailable(web: Web) -> None:
    arn = web.deploy(_ECHO)
    web.functions.put_function_concurrency(FunctionName="shop", ReservedConcurrentExecutions=0)
    answer = web.ask(web.api(arn, "$default"))
    assert (answer.status, answer.body) == (503, b'{"message":"Service Unavailable"}')


def test_a_function_goes_on_when_its_api_waits_no_longer(web: Web, tmp_path: Path) -> None:
    source = (
        "import pathlib, time\ndef handler(event, context):\n    here = pathlib.Path(event['headers']['here'])\n"
        "    while not (here / 'go').exists(): time.sleep(0.01)\n    (here / 'done').touch()\n    return 'done'"
    )
    url = web.api(web.deploy(source, Timeout=20), "$default")
    api_id = urlsplit(url).netloc.partition(".")[0]
    integration = web.gateway.get_integrations(ApiId=api_id)["Items"][0]["IntegrationId"]
    web.gateway.update_integration(ApiId=api_id, IntegrationId=integration, TimeoutInMillis=50)
    assert web.ask(url, here=str(tmp_path)).status == 503
    (tmp_path / "go").touch()
    wait_until((tmp_path / "done").exists)
    web.gateway.update_integration(ApiId=api_id, IntegrationId=integration, TimeoutInMillis=20000)
    assert web.ask(url, here=str(tmp_path)).body == b"done"


class _Issuer(Quiet):
    key = RSAKey.import_key(shared_rsa().pem(), {"kid": "one", "use": "sig"})

    def do_GET(self) -> None:
        base = f"http://{self.headers['Host']}"
        known: dict[str, Any] = {
            "/.well-known/openid-configuration": {"issuer": base, "jwks_uri": f"{base}/keys"},
            "/keys": {"keys": [self.key.as_dict(private=False)]},
        }
        self.answer(200, json.dumps(known[self.path]).encode())


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    with http_server(_Issuer) as port:
        yield f"http://127.0.0.1:{port}"


def _guarded(web: Web, issuer: str, **route: Any) -> str:
    arn = web.deploy("def handler(event, context): return event['requestContext']['authorizer']")
    url = web.api(arn)
    api_id = urlsplit(url).netloc.partition(".")[0]
    made = web.gateway.create_authorizer(
        ApiId=api_id,
        Name="jwt",
        AuthorizerType="JWT",
        IdentitySource=["$request.header.Authorization"],
        JwtConfiguration={"Issuer": issuer, "Audience": ["shop"]},
    )
    target = f"integrations/{web.gateway.get_integrations(ApiId=api_id)['Items'][0]['IntegrationId']}"
    web.gateway.create_route(
        ApiId=api_id,
        RouteKey="$default",
        Target=target,
        AuthorizationType="JWT",
        AuthorizerId=made["AuthorizerId"],
        **route,
    )
    return url


def _token(issuer: str, *, key: RSAKey = _Issuer.key, alg: str = "RS256", kid: str = "one", **claims: Any) -> str:
    now = int(time.time())
    given = {"iss": issuer, "aud": "shop", "sub": "alice", "exp": now + 60, **claims}
    present = {name: value for name, value in given.items() if value is not None}
    return f"Bearer {jwt.encode({'alg': alg, 'kid': kid}, present, key, algorithms=[alg])}"


def test_a_token_of_the_issuer_opens_a_route_and_its_claims_reach_the_function(web: Web, issuer: str) -> None:
    url = _guarded(web, issuer, AuthorizationScopes=["read", "write"])
    token = _token(issuer, scope="openid read", admin=True, roles=["a", "b"])
    got = web.ask(url, authorization=token).json["jwt"]
    assert got["scopes"] == ["read", "write"]
    assert {name: got["claims"][name] for name in ("sub", "scope", "admin", "roles")} == {
        "sub": "alice", "scope": "openid read", "admin": "true", "roles": "[a b]",
    }  # fmt: skip
    assert isinstance(got["claims"]["exp"], str)


def test_a_token_without_the_scope_is_forbidden(web: Web, issuer: str) -> None:
    url = _guarded(web, issuer, AuthorizationScopes=["write"])
    answer = web.ask(url, authorization=_token(issuer, scope="read"))
    assert (answer.status, answer.body) == (403, b'{"message":"Forbidden"}')
    assert 'error="insufficient_scope"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"exp": 1},
        {"exp": None},
        {"exp": "tomorrow"},
        {"nbf": 9_999_999_999},
        {"aud": "another"},
        {"aud": None},
        {"iss": "https://another.example"},
        {"key": RSAKey.generate_key(2048)},
        {"kid": "two"},
        {"alg": "PS256"},
    ],
)
def test_any_other_token_is_refused(web: Web, issuer: str, wrong: dict[str, Any]) -> None:
    answer = web.ask(_guarded(web, issuer), authorization=_token(**{"issuer": issuer, **wrong}))
    assert (answer.status, answer.body) == (401, b'{"message":"Unauthorized"}')
    assert 'error="invalid_token"' in answer.headers["www-authenticate"]


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer nonsense"}, {"authorization": "Basic YTpi"}])
def test_no_token_opens_nothing(web: Web, issuer: str, headers: dict[str, Any]) -> None:
    assert web.ask(_guarded(web, issuer), **headers).status == 401


def test_an_issuer_that_does_not_answer_lets_nobody_in(web: Web, issuer: str) -> None:
    gone = "http://127.0.0.1:9"
    assert web.ask(_guarded(web, gone), authorization=_token(gone)).status == 401


def test_cors_is_the_apis_and_not_the_functions(web: Web) -> None:
    source = (
        "def handler(event, context):\n"
        "    return {'statusCode': 200, 'headers': {'access-control-allow-origin': 'https://evil.example'}}"
    )
    url = web.api(web.deploy(source), "GET /items")
    api_id = urlsplit(url).netloc.partition(".")[0]
    allowed = {
        "AllowOrigins": ["https://shop.example"],
        "AllowMethods": ["GET"],
        "AllowCredentials": True,
        "MaxAge": 60,
    }
    web.gateway.update_api(ApiId=api_id, CorsConfiguration=allowed)
    asked: dict[str, Any] = {"origin": "https://shop.example", "access_control_request_method": "GET"}
    preflight = web.ask(f"{url}/items", "OPTIONS", **asked)
    assert (preflight.status, preflight.headers["access-control-allow-methods"]) == (204, "GET")
    assert preflight.headers["access-control-max-age"] == "60"
    answer = web.ask(f"{url}/items", origin="https://shop.example")
    assert answer.headers.get_all("access-control-allow-origin") == ["https://shop.example"]
    assert answer.headers["access-control-allow-credentials"] == "true"
    assert "access-control-allow-origin" not in web.ask(f"{url}/items", origin="https://evil.example").headers


def test_a_function_url_runs_its_function(web: Web) -> None:
    web.deploy(_ECHO)
    made = web.functions.create_function_url_config(FunctionName="shop", AuthType="NONE")
    url = made["FunctionUrl"]
    assert re.fullmatch(r"https://[a-z0-9]+\.lambda-url\.us-east-1\.localhost/", url)
    assert web.functions.get_function_url_config(FunctionName="shop")["FunctionUrl"] == url
    listed = web.functions.list_function_url_configs(FunctionName="shop")["FunctionUrlConfigs"]
    assert [(each["FunctionUrl"], each["AuthType"]) for each in listed] == [(url, "NONE")]
    event = web.ask(f"{url}a%2Fb?x=1").json
    assert (event["rawPath"], event["rawQueryString"], event["routeKey"]) == ("/a%2Fb", "x=1", "$default")
    web.functions.update_function_url_config(FunctionName="shop", Cors={"AllowOrigins": ["*"]})
    assert web.ask(url, origin="https://a.example").headers["access-control-allow-origin"] == "*"
    web.functions.update_function_url_config(FunctionName="shop", AuthType="AWS_IAM")
    assert web.ask(url).status == 403
    web.functions.delete_function_url_config(FunctionName="shop")
    assert (web.ask(url).status, web.ask(url).json) == (403, {"Message": "Forbidden"})
    assert web.functions.list_function_url_configs(FunctionName="shop")["FunctionUrlConfigs"] == []
    with pytest.raises(web.functions.exceptions.ResourceNotFoundException):
        web.functions.list_function_url_configs(FunctionName="none")


def test_a_function_url_says_no_more_of_a_failure_than_lambda(web: Web) -> None:
    web.deploy("def handler(event, context): raise ValueError('secret')")
    url = web.functions.create_function_url_config(FunctionName="shop", AuthType="NONE")["FunctionUrl"]
    answer = web.ask(url)
    assert (answer.status, b"secret" in answer.body) == (502, False)


def test_an_api_can_lead_to_a_server(web: Web, issuer: str) -> None:
    url = web.gateway.create_api(Name="proxy", ProtocolType="HTTP", Target=f"{issuer}/keys")["ApiEndpoint"]
    assert web.ask(url).json["keys"][0]["kid"] == "one"


def test_a_path_parameter_reaches_a_server_as_one_and_names_no_other(web: Web) -> None:
    asked: list[str] = []

    class Server(Quiet):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.answer(200)

    with http_server(Server) as port:
        made = web.gateway.create_api(Name="proxy", ProtocolType="HTTP")
        held = web.gateway.create_integration(
            ApiId=made["ApiId"],
            IntegrationType="HTTP_PROXY",
            IntegrationMethod="ANY",
            IntegrationUri=f"http://127.0.0.1:{port}/{{proxy}}",
            PayloadFormatVersion="1.0",
        )
        target = f"integrations/{held['IntegrationId']}"
        web.gateway.create_route(ApiId=made["ApiId"], RouteKey="ANY /{proxy+}", Target=target)
        web.gateway.create_stage(ApiId=made["ApiId"], StageName="$default", AutoDeploy=True)
        for path in ("/a/b%3Fadmin=1", "/a%23b%20c", "/@evil.example/"):
            assert web.ask(f"{made['ApiEndpoint']}{path}").status == 200
    assert asked == ["/a/b%3Fadmin%3D1", "/a%23b%20c", "/%40evil.example/"]


def test_who_asks_with_an_amazon_name_is_told_amazons_address(web: Web, foreign_names: Any) -> None:
    api = web.gateway.create_api(Name="api", ProtocolType="HTTP")
    host = "apigateway.us-east-1.amazonaws.com"
    signed = {
        "Authorization": "AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/apigateway/aws4_request, Signature=x"
    }
    reply = foreign_names.send("GET", f"/v2/apis/{api['ApiId']}", headers={"Host": host, **signed})
    assert json.loads(reply.body)["apiEndpoint"] == f"https://{api['ApiId']}.execute-api.us-east-1.amazonaws.com"


def test_a_request_can_be_as_binary_as_it_likes(web: Web) -> None:
    url = web.api(web.deploy("def handler(event, context): return event['body']"), "$default")
    answer = web.ask(url, "POST", b"\xff\xfe", content_type="text/plain")
    assert base64.b64decode(answer.body) == b"\xff\xfe"
