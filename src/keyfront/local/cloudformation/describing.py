"""Stacks and templates as the API's responses have them."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from botocore.model import StringShape
from moto.core.utils import get_service_model

from keyfront.local.cloudformation import parameters, plans, template
from keyfront.local.cloudformation.faults import StackError
from keyfront.local.cloudformation.stack import Change, ChangeSet, Detection, Drift, Event, Member, Output, Plan, Stack

_NAME: Final = re.compile(r"[a-zA-Z][-a-zA-Z0-9]{0,127}")


def checked_name(name: str) -> str:
    """Return a new stack's name. Raises `StackError` if a stack cannot have it."""
    if not _NAME.fullmatch(name):
        raise StackError(
            f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must "
            "satisfy regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"
        )
    return name


def check_statuses(wanted: Iterable[str]) -> None:
    """Raise `StackError` for a status that no stack can have."""
    shape = get_service_model("cloudformation").shape_for("StackStatus")
    assert isinstance(shape, StringShape)
    known = shape.enum
    if unknown := [each for each in wanted if each not in known]:
        raise StackError(
            f"1 validation error detected: Value '[{', '.join(unknown)}]' at 'stackStatusFilter' failed to satisfy "
            f"constraint: Member must satisfy constraint: [Member must satisfy enum value set: [{', '.join(known)}]]"
        )


def stack(found: Stack) -> dict[str, Any]:
    """Describe a stack."""
    plan = found.plan
    return {
        "StackId": found.id,
        "StackName": found.name,
        "ChangeSetId": found.change_set_id,
        "Description": plan.template.document.get("Description") if plan else None,
        "Parameters": _parameters(plan),
        "CreationTime": found.created,
        "LastUpdatedTime": found.updated,
        "DeletionTime": found.deleted,
        "StackStatus": found.status,
        "StackStatusReason": found.reason,
        "DisableRollback": bool(plan and plan.on_failure == "DO_NOTHING"),
        "NotificationARNs": [],
        "Capabilities": list(plan.capabilities) if plan else [],
        "Outputs": [_output(each) for each in found.outputs] or None,
        "RoleARN": plan.role if plan else None,
        "Tags": [{"Key": key, "Value": value} for key, value in (plan.tags if plan else {}).items()],
        "EnableTerminationProtection": found.protected,
        "DriftInformation": _stack_drift(found),
    }


def summary(found: Stack) -> dict[str, Any]:
    """Describe a stack in a list."""
    names = ("StackId", "StackName", "CreationTime", "LastUpdatedTime", "DeletionTime", "StackStatus")
    described = stack(found)
    return {
        **{name: described[name] for name in (*names, "StackStatusReason", "DriftInformation")},
        "TemplateDescription": described["Description"],
    }


def event(found: Event) -> dict[str, Any]:
    """Describe an event."""
    return {
        "StackId": found.stack_id,
        "EventId": found.event_id,
        "StackName": found.stack_name,
        "LogicalResourceId": found.logical_resource_id,
        "PhysicalResourceId": found.physical_resource_id,
        "ResourceType": found.resource_type,
        "Timestamp": found.timestamp,
        "ResourceStatus": found.resource_status,
        "ResourceStatusReason": found.resource_status_reason,
        "ClientRequestToken": found.client_request_token,
    }


def resource(found: Stack, member: Member) -> dict[str, Any]:
    """Describe a resource of a stack."""
    return {
        "StackName": found.name,
        "StackId": found.id,
        "LogicalResourceId": member.logical_id,
        "PhysicalResourceId": member.made.physical_id if member.made else None,
        "ResourceType": member.kind,
        "Timestamp": member.changed,
        "LastUpdatedTimestamp": member.changed,
        "ResourceStatus": member.status,
        "ResourceStatusReason": member.reason,
        "DriftInformation": _resource_drift(found.drift(member.logical_id)),
    }


def resource_drift(found: Stack, logical_id: str, drift: Drift) -> dict[str, Any]:
    """Describe how a resource differs from its template."""
    member = found.members[logical_id]
    return {
        "StackId": found.id,
        "LogicalResourceId": logical_id,
        "PhysicalResourceId": member.made.physical_id if member.made else None,
        "ResourceType": member.kind,
        "ExpectedProperties": drift.expected,
        "ActualProperties": drift.actual,
        "PropertyDifferences": list(drift.differences),
        "StackResourceDriftStatus": drift.status,
        "Timestamp": drift.checked,
        "DriftStatusReason": drift.reason,
    }


def detection(found: Stack, done: Detection) -> dict[str, Any]:
    """Describe a drift detection of a stack."""
    return {
        "StackId": found.id,
        "StackDriftDetectionId": done.id,
        "StackDriftStatus": done.status,
        "DetectionStatus": "DETECTION_COMPLETE",
        "DriftedStackResourceCount": done.drifted,
        "Timestamp": done.checked,
    }


def change_set(found: ChangeSet) -> dict[str, Any]:
    """Describe a change set."""
    return {
        **change_set_summary(found),
        "Parameters": _parameters(found.plan),
        "Capabilities": list(found.plan.capabilities),
        "Tags": [{"Key": key, "Value": value} for key, value in found.plan.tags.items()],
        "NotificationARNs": [],
        "Changes": [{"Type": "Resource", "ResourceChange": _change(each)} for each in found.changes],
    }


def change_set_summary(found: ChangeSet) -> dict[str, Any]:
    """Describe a change set in a list."""
    return {
        "ChangeSetName": found.name,
        "ChangeSetId": found.id,
        "StackId": found.stack.id,
        "StackName": found.stack.name,
        "Description": found.description,
        "CreationTime": found.created,
        "ExecutionStatus": found.execution_status,
        "Status": found.status,
        "StatusReason": found.reason,
        "IncludeNestedStacks": False,
    }


def export(name: str, found: Stack, output: Output) -> dict[str, Any]:
    """Describe an exported value."""
    return {"ExportingStackId": found.id, "Name": name, "Value": output.value}


def template_summary(document: Mapping[str, Any]) -> dict[str, Any]:
    """Describe a template, after checking it."""
    transforms = document.get("Transform") or []
    plain = None if transforms else template.read(document)
    needed, reason = plans.capabilities(plain) if plain else (["CAPABILITY_AUTO_EXPAND"], "It has a macro.")
    return {
        "Description": document.get("Description"),
        "Parameters": [_parameter(*each) for each in (document.get("Parameters") or {}).items()],
        "Capabilities": needed,
        "CapabilitiesReason": reason,
        "ResourceTypes": sorted({str(each.get("Type")) for each in (document.get("Resources") or {}).values()}),
        "Version": document.get("AWSTemplateFormatVersion"),
        "DeclaredTransforms": transforms if isinstance(transforms, list) else [transforms],
    }


def _parameter(name: str, described: Mapping[str, Any]) -> dict[str, Any]:
    default = described.get("Default")
    return {
        "ParameterKey": name,
        "DefaultValue": None if default is None else str(default),
        "ParameterType": described.get("Type", "String"),
        "NoEcho": str(described.get("NoEcho", False)).lower() == "true",
        "Description": described.get("Description"),
        "ParameterConstraints": {"AllowedValues": [str(each) for each in described.get("AllowedValues", [])]},
    }


def _parameters(plan: Plan | None) -> list[dict[str, str]]:
    shown = parameters.shown(plan.template, plan.values) if plan else {}
    return [{"ParameterKey": name, "ParameterValue": value} for name, value in shown.items()]


def _output(found: Output) -> dict[str, Any]:
    return {
        "OutputKey": found.key,
        "OutputValue": found.value,
        "Description": found.description,
        "ExportName": found.export,
    }


def _change(found: Change) -> dict[str, Any]:
    replaced = {"True": "Always", "Conditional": "Conditionally"}.get(found.replacement or "", "Never")
    return {
        "Action": found.action,
        "LogicalResourceId": found.logical_id,
        "PhysicalResourceId": found.physical_id,
        "ResourceType": found.kind,
        "Replacement": found.replacement,
        "Scope": ["Properties"] if found.properties else [],
        "Details": [
            {
                "Target": {"Attribute": "Properties", "Name": name, "RequiresRecreation": replaced},
                "Evaluation": "Static",
                "ChangeSource": "DirectModification",
            }
            for name in found.properties
        ],
    }


def _stack_drift(found: Stack) -> dict[str, Any]:
    whole = next((each for each in reversed(found.detections) if each.is_whole), None)
    if whole is None:
        return {"StackDriftStatus": "NOT_CHECKED"}
    return {"StackDriftStatus": whole.status, "LastCheckTimestamp": whole.checked}


def _resource_drift(drift: Drift | None) -> dict[str, Any]:
    if drift is None or drift.status == "NOT_CHECKED":
        return {"StackResourceDriftStatus": "NOT_CHECKED"}
    return {"StackResourceDriftStatus": drift.status, "LastCheckTimestamp": drift.checked}
