"""Resource types that keep secrets, values, logs, images and tables."""

import json
from collections.abc import Mapping
from typing import Any, Final

from keyfront.local.cloudformation import api_input
from keyfront.local.cloudformation.faults import ResourceError
from keyfront.local.cloudformation.kinds.kind import Described, Kind, Task, tag_list
from keyfront.local.cloudformation.stack import Made


class SecretKind:
    """Secrets, with a value from the template or a generated one."""

    def create(self, task: Task) -> Made:
        """Create a secret."""
        properties = task.properties
        given = {name: properties[name] for name in ("Description", "KmsKeyId") if name in properties}
        value = self._generated(task) if "GenerateSecretString" in properties else properties.get("SecretString")
        if value is not None:
            given["SecretString"] = value
        if tags := tag_list(properties, task.tags):
            given["Tags"] = tags
        # CloudFormation's names of secrets begin with the logical id.
        name = properties.get("Name") or f"{task.logical_id}-{task.new_name(40).rpartition('-')[2]}"
        output = task.call("secretsmanager", "CreateSecret", {**given, "Name": name})
        return Made(output["ARN"], {"Id": output["ARN"]})

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the secret. A generated value is replaced only if its description changed."""
        properties, secret = task.properties, {"SecretId": made.physical_id}
        given = {name: properties[name] for name in ("Description", "KmsKeyId") if name in properties}
        if properties.get("GenerateSecretString") != before.get("GenerateSecretString"):
            if "GenerateSecretString" in properties:
                given["SecretString"] = self._generated(task)
        elif "SecretString" in properties and properties["SecretString"] != before.get("SecretString"):
            given["SecretString"] = properties["SecretString"]
        task.call("secretsmanager", "UpdateSecret", {**secret, **given})
        tags = tag_list(properties, task.tags)
        if tags:
            task.call("secretsmanager", "TagResource", {**secret, "Tags": tags})
        kept = {each["Key"] for each in tags}
        if gone := [each["Key"] for each in before.get("Tags") or [] if each["Key"] not in kept]:
            task.call("secretsmanager", "UntagResource", {**secret, "TagKeys": gone})
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the secret at once. Assumed: CloudFormation does not leave a recovery window."""
        given = {"SecretId": made.physical_id, "ForceDeleteWithoutRecovery": True}
        task.call("secretsmanager", "DeleteSecret", given)

    def _generated(self, task: Task) -> str:
        wanted = dict(task.properties["GenerateSecretString"])
        template, key = wanted.pop("SecretStringTemplate", None), wanted.pop("GenerateStringKey", None)
        if (template is None) != (key is None):
            raise ValueError("SecretStringTemplate and GenerateStringKey must be given together")
        model = task.client("secretsmanager").meta.service_model.operation_model("GetRandomPassword")
        given = api_input.accepted(model, wanted)
        password = str(task.call("secretsmanager", "GetRandomPassword", given)["RandomPassword"])
        return password if template is None else json.dumps({**json.loads(template), str(key): password})


class KMSKeyKind:
    """Keys in KMS."""

    def create(self, task: Task) -> Made:
        """Create a key."""
        properties = task.properties
        given = {name: properties[name] for name in _KEY_NAMES if name in properties}
        if "KeyPolicy" in properties:
            given["Policy"] = json.dumps(properties["KeyPolicy"])
        if "MultiRegion" in properties:
            given["MultiRegion"] = str(properties["MultiRegion"]).lower() == "true"
        tags = tag_list(properties, task.tags)
        given["Tags"] = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags]
        output = task.call("kms", "CreateKey", given)["KeyMetadata"]
        made = Made(output["KeyId"], {"Arn": output["Arn"], "KeyId": output["KeyId"]})
        self._switch(task, {}, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change the description, the policy, and whether the key is enabled and rotated."""
        for name in ("KeySpec", "KeyUsage", "MultiRegion", "Origin"):
            if task.properties.get(name) != before.get(name):
                # Source: the type's own handler (aws-cloudformation-resource-providers-kms, pull request 50).
                raise ResourceError(
                    'Resource handler returned message: "Invalid request provided: You cannot change the properties '
                    f'KeySpec, KeyUsage, MultiRegion and Origin of a KMS key; {name} is different." '
                    "(HandlerErrorCode: InvalidRequest)"
                )
        key = {"KeyId": made.physical_id}
        described = str(task.properties.get("Description", ""))
        task.call("kms", "UpdateKeyDescription", {**key, "Description": described})
        policy = task.properties.get("KeyPolicy")
        if policy is not None and policy != before.get("KeyPolicy"):
            task.call("kms", "PutKeyPolicy", {**key, "PolicyName": "default", "Policy": json.dumps(policy)})
        tags = tag_list(task.properties, task.tags)
        if tags:
            pairs = [{"TagKey": each["Key"], "TagValue": each["Value"]} for each in tags]
            task.call("kms", "TagResource", {**key, "Tags": pairs})
        self._switch(task, before, made)
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Schedule the deletion. A key that waits for it already stays so."""
        key = {"KeyId": made.physical_id}
        if task.call("kms", "DescribeKey", key)["KeyMetadata"]["KeyState"] == "PendingDeletion":
            return
        days = int(task.properties.get("PendingWindowInDays", 30))
        task.call("kms", "ScheduleKeyDeletion", {**key, "PendingWindowInDays": days})

    def _switch(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        for name, default, on, off in (
            ("Enabled", True, "EnableKey", "DisableKey"),
            ("EnableKeyRotation", False, "EnableKeyRotation", "DisableKeyRotation"),
        ):
            wanted, was = (str(each.get(name, default)).lower() == "true" for each in (task.properties, before))
            if wanted != was:
                task.call("kms", on if wanted else off, {"KeyId": made.physical_id})


_KEY_NAMES: Final = ("Description", "KeyUsage", "KeySpec", "Origin")


def _parameter(task: Task, properties: dict[str, Any]) -> dict[str, Any]:
    tags = tag_list(properties, task.tags)
    # An existing parameter takes its tags from another operation.
    return {**properties, "Tags": tags} if tags else properties


class ParameterKind:
    """SSM parameters."""

    _described: Final = Described(
        service="ssm",
        create_operation="PutParameter",
        delete_operation="DeleteParameter",
        physical="In.Name",
        identity={"Name": "Id"},
        attributes={"Type": "In.Type", "Value": "In.Value"},
        named="Name",
        prepare=_parameter,
    )

    def create(self, task: Task) -> Made:
        """Create a parameter. One that exists already is an error."""
        return self._described.create(task)

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:  # noqa: ARG002
        """Write a new version, and add the tags."""
        named = {name: value for name, value in task.properties.items() if name != "Tags"}
        model = task.client("ssm").meta.service_model.operation_model("PutParameter")
        given = {**api_input.accepted(model, named), "Name": made.physical_id, "Overwrite": True}
        task.call("ssm", "PutParameter", given)
        if tags := tag_list(task.properties, task.tags):
            where = {"ResourceType": "Parameter", "ResourceId": made.physical_id}
            task.call("ssm", "AddTagsToResource", {**where, "Tags": tags})
        return Made(made.physical_id, {"Type": given["Type"], "Value": given["Value"]})

    def delete(self, task: Task, made: Made) -> None:
        """Delete the parameter."""
        self._described.delete(task, made)


class LogGroupKind:
    """Log groups."""

    def create(self, task: Task) -> Made:
        """Create a log group."""
        name = task.properties.get("LogGroupName") or task.new_name(512)
        given = {"logGroupName": name, "tags": {e["Key"]: e["Value"] for e in tag_list(task.properties, task.tags)}}
        if "KmsKeyId" in task.properties:
            given["kmsKeyId"] = task.properties["KmsKeyId"]
        task.call("logs", "CreateLogGroup", given)
        made = Made(name, {"Arn": f"arn:aws:logs:{task.region}:{task.account}:log-group:{name}:*"})
        self._keep(task, {}, made)
        return made

    def update(self, task: Task, before: Mapping[str, Any], made: Made) -> Made:
        """Change for how long events are kept, and the tags."""
        self._keep(task, before, made)
        if tags := tag_list(task.properties, task.tags):
            given = {"resourceArn": made.attributes["Arn"].removesuffix(":*")}
            task.call("logs", "TagResource", {**given, "tags": {each["Key"]: each["Value"] for each in tags}})
        return made

    def delete(self, task: Task, made: Made) -> None:
        """Delete the log group with its events."""
        task.call("logs", "DeleteLogGroup", {"logGroupName": made.physical_id})

    def _keep(self, task: Task, before: Mapping[str, Any], made: Made) -> None:
        days = task.properties.get("RetentionInDays")
        if days == before.get("RetentionInDays"):
            return
        name = {"logGroupName": made.physical_id}
        if days is None:
            task.call("logs", "DeleteRetentionPolicy", name)
        else:
            task.call("logs", "PutRetentionPolicy", {**name, "retentionInDays": int(days)})


def _certificate(_: Task, properties: dict[str, Any]) -> dict[str, Any]:
    # The records of Route 53 are not needed: certificates are issued at once here.
    return {name: value for name, value in properties.items() if name != "DomainValidationOptions"}


def _repository(task: Task, made: Made, before: Mapping[str, Any]) -> None:
    name = {"repositoryName": made.physical_id}
    policy = task.properties.get("RepositoryPolicyText")
    if policy is not None and policy != before.get("RepositoryPolicyText"):
        text = policy if isinstance(policy, str) else json.dumps(policy)
        task.call("ecr", "SetRepositoryPolicy", {**name, "policyText": text})
    lifecycle = (task.properties.get("LifecyclePolicy") or {}).get("LifecyclePolicyText")
    if lifecycle is not None and task.properties.get("LifecyclePolicy") != before.get("LifecyclePolicy"):
        task.call("ecr", "PutLifecyclePolicy", {**name, "lifecyclePolicyText": lifecycle})


def _table(task: Task, made: Made, before: Mapping[str, Any]) -> None:
    name = {"TableName": made.physical_id}
    expiry = task.properties.get("TimeToLiveSpecification")
    if expiry != before.get("TimeToLiveSpecification") and expiry:
        shown = {"AttributeName": expiry.get("AttributeName"), "Enabled": str(expiry["Enabled"]).lower() == "true"}
        task.call("dynamodb", "UpdateTimeToLive", {**name, "TimeToLiveSpecification": shown})
    backup = task.properties.get("PointInTimeRecoverySpecification")
    if backup != before.get("PointInTimeRecoverySpecification") and backup:
        wanted = str(backup.get("PointInTimeRecoveryEnabled", False)).lower() == "true"
        shown = {"PointInTimeRecoveryEnabled": wanted}
        task.call("dynamodb", "UpdateContinuousBackups", {**name, "PointInTimeRecoverySpecification": shown})


KINDS: Final[Mapping[str, Kind]] = {
    "AWS::SecretsManager::Secret": SecretKind(),
    "AWS::KMS::Key": KMSKeyKind(),
    "AWS::KMS::Alias": Described(
        service="kms",
        create_operation="CreateAlias",
        update_operations=("UpdateAlias",),
        delete_operation="DeleteAlias",
        physical="In.AliasName",
        identity={"AliasName": "Id"},
    ),
    "AWS::SSM::Parameter": ParameterKind(),
    "AWS::Logs::LogGroup": LogGroupKind(),
    "AWS::CertificateManager::Certificate": Described(
        service="acm",
        create_operation="RequestCertificate",
        delete_operation="DeleteCertificate",
        physical="Out.CertificateArn",
        identity={"CertificateArn": "Id"},
        attributes={"CertificateArn": "Out.CertificateArn"},
        prepare=_certificate,
        apart=frozenset({"CertificateTransparencyLoggingPreference"}),
    ),
    "AWS::ECR::Repository": Described(
        service="ecr",
        create_operation="CreateRepository",
        delete_operation="DeleteRepository",
        physical="Out.repository.repositoryName",
        identity={"repositoryName": "Id", "force": "EmptyOnDelete"},
        attributes={"Arn": "Out.repository.repositoryArn", "RepositoryUri": "Out.repository.repositoryUri"},
        named="RepositoryName",
        after=_repository,
        apart=frozenset({"LifecyclePolicy", "RepositoryPolicyText", "EmptyOnDelete"}),
        prepare=lambda _, properties: {**properties, "RepositoryName": properties["RepositoryName"].lower()},
    ),
    "AWS::DynamoDB::Table": Described(
        service="dynamodb",
        create_operation="CreateTable",
        update_operations=("UpdateTable",),
        delete_operation="DeleteTable",
        physical="Out.TableDescription.TableName",
        identity={"TableName": "Id"},
        attributes={"Arn": "Out.TableDescription.TableArn", "StreamArn": "Out.TableDescription.LatestStreamArn"},
        named="TableName",
        longest=255,
        after=_table,
        apart=frozenset({"TimeToLiveSpecification", "PointInTimeRecoverySpecification"}),
    ),
}
