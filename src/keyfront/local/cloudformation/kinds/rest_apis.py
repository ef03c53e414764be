"""API Gateway's resource types for REST APIs. Source: Template Reference, "AWS::ApiGateway"."""

from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, deleted_on_failure, tag_list
from keyfront.local.cloudformation.kinds.rest_description import RestDescription
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "apigateway"
_API: Final = frozenset(
    {"BinaryMediaTypes", "Description", "DisableExecuteApiEndpoint", "EndpointConfiguration", "Name", "Policy"}
)
_APART: Final = frozenset({"Body", "FailOnWarnings", "Parameters", "Tags"})
_METHOD: Final = frozenset({"Integration", "MethodResponses"})


class RestApiKind:
    """REST APIs, also with their methods in an OpenAPI description (`Body`), as SAM writes them."""

    def create(self, task: Task) -> Made:
        """Create an API, with the methods of its description."""
        given = _accepted(task, "CreateRestApi", self._settings(task))
        if tags := tag_list(task.properties, task.tags):
            given["tags"] = {each["Key"]: each["Value"] for each in tags}
        api = task.call(_SERVICE, "CreateRestApi", given)["id"]
        made = Made(api, {"RestApiId": api, "RootResourceId": self._resources(task, api)["/"]})
        with deleted_on_failure(self, task, made):
            self._import(task, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change an API. Another description replaces all of its methods."""
        settings = self._settings(task)
        changes = [
            {"op": "replace", "path": f"/{name[0].lower()}{name[1:]}", "value": str(settings.get(name, ""))}
            for name in ("Name", "Description")
        ]
        task.call(_SERVICE, "UpdateRestApi", {"restApiId": made.physical_id, "patchOperations": changes})
        if task.properties.get("Body") != before.get("Body"):
            self._empty(task, made)
            self._import(task, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the API with all its parts."""
        task.call(_SERVICE, "DeleteRestApi", {"restApiId": made.physical_id})

    def _settings(self, task: Task) -> dict[str, Any]:
        given = {name: value for name, value in task.properties.items() if name not in _APART}
        if unknown := sorted(given.keys() - _API):
            raise ValueError(f"the property {unknown[0]} is not supported at this endpoint")
        if "Body" in task.properties:
            given = {**RestDescription(task.properties["Body"]).settings(), **given}
        return {"Name": task.new_name(), **given}

    def _import(self, task: Task, made: Made) -> None:
        if "Body" not in task.properties:
            return
        api, places = made.physical_id, self._resources(task, made.physical_id)
        for path, verb, method in RestDescription(task.properties["Body"]).methods():
            _put_method(task, api, self._place(task, api, places, path), verb, method)

    def _place(self, task: Task, api: str, places: dict[str, str], path: str) -> str:
        """Return the id of a path's resource. It and those above it are created if they do not exist."""
        if path not in places:
            above, _, part = path.rpartition("/")
            given = {"restApiId": api, "parentId": self._place(task, api, places, above or "/"), "pathPart": part}
            places[path] = task.call(_SERVICE, "CreateResource", given)["id"]
        return places[path]

    def _resources(self, task: Task, api: str) -> dict[str, str]:
        pages = task.client(_SERVICE).get_paginator("get_resources").paginate(restApiId=api)
        return {each["path"]: each["id"] for page in pages for each in page["items"]}

    def _empty(self, task: Task, made: Made) -> None:
        api = {"restApiId": made.physical_id}
        found = self._resources(task, made.physical_id)
        root = task.call(_SERVICE, "GetResource", {**api, "resourceId": found["/"]})
        for verb in root.get("resourceMethods", {}):
            task.call(_SERVICE, "DeleteMethod", {**api, "resourceId": found["/"], "httpMethod": verb})
        # The longest paths first: a resource below another one goes before it.
        for path in sorted(found.keys() - {"/"}, key=len, reverse=True):
            task.call(_SERVICE, "DeleteResource", {**api, "resourceId": found[path]})


class MethodKind:
    """Methods of a resource, with their integration."""

    def create(self, task: Task) -> Made:
        """Create the method."""
        api, resource, verb = (str(task.properties[name]) for name in ("RestApiId", "ResourceId", "HttpMethod"))
        _put_method(task, api, resource, verb, task.properties)
        return Made(f"{api}|{resource}|{verb}")

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Make the method anew."""
        self.delete(task, made)
        return self.create(task)

    def delete(self, task: Task, made: Made) -> None:
        """Delete the method."""
        api, resource, verb = made.physical_id.split("|")
        task.call(_SERVICE, "DeleteMethod", {"restApiId": api, "resourceId": resource, "httpMethod": verb})


class DeploymentKind:
    """Deployments of an API, some with a stage of their own."""

    _described: Final = Described(
        service=_SERVICE,
        create_operation="CreateDeployment",
        delete_operation="DeleteDeployment",
        physical="Out.id",
        identity={"restApiId": "RestApiId", "deploymentId": "Id"},
        attributes={"DeploymentId": "Out.id"},
    )

    def create(self, task: Task) -> Made:
        """Deploy the API."""
        return self._described.create(task)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change the description."""
        change = {"op": "replace", "path": "/description", "value": str(task.properties.get("Description", ""))}
        where = {"restApiId": task.properties["RestApiId"], "deploymentId": made.physical_id}
        task.call(_SERVICE, "UpdateDeployment", {**where, "patchOperations": [change]})
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the deployment. Assumed: with its own stage, unless that has moved to another deployment."""
        if "StageName" in task.properties:
            stage = {"restApiId": task.properties["RestApiId"], "stageName": task.properties["StageName"]}
            found = task.call(_SERVICE, "GetStages", {"restApiId": stage["restApiId"]})["item"]
            used = {each["stageName"]: each["deploymentId"] for each in found}
            if used.get(stage["stageName"]) == made.physical_id:
                task.call(_SERVICE, "DeleteStage", stage)
        self._described.delete(task, made)


class StageKind:
    """Stages of an API."""

    _described: Final = Described(
        service=_SERVICE,
        create_operation="CreateStage",
        delete_operation="DeleteStage",
        physical="In.stageName",
        identity={"restApiId": "RestApiId", "stageName": "Id"},
    )

    def create(self, task: Task) -> Made:
        """Create the stage."""
        return self._described.create(task)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Move the stage to another deployment, and change its description and variables."""
        properties = task.properties
        variables, were = (each.get("Variables") or {} for each in (properties, before))
        values = {"/deploymentId": properties["DeploymentId"], "/description": properties.get("Description", "")}
        values |= {f"/variables/{name}": value for name, value in variables.items()}
        changes = [{"op": "replace", "path": path, "value": str(value)} for path, value in values.items()]
        changes += [{"op": "remove", "path": f"/variables/{name}"} for name in were if name not in variables]
        where = {"restApiId": properties["RestApiId"], "stageName": made.physical_id}
        task.call(_SERVICE, "UpdateStage", {**where, "patchOperations": changes})
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the stage."""
        self._described.delete(task, made)


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::ApiGateway::RestApi": RestApiKind(),
    "AWS::ApiGateway::Resource": Described(
        service=_SERVICE,
        create_operation="CreateResource",
        delete_operation="DeleteResource",
        physical="Out.id",
        identity={"restApiId": "RestApiId", "resourceId": "Id"},
        attributes={"ResourceId": "Out.id"},
    ),
    "AWS::ApiGateway::Method": MethodKind(),
    "AWS::ApiGateway::Deployment": DeploymentKind(),
    "AWS::ApiGateway::Stage": StageKind(),
}


def _put_method(task: Task, api: str, resource: str, verb: str, method: Mapping[str, Any]) -> None:
    """Create a method with its integration and its responses, which have the names of templates."""
    where = {"restApiId": api, "resourceId": resource, "httpMethod": verb}

    def put(operation: str, properties: Mapping[str, Any]) -> None:
        task.call(_SERVICE, operation, {**_accepted(task, operation, properties), **where})

    put("PutMethod", {name: value for name, value in method.items() if name not in _METHOD})
    for response in method.get("MethodResponses") or []:
        put("PutMethodResponse", response)
    integration = dict(method.get("Integration") or {})
    if not integration:
        return
    responses = integration.pop("IntegrationResponses", None) or []
    put("PutIntegration", integration)
    for response in responses:
        put("PutIntegrationResponse", response)


def _accepted(task: Task, operation: str, properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the input of an operation. Raises `ValueError` for a property that it does not take."""
    model = task.client(_SERVICE).meta.service_model.operation_model(operation)
    given = api_input.accepted(model, properties)
    known = {name.lower() for name in given}
    if unknown := sorted(name for name in properties if name.lower() not in known):
        raise ValueError(f"the property {unknown[0]} is not supported at this endpoint")
    return given
