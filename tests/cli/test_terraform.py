"""`keyfront terraform`: what it prints is what shells and Terraform take, and sends nothing to Amazon."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import botocore.session
import pytest

Run = Callable[..., tuple[int, str, str]]
NOBODY = "http://127.0.0.1:9"

# API Gateway's actions are HTTP methods; the rest are calls under another name than the call's own.
# Source: Service Authorization Reference.
_METHODS = {"GET", "POST", "PATCH", "PUT", "DELETE"}
_NOT_NAMED_AFTER_A_CALL = {
    *("s3:ListBucket", "s3:ListAllMyBuckets", "s3:ListBucketVersions", "s3:GetBucketCORS"),
    *("s3:GetBucketObjectLockConfiguration", "s3:GetAccelerateConfiguration", "s3:GetReplicationConfiguration"),
    *("s3:GetBucketPublicAccessBlock", "s3:PutBucketPublicAccessBlock"),
    *("s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration"),
    *("s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration"),
    *("s3:GetObjectVersion", "s3:GetObjectVersionTagging", "s3:DeleteObjectVersion"),
    "iam:PassRole",
}


def test_a_shell_takes_what_it_prints(run: Run, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-an-account")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com")
    status, printed, said = run("terraform", "env", "--endpoint-url", service.url, "--region", "eu-central-1")
    assert (status, said) == (0, "")
    show = subprocess.run(["sh", "-c", f"{printed}\nenv"], capture_output=True, text=True, check=True)
    now = dict(line.split("=", 1) for line in show.stdout.splitlines() if line.startswith("AWS_"))
    assert {name: now[name] for name in ("AWS_ENDPOINT_URL", "AWS_REGION")} == {
        "AWS_ENDPOINT_URL": service.url,
        "AWS_REGION": "eu-central-1",
    }
    assert not now.keys() & {"AWS_SESSION_TOKEN", "AWS_ENDPOINT_URL_S3", "AWS_PROFILE"}


@pytest.mark.parametrize(
    ("shell", "line", "gone"),
    [
        ("fish", "set -gx AWS_ENDPOINT_URL http://127.0.0.1:9", "set -e AWS_PROFILE"),
        (
            "powershell",
            "$env:AWS_ENDPOINT_URL = 'http://127.0.0.1:9'",
            "Remove-Item Env:AWS_PROFILE -ErrorAction SilentlyContinue",
        ),
    ],
)
def test_other_shells_have_their_own_lines(
    run: Run, no_aws: pytest.MonkeyPatch, shell: str, line: str, gone: str
) -> None:
    no_aws.setenv("AWS_PROFILE", "shop")
    printed = run("terraform", "env", "--endpoint-url", NOBODY, "--shell", shell)[1].splitlines()
    assert {line, gone} <= set(printed)


def test_it_prints_and_says_so_when_nothing_answers(run: Run, no_aws: object) -> None:
    status, printed, said = run("terraform", "env", "--endpoint-url", NOBODY)
    assert status == 0
    assert f"export AWS_ENDPOINT_URL={NOBODY}" in printed
    assert said == f"Nothing answers at {NOBODY}. Start it: keyfront up --addressing port\n"


def test_localhost_becomes_an_address_since_a_bucket_before_it_does_not_resolve(run: Run, service: Any) -> None:
    url = service.url.replace("127.0.0.1", "localhost")
    printed = json.loads(run("terraform", "env", "--endpoint-url", url, "--json")[1])
    assert printed["environment"]["AWS_ENDPOINT_URL"] == service.url


def test_a_name_gets_the_advice_to_take_the_provider_block(run: Run, no_aws: object) -> None:
    said = run("terraform", "env", "--endpoint-url", "http://laptop.invalid:4566")[2]
    assert "use --provider" in said


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:4566", "ftp://127.0.0.1", "http://127.0.0.1:4566/path", "http://", "http://a;b", "http://127.0.0.1:x"],
)
def test_what_is_no_endpoint_is_refused(run: Run, no_aws: object, url: str) -> None:
    status, printed, said = run("terraform", "env", "--endpoint-url", url)
    assert (status, printed) == (2, "")
    assert said.startswith(f"error: {url!r} is no endpoint: give http://HOST:PORT")


def test_what_is_no_region_is_refused(run: Run, no_aws: object) -> None:
    status, printed, said = run("terraform", "env", "--endpoint-url", NOBODY, "--region", "us-east-1; ls")
    assert (status, printed) == (2, "")
    assert "is no region" in said


@pytest.mark.xdist_group("terraform")
def test_terraform_takes_the_provider_block_over_the_configurations_own(
    run: Run, service: Any, need_tool: Callable[[str], Path], tmp_path: Path
) -> None:
    program, plugins = need_tool("terraform"), os.environ.get("KEYFRONT_TF_PLUGIN_DIR")
    if not plugins and os.environ.get("CI") != "true":
        pytest.skip("set KEYFRONT_TF_PLUGIN_DIR")
    (tmp_path / "main.tf").write_text(
        'terraform {\n  required_providers {\n    aws = { source = "hashicorp/aws", version = "~> 5.0" }\n  }\n}\n'
        'provider "aws" {\n  region = "eu-west-1"\n}\n'
        'resource "aws_cloudfront_origin_access_control" "this" {\n  name = "by-terraform"\n'
        '  origin_access_control_origin_type = "s3"\n  signing_behavior = "always"\n  signing_protocol = "sigv4"\n}\n'
    )
    override = run("terraform", "env", "--endpoint-url", service.url, "--provider")[1]
    (tmp_path / "keyfront_override.tf").write_text(override)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment = {**kept, "GOGC": "400", "CHECKPOINT_DISABLE": "1", "TF_CLI_CONFIG_FILE": os.devnull}

    def terraform(*arguments: str) -> None:
        ran = subprocess.run(
            [program, *arguments, "-no-color"], cwd=tmp_path, env=environment, capture_output=True, text=True
        )
        assert ran.returncode == 0, ran.stdout + ran.stderr

    terraform("init", *([f"-plugin-dir={plugins}"] if plugins else []))
    # STS is none of the control plane's: that the account is not asked for is the block's own doing.
    text = override.replace("skip_metadata_api_check ", "skip_requesting_account_id = true\n  skip_metadata_api_check ")
    (tmp_path / "keyfront_override.tf").write_text(text)
    terraform("apply", "-auto-approve", "-input=false")
    assert [c["name"] for c in _controls(service)] == ["by-terraform"]


def _controls(service: Any) -> list[dict[str, str]]:
    client: Any = botocore.session.get_session().create_client("cloudfront", "us-east-1", endpoint_url=service.url)
    items = client.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])
    return [{"name": item["Name"]} for item in items]


def _policy(run: Run) -> dict[str, Any]:
    status, printed, _ = run("terraform", "deployer-policy", "--account", "123456789012", "--prefix", "shop")
    assert status == 0
    document: dict[str, Any] = json.loads(printed)
    return document


def test_the_deployers_policy_names_actions_that_exist(run: Run) -> None:
    session = botocore.session.get_session()
    for statement in _policy(run)["Statement"]:
        for action in statement["Action"]:
            service, _, name = action.partition(":")
            if service == "apigateway":
                assert name in _METHODS | {"TagResource", "UntagResource"}
            elif action not in _NOT_NAMED_AFTER_A_CALL:
                calls = session.get_service_model(service).operation_names
                assert any(call in (name, f"{name}20150331") for call in calls), action


def test_the_deployers_policy_gives_away_nothing_wide(run: Run) -> None:
    for statement in _policy(run)["Statement"]:
        assert statement["Effect"] == "Allow"
        assert not any("*" in action for action in statement["Action"])
        actions = " ".join(statement["Action"])
        if statement["Resource"] == "*":
            # Without a name to limit by: CloudFront, and lists.
            assert all(
                action.startswith("cloudfront:")
                or action == "kms:CreateKey"
                or ":List" in action
                or "Describe" in action
                for action in statement["Action"]
            ), actions
        if "iam:PassRole" in actions:
            assert statement["Condition"] == {"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}
        # Who deploys need not sign.
        assert "kms:Sign" not in actions


def test_the_deployers_policy_fits_into_a_managed_policy(run: Run) -> None:
    assert len(json.dumps(_policy(run), separators=(",", ":"))) <= 6144  # IAM User Guide, "IAM and STS quotas"


def test_the_deployers_policy_goes_to_a_file(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "deployer.json"
    arguments = ("terraform", "deployer-policy", "--account", "123456789012", "--prefix", "shop", "--out", file)
    assert run(*arguments) == (0, "", "")
    assert json.loads(file.read_text()) == _policy(run)
    status, _, said = run(*arguments[:-1], tmp_path / "missing" / "deployer.json")
    assert status == 2
    assert "cannot be written: No such file or directory" in said


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--account", "1234", "is no account: give its twelve digits"),
        ("--prefix", "*", "is no prefix"),
        ("--region", "everywhere", "is no region"),
    ],
)
def test_a_policy_for_nothing_that_exists_is_refused(run: Run, option: str, value: str, why: str) -> None:
    given = {"--account": "123456789012", "--prefix": "shop", "--region": "us-east-1", option: value}
    status, printed, said = run("terraform", "deployer-policy", *(word for pair in given.items() for word in pair))
    assert (status, printed) == (2, "")
    assert why in said
