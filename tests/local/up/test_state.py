"""`keyfront up --state DIR`: the next morning, after a stop and after a crash, with real clients and Terraform."""

import contextlib
import json
import signal
import socket
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import BotoCoreError
from tests.local.up.conftest import Up
from tests.terraform.provider import Providers, providers  # noqa: F401  a fixture
from tests.waiting import wait_until

from keyfront.core.keys import SigningKey

NO_CHANGES = "No changes. Your infrastructure matches the configuration."


def ports(up: Up) -> list[str]:
    """Options for a start at the ports of this one."""
    return [
        *("--port", up.printed["endpoint"].rpartition(":")[2]),
        *("--http-port", up.printed["edge"]["http"].rpartition(":")[2]),
        *("--https-port", up.printed["edge"]["https"].rpartition(":")[2]),
    ]


def listed(up: Up) -> list[Any]:
    """What of CloudFront's is there only once, however often it starts."""
    cloudfront = up.client("cloudfront")
    return [
        [each["Id"] for each in cloudfront.list_distributions()["DistributionList"]["Items"]],
        cloudfront.list_origin_access_controls()["OriginAccessControlList"]["Items"],
        cloudfront.list_public_keys()["PublicKeyList"]["Items"],
    ]


def parameter(up: Up) -> Any:
    return up.client("ssm").get_parameter(Name=up.printed["parameter"], WithDecryption=True)["Parameter"]


@pytest.fixture
def state(tmp_path: Path) -> list[str]:
    return ["--state", str(tmp_path / "state")]


CONFIGURATION = """
terraform {
  required_providers {
    aws = { source = "hashicorp/aws" }
  }
}
provider "aws" {
  s3_use_path_style = true
}
resource "aws_s3_bucket" "content" {
  bucket = "terraforms-content"
}
resource "aws_s3_bucket_versioning" "content" {
  bucket = aws_s3_bucket.content.id
  versioning_configuration { status = "Enabled" }
}
resource "aws_s3_object" "secret" {
  bucket  = aws_s3_bucket_versioning.content.bucket
  key     = "secret.txt"
  content = "secret"
}
resource "aws_kms_key" "signing" {
  customer_master_key_spec = "RSA_2048"
  key_usage                = "SIGN_VERIFY"
}
data "aws_kms_public_key" "signing" {
  key_id = aws_kms_key.signing.key_id
}
resource "aws_ssm_parameter" "secret" {
  name  = "/terraform/secret"
  type  = "SecureString"
  value = "shh"
}
resource "aws_iam_role" "signer" {
  name = "signer"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }]
  })
}
resource "aws_cloudfront_public_key" "signing" {
  name        = "terraform"
  encoded_key = data.aws_kms_public_key.signing.public_key_pem
}
resource "aws_cloudfront_key_group" "signing" {
  name  = "terraform"
  items = [aws_cloudfront_public_key.signing.id]
}
resource "aws_cloudfront_origin_access_control" "content" {
  name                              = "terraform"
  origin_access_control_origin_type = "s3"
  signing_behavior                  = "always"
  signing_protocol                  = "sigv4"
}
resource "aws_cloudfront_distribution" "content" {
  enabled             = true
  wait_for_deployment = false
  origin {
    origin_id                = "content"
    domain_name              = aws_s3_bucket.content.bucket_regional_domain_name
    origin_access_control_id = aws_cloudfront_origin_access_control.content.id
  }
  default_cache_behavior {
    target_origin_id       = "content"
    viewer_protocol_policy = "https-only"
    allowed_methods        = ["GET", "HEAD"]
    cached_methods         = ["GET", "HEAD"]
    cache_policy_id        = "658327ea-f89d-4fab-a63d-7e88639e58f6"
    trusted_key_groups     = [aws_cloudfront_key_group.signing.id]
  }
  restrictions {
    geo_restriction { restriction_type = "none" }
  }
  viewer_certificate { cloudfront_default_certificate = true }
}
output "domain_name" {
  value = aws_cloudfront_distribution.content.domain_name
}
"""


@pytest.fixture
def terraform(
    terraform_program: Path,
    providers: Providers,  # noqa: F811
    tmp_path: Path,
) -> Callable[..., str]:
    """Runs Terraform in a directory with `CONFIGURATION` against a machine; gives what it says."""
    directory = tmp_path / "terraform"
    directory.mkdir()
    (directory / "main.tf").write_text(CONFIGURATION)

    def run(up: Any, *arguments: str) -> str:
        environment = {**up.environment(), "CHECKPOINT_DISABLE": "1", "GOGC": "400"}
        ran = subprocess.run(
            [terraform_program, *arguments, "-input=false", "-no-color"],
            cwd=directory,
            # The provider of the evening knows the address of the morning: it is the same.
            env={**environment, **providers.variables(directory, environment)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
        )
        assert ran.returncode == 0, ran.stdout
        return ran.stdout

    return run


def test_the_next_morning_everything_is_where_it_was_and_terraform_agrees(
    start: Callable[..., Any],
    tmp_path: Path,
    state: list[str],
    terraform: Callable[..., str],
    mistake: Callable[..., str],
) -> None:
    with start(tmp_path, *state) as evening:
        assert "Resources: 10 added" in terraform(evening, "apply", "-auto-approve")
        bucket, item = evening.printed["bucket"], evening.printed["items"][0]
        evening.client("s3").put_object(Bucket=bucket, Key="mine.txt", Body=b"mine")
        link, mine = evening.sign(evening.url(item["path"])), evening.sign(evening.url("mine.txt"))
        assert evening.curl(link)[0] == 200
        there, secret, again = listed(evening), parameter(evening), ports(evening)
    elsewhere = tmp_path / "another directory"  # the keys are in DIR, wherever it is started
    elsewhere.mkdir()
    with start(elsewhere, *state, *again) as morning:
        # The console's address has another token in each run.
        for name in evening.printed.keys() - {"shop", "console"}:
            assert morning.printed[name] == evening.printed[name], name
        assert listed(morning) == there
        assert parameter(morning) == secret
        distribution = morning.client("cloudfront").get_distribution(Id=morning.printed["distribution"]["id"])
        assert distribution["Distribution"]["Status"] == "Deployed"
        assert morning.curl(link) == (200, Path(item["file"]).read_bytes())
        assert morning.curl(mine) == (200, b"mine")
        assert NO_CHANGES in terraform(morning, "plan", "-detailed-exitcode")
        assert not (elsewhere / ".keyfront").exists()
        said = mistake(*state)
        assert "another keyfront up" in said
        assert str(morning.process.pid) in said
        # What its owner takes out stays out.
        group = morning.printed["key_group"]
        morning.keyfront("groups", "remove", group, morning.printed["key_pair_id"])
    with start(elsewhere, *state) as noon:
        groups = noon.client("cloudfront").get_key_group(Id=group)["KeyGroup"]["KeyGroupConfig"]["Items"]
        assert len(groups) == 1
        assert noon.printed["key_pair_id"] not in groups
        # The name holds the port, and the port is another one now.
        identifier = noon.printed["distribution"]["id"]
        assert identifier == evening.printed["distribution"]["id"]
        port = noon.printed["edge"]["https"].rpartition(":")[2]
        assert noon.printed["distribution"]["domain_name"] == f"{identifier.lower()}.cloudfront.localhost:{port}"
        assert b"InvalidKey" in noon.curl(noon.sign(noon.url(item["path"])))[1]


def test_after_a_crash_no_acknowledged_change_is_lost_and_a_new_key_pair_is_trusted_beside_what_the_group_has(
    start: Callable[..., Any], tmp_path: Path, state: list[str]
) -> None:
    """With an own port for each distribution, which it keeps while that is free."""
    arguments = [*state, "--addressing", "port"]
    with start(tmp_path, *arguments) as before:
        known = _upload_until_killed(before)
    for name in ("private_key.pem", "public_key.pem"):
        (tmp_path / "state" / name).rename(tmp_path / name)
    with start(tmp_path, *arguments) as after:
        assert after.printed["distribution"] == before.printed["distribution"]
        items = after.client("cloudfront").list_public_keys()["PublicKeyList"]["Items"]
        found = {item["Id"]: item["Name"] for item in items if not item["Name"].startswith("keyfront-demo")}
        assert known
        assert known.items() <= found.items()
        assert len(found) <= len(known) + 1
        assert after.printed["key_pair_id"] != before.printed["key_pair_id"]
        signed = after.sign(after.url(after.printed["items"][0]["path"]))
        wait_until(lambda: after.curl(signed)[0] == 200)  # the edge reads the group's keys once a second
        assert json.loads(parameter(after)["Value"])["key_pair_id"] == after.printed["key_pair_id"]
    name = after.printed["distribution"]["domain_name"]
    with socket.create_server(("127.0.0.1", int(name.rpartition(":")[2]))), start(tmp_path, *arguments) as moved:
        assert moved.printed["distribution"]["domain_name"] != name
        assert moved.curl(moved.sign(moved.url(moved.printed["items"][0]["path"])))[0] == 200


def _upload_until_killed(up: Up) -> dict[str, str]:
    """The public keys that are known to be there when the laptop crashes: their names by their ids."""
    pem, cloudfront, known = SigningKey.generate("ecdsa").public_key.pem, up.client("cloudfront"), dict[str, str]()

    def crash() -> None:
        wait_until(lambda: len(known) > 3)
        up.kill()

    crashing = threading.Thread(target=crash)
    crashing.start()
    with contextlib.suppress(BotoCoreError):
        for number in range(100_000):
            if len(known) > 5:
                identifier, _ = known.popitem()
                etag = cloudfront.get_public_key(Id=identifier)["ETag"]
                cloudfront.delete_public_key(Id=identifier, IfMatch=etag)
            config = {"Name": f"{number}", "CallerReference": f"{number}", "EncodedKey": pem}
            known[cloudfront.create_public_key(PublicKeyConfig=config)["PublicKey"]["Id"]] = f"{number}"
    crashing.join()
    assert up.process.returncode == -signal.SIGKILL
    return known


class TestMistakes:
    """Each is one clear line, and exit code 2."""

    def test_a_file_in_its_place(self, mistake: Callable[..., str], tmp_path: Path) -> None:
        (tmp_path / "file").write_text("")
        assert "name another directory" in mistake("--state", "file")

    def test_a_directory_that_others_may_write_to(self, mistake: Callable[..., str], tmp_path: Path) -> None:
        (tmp_path / "open").mkdir()
        (tmp_path / "open").chmod(0o777)
        assert "chmod -R go-w" in mistake("--state", "open")

    def test_a_state_that_another_moto_wrote(self, mistake: Callable[..., str], tmp_path: Path) -> None:
        services = tmp_path / "state" / "services"
        services.mkdir(parents=True, mode=0o700)
        header = {"format": "1", "keyfront": "0.0.1", "moto": "1.0", "python": "3.11", "contents": []}
        sha = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
        (services / "state").write_text(json.dumps({**header, "sha256": sha}) + "\n")
        assert "use moto 1.0" in mistake("--state", "state")

    def test_a_damaged_account(self, mistake: Callable[..., str], tmp_path: Path) -> None:
        (tmp_path / "state").mkdir(mode=0o700)
        (tmp_path / "state" / "cloudfront.db").write_bytes(b"no database" * 1000)
        assert "cloudfront.db is damaged" in mistake("--state", "state")
