"""Stages of HTTP APIs, changed and tagged, and APIs made in one call."""

from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

FUNCTION = "arn:aws:lambda:us-east-1:123456789012:function:download"
LOGS = {"DestinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:api", "Format": "$context.requestId"}


@pytest.fixture
def apis(endpoint: "Running") -> Any:
    return endpoint.client("apigatewayv2")


@pytest.fixture
def stage(apis: Any) -> dict[str, str]:
    """An API's id, and its stage's name."""
    api = apis.create_api(Name="api", ProtocolType="HTTP")["ApiId"]
    throttled = {"ThrottlingBurstLimit": 10, "ThrottlingRateLimit": 5.0}
    apis.create_stage(
        ApiId=api, StageName="$default", AutoDeploy=True, DefaultRouteSettings=throttled, Tags={"team": "a"}
    )
    return {"ApiId": api, "StageName": "$default"}


def test_a_stage_is_changed_and_what_is_not_named_stays(apis: Any, stage: dict[str, str]) -> None:
    apis.update_stage(
        **stage,
        AccessLogSettings=LOGS,
        DefaultRouteSettings={"ThrottlingRateLimit": 7.0},
        RouteSettings={"GET /links/{file}": {"ThrottlingBurstLimit": 1}},
        StageVariables={"a": "1", "b": "2"},
    )
    apis.update_stage(**stage, Description="changed", StageVariables={"a": ""})
    kept = apis.get_stage(**stage)
    assert (kept["AccessLogSettings"], kept["AutoDeploy"], kept["Description"]) == (LOGS, True, "changed")
    assert kept["DefaultRouteSettings"]["ThrottlingRateLimit"] == 7.0
    assert kept["DefaultRouteSettings"]["ThrottlingBurstLimit"] == 10
    assert kept["RouteSettings"] == {"GET /links/{file}": {"ThrottlingBurstLimit": 1}}
    assert (kept["StageVariables"], kept["Tags"]) == ({"b": "2"}, {"team": "a"})

    apis.delete_access_log_settings(**stage)
    apis.delete_route_settings(**stage, RouteKey="GET /links/{file}")
    kept = apis.get_stage(**stage)
    assert ("AccessLogSettings" in kept, kept["RouteSettings"]) == (False, {})
    with pytest.raises(ClientError, match="NotFoundException"):
        apis.delete_route_settings(**stage, RouteKey="GET /links/{file}")


def test_a_stage_that_does_not_exist_is_not_found(apis: Any, stage: dict[str, str]) -> None:
    with pytest.raises(ClientError, match="NotFoundException"):
        apis.update_stage(ApiId=stage["ApiId"], StageName="missing", Description="x")


def test_a_stage_is_tagged_and_untagged_by_its_arn(apis: Any, stage: dict[str, str]) -> None:
    api = f"arn:aws:apigateway:us-east-1::/apis/{stage['ApiId']}"
    arn = f"{api}/stages/$default"
    apis.tag_resource(ResourceArn=arn, Tags={"cost": "1"})
    apis.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert apis.get_tags(ResourceArn=arn)["Tags"] == apis.get_stage(**stage)["Tags"] == {"cost": "1"}
    apis.tag_resource(ResourceArn=api, Tags={"whole": "api"})
    assert apis.get_api(ApiId=stage["ApiId"])["Tags"] == {"whole": "api"}
    with pytest.raises(ClientError, match="NotFoundException"):
        apis.untag_resource(ResourceArn=f"{api}/stages/missing", TagKeys=["team"])


@pytest.mark.parametrize(
    ("target", "key", "expected"),
    [
        (FUNCTION, None, ("AWS_PROXY", "2.0", "$default")),
        ("https://shop.example/links", "GET /links", ("HTTP_PROXY", "1.0", "GET /links")),
    ],
)
def test_quick_create_makes_an_integration_a_route_and_a_stage(
    apis: Any, target: str, key: str | None, expected: tuple[str, str, str]
) -> None:
    named = {"RouteKey": key} if key else {}
    api = {"ApiId": apis.create_api(Name="quick", ProtocolType="HTTP", Target=target, **named)["ApiId"]}
    [integration], [route] = apis.get_integrations(**api)["Items"], apis.get_routes(**api)["Items"]
    [stage] = apis.get_stages(**api)["Items"]
    made = (integration["IntegrationType"], integration["PayloadFormatVersion"], route["RouteKey"])
    assert made == expected
    assert integration["IntegrationUri"] == target
    assert route["Target"] == f"integrations/{integration['IntegrationId']}"
    assert (stage["StageName"], stage["AutoDeploy"]) == ("$default", True)
    assert all(each["ApiGatewayManaged"] for each in (integration, route, stage))


def test_what_quick_create_made_changes_with_its_api_alone(apis: Any) -> None:
    api = {"ApiId": apis.create_api(Name="quick", ProtocolType="HTTP", Target=FUNCTION)["ApiId"]}
    apis.update_api(**api, Target=f"{FUNCTION}-2", RouteKey="POST /links")
    [integration], [route] = apis.get_integrations(**api)["Items"], apis.get_routes(**api)["Items"]
    assert (integration["IntegrationUri"], route["RouteKey"]) == (f"{FUNCTION}-2", "POST /links")
    refused: list[tuple[Any, dict[str, Any]]] = [
        (apis.update_stage, {"StageName": "$default", "Description": "x"}),
        (apis.update_route, {"RouteId": route["RouteId"], "RouteKey": "GET /"}),
        (apis.delete_integration, {"IntegrationId": integration["IntegrationId"]}),
    ]
    for change, given in refused:
        with pytest.raises(ClientError, match=r"\(BadRequestException\).*quick create"):
            change(**api, **given)


def test_quick_create_refuses_what_it_cannot_make(apis: Any) -> None:
    for given in ({"Target": "nowhere"}, {"RouteKey": "GET /"}, {"ProtocolType": "WEBSOCKET", "Target": FUNCTION}):
        with pytest.raises(ClientError, match="BadRequestException"):
            apis.create_api(**{"Name": "quick", "ProtocolType": "HTTP", **given})
    assert apis.get_apis()["Items"] == []
