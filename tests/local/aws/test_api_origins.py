"""APIs and function URLs as origins: a whole configuration of signed cookies, from the login to the film.

Such configurations are public: the login is a function behind the distribution itself, named by `replace(api_endpoint,
"https://", "")` or by the function's URL, and the film is in a bucket that trusts a key group.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest
from tests.keys import shared_rsa
from tests.local.aws.edges import Answer, ask, edge_before
from tests.local.aws.functions import zipped

from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.asgi import application as control_plane_app

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running, Start

CACHING_DISABLED = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
CACHING_OPTIMIZED = "658327ea-f89d-4fab-a63d-7e88639e58f6"
ALL_BUT_HOST = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
ALL_VIEWER = "216adef6-5c7f-47e4-b989-5492eafa07d3"
ROLE = "arn:aws:iam::123456789012:role/login"
LOGIN = """
import os, time
from keyfront import Signer, SigningKey

signer = Signer(os.environ["KEY_PAIR_ID"], SigningKey.load(os.environ["PRIVATE_KEY"]))

def handler(event, context):
    path = event.get("rawPath") or event["path"]
    host = os.environ["DOMAIN"]
    cookies = signer.sign_cookies(f"http://{host}/members/*", expires=int(time.time()) + 60)
    lines = [f"{name}={value}; Path=/; Secure" for name, value in cookies.items()]
    answer = {"statusCode": 303, "headers": {"location": "/members/film", "x-asked": path}}
    return answer | ({"cookies": lines} if "version" in event else {"multiValueHeaders": {"set-cookie": lines}})
"""


@dataclass
class Shop:
    """An account with a distribution, and an edge in front of it."""

    endpoint: Running
    domain: str
    port: int

    def ask(self, path: str, **headers: str) -> Answer:
        return ask(self.port, self.domain, path, **headers)


def deploy(endpoint: Running, key_id: str, domain: str) -> str:
    """The function; its ARN."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
    endpoint.client("iam").create_role(RoleName="login", AssumeRolePolicyDocument=json.dumps({"Statement": [trust]}))
    made: dict[str, Any] = endpoint.client("lambda").create_function(
        FunctionName="login",
        Runtime="python3.12",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": zipped({"app.py": LOGIN})},
        Timeout=20,
        Environment={"Variables": {"KEY_PAIR_ID": key_id, "PRIVATE_KEY": shared_rsa().pem(), "DOMAIN": domain}},
    )
    return str(made["FunctionArn"])


def rest_api(endpoint: Running, arn: str) -> str:
    """A REST API with a proxy resource, deployed to the stage `prod`; its id."""
    rest = endpoint.client("apigateway")
    api = rest.create_rest_api(name="rest")
    held = rest.create_resource(restApiId=api["id"], parentId=api["rootResourceId"], pathPart="{proxy+}")
    named = {"restApiId": api["id"], "resourceId": held["id"]}
    rest.put_method(**named, httpMethod="ANY", authorizationType="NONE")
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{arn}/invocations"
    rest.put_integration(**named, httpMethod="ANY", type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    rest.put_method(**named, httpMethod="OPTIONS", authorizationType="NONE")
    rest.put_method_response(**named, httpMethod="OPTIONS", statusCode="200")
    template = {"application/json": '{"statusCode": 200}'}
    rest.put_integration(**named, httpMethod="OPTIONS", type="MOCK", requestTemplates=template)
    allowed = {"method.response.header.Access-Control-Allow-Origin": "'*'"}
    rest.put_integration_response(**named, httpMethod="OPTIONS", statusCode="200", responseParameters=allowed)
    rest.create_deployment(restApiId=api["id"], stageName="prod")
    return str(api["id"])


def origin(name: str, domain: str, **more: Any) -> dict[str, Any]:
    custom = {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"}
    return {"Id": name, "DomainName": domain, "CustomOriginConfig": custom, **more}


def behavior(pattern: str, target: str, policy: str = ALL_BUT_HOST) -> dict[str, Any]:
    return {
        "PathPattern": pattern,
        "TargetOriginId": target,
        "ViewerProtocolPolicy": "allow-all",
        "CachePolicyId": CACHING_DISABLED,
        "OriginRequestPolicyId": policy,
    }


def distribution(endpoint: Running, group: str, arn: str) -> Any:
    """As public configurations make it: an API's and a function's address as they come from Lambda and API Gateway."""
    cloudfront, gateway, functions = (endpoint.client(name) for name in ("cloudfront", "apigatewayv2", "lambda"))
    http = gateway.create_api(Name="http", ProtocolType="HTTP", Target=arn)["ApiEndpoint"].replace("https://", "")
    url = functions.create_function_url_config(FunctionName="login", AuthType="AWS_IAM")["FunctionUrl"]
    rest = f"{rest_api(endpoint, arn)}.execute-api.us-east-1.amazonaws.com"
    controls = {
        kind: cloudfront.create_origin_access_control(
            OriginAccessControlConfig={
                "Name": kind,
                "SigningProtocol": "sigv4",
                "SigningBehavior": "always",
                "OriginAccessControlOriginType": kind,
            }
        )["OriginAccessControl"]["Id"]
        for kind in ("s3", "lambda")
    }
    films = {
        "Id": "films",
        "DomainName": "films.s3.eu-central-1.amazonaws.com",
        "S3OriginConfig": {"OriginAccessIdentity": ""},
        "OriginAccessControlId": controls["s3"],
    }
    origins = [
        films,
        origin("http", http),
        origin("url", urlsplit(url).netloc, OriginAccessControlId=controls["lambda"]),
        origin("rest", rest, OriginPath="/prod"),
    ]
    behaviors = [behavior(f"/{name}/*", name) for name in ("http", "url", "rest")]
    behaviors += [behavior(f"/host-{name}/*", name, ALL_VIEWER) for name in ("http", "films")]
    return cloudfront.create_distribution(
        DistributionConfig={
            "CallerReference": "shop",
            "Comment": "",
            "Enabled": True,
            "Origins": {"Quantity": len(origins), "Items": origins},
            "CacheBehaviors": {"Quantity": len(behaviors), "Items": behaviors},
            "DefaultCacheBehavior": {
                "TargetOriginId": "films",
                "ViewerProtocolPolicy": "allow-all",
                "CachePolicyId": CACHING_OPTIMIZED,
                "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
            },
        }
    )["Distribution"]


def fill_bucket(endpoint: Running, arn: str) -> None:
    s3 = endpoint.client("s3")
    s3.create_bucket(Bucket="films", CreateBucketConfiguration={"LocationConstraint": "eu-central-1"})
    s3.put_object(Bucket="films", Key="members/film", Body=b"film")
    reads = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": "s3:GetObject",
        "Resource": "arn:aws:s3:::films/*",
        "Condition": {"StringEquals": {"AWS:SourceArn": arn}},
    }
    s3.put_bucket_policy(Bucket="films", Policy=json.dumps({"Statement": [reads]}))


@pytest.fixture(scope="module")
def shop(start_endpoint: Start) -> Iterator[Shop]:
    domain = "d1.cloudfront.localhost"
    plane = ControlPlane(domain_name=lambda _: domain)
    endpoint = start_endpoint(control_plane=control_plane_app(plane))
    cloudfront = endpoint.client("cloudfront")
    key = {"CallerReference": "k", "Name": "k", "EncodedKey": shared_rsa().public_key.pem}
    key_id = cloudfront.create_public_key(PublicKeyConfig=key)["PublicKey"]["Id"]
    group = cloudfront.create_key_group(KeyGroupConfig={"Name": "g", "Items": [key_id]})["KeyGroup"]["Id"]
    made = distribution(endpoint, group, deploy(endpoint, key_id, domain))
    fill_bucket(endpoint, made["ARN"])
    endpoint.client("lambda").add_permission(
        FunctionName="login",
        StatementId="cloudfront",
        Action="lambda:InvokeFunctionUrl",
        Principal="cloudfront.amazonaws.com",
        SourceArn=made["ARN"],
        FunctionUrlAuthType="AWS_IAM",
    )

    with edge_before(endpoint) as port:
        yield Shop(endpoint, domain, port)
    endpoint.endpoint.reset()


@pytest.mark.parametrize(("name", "asked"), [("http", "/http/login"), ("url", "/url/login"), ("rest", "/rest/login")])
def test_a_login_behind_the_distribution_opens_the_film(shop: Shop, name: str, asked: str) -> None:
    status, _, body = shop.ask("/members/film")
    assert (status, b"<Code>MissingKey</Code>" in body) == (403, True)
    status, headers, body = shop.ask(f"/{name}/login")
    assert (status, dict(headers)["location"], dict(headers)["x-asked"]) == (303, "/members/film", asked), body
    cookies = [value.partition(";")[0] for header, value in headers if header == "set-cookie"]
    assert len(cookies) == 3
    assert shop.ask("/members/film", Cookie="; ".join(cookies))[::2] == (200, b"film")


def test_only_the_distribution_calls_the_function_url(shop: Shop) -> None:
    url = shop.endpoint.client("lambda").get_function_url_config(FunctionName="login")["FunctionUrl"]
    assert shop.endpoint.send("GET", "/login", headers={"Host": urlsplit(url).netloc}).status == 403


def test_the_viewers_host_opens_neither_an_api_nor_a_bucket(shop: Shop) -> None:
    status, _, body = shop.ask("/host-http/login")
    assert (status, json.loads(body)) == (403, {"message": "Forbidden"})
    status, _, body = shop.ask("/host-films/film")
    assert (status, b"<Code>SignatureDoesNotMatch</Code>" in body) == (403, True)


def test_a_rest_api_answers_for_its_stages_methods_and_mocks(shop: Shop) -> None:
    api = shop.endpoint.client("apigateway").get_rest_apis()["items"][0]["id"]
    host = {"Host": f"{api}.execute-api.us-east-1.localhost"}
    wanted = {"/none/login": "Forbidden", "/": "Forbidden", "/prod": "Missing Authentication Token"}
    for path, message in wanted.items():
        reply = shop.endpoint.send("GET", path, headers=host)
        assert (reply.status, json.loads(reply.body)) == (403, {"message": message})
    reply = shop.endpoint.send("OPTIONS", "/prod/login", headers=host)
    assert (reply.status, reply.headers["access-control-allow-origin"]) == (200, "*")


@pytest.mark.parametrize(
    ("settings", "kind", "answer"),
    [
        ({"authorizationType": "AWS_IAM"}, "AWS_PROXY", (401, "Unauthorized")),
        ({"authorizationType": "NONE", "apiKeyRequired": True}, "AWS_PROXY", (403, "Forbidden")),
        ({"authorizationType": "NONE"}, "AWS", (500, "Internal server error")),
    ],
)
def test_what_a_rest_api_cannot_check_is_refused(
    shop: Shop, settings: dict[str, Any], kind: str, answer: tuple[int, str]
) -> None:
    rest = shop.endpoint.client("apigateway")
    api = rest.create_rest_api(name="closed")
    named = {"restApiId": api["id"], "resourceId": api["rootResourceId"], "httpMethod": "GET"}
    rest.put_method(**named, **settings)
    uri = "arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/login/invocations"
    rest.put_integration(**named, type=kind, integrationHttpMethod="POST", uri=uri)
    rest.create_deployment(restApiId=api["id"], stageName="prod")
    host = {"Host": f"{api['id']}.execute-api.us-east-1.localhost"}
    reply = shop.endpoint.send("GET", "/prod/", headers=host)
    assert (reply.status, json.loads(reply.body)["message"]) == answer
    rest.delete_rest_api(restApiId=api["id"])
