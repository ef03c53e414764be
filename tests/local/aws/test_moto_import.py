"""moto's EC2, which takes long to import, is imported when it is used, and is then the real one."""

import subprocess
import sys

import pytest

_USED = """
import sys
from keyfront.local.aws.moto_import import without_ec2
with without_ec2():
    from keyfront.local.aws.dispatcher import Dispatcher
    import moto.ssm.models
assert not [name for name in sys.modules if name.startswith("moto.ec2")], "imported at the start"

import boto3
from moto import mock_aws
with mock_aws():
    ec2 = boto3.client("ec2", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    image = ec2.describe_images()["Images"][0]["ImageId"]
    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1)["Instances"]
    ec2.create_tags(Resources=[instance["InstanceId"]], Tags=[{"Key": "role", "Value": "web"}])
    ssm = boto3.client("ssm", "eu-central-1", aws_access_key_id="a", aws_secret_access_key="b")
    sent = ssm.send_command(DocumentName="d", Targets=[{"Key": "tag:role", "Values": ["web"]}])["Command"]
    print(sent["InstanceIds"] == [instance["InstanceId"]])
import moto.ec2
print(moto.ec2.ec2_backends is sys.modules["moto.ec2"].ec2_backends, "moto.ec2.models" in sys.modules)
"""


@pytest.mark.large
def test_ec2_is_imported_when_it_is_used() -> None:
    ran = subprocess.run([sys.executable, "-c", _USED], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.split() == ["True", "True", "True"]
