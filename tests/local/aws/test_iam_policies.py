"""Amazon's managed policies: there without being made, attached, listed and enforced."""

import json
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.aws import pickling

if TYPE_CHECKING:
    from tests.local.aws.conftest import Running

LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
DYNAMO = "arn:aws:iam::aws:policy/service-role/AWSLambdaDynamoDBExecutionRole"
READ = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
        ],
    }
)


@pytest.fixture
def iam(endpoint: "Running") -> Any:
    return endpoint.client("iam")


def test_a_role_gets_a_policy_of_amazons(iam: Any) -> None:
    iam.create_role(RoleName="runs", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="runs", PolicyArn=LOGS)
    attached = iam.list_attached_role_policies(RoleName="runs")["AttachedPolicies"]
    assert attached == [{"PolicyName": "AWSLambdaBasicExecutionRole", "PolicyArn": LOGS}]
    policy = iam.get_policy(PolicyArn=LOGS)["Policy"]
    assert (policy["AttachmentCount"], policy["Path"]) == (1, "/service-role/")
    version = iam.get_policy_version(PolicyArn=LOGS, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    assert "logs:PutLogEvents" in version["Document"]["Statement"][0]["Action"]
    iam.detach_role_policy(RoleName="runs", PolicyArn=LOGS)
    assert iam.list_attached_role_policies(RoleName="runs")["AttachedPolicies"] == []


def test_users_and_groups_get_them_too(iam: Any) -> None:
    iam.create_user(UserName="reader")
    iam.create_group(GroupName="readers")
    iam.attach_user_policy(UserName="reader", PolicyArn=READ)
    iam.attach_group_policy(GroupName="readers", PolicyArn=READ)
    assert iam.get_policy(PolicyArn=READ)["Policy"]["AttachmentCount"] == 2


@pytest.mark.parametrize("name", ["NoSuchPolicy", "AWSLambdaBasicExecutionRole", "service-role/AmazonS3ReadOnlyAccess"])
def test_a_policy_that_amazon_does_not_have_is_not_found(iam: Any, name: str) -> None:
    iam.create_role(RoleName="runs", AssumeRolePolicyDocument=TRUST)
    arn = f"arn:aws:iam::aws:policy/{name}"
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.get_policy(PolicyArn=arn)
    with pytest.raises(iam.exceptions.NoSuchEntityException):
        iam.attach_role_policy(RoleName="runs", PolicyArn=arn)


def test_all_are_listed_and_only_the_used_ones_are_kept(iam: Any) -> None:
    used = iam.get_policy(PolicyArn=LOGS)["Policy"]["PolicyId"]
    pages = iam.get_paginator("list_policies").paginate(Scope="AWS", PathPrefix="/service-role/")
    listed = {policy["Arn"]: policy["PolicyId"] for page in pages for policy in page["Policies"]}
    assert len(listed) > 200
    assert (listed[LOGS], DYNAMO in listed) == (used, True)
    assert iam.get_policy(PolicyArn=DYNAMO)["Policy"]["PolicyId"] == listed[DYNAMO]
    assert iam.list_policies(Scope="Local")["Policies"] == []
    assert iam.list_policies(OnlyAttached=True)["Policies"] == []
    kept, _ = pickling.dump(["moto.iam.models:iam_backends"])
    assert b"AWSLambdaBasicExecutionRole" in kept
    assert b"AWSLambdaSQSQueueExecutionRole" not in kept
