"""Lambda's resource types: functions, their versions, aliases, addresses, permissions and layers."""

from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.kinds.inline_code import inline_package
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, tag_list
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "lambda"
_APART: Final = frozenset({"Tags", "ReservedConcurrentExecutions", "RecursiveLoop", "RuntimeManagementConfig"})
"""The properties of a function with operations of their own, or that mean nothing here."""


class FunctionKind:
    """Functions."""

    def create(self, task: Task) -> Made:
        """Create a function."""
        model = task.client(_SERVICE).meta.service_model.operation_model("CreateFunction")
        named = {name: value for name, value in task.properties.items() if name not in (*_APART, "Code")}
        given = api_input.accepted(model, named)
        if left := named.keys() - given.keys():
            raise ValueError(f"the property {min(left)} is not supported at this endpoint")
        given.setdefault("FunctionName", task.new_name())
        given["Code"] = _code(task.properties)
        given["Tags"] = {each["Key"]: each["Value"] for each in tag_list(task.properties, task.tags)}
        output = task.call(_SERVICE, "CreateFunction", given)
        made = Made(output["FunctionName"], {"Arn": output["FunctionArn"]})
        self._reserve(task, {}, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the code, the configuration and the tags."""
        name = {"FunctionName": made.physical_id}
        model = task.client(_SERVICE).meta.service_model.operation_model("UpdateFunctionConfiguration")
        left_out = {name: _EMPTIED[name] for name in before if name in _EMPTIED and name not in task.properties}
        named = {key: value for key, value in task.properties.items() if key not in (*_APART, "Code")}
        task.call(_SERVICE, "UpdateFunctionConfiguration", {**api_input.accepted(model, {**named, **left_out}), **name})
        if task.properties.get("Code") != before.get("Code"):
            task.call(_SERVICE, "UpdateFunctionCode", {**_code(task.properties), **name})
        arn = made.attributes["Arn"]
        wanted = {each["Key"]: each["Value"] for each in tag_list(task.properties, task.tags)}
        if wanted:
            task.call(_SERVICE, "TagResource", {"Resource": arn, "Tags": wanted})
        if gone := sorted({each["Key"] for each in before.get("Tags") or []} - wanted.keys()):
            task.call(_SERVICE, "UntagResource", {"Resource": arn, "TagKeys": gone})
        self._reserve(task, before, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the function with all its versions."""
        task.call(_SERVICE, "DeleteFunction", {"FunctionName": made.physical_id})

    def _reserve(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        name, wanted = "ReservedConcurrentExecutions", task.properties.get("ReservedConcurrentExecutions")
        if wanted == before.get(name):
            return
        function = {"FunctionName": made.physical_id}
        if wanted is None:
            task.call(_SERVICE, "DeleteFunctionConcurrency", function)
        else:
            task.call(_SERVICE, "PutFunctionConcurrency", {**function, name: int(wanted)})


_EMPTIED: Final[Mapping[str, Any]] = {"Environment": {"Variables": {}}, "Layers": [], "Description": "", "Timeout": 3}
"""What a property becomes that the new template leaves out."""


class VersionKind:
    """Published versions. They never change."""

    def create(self, task: Task) -> Made:
        """Publish a version."""
        names = ("FunctionName", "CodeSha256", "Description")
        given = {name: task.properties[name] for name in names if name in task.properties}
        output = task.call(_SERVICE, "PublishVersion", given)
        return Made(output["FunctionArn"], {"Version": output["Version"], "FunctionArn": output["FunctionArn"]})

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change nothing: every property that can change has no meaning here."""
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the version."""
        given = {"FunctionName": task.properties["FunctionName"], "Qualifier": made.attributes["Version"]}
        task.call(_SERVICE, "DeleteFunction", given)


class LayerVersionKind:
    """Versions of layers. They never change."""

    def create(self, task: Task) -> Made:
        """Publish a version of the layer."""
        model = task.client(_SERVICE).meta.service_model.operation_model("PublishLayerVersion")
        given = api_input.accepted(model, task.properties)
        given.setdefault("LayerName", task.new_name())
        output = task.call(_SERVICE, "PublishLayerVersion", given)
        arn = output["LayerVersionArn"]
        return Made(arn, {"LayerVersionArn": arn})

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change nothing: every property makes a new version."""
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the version."""
        name, _, version = made.physical_id.rpartition(":")
        task.call(_SERVICE, "DeleteLayerVersion", {"LayerName": name, "VersionNumber": int(version)})


def _permission(task: Task, properties: dict[str, Any]) -> dict[str, Any]:
    return {"StatementId": task.new_name(100), **properties}


def _address(_: Task, properties: dict[str, Any]) -> dict[str, Any]:
    return {("FunctionName" if name == "TargetFunctionArn" else name): each for name, each in properties.items()}


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::Lambda::Function": FunctionKind(),
    "AWS::Lambda::Version": VersionKind(),
    "AWS::Lambda::LayerVersion": LayerVersionKind(),
    "AWS::Lambda::Alias": Described(
        service=_SERVICE,
        create_operation="CreateAlias",
        update_operations=("UpdateAlias",),
        delete_operation="DeleteAlias",
        physical="Out.AliasArn",
        identity={"FunctionName": "FunctionName", "Name": "Name"},
        attributes={"AliasArn": "Out.AliasArn"},
    ),
    "AWS::Lambda::Url": Described(
        service=_SERVICE,
        create_operation="CreateFunctionUrlConfig",
        update_operations=("UpdateFunctionUrlConfig",),
        delete_operation="DeleteFunctionUrlConfig",
        physical="Out.FunctionArn",
        identity={"FunctionName": "TargetFunctionArn", "Qualifier": "Qualifier"},
        attributes={"FunctionUrl": "Out.FunctionUrl", "FunctionArn": "Out.FunctionArn"},
        prepare=_address,
    ),
    "AWS::Lambda::Permission": Described(
        service=_SERVICE,
        create_operation="AddPermission",
        delete_operation="RemovePermission",
        physical="In.StatementId",
        identity={"FunctionName": "FunctionName", "StatementId": "Id"},
        attributes={"Id": "In.StatementId"},
        prepare=_permission,
    ),
}


def _code(properties: Mapping[str, Any]) -> dict[str, Any]:
    """Return the code as the API takes it. Text in the template becomes a package."""
    code = dict(properties.get("Code") or {})
    if "ZipFile" in code:
        code["ZipFile"] = inline_package(str(code["ZipFile"]), str(properties.get("Runtime", "")))
    return {name: value for name, value in code.items() if name != "SourceKMSKeyArn"}
