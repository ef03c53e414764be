"""IAM's resource types: roles, users and their policies."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, deleted_on_failure, tag_list
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "iam"
_HOLDERS: Final = {"Roles": "Role", "Users": "User", "Groups": "Group"}


@dataclass(frozen=True)
class HolderKind:
    """Roles and users: with policies of their own, and attached ones."""

    noun: str
    id_attribute: str | None = None
    """The id beside the name, as an attribute."""

    def create(self, task: Task) -> Made:
        """Create it with its policies."""
        model = task.client(_SERVICE).meta.service_model.operation_model(f"Create{self.noun}")
        properties = {name: value for name, value in task.properties.items() if name not in _POLICIES}
        given = api_input.accepted(model, properties)
        if left := properties.keys() - given.keys():
            raise ValueError(f"the property {min(left)} is not supported at this endpoint")
        given.setdefault(f"{self.noun}Name", task.new_name())
        if tags := tag_list(task.properties, task.tags):
            given["Tags"] = tags
        output = task.call(_SERVICE, f"Create{self.noun}", given)[self.noun]
        made = Made(output[f"{self.noun}Name"], {"Arn": output["Arn"], **self._id(output)})
        with deleted_on_failure(self, task, made):
            self._set_policies(task, {}, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the trust, the description, the tags and the policies."""
        name = self._name(made)
        if self.noun == "Role":
            trust = json.dumps(task.properties["AssumeRolePolicyDocument"])
            task.call(_SERVICE, "UpdateAssumeRolePolicy", {**name, "PolicyDocument": trust})
            described = {"Description": str(task.properties.get("Description", ""))}
            longest = int(task.properties.get("MaxSessionDuration", 3600))
            task.call(_SERVICE, "UpdateRole", {**name, **described, "MaxSessionDuration": longest})
        if tags := tag_list(task.properties, task.tags):
            task.call(_SERVICE, f"Tag{self.noun}", {**name, "Tags": tags})
        kept = {each["Key"] for each in tags}
        if gone := [each["Key"] for each in before.get("Tags") or [] if each["Key"] not in kept]:
            task.call(_SERVICE, f"Untag{self.noun}", {**name, "TagKeys": gone})
        self._bound(task, before, made)
        self._set_policies(task, before, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete it with its policies."""
        name = self._name(made)
        for each in task.call(_SERVICE, f"ListAttached{self.noun}Policies", name)["AttachedPolicies"]:
            task.call(_SERVICE, f"Detach{self.noun}Policy", {**name, "PolicyArn": each["PolicyArn"]})
        for policy in task.call(_SERVICE, f"List{self.noun}Policies", name)["PolicyNames"]:
            task.call(_SERVICE, f"Delete{self.noun}Policy", {**name, "PolicyName": policy})
        task.call(_SERVICE, f"Delete{self.noun}", name)

    def _id(self, output: Mapping[str, Any]) -> dict[str, str]:
        return {self.id_attribute: output[self.id_attribute]} if self.id_attribute else {}

    def _name(self, made: Made) -> dict[str, str]:
        return {f"{self.noun}Name": made.physical_id}

    def _bound(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        boundary = task.properties.get("PermissionsBoundary")
        if boundary == before.get("PermissionsBoundary"):
            return
        if boundary is None:
            task.call(_SERVICE, f"Delete{self.noun}PermissionsBoundary", self._name(made))
        else:
            given = {**self._name(made), "PermissionsBoundary": boundary}
            task.call(_SERVICE, f"Put{self.noun}PermissionsBoundary", given)

    def _set_policies(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        name = self._name(made)
        wanted = {each["PolicyName"]: each["PolicyDocument"] for each in task.properties.get("Policies") or []}
        for policy, document in wanted.items():
            given = {**name, "PolicyName": policy, "PolicyDocument": json.dumps(document)}
            task.call(_SERVICE, f"Put{self.noun}Policy", given)
        for each in before.get("Policies") or []:
            if each["PolicyName"] not in wanted:
                task.call(_SERVICE, f"Delete{self.noun}Policy", {**name, "PolicyName": each["PolicyName"]})
        arns, were = _set(task.properties, "ManagedPolicyArns"), _set(before, "ManagedPolicyArns")
        for arn in sorted(arns - were):
            task.call(_SERVICE, f"Attach{self.noun}Policy", {**name, "PolicyArn": arn})
        for arn in sorted(were - arns):
            task.call(_SERVICE, f"Detach{self.noun}Policy", {**name, "PolicyArn": arn})


_POLICIES: Final = frozenset({"Policies", "ManagedPolicyArns", "Tags"})


class InlinePolicyKind:
    """A policy that becomes part of roles, users and groups."""

    def create(self, task: Task) -> Made:
        """Put the policy on each of them."""
        self._put(task)
        return Made(task.properties["PolicyName"])

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Put the new policy, and remove the old one where it no longer belongs."""
        self._put(task)
        self._remove(task, before, besides=task.properties)
        return Made(task.properties["PolicyName"])

    def delete(self, task: Task, made: Made) -> None:  # noqa: ARG002
        """Remove the policy."""
        self._remove(task, task.properties, besides={})

    def _put(self, task: Task) -> None:
        properties = task.properties
        document = json.dumps(properties["PolicyDocument"])
        for noun, name in _holders(properties):
            policy = {"PolicyName": properties["PolicyName"], "PolicyDocument": document}
            task.call(_SERVICE, f"Put{noun}Policy", {f"{noun}Name": name, **policy})

    def _remove(self, task: Task, properties: Mapping[str, Any], besides: Mapping[str, Any]) -> None:
        kept = set(_holders(besides)) if besides.get("PolicyName") == properties["PolicyName"] else set()
        for noun, name in _holders(properties):
            if (noun, name) not in kept:
                given = {f"{noun}Name": name, "PolicyName": properties["PolicyName"]}
                task.call(_SERVICE, f"Delete{noun}Policy", given)


class RolePolicyKind(InlinePolicyKind):
    """A policy that becomes part of one role."""

    def _put(self, task: Task) -> None:
        document = json.dumps(task.properties["PolicyDocument"])
        given = {name: task.properties[name] for name in ("RoleName", "PolicyName")}
        task.call(_SERVICE, "PutRolePolicy", {**given, "PolicyDocument": document})

    def _remove(self, task: Task, properties: Mapping[str, Any], besides: Mapping[str, Any]) -> None:
        if not besides:
            given = {name: properties[name] for name in ("RoleName", "PolicyName")}
            task.call(_SERVICE, "DeleteRolePolicy", given)


class ManagedPolicyKind:
    """Policies of their own, attached to roles, users and groups."""

    def create(self, task: Task) -> Made:
        """Create the policy, and attach it."""
        properties = task.properties
        given = {
            "PolicyName": properties.get("ManagedPolicyName") or task.new_name(128),
            "PolicyDocument": json.dumps(properties["PolicyDocument"]),
            **{name: properties[name] for name in ("Path", "Description") if name in properties},
        }
        output = task.call(_SERVICE, "CreatePolicy", given)["Policy"]
        made = Made(output["Arn"], {"PolicyArn": output["Arn"], "PolicyId": output["PolicyId"]})
        self._attach(task, set(), made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Make a new default version of the policy, and attach it."""
        arn = {"PolicyArn": made.physical_id}
        if task.properties["PolicyDocument"] != before.get("PolicyDocument"):
            document = json.dumps(task.properties["PolicyDocument"])
            task.call(_SERVICE, "CreatePolicyVersion", {**arn, "PolicyDocument": document, "SetAsDefault": True})
            self._drop_old_versions(task, made)
        self._attach(task, set(_holders(before)), made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Detach the policy everywhere, and delete it."""
        arn = {"PolicyArn": made.physical_id}
        found = task.call(_SERVICE, "ListEntitiesForPolicy", arn)
        for plural, noun in _HOLDERS.items():
            for each in found[f"Policy{plural}"]:
                task.call(_SERVICE, f"Detach{noun}Policy", {**arn, f"{noun}Name": each[f"{noun}Name"]})
        self._drop_old_versions(task, made)
        task.call(_SERVICE, "DeletePolicy", arn)

    def _drop_old_versions(self, task: Task, made: Made) -> None:
        arn = {"PolicyArn": made.physical_id}
        for each in task.call(_SERVICE, "ListPolicyVersions", arn)["Versions"]:
            if not each["IsDefaultVersion"]:
                task.call(_SERVICE, "DeletePolicyVersion", {**arn, "VersionId": each["VersionId"]})

    def _attach(self, task: Task, before: set[tuple[str, str]], made: Made) -> None:
        wanted = set(_holders(task.properties))
        for noun, name in sorted(wanted - before):
            task.call(_SERVICE, f"Attach{noun}Policy", {f"{noun}Name": name, "PolicyArn": made.physical_id})
        for noun, name in sorted(before - wanted):
            task.call(_SERVICE, f"Detach{noun}Policy", {f"{noun}Name": name, "PolicyArn": made.physical_id})


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::IAM::Role": HolderKind("Role", "RoleId"),
    "AWS::IAM::User": HolderKind("User"),
    "AWS::IAM::Policy": InlinePolicyKind(),
    "AWS::IAM::RolePolicy": RolePolicyKind(),
    "AWS::IAM::ManagedPolicy": ManagedPolicyKind(),
    "AWS::IAM::AccessKey": Described(
        service=_SERVICE,
        create_operation="CreateAccessKey",
        update_operations=("UpdateAccessKey",),
        delete_operation="DeleteAccessKey",
        physical="Out.AccessKey.AccessKeyId",
        identity={"UserName": "UserName", "AccessKeyId": "Id"},
        attributes={"Id": "Out.AccessKey.AccessKeyId", "SecretAccessKey": "Out.AccessKey.SecretAccessKey"},
        apart=frozenset({"Serial", "Status"}),
    ),
}


def _holders(properties: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    return [(noun, name) for plural, noun in _HOLDERS.items() for name in properties.get(plural) or []]


def _set(properties: Mapping[str, Any], name: str) -> set[str]:
    return set(properties.get(name) or [])
