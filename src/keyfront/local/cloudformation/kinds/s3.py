"""S3's resource types: buckets with their settings, and bucket policies."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.kinds.kind import Kind, Task, deleted_on_failure, tag_list
from keyfront.local.cloudformation.reasons import is_gone
from keyfront.local.cloudformation.stack import Made

_SERVICE: Final = "s3"
_FIRST_REGION: Final = "us-east-1"


@dataclass(frozen=True)
class Setting:
    """A setting of a bucket with operations of its own."""

    operation: str
    """The name without `Put` and `Delete`."""
    parameter: str
    member: str = ""
    """The list inside the parameter, if the property is that list."""
    can_be_deleted: bool = True


_SETTINGS: Final = {
    "BucketEncryption": Setting("BucketEncryption", "ServerSideEncryptionConfiguration"),
    "CorsConfiguration": Setting("BucketCors", "CORSConfiguration"),
    "LifecycleConfiguration": Setting("BucketLifecycleConfiguration", "LifecycleConfiguration"),
    "LoggingConfiguration": Setting("BucketLogging", "BucketLoggingStatus", can_be_deleted=False),
    "OwnershipControls": Setting("BucketOwnershipControls", "OwnershipControls"),
    "PublicAccessBlockConfiguration": Setting("PublicAccessBlock", "PublicAccessBlockConfiguration"),
    "VersioningConfiguration": Setting("BucketVersioning", "VersioningConfiguration", can_be_deleted=False),
}
_RENAMED: Final = {
    "ServerSideEncryptionConfiguration": "Rules",
    "ServerSideEncryptionByDefault": "ApplyServerSideEncryptionByDefault",
    "CorsRules": "CORSRules",
    "ExposedHeaders": "ExposeHeaders",
    "MaxAge": "MaxAgeSeconds",
    "Id": "ID",
    "DestinationBucketName": "TargetBucket",
    "LogFilePrefix": "TargetPrefix",
    "TransitionInDays": "Days",
    "ExpirationInDays": "Expiration",
    "NoncurrentVersionExpirationInDays": "NoncurrentVersionExpiration",
}
"""Names of templates, and those of the API."""
_DAYS: Final = {"ExpirationInDays": "Days", "NoncurrentVersionExpirationInDays": "NoncurrentDays"}
_DELETED: Final = {"BucketLifecycleConfiguration": "DeleteBucketLifecycle"}


class BucketKind:
    """Buckets."""

    def create(self, task: Task) -> Made:
        """Create a bucket with its settings."""
        name = str(task.properties.get("BucketName") or task.new_name(63, lower=True))
        self._check(task)
        place = {"LocationConstraint": task.region} if task.region != _FIRST_REGION else None
        given: dict[str, Any] = {"Bucket": name, **({"CreateBucketConfiguration": place} if place else {})}
        if str(task.properties.get("ObjectLockEnabled", False)).lower() == "true":
            given["ObjectLockEnabledForBucket"] = True
        task.call(_SERVICE, "CreateBucket", given)
        made = Made(name, self._attributes(task, name))
        with deleted_on_failure(self, task, made):
            self._set(task, {}, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the settings."""
        self._check(task)
        self._set(task, before, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the bucket. S3 refuses it if objects are left."""
        task.call(_SERVICE, "DeleteBucket", {"Bucket": made.physical_id})

    def _check(self, task: Task) -> None:
        known = {*_SETTINGS, "AccessControl", "BucketName", "ObjectLockEnabled", "Tags"}
        if unknown := sorted(task.properties.keys() - known):
            raise ValueError(f"the property {unknown[0]} is not supported at this endpoint")

    def _set(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        for name, setting in _SETTINGS.items():
            value = task.properties.get(name)
            if value == before.get(name):
                continue
            if value is not None:
                self._put(task, made.physical_id, setting, value)
            elif setting.can_be_deleted:
                operation = _DELETED.get(setting.operation, f"Delete{setting.operation}")
                task.call(_SERVICE, operation, {"Bucket": made.physical_id})
            elif setting.operation == "BucketVersioning":
                self._put(task, made.physical_id, setting, {"Status": "Suspended"})
            else:
                self._put(task, made.physical_id, setting, {})
        acl = task.properties.get("AccessControl")
        if acl != before.get("AccessControl"):
            # `LogDeliveryWrite` in templates is `log-delivery-write` in the API.
            canned = re.sub(r"(?<!^)(?=[A-Z])", "-", str(acl or "Private")).lower()
            task.call(_SERVICE, "PutBucketAcl", {"Bucket": made.physical_id, "ACL": canned})
        tags = tag_list(task.properties, task.tags)
        if tags:
            task.call(_SERVICE, "PutBucketTagging", {"Bucket": made.physical_id, "Tagging": {"TagSet": tags}})
        elif before.get("Tags"):
            task.call(_SERVICE, "DeleteBucketTagging", {"Bucket": made.physical_id})

    def _put(self, task: Task, bucket: str, setting: Setting, value: Any) -> None:
        operation = f"Put{setting.operation}"
        model = task.client(_SERVICE).meta.service_model.operation_model(operation)
        shape = model.input_shape.members[setting.parameter]
        value = _as_api(value)
        if setting.operation == "BucketLogging":
            value = {"LoggingEnabled": {"TargetBucket": bucket, "TargetPrefix": "", **value}} if value else {}
        if setting.operation == "BucketLifecycleConfiguration":
            # The API requires a filter in each rule.
            value["Rules"] = [{"Filter": {"Prefix": rule.pop("Prefix", "")}, **rule} for rule in value["Rules"]]
        given = api_input.convert(shape, value)
        task.call(_SERVICE, operation, {"Bucket": bucket, setting.parameter: given})

    def _attributes(self, task: Task, name: str) -> dict[str, str]:
        site = f"{name}.s3-website-{task.region}.amazonaws.com"
        return {
            "Arn": f"arn:aws:s3:::{name}",
            "DomainName": f"{name}.s3.amazonaws.com",
            "DualStackDomainName": f"{name}.s3.dualstack.{task.region}.amazonaws.com",
            "RegionalDomainName": f"{name}.s3.{task.region}.amazonaws.com",
            "WebsiteURL": f"http://{site}",
        }


class BucketPolicyKind:
    """Bucket policies."""

    def create(self, task: Task) -> Made:
        """Set the policy."""
        bucket = str(task.properties["Bucket"])
        document = task.properties["PolicyDocument"]
        text = document if isinstance(document, str) else json.dumps(document)
        task.call(_SERVICE, "PutBucketPolicy", {"Bucket": bucket, "Policy": text})
        return Made(bucket)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Set the policy again."""
        return self.create(task)

    def delete(self, task: Task, made: Made) -> None:
        """Remove the policy."""
        task.call(_SERVICE, "DeleteBucketPolicy", {"Bucket": made.physical_id})


def current_settings(task: Task, bucket: str) -> dict[str, Any]:
    """Return the settings of a bucket as a template has them. Lifecycle rules are left out: their forms differ."""
    found: dict[str, Any] = {}
    for name, setting in _SETTINGS.items():
        if name == "LifecycleConfiguration":
            continue
        try:
            output = task.call(_SERVICE, f"Get{setting.operation}", {"Bucket": bucket})
        except ClientError as error:
            if not is_gone(error):
                raise
            found[name] = None
            continue
        value = {key: each for key, each in output.items() if key != "ResponseMetadata"}
        inner = value.get("LoggingEnabled") if name == "LoggingConfiguration" else value.get(setting.parameter, value)
        found[name] = _as_template(inner) if inner else None
        if name == "BucketEncryption" and found[name]:
            found[name] = {"ServerSideEncryptionConfiguration": found[name]["Rules"]}
    return found


KINDS: Final[Mapping[str, Kind]] = {"AWS::S3::Bucket": BucketKind(), "AWS::S3::BucketPolicy": BucketPolicyKind()}


def _as_api(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_api(each) for each in value]
    if not isinstance(value, dict):
        return value
    found: dict[str, Any] = {}
    for name, each in value.items():
        item = {_DAYS[name]: each} if name in _DAYS else _as_api(each)
        found[_RENAMED.get(name, str(name))] = item
    return found


_IN_TEMPLATES: Final = {name: written for written, name in _RENAMED.items() if name != "Rules" and written not in _DAYS}


def _as_template(value: Any) -> Any:
    if isinstance(value, list):
        return [_as_template(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {_IN_TEMPLATES.get(name, name): _as_template(each) for name, each in value.items()}
