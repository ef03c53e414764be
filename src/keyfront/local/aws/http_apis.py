"""Extends moto's API Gateway v2: it can change and tag a stage, and create an API in one call (quick create).

Assumed: a change of a member that the API model calls unmodifiable gets `BadRequestException`. Amazon's wording is not
published.
"""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import unquote

from moto.apigatewayv2 import urls
from moto.apigatewayv2.exceptions import APIGatewayV2Error, BadRequestException, StageNotFound
from moto.apigatewayv2.models import Api, ApiGatewayV2Backend, Integration, Route, Stage
from moto.apigatewayv2.responses import ApiGatewayV2Response
from moto.core.common_types import TYPE_RESPONSE

from keyfront.local.aws.web import hosts

_create: Final = ApiGatewayV2Response.create_api
_update: Final = ApiGatewayV2Response.update_api
_update_route: Final = ApiGatewayV2Response.update_route
_delete_integration: Final = ApiGatewayV2Response.delete_integration
_get_tags: Final = ApiGatewayV2Backend.get_tags
_tag: Final = ApiGatewayV2Backend.tag_resource
_untag: Final = ApiGatewayV2Backend.untag_resource
_described: Final[dict[type, Callable[[Any], dict[str, Any]]]] = {
    kind: kind.to_json for kind in (Stage, Route, Integration)
}
_api: Final = Api.to_json

_MANAGED: Final = "api_gateway_managed"
_STAGE: Final = "{0}/v2/apis/(?P<api_id>[^/]+)/stages/(?P<stage_name>[^/]+)"
_PATHS: Final = (
    "{0}/v2/tags/(?P<arn>.+/stages/.+)$",
    f"{_STAGE}/accesslogsettings$",
    f"{_STAGE}/routesettings/(?P<route_key>.+)$",
)
"""Paths that moto does not have."""
_SETTINGS: Final = {
    "accessLogSettings": "access_log_settings",
    "autoDeploy": "auto_deploy",
    "clientCertificateId": "client_certificate_id",
    "description": "description",
}
"""Members of a stage that a change replaces. Other members are merged."""


def install() -> None:
    """Extend moto, so that Terraform can apply a changed stage, its tags, and an API with a `target`."""
    for path in _PATHS:
        urls.url_paths[path] = ApiGatewayV2Response.dispatch
    for kind, to_json in _described.items():
        kind.to_json = _describing(to_json)  # type: ignore[attr-defined]
    Api.to_json = api_with_its_address  # type: ignore[method-assign]
    for operation in (
        *(create_api, update_api, update_route, delete_integration),
        *(update_stage, delete_access_log_settings, delete_route_settings),
    ):
        setattr(ApiGatewayV2Response, operation.__name__, operation)
    for method in (get_tags, tag_resource, untag_resource):
        setattr(ApiGatewayV2Backend, method.__name__, method)


def api_with_its_address(self: Api) -> dict[str, Any]:
    """Return the API's description. A client on this machine gets an address that it can call."""
    return _api(self) | {"apiEndpoint": hosts.here(self.api_endpoint)}


def create_api(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """CreateApi, with the resources of quick create (API Reference, "CreateApi": `Target`, `RouteKey`)."""
    given = json.loads(self.body)
    if given.get("target") and given.get("protocolType") != "HTTP":
        raise BadRequestException("Quick create is supported for HTTP APIs only")
    if (given.get("routeKey") or given.get("credentialsArn")) and not given.get("target"):
        raise BadRequestException("Quick create needs a target")
    target = given.get("target")
    wanted = _integration(target) if target else None
    status, headers, body = _create(self)
    if wanted:
        api = self.apigatewayv2_backend.get_api(json.loads(body)["apiId"])
        integration = api.create_integration(
            connection_type="INTERNET",
            credentials_arn=given.get("credentialsArn"),
            description="",
            **wanted,
        )
        route = api.create_route(
            api_key_required=False,
            authorization_scopes=[],
            authorization_type="NONE",
            route_key=given.get("routeKey") or "$default",
            target=f"integrations/{integration.id}",
        )
        stage = api.create_stage({"stageName": "$default", "autoDeploy": True})
        for made in (integration, route, stage):
            setattr(made, _MANAGED, True)
    return status, headers, body


def update_api(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """UpdateApi, also with a new target, route key or credentials for quick create."""
    given, api = json.loads(self.body), self.apigatewayv2_backend.get_api(self.path.split("/")[-1])
    integration = next((each for each in api.integrations.values() if _managed(each)), None)
    route = next((each for each in api.routes.values() if _managed(each)), None)
    changed = {name for name in ("target", "routeKey", "credentialsArn") if given.get(name)}
    if changed and (integration is None or route is None):
        raise BadRequestException(f"{api.api_id} was not made by quick create: {', '.join(sorted(changed))}")
    answer: TYPE_RESPONSE = _update(self)
    if integration and route:
        if target := given.get("target"):
            vars(integration).update(_integration(target))
        integration.credentials_arn = given.get("credentialsArn") or integration.credentials_arn
        route.route_key = given.get("routeKey") or route.route_key
    return answer


def update_route(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """UpdateRoute. The key of a route made by quick create cannot be changed (API Reference, `ApiGatewayManaged`)."""
    api_id, _, route_id = self.path.split("/")[-3:]
    route = self.apigatewayv2_backend.get_route(api_id, route_id)
    if _managed(route) and json.loads(self.body).get("routeKey", route.route_key) != route.route_key:
        raise BadRequestException("The key of a route that quick create made cannot be changed")
    answer: TYPE_RESPONSE = _update_route(self)
    return answer


def delete_integration(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """DeleteIntegration. One made by quick create is deleted only with its API (API Reference, `ApiGatewayManaged`)."""
    api_id, _, integration_id = self.path.split("/")[-3:]
    if _managed(self.apigatewayv2_backend.get_integration(api_id, integration_id)):
        raise BadRequestException("An integration that quick create made cannot be deleted")
    answer: TYPE_RESPONSE = _delete_integration(self)
    return answer


def update_stage(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """UpdateStage. Members that are not given stay."""
    stage, given = _stage(self, self.path), json.loads(self.body)
    if given.get("deploymentId") and given.get("autoDeploy", stage.auto_deploy):
        raise BadRequestException("The deployment of a stage that is deployed automatically cannot be changed")
    for name, attribute in _SETTINGS.items():
        if name in given:
            setattr(stage, attribute, given[name])
    stage.default_route_settings = {**stage.default_route_settings, **(given.get("defaultRouteSettings") or {})}
    for key, settings in (given.get("routeSettings") or {}).items():
        stage.route_settings = {**stage.route_settings, key: {**stage.route_settings.get(key, {}), **settings}}
    for key, value in (given.get("stageVariables") or {}).items():
        # An empty value removes a variable.
        rest = {name: kept for name, kept in stage.stage_variables.items() if name != key}
        stage.stage_variables = {**rest, key: value} if value else rest
    return _changed(stage)


def delete_access_log_settings(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """DeleteAccessLogSettings."""
    stage = _stage(self, self.path.rpartition("/")[0])
    stage.access_log_settings = None
    _changed(stage)
    return 204, {}, ""


def delete_route_settings(self: ApiGatewayV2Response) -> TYPE_RESPONSE:
    """DeleteRouteSettings."""
    path, _, key = self.path.partition("/routesettings/")
    stage, key = _stage(self, path), unquote(key)
    if key not in stage.route_settings:
        raise _NoSuchRouteSettingsError(key)
    stage.route_settings = {name: kept for name, kept in stage.route_settings.items() if name != key}
    _changed(stage)
    return 204, {}, ""


def get_tags(self: ApiGatewayV2Backend, resource_id: str) -> dict[str, str]:
    """Return the tags of an ARN. A stage has its own tags."""
    stage = _stage_of(self, resource_id)
    return dict(stage.tags) if stage else _get_tags(self, resource_id)


def tag_resource(self: ApiGatewayV2Backend, resource_arn: str, tags: dict[str, str]) -> None:
    """TagResource by ARN."""
    if stage := _stage_of(self, resource_arn):
        stage.tags = {**stage.tags, **tags}
    else:
        _tag(self, resource_arn, tags)


def untag_resource(self: ApiGatewayV2Backend, resource_arn: str, tag_keys: list[str]) -> None:
    """UntagResource by ARN."""
    if stage := _stage_of(self, resource_arn):
        stage.tags = {key: value for key, value in stage.tags.items() if key not in tag_keys}
    else:
        _untag(self, resource_arn, tag_keys)


class _NoSuchRouteSettingsError(APIGatewayV2Error):
    code = 404

    def __init__(self, key: str) -> None:
        super().__init__("NotFoundException", f"Unable to find Route by key {key} within the provided RouteSettings")


def _integration(target: str) -> dict[str, Any]:
    """Return the integration for a target: HTTP_PROXY for a URL, AWS_PROXY for a function's ARN.

    Source: API Reference, "CreateApi". Source of the payload formats: Developer Guide, "Create AWS Lambda proxy
    integrations for HTTP APIs" (new ones default to 2.0) and "PayloadFormatVersion" (HTTP_PROXY supports only 1.0).
    """
    if target.startswith("arn:"):
        kind, method, version = "AWS_PROXY", "POST", "2.0"
    elif target.startswith(("https://", "http://")):
        kind, method, version = "HTTP_PROXY", "ANY", "1.0"
    else:
        raise BadRequestException(f"Invalid integration URI specified: {target[:200]}")
    return {
        "integration_type": kind,
        "integration_method": method,
        "integration_uri": target,
        "payload_format_version": version,
    }


def _describing(to_json: Callable[[Any], dict[str, Any]]) -> Callable[[Any], dict[str, Any]]:
    def described(self: Any) -> dict[str, Any]:
        return {**to_json(self), **({"apiGatewayManaged": True} if _managed(self) else {})}

    return described


def _managed(made: object) -> bool:
    return bool(getattr(made, _MANAGED, False))


def _stage(response: ApiGatewayV2Response, path: str) -> Stage:
    """Return the stage at `path`. Quick create's is refused: it cannot be modified (`ApiGatewayManaged`)."""
    api_id, _, name = path.split("/")[-3:]
    stage = response.apigatewayv2_backend.get_stage(api_id, unquote(name))
    if _managed(stage):
        raise BadRequestException("The stage that quick create made cannot be modified")
    return stage


def _stage_of(backend: ApiGatewayV2Backend, arn: str) -> Stage | None:
    """Return the stage that an ARN names, or `None` if it names something else."""
    api_arn, found, name = arn.partition("/stages/")
    if not found:
        return None
    apis: Mapping[str, Api] = backend.apis
    api = apis.get(api_arn.rpartition("/")[2])
    if api is None or name not in api.stages:
        raise StageNotFound
    return api.stages[name]


def _changed(stage: Stage) -> TYPE_RESPONSE:
    stage.updated = datetime.now()  # noqa: DTZ005 (as moto does)
    return 200, {}, json.dumps(stage.to_json())
