"""The recipe of docs/video.md for a player's page: the same policy for the AWS CLI, Terraform and the CDK.

`test_playing.py` plays with it, and `tests/integrations/cdk` deploys what the page has for the CDK.
"""

import json
import re
import shutil
import subprocess
from pathlib import Path

_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs" / "video.md").read_text("utf-8")


def _block(language: str) -> str:
    found: list[str] = re.findall(rf"^```{language}\n(.*?)^```", _PAGE, re.DOTALL | re.MULTILINE)
    return found[0]


def test_terraforms_policy_is_the_one_of_the_api() -> None:
    cors = json.loads(_block("json"))["CorsConfig"]
    block = _block("hcl")
    lists = {name: json.loads(items) for name, items in re.findall(r"(\w+) \{\n\s+items = (\[.*\])", block)}
    plain = dict(re.findall(r"^    (\w+) += (\w+)$", block, re.MULTILINE))
    assert lists | {name: json.loads(value) for name, value in plain.items()} == {
        "access_control_allow_credentials": cors["AccessControlAllowCredentials"],
        "access_control_allow_headers": cors["AccessControlAllowHeaders"]["Items"],
        "access_control_allow_methods": cors["AccessControlAllowMethods"]["Items"],
        "access_control_allow_origins": cors["AccessControlAllowOrigins"]["Items"],
        "access_control_max_age_sec": cors["AccessControlMaxAgeSec"],
        "origin_override": cors["OriginOverride"],
    }
    applied = (_ROOT / "tests" / "terraform" / "everything" / "main.tf").read_text("utf-8")
    assert all(name in applied for name in (*lists, *plain)), "a name that the real provider is not tested with"


def test_the_cli_sets_the_policy_and_keeps_the_rest(tmp_path: Path) -> None:
    line = next(line for line in _block("console").splitlines() if line.startswith("$ jq "))
    behavior = {"TargetOriginId": "films", "TrustedKeyGroups": {"Enabled": True}}
    now = {"ETag": "E1", "DistributionConfig": {"Comment": "films", "DefaultCacheBehavior": behavior}}
    (tmp_path / "now.json").write_text(json.dumps(now))
    shell = shutil.which("sh") or "sh"
    subprocess.run([shell, "-ec", line[2:]], cwd=tmp_path, env={"PATH": _path(), "POLICY": "p-1"}, check=True)
    assert json.loads((tmp_path / "next.json").read_text()) == {
        "Comment": "films",
        "DefaultCacheBehavior": {**behavior, "ResponseHeadersPolicyId": "p-1"},
    }


def _path() -> str:
    from tests.needs import program

    return str(program("jq").parent)
