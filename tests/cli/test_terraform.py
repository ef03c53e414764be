"""`keyfront terraform`: what it prints is what shells take, and sends nothing to Amazon.

That Terraform takes it, and what the policy must allow, the examples' tests find out.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., tuple[int, str, str]]
NOBODY = "http://127.0.0.1:9"


def test_a_shell_takes_what_it_prints(run: Run, service: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "of-an-account")
    monkeypatch.setenv("AWS_ENDPOINT_URL_S3", "https://s3.amazonaws.com")
    status, printed, said = run("terraform", "env", "--endpoint-url", service.url, "--region", "eu-central-1")
    assert (status, said) == (0, "")
    script = f"{printed}\nexec {sys.executable} -c 'import json, os; print(json.dumps(dict(os.environ)))'"
    show = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=True)
    now = {name: value for name, value in json.loads(show.stdout).items() if name.startswith("AWS_")}
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
    assert said == f"Nothing answers at {NOBODY}. Start it with: keyfront up --addressing port\n"


def test_localhost_becomes_an_address_since_a_bucket_before_it_does_not_resolve(run: Run, service: Any) -> None:
    url = service.url.replace("127.0.0.1", "localhost")
    printed = json.loads(run("terraform", "env", "--endpoint-url", url, "--json")[1])
    assert printed["environment"]["AWS_ENDPOINT_URL"] == service.url


def test_a_name_gets_the_advice_to_take_the_provider_block(run: Run, no_aws: object) -> None:
    said = run("terraform", "env", "--endpoint-url", "http://laptop.invalid:4566")[2]
    assert "add --provider" in said


@pytest.mark.parametrize(
    "url",
    ["127.0.0.1:4566", "ftp://127.0.0.1", "http://127.0.0.1:4566/path", "http://", "http://a;b", "http://127.0.0.1:x"],
)
def test_what_is_no_endpoint_is_refused(run: Run, no_aws: object, url: str) -> None:
    status, printed, said = run("terraform", "env", "--endpoint-url", url)
    assert (status, printed) == (2, "")
    assert said.startswith(f"error: {url!r} is not an endpoint: give http://HOST:PORT")


def test_what_is_no_region_is_refused(run: Run, no_aws: object) -> None:
    status, printed, said = run("terraform", "env", "--endpoint-url", NOBODY, "--region", "us-east-1; ls")
    assert (status, printed) == (2, "")
    assert "is not a region" in said


def test_the_provider_block_sends_every_service_there(run: Run, no_aws: object) -> None:
    status, printed, _ = run("terraform", "env", "--endpoint-url", NOBODY, "--region", "eu-west-1", "--provider")
    assert status == 0
    assert 'region                      = "eu-west-1"' in printed
    for service in ("cloudfront", "s3", "ssm", "kms", "iam", "lambda", "apigatewayv2", "logs", "sts"):
        assert re.search(rf'^    {service} += "{NOBODY}"$', printed, re.MULTILINE), service


def _policy(run: Run) -> dict[str, Any]:
    status, printed, _ = run("terraform", "deployer-policy", "--account", "123456789012", "--prefix", "shop")
    assert status == 0
    document: dict[str, Any] = json.loads(printed)
    return document


def test_the_deployers_policy_gives_away_nothing_wide(run: Run) -> None:
    for statement in _policy(run)["Statement"]:
        assert statement["Effect"] == "Allow"
        # In Lambda@Edge's two actions the star is a part of the name.
        wide = {action for action in statement["Action"] if "*" in action}
        assert wide <= {"lambda:EnableReplication*", "lambda:DisableReplication*"}
        actions = " ".join(statement["Action"])
        if statement["Resource"] == "*":
            # Without a name to limit by: CloudFront, lists, and where the logs of a service go.
            assert all(
                action.startswith("cloudfront:")
                or action in ("kms:CreateKey", "logs:PutResourcePolicy")
                or re.search(":List|Describe|LogDeliver", action)
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
    assert "cannot write " in said
    assert "No such file or directory" in said


@pytest.mark.parametrize(
    ("option", "value", "why"),
    [
        ("--account", "1234", "is not an account id: give twelve digits"),
        ("--prefix", "*", "is not a prefix"),
        ("--region", "everywhere", "is not a region"),
    ],
)
def test_a_policy_for_nothing_that_exists_is_refused(run: Run, option: str, value: str, why: str) -> None:
    given = {"--account": "123456789012", "--prefix": "shop", "--region": "us-east-1", option: value}
    status, printed, said = run("terraform", "deployer-policy", *(word for pair in given.items() for word in pair))
    assert (status, printed) == (2, "")
    assert why in said
