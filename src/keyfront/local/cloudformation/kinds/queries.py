"""Resource types for queries: Glue's databases and tables, Athena's workgroups and saved queries."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, tag_list
from keyfront.local.cloudformation.stack import Made

_GLUE: Final = "glue"
_ATHENA: Final = "athena"
_RESULTS: Final = "ResultConfiguration"
_LIMIT: Final = "BytesScannedCutoffPerQuery"


@dataclass(frozen=True)
class CatalogKind:
    """Databases and tables of Glue's catalog: `CreateNOUN` with an input that has the name."""

    noun: str
    name: str
    """The property with the name, if the input does not have it."""
    place: tuple[str, ...] = ()
    """The properties that say where it is."""

    def create(self, task: Task) -> Made:
        """Create it. Glue keeps names in lower case."""
        given = task.properties[f"{self.noun}Input"].get("Name") or task.properties.get(self.name)
        name = str(given or task.new_name(255)).lower()
        self._call(task, "Create", name, {})
        return Made(name)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Change it."""
        named = {"Name": made.physical_id} if self.noun == "Database" else {}
        self._call(task, "Update", made.physical_id, named)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete it. A database takes its tables with it."""
        task.call(_GLUE, f"Delete{self.noun}", {**self._place(task), "Name": made.physical_id})

    def _call(self, task: Task, verb: str, name: str, named: Mapping[str, str]) -> None:
        operation, member = f"{verb}{self.noun}", f"{self.noun}Input"
        shape = task.client(_GLUE).meta.service_model.operation_model(operation).input_shape.members[member]
        wanted = api_input.convert(shape, {**task.properties[member], "Name": name})
        task.call(_GLUE, operation, {**self._place(task), **named, member: wanted})

    def _place(self, task: Task) -> dict[str, str]:
        return {name: str(task.properties[name]) for name in ("CatalogId", *self.place) if name in task.properties}


class WorkGroupKind:
    """Athena's workgroups."""

    def create(self, task: Task) -> Made:
        """Create a workgroup. A new one is enabled, and can be disabled only afterwards."""
        properties, name = task.properties, str(task.properties["Name"])
        given: dict[str, Any] = {"Name": name, "Description": str(properties.get("Description", ""))}
        if tags := tag_list(properties, task.tags):
            given["Tags"] = tags
        task.call(_ATHENA, "CreateWorkGroup", {**given, "Configuration": self._configuration(task, properties)})
        if properties.get("State", "ENABLED") != "ENABLED":
            task.call(_ATHENA, "UpdateWorkGroup", {"WorkGroup": name, "State": properties["State"]})
        return Made(name)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the configuration, the state and the tags."""
        properties = task.properties
        configuration, was = (self._configuration(task, each) for each in (properties, before))
        updates = {name: value for name, value in configuration.items() if name != _RESULTS}
        if _LIMIT in was and _LIMIT not in configuration:
            updates[f"Remove{_LIMIT}"] = True
        results, were = configuration.get(_RESULTS, {}), was.get(_RESULTS, {})
        gone = {f"Remove{name}": True for name in were if name not in results}
        updates[f"{_RESULTS}Updates"] = {**results, **gone}
        given = {"Description": str(properties.get("Description", "")), "State": properties.get("State", "ENABLED")}
        task.call(_ATHENA, "UpdateWorkGroup", {"WorkGroup": made.physical_id, **given, "ConfigurationUpdates": updates})
        self._tag(task, before, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the workgroup. Saved queries of others keep it, unless the template says otherwise."""
        deep = str(task.properties.get("RecursiveDeleteOption", False)).lower() == "true"
        task.call(_ATHENA, "DeleteWorkGroup", {"WorkGroup": made.physical_id, "RecursiveDeleteOption": deep})

    def _configuration(self, task: Task, properties: Mapping[str, Any]) -> dict[str, Any]:
        model = task.client(_ATHENA).meta.service_model.operation_model("CreateWorkGroup")
        shape = model.input_shape.members["Configuration"]
        found: dict[str, Any] = api_input.convert(shape, properties.get("WorkGroupConfiguration") or {})
        return found

    def _tag(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        resource = {"ResourceARN": f"arn:aws:athena:{task.region}:{task.account}:workgroup/{made.physical_id}"}
        tags = tag_list(task.properties, task.tags)
        if tags:
            task.call(_ATHENA, "TagResource", {**resource, "Tags": tags})
        kept = {each["Key"] for each in tags}
        if gone := [each["Key"] for each in before.get("Tags") or [] if each["Key"] not in kept]:
            task.call(_ATHENA, "UntagResource", {**resource, "TagKeys": gone})


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::Glue::Database": CatalogKind("Database", "DatabaseName"),
    "AWS::Glue::Table": CatalogKind("Table", "Name", ("DatabaseName",)),
    "AWS::Athena::WorkGroup": WorkGroupKind(),
    "AWS::Athena::NamedQuery": Described(
        service=_ATHENA,
        create_operation="CreateNamedQuery",
        delete_operation="DeleteNamedQuery",
        physical="Out.NamedQueryId",
        identity={"NamedQueryId": "Id"},
        attributes={"NamedQueryId": "Out.NamedQueryId"},
        named="Name",
    ),
}
