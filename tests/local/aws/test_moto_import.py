"""moto's EC2 knows its regions although botocore did not read EC2's API model for them."""

import subprocess
import sys

_REGIONS = """
from contextlib import nullcontext
from keyfront.local.aws.moto_import import without_ec2_model
with {guard}():
    from moto.ec2.models.availability_zones_and_regions import RegionsAndZonesBackend
print(*sorted(region.name for region in RegionsAndZonesBackend.regions))
import boto3
print(len(boto3.client("ec2", "us-east-1").meta.service_model.operation_names) > 500)
"""


def test_the_regions_are_those_of_the_whole_model() -> None:
    light, whole = (
        subprocess.run([sys.executable, "-c", _REGIONS.format(guard=guard)], capture_output=True, text=True, check=True)
        for guard in ("without_ec2_model", "nullcontext")
    )
    assert light.stdout == whole.stdout
    assert "eu-central-1" in light.stdout
    assert light.stdout.endswith("True\n")
