"""`aws cloudformation deploy`, as it is: a YAML template, twice, and a type that is not here."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from keyfront import SigningKey

pytestmark = pytest.mark.large

_TEMPLATE = """
Parameters:
  PublicKey: {Type: String}
Resources:
  Key:
    Type: AWS::CloudFront::PublicKey
    Properties:
      PublicKeyConfig:
        Name: !Sub "${AWS::StackName}-key"
        CallerReference: !Sub "${AWS::StackName}-key"
        EncodedKey: !Ref PublicKey
  Group:
    Type: AWS::CloudFront::KeyGroup
    Properties:
      KeyGroupConfig: {Name: group, Items: [!Ref Key]}
Outputs:
  KeyId: {Value: !Ref Key}
"""


def test_it_deploys_once_and_names_a_type_that_is_not_here(laptop: Any, stacks: Any, tmp_path: Path) -> None:
    template, pem = tmp_path / "template.yaml", SigningKey.generate("ecdsa").public_key.pem
    template.write_text(_TEMPLATE)

    def deploy(expect: int) -> str:
        program = str(Path(sys.executable).with_name("aws"))
        deploy = [program, "--endpoint-url", laptop.url, "--region", "us-east-1", "cloudformation", "deploy"]
        given = ["--stack-name", "shop", "--template-file", str(template), "--parameter-overrides", f"PublicKey={pem}"]
        given.append("--no-fail-on-empty-changeset")
        keys = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_PAGER": ""}
        done = subprocess.run(
            [*deploy, *given], env={**os.environ, **keys}, capture_output=True, text=True, timeout=120
        )
        assert done.returncode == expect, done.stdout + done.stderr
        return done.stdout + done.stderr

    assert "Successfully created/updated stack - shop" in deploy(0)
    (output,) = stacks.describe_stacks(StackName="shop")["Stacks"][0]["Outputs"]
    (key,) = laptop.client("cloudfront").list_public_keys()["PublicKeyList"]["Items"]
    assert (output["OutputValue"], key["Name"]) == (key["Id"], "shop-key")
    assert "No changes to deploy" in deploy(0)
    template.write_text(_TEMPLATE.replace("AWS::CloudFront::KeyGroup", "AWS::CloudFront::Nothing"))
    assert "Unrecognized resource types: [AWS::CloudFront::Nothing]" in deploy(255)
