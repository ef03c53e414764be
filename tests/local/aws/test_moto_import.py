"""What takes moto long to import is imported when it is used, and is then the real one."""

import os
import subprocess
import sys

import pytest

_USED = """
import sys
from keyfront.local.aws.moto_import import lightly
with lightly():
    from keyfront.local.aws.dispatcher import Dispatcher
    import moto.apigateway.models
    import moto.ssm.models
slow = ("moto.ec2", "openapi_spec_validator", "pydantic")
assert not [name for name in sys.modules if name.startswith(slow)], "imported at the start"

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws
def client(service):
    return boto3.client(service, "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
with mock_aws():
    ec2 = client("ec2")
    (instance,) = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1)["Instances"]
    ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "role", "Value": "web"}])
    sent = client("ssm").send_command(DocumentName="d", Targets=[{"Key": "tag:role", "Values": ["web"]}])["Command"]
    print(sent["InstanceIds"] == [instance["InstanceId"]])
    good = '{"openapi": "3.0.0", "info": {"title": "a", "version": "1", "description": "b"}, "paths": {}}'
    print(client("apigateway").import_rest_api(failOnWarnings=True, body=good)["name"])
    try:
        client("apigateway").import_rest_api(failOnWarnings=True, body=good.replace("title", "name"))
    except ClientError as error:
        print(error.response["Error"]["Message"])
import moto.ec2
import openapi_spec_validator
print(moto.ec2.ec2_backends is sys.modules["moto.ec2"].ec2_backends, "moto.ec2.models" in sys.modules)
print(openapi_spec_validator.__file__ is not None)
"""


@pytest.mark.large
def test_what_takes_long_is_imported_when_it_is_used() -> None:
    environment = {**os.environ, "MOTO_EC2_LOAD_DEFAULT_AMIS": "false"}  # they take half of the time
    ran = subprocess.run([sys.executable, "-c", _USED], env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines() == [
        "True",
        "a",
        "Failed to parse the uploaded OpenAPI document due to: 'title' is a required property",
        "True True",
        "True",
    ]
