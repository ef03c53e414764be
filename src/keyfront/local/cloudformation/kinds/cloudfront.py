"""CloudFront's resource types, through the control plane."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

from keyfront.local.cloudformation import api_input, schemas
from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, tag_list
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "cloudfront"
_DEPLOY_SECONDS: Final = 600
_LOOK_SECONDS: Final = 0.1
_RENAMED: Final = {
    "OriginCustomHeaders": "CustomHeaders",
    "IPV6Enabled": "IsIPV6Enabled",
    "Locations": "Items",
}
"""The properties whose names in the API differ in more than the case of letters."""
_READ_METHODS: Final = ["HEAD", "GET"]


@dataclass(frozen=True)
class Configured:
    """A type with a configuration and an ETag: `CreateNOUN`, `GetNOUN`, `UpdateNOUN`, `DeleteNOUN`."""

    noun: str

    def create(self, task: Task) -> Made:
        """Create a resource. Its caller reference is made up if the template does not have one."""
        output = self._create(task, self._config(task, {"CallerReference": str(uuid4())}))[self.noun]
        return self._settled(task, Made(output["Id"], self._attributes(output)))

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the configuration."""
        found = task.call(_SERVICE, f"Get{self.noun}", {"Id": made.physical_id})
        was = found[self.noun][f"{self.noun}Config"]
        config = self._config(task, {name: was[name] for name in ("CallerReference",) if name in was})
        output = self._put(task, made, config, found["ETag"])
        self._tag(task, before, made)
        return self._settled(task, Made(made.physical_id, self._attributes(output)))

    def delete(self, task: Task, made: Made) -> None:
        """Delete the resource."""
        found = task.call(_SERVICE, f"Get{self.noun}", {"Id": made.physical_id})
        task.call(_SERVICE, f"Delete{self.noun}", {"Id": made.physical_id, "IfMatch": found["ETag"]})

    def _create(self, task: Task, config: Mapping[str, Any]) -> Any:
        return task.call(_SERVICE, f"Create{self.noun}", {f"{self.noun}Config": config})

    def _put(self, task: Task, made: Made, config: Mapping[str, Any], etag: str) -> Any:
        given = {f"{self.noun}Config": config, "Id": made.physical_id, "IfMatch": etag}
        return task.call(_SERVICE, f"Update{self.noun}", given)[self.noun]

    def _config(self, task: Task, missing: Mapping[str, Any]) -> dict[str, Any]:
        """Return the configuration for the API. `missing` are values that templates need not have."""
        operation = task.client(_SERVICE).meta.service_model.operation_model(f"Create{self.noun}")
        member = f"{self.noun}Config"
        shape = operation.input_shape.members[member]
        given = _as_api(task.properties[member])
        known = {name: value for name, value in missing.items() if name in shape.members}
        config: dict[str, Any] = api_input.convert(shape, {**known, **given})
        return config

    def _attributes(self, output: Mapping[str, Any]) -> dict[str, Any]:
        schema = schemas.find(f"AWS::CloudFront::{self.noun}")
        assert schema is not None
        found = {name: output.get(name) for name in schema.read_only}
        return {name: _text(value) for name, value in found.items() if value is not None}

    def _tag(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        """Change the tags. Most types have none."""

    def _settled(self, task: Task, made: Made) -> Made:  # noqa: ARG002
        return made


class DistributionKind(Configured):
    """Distributions: CloudFormation waits until they are deployed, and disables them before it deletes them."""

    def delete(self, task: Task, made: Made) -> None:
        """Disable the distribution, wait until that is deployed, and delete it."""
        found = task.call(_SERVICE, "GetDistribution", {"Id": made.physical_id})
        config = found["Distribution"]["DistributionConfig"]
        if config["Enabled"]:
            self._put(task, made, {**config, "Enabled": False}, found["ETag"])
        self._settled(task, made)
        super().delete(task, made)

    def _create(self, task: Task, config: Mapping[str, Any]) -> Any:
        given = {"DistributionConfig": config, "Tags": {"Items": tag_list(task.properties, task.tags)}}
        return task.call(_SERVICE, "CreateDistributionWithTags", {"DistributionConfigWithTags": given})

    def _tag(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        arn = f"arn:aws:cloudfront::{task.account}:distribution/{made.physical_id}"
        _tag(task, arn, before)

    def _settled(self, task: Task, made: Made) -> Made:
        deadline = time.monotonic() + _DEPLOY_SECONDS
        while time.monotonic() < deadline:
            found = task.call(_SERVICE, "GetDistribution", {"Id": made.physical_id})["Distribution"]
            if found["Status"] == "Deployed":
                return made
            time.sleep(_LOOK_SECONDS)
        raise ResourceError(
            f"Exceeded attempts to wait: distribution {made.physical_id} was not deployed after {_DEPLOY_SECONDS} s.",
            made.physical_id,
        )


class FunctionKind:
    """CloudFront functions: development, and the live stage with `AutoPublish`."""

    def create(self, task: Task) -> Made:
        """Create a function, and publish it if the template wants that."""
        given = self._given(task, "CreateFunction")
        output = task.call(_SERVICE, "CreateFunction", given)
        return self._published(task, given["Name"], output)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the code and the configuration, and publish them if the template wants that."""
        given = self._given(task, "UpdateFunction")
        etag = self._etag(task)
        output = task.call(_SERVICE, "UpdateFunction", {**given, "IfMatch": etag})
        _tag(task, made.physical_id, before)
        return self._published(task, given["Name"], output)

    def delete(self, task: Task, made: Made) -> None:  # noqa: ARG002
        """Delete both stages."""
        task.call(_SERVICE, "DeleteFunction", {"Name": task.properties["Name"], "IfMatch": self._etag(task)})

    def _etag(self, task: Task) -> str:
        found = task.call(_SERVICE, "DescribeFunction", {"Name": task.properties["Name"]})
        return str(found["ETag"])

    def _given(self, task: Task, operation: str) -> dict[str, Any]:
        model = task.client(_SERVICE).meta.service_model.operation_model(operation)
        named = {name: value for name, value in task.properties.items() if name in model.input_shape.members}
        tags = tag_list(task.properties, task.tags)
        given = api_input.accepted(model, {name: value for name, value in named.items() if name != "Tags"})
        return {**given, **({"Tags": {"Items": tags}} if tags and "Tags" in model.input_shape.members else {})}

    def _published(self, task: Task, name: str, output: Mapping[str, Any]) -> Made:
        stage = "DEVELOPMENT"
        if str(task.properties.get("AutoPublish", False)).lower() == "true":
            task.call(_SERVICE, "PublishFunction", {"Name": name, "IfMatch": output["ETag"]})
            stage = "LIVE"
        arn = output["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
        return Made(arn, {"FunctionARN": arn, "FunctionMetadata.FunctionARN": arn, "Stage": stage})


class KeyValueStoreKind:
    """Key value stores. A template names the file for the first values, or no values."""

    def create(self, task: Task) -> Made:
        """Create a store."""
        model = task.client(_SERVICE).meta.service_model.operation_model("CreateKeyValueStore")
        named = {name: value for name, value in task.properties.items() if name != "Tags"}
        output = task.call(_SERVICE, "CreateKeyValueStore", api_input.accepted(model, named))
        return self._made(output["KeyValueStore"])

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the comment and the tags."""
        name = task.properties["Name"]
        etag = task.call(_SERVICE, "DescribeKeyValueStore", {"Name": name})["ETag"]
        given = {"Name": name, "Comment": str(task.properties.get("Comment", "")), "IfMatch": etag}
        output = task.call(_SERVICE, "UpdateKeyValueStore", given)
        _tag(task, str(made.attributes["Arn"]), before)
        return self._made(output["KeyValueStore"])

    def delete(self, task: Task, made: Made) -> None:
        """Delete the store."""
        etag = task.call(_SERVICE, "DescribeKeyValueStore", {"Name": made.physical_id})["ETag"]
        task.call(_SERVICE, "DeleteKeyValueStore", {"Name": made.physical_id, "IfMatch": etag})

    def _made(self, output: Mapping[str, Any]) -> Made:
        return Made(output["Name"], {"Arn": output["ARN"], "Id": output["Id"], "Status": output["Status"]})


_LOGS = Described(
    service=_SERVICE,
    create_operation="CreateRealtimeLogConfig",
    update_operations=("UpdateRealtimeLogConfig",),
    delete_operation="DeleteRealtimeLogConfig",
    physical="Out.RealtimeLogConfig.ARN",
    identity={"ARN": "Id"},
    attributes={"Arn": "Out.RealtimeLogConfig.ARN"},
)
_MONITORING = Described(
    service=_SERVICE,
    create_operation="CreateMonitoringSubscription",
    update_operations=("CreateMonitoringSubscription",),
    delete_operation="DeleteMonitoringSubscription",
    physical="In.DistributionId",
    identity={"DistributionId": "DistributionId"},
)

_CONFIGURED: Final = (
    *("PublicKey", "KeyGroup", "OriginAccessControl", "CloudFrontOriginAccessIdentity"),
    *("CachePolicy", "OriginRequestPolicy", "ResponseHeadersPolicy"),
)
KINDS: Final[Mapping[str, Kind]] = {
    **{f"AWS::CloudFront::{noun}": Configured(noun) for noun in _CONFIGURED},
    "AWS::CloudFront::Distribution": DistributionKind("Distribution"),
    "AWS::CloudFront::Function": FunctionKind(),
    "AWS::CloudFront::KeyValueStore": KeyValueStoreKind(),
    "AWS::CloudFront::RealtimeLogConfig": _LOGS,
    "AWS::CloudFront::MonitoringSubscription": _MONITORING,
}


def _as_api(value: Any) -> Any:
    """Return a configuration with the names of the API."""
    if isinstance(value, list):
        return [_as_api(each) for each in value]
    if not isinstance(value, dict):
        return value
    found = {_RENAMED.get(name, name): _as_api(each) for name, each in value.items()}
    if "ViewerProtocolPolicy" in found:
        # A behavior: the API has the cached methods inside the allowed ones.
        allowed, cached = found.pop("AllowedMethods", _READ_METHODS), found.pop("CachedMethods", _READ_METHODS)
        found["AllowedMethods"] = {"Items": allowed, "CachedMethods": cached}
    if isinstance(found.get("Logging"), dict):
        found["Logging"] = {"Enabled": bool(found["Logging"].get("Bucket")), **found["Logging"]}
    return found


def _tag(task: Task, arn: str, before: Mapping[str, Any]) -> None:
    wanted = tag_list(task.properties, task.tags)
    if wanted:
        task.call(_SERVICE, "TagResource", {"Resource": arn, "Tags": {"Items": wanted}})
    gone = {each["Key"] for each in before.get("Tags") or []} - {each["Key"] for each in wanted}
    if gone:
        task.call(_SERVICE, "UntagResource", {"Resource": arn, "TagKeys": {"Items": sorted(gone)}})


def _text(value: Any) -> str:
    return value.isoformat().replace("+00:00", "Z") if isinstance(value, datetime) else str(value)
