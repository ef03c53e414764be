"""The AWS CLI against the control plane."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def aws(endpoint: Any, need_tool: Callable[[str], Path], tmp_path: Path) -> Callable[..., Any]:
    """Runs `aws cloudfront …`; returns its output as JSON, or its error as text."""
    beside = Path(sys.executable).with_name("aws")
    program = beside if beside.exists() else need_tool("aws")
    settings = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    nothing = {"AWS_CONFIG_FILE": str(tmp_path / "none"), "AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")}

    def run(*arguments: str) -> Any:
        command = [str(program), "--endpoint-url", endpoint.url, "--output", "json", "cloudfront", *arguments]
        ran = subprocess.run(
            command, env={**os.environ, **settings, **nothing}, cwd=tmp_path, capture_output=True, text=True, timeout=60
        )
        if ran.returncode:
            return ran.stderr
        return json.loads(ran.stdout) if ran.stdout else None

    return run


def test_a_key_made_by_openssl_goes_into_a_group(
    aws: Callable[..., Any], need_tool: Callable[[str], Path], tmp_path: Path
) -> None:
    openssl = str(need_tool("openssl"))
    subprocess.run([openssl, "genrsa", "-out", "private.pem", "2048"], cwd=tmp_path, check=True, capture_output=True)
    public = subprocess.run(
        [openssl, "rsa", "-in", "private.pem", "-pubout"], cwd=tmp_path, check=True, capture_output=True, text=True
    ).stdout
    config = {"CallerReference": "cli", "Name": "cli", "EncodedKey": public}
    (tmp_path / "key.json").write_text(json.dumps(config))
    created = aws("create-public-key", "--public-key-config", "file://key.json")
    key = created["PublicKey"]
    assert key["PublicKeyConfig"] == {**config, "Comment": ""}
    group = aws("create-key-group", "--key-group-config", f"Name=readers,Items={key['Id']}")["KeyGroup"]
    listed = aws("list-key-groups")["KeyGroupList"]
    assert [item["KeyGroup"]["Id"] for item in listed["Items"]] == [group["Id"]]
    assert "PublicKeyInUse" in aws("delete-public-key", "--id", key["Id"], "--if-match", created["ETag"])


def test_a_distribution_s_life_by_the_short_forms_of_the_command_line(aws: Callable[..., Any], tmp_path: Path) -> None:
    made = aws(
        "create-distribution", "--origin-domain-name", "shop.s3.amazonaws.com", "--default-root-object", "i.html"
    )
    config, identifier = made["Distribution"]["DistributionConfig"], made["Distribution"]["Id"]
    assert config["Origins"]["Items"][0]["S3OriginConfig"]["OriginAccessIdentity"] == ""
    assert config["DefaultRootObject"] == "i.html"
    (tmp_path / "config.json").write_text(json.dumps({**config, "Enabled": False}))
    given = ("--distribution-config", "file://config.json", "--if-match", made["ETag"])
    updated = aws("update-distribution", "--id", identifier, *given)
    assert updated["Distribution"]["DistributionConfig"]["Enabled"] is False
    assert aws("create-invalidation", "--distribution-id", identifier, "--paths", "/*")["Invalidation"]["Id"]
    assert aws("tag-resource", "--resource", made["Distribution"]["ARN"], "--tags", "Items=[{Key=a,Value=b}]") is None
    assert aws("delete-distribution", "--id", identifier, "--if-match", updated["ETag"]) is None
    assert "NotImplemented" in aws("get-streaming-distribution", "--id", "E0")
