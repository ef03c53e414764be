"""Glue's databases and tables, Athena's workgroups and saved queries: created, changed in place and deleted."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.large


def _text(limit: int | None, description: str = "one", query: str = "SELECT 1") -> str:
    configuration: dict[str, Any] = {
        "EnforceWorkGroupConfiguration": True,
        "ResultConfiguration": {"OutputLocation": f"s3://results/{description}/"},
    }
    if limit:
        configuration["BytesScannedCutoffPerQuery"] = limit
    table = {
        "Name": "files",
        "TableType": "EXTERNAL_TABLE",
        "Parameters": {"projection.enabled": "true", "about": description},
        "PartitionKeys": [{"Name": "day", "Type": "string"}],
        "StorageDescriptor": {"Location": "s3://logs/", "Columns": [{"Name": "c_ip", "Type": "string"}]},
    }
    catalog = {"CatalogId": {"Ref": "AWS::AccountId"}}
    resources = {
        "Database": {
            "Type": "AWS::Glue::Database",
            "Properties": {**catalog, "DatabaseInput": {"Name": "logs", "Description": description}},
        },
        "Table": {
            "Type": "AWS::Glue::Table",
            "Properties": {**catalog, "DatabaseName": {"Ref": "Database"}, "TableInput": table},
        },
        "Group": {
            "Type": "AWS::Athena::WorkGroup",
            "Properties": {"Name": "group", "Description": description, "WorkGroupConfiguration": configuration},
        },
        "Query": {
            "Type": "AWS::Athena::NamedQuery",
            "Properties": {"Database": "logs", "QueryString": query, "WorkGroup": {"Ref": "Group"}, "Name": "saved"},
        },
    }
    return json.dumps({"Resources": resources, "Outputs": {"Id": {"Value": {"Ref": "Query"}}}})


def test_a_table_a_workgroup_and_a_query(laptop: Any, stacks: Any, told: Callable[..., list[str]]) -> None:
    glue, athena = laptop.client("glue"), laptop.client("athena")

    def saved() -> str:
        (output,) = stacks.describe_stacks(StackName="s")["Stacks"][0]["Outputs"]
        return str(output["OutputValue"])

    stacks.create_stack(StackName="s", TemplateBody=_text(10_000_000))
    assert told("s", "CREATE_FAILED") == []
    table = glue.get_table(DatabaseName="logs", Name="files")["Table"]
    assert table["Parameters"] == {"projection.enabled": "true", "about": "one"}
    assert [each["Name"] for each in table["PartitionKeys"]] == ["day"]
    before = saved()
    assert athena.get_named_query(NamedQueryId=before)["NamedQuery"]["WorkGroup"] == "group"

    stacks.update_stack(StackName="s", TemplateBody=_text(None, "two", "SELECT 2"))
    assert told("s", "UPDATE_FAILED") == []
    assert glue.get_database(Name="logs")["Database"]["Description"] == "two"
    assert glue.get_table(DatabaseName="logs", Name="files")["Table"]["Parameters"]["about"] == "two"
    group = athena.get_work_group(WorkGroup="group")["WorkGroup"]
    assert (group["Description"], group["State"]) == ("two", "ENABLED")
    assert group["Configuration"]["ResultConfiguration"]["OutputLocation"] == "s3://results/two/"
    assert "BytesScannedCutoffPerQuery" not in group["Configuration"]
    # A saved query never changes: another text is another query.
    assert athena.get_named_query(NamedQueryId=saved())["NamedQuery"]["QueryString"] == "SELECT 2"
    with pytest.raises(ClientError, match=f"NamedQuery {before} was not found"):
        athena.get_named_query(NamedQueryId=before)

    with pytest.raises(ClientError, match="WorkGroup group is not empty"):
        athena.delete_work_group(WorkGroup="group")
    stacks.delete_stack(StackName="s")
    assert stacks.describe_stacks()["Stacks"] == []
    assert glue.get_databases()["DatabaseList"] == []
    assert [each["Name"] for each in athena.list_work_groups()["WorkGroups"]] == ["primary"]
    with pytest.raises(ClientError, match="WorkGroup group is not found"):
        athena.get_work_group(WorkGroup="group")
