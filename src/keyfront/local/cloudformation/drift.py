"""Drift detection: which resources of a stack were changed or deleted outside of it.

Source: CloudFormation User Guide, "Detect unmanaged configuration changes to stacks and resources with drift
detection". A type without a reader is `NOT_CHECKED`, as are Amazon's types that do not support it.
"""

import json
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import uuid4

from botocore.exceptions import BotoCoreError, ClientError

from keyfront.local.cloudformation import parameters, schemas
from keyfront.local.cloudformation.comparison import Difference, differences, plain
from keyfront.local.cloudformation.kinds.current import READERS, GoneError
from keyfront.local.cloudformation.kinds.kind import Task
from keyfront.local.cloudformation.stack import Detection, Drift, Member, Stack, now

_KEPT: Final = 10
"""The number of detections that a stack keeps."""


def detect(stack: Stack, url: str, names: Collection[str] | None = None) -> Detection:
    """Compare a stack's resources with its template. `names` are logical ids; if not given, it is all of them."""
    found = {
        name: _compared(stack, member, url)
        for name, member in stack.members.items()
        if member.made is not None and (names is None or name in names)
    }
    detection = Detection(str(uuid4()), now(), found, is_whole=names is None)
    stack.detections = (*stack.detections, detection)[-_KEPT:]
    return detection


def _compared(stack: Stack, member: Member, url: str) -> Drift:
    """Compare one resource with its template."""
    read = READERS.get(member.kind)
    made = member.made
    if read is None or made is None:
        return Drift("NOT_CHECKED", now())
    expected = _comparable(member)
    where = (stack.id, stack.name, stack.account, stack.region, member.logical_id, member.kind)
    try:
        current = read(Task(*where, member.properties, url), made)
    except GoneError:
        return Drift("DELETED", now(), _as_json(stack, expected))
    except (BotoCoreError, ClientError) as error:
        return Drift("UNKNOWN", now(), reason=f"Unable to read the resource: {error}")
    actual = {name: value for name, value in current.items() if name in expected}
    expected = {name: value for name, value in expected.items() if name in actual}
    found = differences(expected, actual)
    described = tuple(_described(stack, each) for each in found)
    status = "MODIFIED" if found else "IN_SYNC"
    shown = {name: value for name, value in plain(actual).items() if value is not None}
    return Drift(status, now(), _as_json(stack, expected), _as_json(stack, shown), described)


def _comparable(member: Member) -> dict[str, Any]:
    """Return the properties that can be read back. Secrets, for example, can only be written."""
    schema = schemas.find(member.kind)
    hidden = schema.write_only if schema else frozenset()
    values = {name: value for name, value in member.properties.items() if name not in hidden and name != "Tags"}
    return {name: value for name, value in values.items() if "{{resolve:" not in json.dumps(value, default=str)}


def _described(stack: Stack, found: Difference) -> Mapping[str, str]:
    return {
        "PropertyPath": found.path,
        "ExpectedValue": _as_json(stack, found.expected),
        "ActualValue": _as_json(stack, found.actual),
        "DifferenceType": found.kind,
    }


def _as_json(stack: Stack, value: Any) -> str:
    """Return a value as the API has it: text as it is, anything else as JSON. Hidden parameters stay hidden."""
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    for hidden in parameters.hidden(stack.plan.template, stack.plan.values) if stack.plan else ():
        text = text.replace(hidden, parameters.HIDDEN).replace(json.dumps(hidden)[1:-1], parameters.HIDDEN)
    return text
