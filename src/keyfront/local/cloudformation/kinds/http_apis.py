"""API Gateway's resource types for HTTP APIs. Source: Template Reference, "AWS::ApiGatewayV2"."""

from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, deleted_on_failure
from keyfront.local.cloudformation.kinds.openapi import Description, Route
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "apigatewayv2"


class ApiKind:
    """HTTP APIs, also with their routes in an OpenAPI description (`Body`), as SAM writes them."""

    _described: Final = Described(
        service=_SERVICE,
        create_operation="CreateApi",
        update_operations=("UpdateApi",),
        delete_operation="DeleteApi",
        physical="Out.ApiId",
        identity={"ApiId": "Id"},
        attributes={"ApiId": "Out.ApiId", "ApiEndpoint": "Out.ApiEndpoint"},
        prepare=lambda _, properties: _without_body(properties),
        apart=frozenset({"FailOnWarnings"}),
    )

    def create(self, task: Task) -> Made:
        """Create an API, with the routes of its description."""
        made = self._described.create(task)
        with deleted_on_failure(self, task, made):
            self._import(task, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change an API. Another description replaces all routes."""
        changed = self._described.update(task, before, made)
        if task.properties.get("Body") != before.get("Body"):
            self._empty(task, made)
            self._import(task, made)
        return changed

    def delete(self, task: Task, made: Made) -> None:
        """Delete the API with all its parts."""
        self._described.delete(task, made)

    def _import(self, task: Task, made: Made) -> None:
        if "Body" not in task.properties:
            return
        api = {"ApiId": made.physical_id}
        described = Description(task.properties["Body"])
        authorizers = {
            name: task.call(_SERVICE, "CreateAuthorizer", {**api, **given})["AuthorizerId"]
            for name, given in described.authorizers()
        }
        for route in described.routes():
            self._add(task, api, route, authorizers)

    def _add(self, task: Task, api: Mapping[str, str], route: Route, authorizers: Mapping[str, str]) -> None:
        integration = task.call(_SERVICE, "CreateIntegration", {**api, **route.integration})["IntegrationId"]
        given = {**api, "RouteKey": route.key, "Target": f"integrations/{integration}"}
        if route.authorizer is not None:
            given |= {"AuthorizationType": "JWT", "AuthorizerId": authorizers[route.authorizer]}
        task.call(_SERVICE, "CreateRoute", given)

    def _empty(self, task: Task, made: Made) -> None:
        api = {"ApiId": made.physical_id}
        for noun in ("Route", "Integration", "Authorizer"):
            for each in task.call(_SERVICE, f"Get{noun}s", api)["Items"]:
                task.call(_SERVICE, f"Delete{noun}", {**api, f"{noun}Id": each[f"{noun}Id"]})


def _without_body(properties: dict[str, Any]) -> dict[str, Any]:
    body = properties.pop("Body", None)
    return properties if body is None else {**Description(body).settings(), **properties}


def _part(noun: str) -> Described:
    """Return a part of an API with an id of its own."""
    return Described(
        service=_SERVICE,
        create_operation=f"Create{noun}",
        update_operations=(f"Update{noun}",),
        delete_operation=f"Delete{noun}",
        physical=f"Out.{noun}Id",
        identity={"ApiId": "ApiId", f"{noun}Id": "Id"},
        attributes={f"{noun}Id": f"Out.{noun}Id"},
    )


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::ApiGatewayV2::Api": ApiKind(),
    "AWS::ApiGatewayV2::Stage": Described(
        service=_SERVICE,
        create_operation="CreateStage",
        update_operations=("UpdateStage",),
        delete_operation="DeleteStage",
        physical="In.StageName",
        identity={"ApiId": "ApiId", "StageName": "Id"},
    ),
    **{f"AWS::ApiGatewayV2::{noun}": _part(noun) for noun in ("Authorizer", "Integration", "Route")},
}
