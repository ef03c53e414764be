"""Templates: their text, their checks, their functions and the order of their resources."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from keyfront.local.cloudformation import parameters, schemas, template
from keyfront.local.cloudformation.faults import NotYetKnownError, StackError
from keyfront.local.cloudformation.intrinsics import NO_VALUE, Scope, resolve


def _scope(**named: Any) -> Scope:
    def reference(name: str) -> str:
        if name == "New":
            raise NotYetKnownError(name)
        return f"id-of-{name}"

    values: dict[str, Any] = {
        "pseudo": {"AWS::Region": "us-east-1", "AWS::StackName": "shop"},
        "parameters": {"Name": "a", "Many": ["a", "b"]},
        "mappings": {"Map": {"first": {"second": "found"}}},
        "conditions": {"Yes": {"Fn::Equals": ["a", {"Ref": "Name"}]}, "No": {"Fn::Not": [{"Condition": "Yes"}]}},
        "reference": reference,
        "attribute": lambda name, key: f"{key}-of-{name}",
        "exported": lambda name: f"export-{name}",
    }
    return Scope(**{**values, **named})


@pytest.mark.parametrize(
    ("value", "meaning"),
    [
        ({"Ref": "Bucket"}, "id-of-Bucket"),
        ({"Ref": "Name"}, "a"),
        ({"Ref": "AWS::Region"}, "us-east-1"),
        ({"Fn::GetAtt": ["Bucket", "Arn"]}, "Arn-of-Bucket"),
        ({"Fn::GetAtt": "Bucket.Arn"}, "Arn-of-Bucket"),
        (
            {"Fn::Sub": "${Bucket}/${Bucket.Arn}/${!literal}/${AWS::StackName}"},
            "id-of-Bucket/Arn-of-Bucket/${literal}/shop",
        ),
        ({"Fn::Sub": ["${Own}-${Name}", {"Own": {"Ref": "Bucket"}}]}, "id-of-Bucket-a"),
        ({"Fn::Join": ["-", ["a", {"Ref": "Name"}, 3]]}, "a-a-3"),
        ({"Fn::Join": [",", {"Ref": "Many"}]}, "a,b"),
        ({"Fn::Select": ["1", {"Fn::Split": [".", "a.b.c"]}]}, "b"),
        ({"Fn::If": ["Yes", "then", "else"]}, "then"),
        ({"Fn::If": ["No", "then", "else"]}, "else"),
        ({"a": {"Fn::If": ["No", 1, {"Ref": "AWS::NoValue"}]}, "b": 2}, {"b": 2}),
        ({"Fn::FindInMap": ["Map", "first", "second"]}, "found"),
        ({"Fn::ImportValue": "x"}, "export-x"),
        ({"Fn::Base64": "a"}, "YQ=="),
        ({"Fn::Cidr": ["10.0.0.0/16", 2, 8]}, ["10.0.0.0/24", "10.0.1.0/24"]),
        ({"Fn::ToJsonString": {"a": [1]}}, '{"a":[1]}'),
        ({"Condition": {"StringEquals": {"a": "b"}}}, {"Condition": {"StringEquals": {"a": "b"}}}),
    ],
)
def test_a_function_means(value: Any, meaning: Any) -> None:
    assert resolve(_scope(), value) == meaning


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({"Fn::ForEach::X": []}, "the function Fn::ForEach::X is not supported"),
        ({"Fn::Join": ["-", "text"]}, "every Fn::Join object must have valid arguments"),
        ({"Fn::Select": [5, ["a"]]}, "cannot select nonexistent value at index 5"),
        ({"Fn::FindInMap": ["Map", "x", "y"]}, "Unable to get mapping for Map::x::y"),
        ({"Fn::If": ["Missing", 1, 2]}, "Unresolved condition dependency Missing"),
    ],
)
def test_a_wrong_function_is_named(value: Any, said: str) -> None:
    with pytest.raises(StackError, match=said):
        resolve(_scope(), value)


def test_a_resource_that_does_not_exist_yet_is_unknown() -> None:
    with pytest.raises(NotYetKnownError):
        resolve(_scope(), {"a": [{"Fn::Sub": "x-${New}"}]})
    assert resolve(_scope(), {"Ref": "AWS::NoValue"}) is NO_VALUE


@given(some.lists(some.none() | some.booleans() | some.integers() | some.text(max_size=9), max_size=4))
def test_a_value_without_functions_stays(value: Any) -> None:
    assert resolve(_scope(), value) == value


def test_yaml_has_the_tags_of_functions_and_dates_as_text() -> None:
    text = """
AWSTemplateFormatVersion: 2010-09-09
Resources:
  A:
    Type: AWS::S3::Bucket
    Properties: {BucketName: !Sub "a-${AWS::Region}", X: !GetAtt B.Arn, Y: !If [C, !Ref B, 2]}
"""
    document = template.load(text)
    assert document["AWSTemplateFormatVersion"] == "2010-09-09"
    assert document["Resources"]["A"]["Properties"] == {
        "BucketName": {"Fn::Sub": "a-${AWS::Region}"},
        "X": {"Fn::GetAtt": ["B", "Arn"]},
        "Y": {"Fn::If": ["C", {"Ref": "B"}, 2]},
    }


def _document(**resources: Any) -> dict[str, Any]:
    return {"Resources": {name: {"Type": "AWS::S3::Bucket", **each} for name, each in resources.items()}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: [", "YAML not well-formed"),
        ("a: &x [1]\nb: *x", "YAML aliases are not allowed"),
        ("!!python/object/apply:os.system [id]", "YAML not well-formed"),
        ("{", "JSON not well-formed"),
        ("[]", "unsupported structure"),
    ],
)
def test_a_text_that_is_no_template_is_refused(text: str, said: str) -> None:
    with pytest.raises(StackError, match=said):
        template.load(text)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({}, "At least one Resources member must be defined"),
        ({**_document(A={}), "Resource": {}}, r"Invalid template property or properties \[Resource\]"),
        (_document(**{"A-b": {}}), "Resource name A-b is non alphanumeric"),
        ({"Resources": {"A": {}}}, "must contain a Type member"),
        (_document(A={"DependsOn": "B"}), r"Unresolved resource dependencies \[B\]"),
        (_document(A={"Properties": {"X": {"Fn::Sub": "${B.Arn}"}}}), r"Unresolved resource dependencies \[B\]"),
        (_document(A={"DependsOn": "B"}, B={"DependsOn": "A"}), "Circular dependency between resources"),
        (_document(A={"DeletionPolicy": "Keep"}), "Unrecognized DeletionPolicy Keep"),
        (_document(A={"Condition": "C"}), "Unresolved condition C"),
    ],
)
def test_a_template_that_cannot_work_is_refused(document: Any, said: str) -> None:
    with pytest.raises(StackError, match=said):
        template.read(document)


def test_resources_come_after_those_that_they_need() -> None:
    read = template.read(_document(A={"Properties": {"X": {"Ref": "C"}}}, B={"DependsOn": ["A"]}, C={}))
    assert read.order() == ["C", "A", "B"]


@pytest.mark.parametrize(
    ("described", "value", "said"),
    [
        ({"Type": "Number"}, "x", "must be a number"),
        ({"Type": "String", "AllowedValues": ["a"]}, "b", "must be one of AllowedValues, not b"),
        ({"Type": "String", "AllowedPattern": "[a-z]+"}, "1", r"must match pattern \[a-z\]\+"),
        ({"Type": "String", "MaxLength": 1}, "ab", "at most 1 characters"),
        ({"Type": "Number", "MinValue": 3}, "2", "must be at least 3"),
    ],
)
def test_a_parameters_value_is_checked(described: Any, value: str, said: str) -> None:
    read = template.read({**_document(A={}), "Parameters": {"P": described}})
    with pytest.raises(StackError, match=said):
        parameters.values(read, {"P": value}, {}, frozenset())


def test_a_hidden_parameter_is_shown_nowhere() -> None:
    described = {"Type": "String", "NoEcho": True, "AllowedValues": ["x"]}
    read = template.read({**_document(A={}), "Parameters": {"P": described}})
    assert parameters.shown(read, {"P": "secret"}) == {"P": "****"}
    with pytest.raises(StackError) as refused:
        parameters.values(read, {"P": "secret"}, {}, frozenset())
    assert "secret" not in str(refused.value)


def test_properties_are_checked_against_amazons_schema() -> None:
    schema = schemas.find("AWS::CloudFront::PublicKey")
    assert schema is not None
    wrong = {"PublicKeyConfig": {"Name": "a", "EncodedKey": "x", "Other": 1}, "Extra": 1}
    assert schema.problems(wrong) == [
        "#/PublicKeyConfig: required key [CallerReference] not found",
        "#/PublicKeyConfig: extraneous key [Other] is not permitted",
        "#: extraneous key [Extra] is not permitted",
    ]
    assert schemas.find("AWS::No::Such") is None
    function = schemas.find("AWS::CloudFront::Function")
    assert function is not None
    assert ("Name",) in function.create_only
    assert json.dumps(sorted(function.read_only)) == '["FunctionARN", "FunctionMetadata.FunctionARN", "Stage"]'
