"""`action.yml`: its scripts do what GitHub would let them do, and inputs are never commands."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from sarif_kit.validate import validation_errors
from tests.keys import shared_rsa

ROOT = Path(__file__).parents[1]
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
STEPS = {step["name"]: step for step in ACTION["runs"]["steps"]}
BEHAVIOR = {
    "TargetOriginId": "files",
    "ViewerProtocolPolicy": "allow-all",
    "CachePolicyId": "658327ea-f89d-4fab-a63d-7e88639e58f6",
    "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": ["g1"]},
}
ORIGIN = {
    "Id": "files",
    "DomainName": "files.example.com",
    "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": "https-only"},
}
SAVED = {
    "Id": "E1ABCDEFGHIJKL",
    "DomainName": "d111111abcdef8.cloudfront.net",
    "ETag": "E1",
    "DistributionConfig": {
        "CallerReference": "1",
        "Comment": "shop",
        "Enabled": True,
        "Origins": {"Quantity": 1, "Items": [ORIGIN]},
        "DefaultCacheBehavior": BEHAVIOR,
    },
}
Step = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def step(tmp_path: Path, need_tool: Callable[[str], Path]) -> Step:
    """Runs the script of a step with inputs, in a repository with one saved configuration and two policies."""
    bash = need_tool("bash")
    (tmp_path / "cloudfront").mkdir()
    (tmp_path / "cloudfront" / "shop.json").write_text(json.dumps(SAVED))
    statement = {
        "Resource": "https://a.example.com/b/*",
        "Condition": {"DateLessThan": {"AWS:EpochTime": 4_000_000_000}},
    }
    (tmp_path / "keys" / "g1").mkdir(parents=True)
    (tmp_path / "keys" / "g1" / "K1ABCDEFGHIJKL.pem").write_text(shared_rsa().public_key.pem)
    (tmp_path / "good.json").write_text(json.dumps({"Statement": [statement]}))
    (tmp_path / "bad.json").write_text('{"Statement": []}')

    def run(name: str, **inputs: str) -> subprocess.CompletedProcess[str]:
        values = {key: str(each["default"]) for key, each in ACTION["inputs"].items()} | inputs
        wanted = {
            key: re.sub(r"\$\{\{ inputs\.([a-z-]+) \}\}", lambda found: values[found[1]], value)
            for key, value in STEPS[name].get("env", {}).items()
        }
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        environment = {**os.environ, **wanted, "PATH": path, "GITHUB_OUTPUT": str(tmp_path / "output")}
        command = [str(bash), "--noprofile", "--norc", "-eo", "pipefail", "-c", STEPS[name]["run"]]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=60)

    return run


def test_no_script_holds_an_input() -> None:
    assert not [name for name, each in STEPS.items() if "${{" in each["run"]]
    used = re.findall(r"inputs\.([a-z-]+)", json.dumps(ACTION))
    assert set(used) == set(ACTION["inputs"])


def test_the_audit_writes_sarif_counts_findings_and_fails_at_the_level(step: Step, tmp_path: Path) -> None:
    done = step("Audit", config="cloudfront/*.json", keys="keys", **{"fail-on": "critical"})
    assert done.returncode == 0, done.stderr
    log = json.loads((tmp_path / "keyfront.sarif").read_text())
    assert validation_errors(log) == []
    run = log["runs"][0]
    results, rules = run["results"], {rule["id"]: rule for rule in run["tool"]["driver"]["rules"]}
    # Code scanning reads the severity from the rule.
    assert rules["protected-over-http"]["properties"]["security-severity"] == "5.0"
    assert {"protected-over-http"} <= {each["ruleId"] for each in results}
    assert (tmp_path / "output").read_text() == f"sarif-file=keyfront.sarif\nfindings={len(results)}\n"
    assert "medium protected-over-http shop:*" in done.stdout
    assert step("Audit", config="cloudfront/*.json", keys="keys").returncode == 1


@pytest.mark.parametrize(
    ("config", "status", "complaint"),
    [
        ("nothing/*.json", 2, "error: no file fits the input config: nothing/*.json"),
        ("good.json", 2, "error: "),
    ],
)
def test_what_cannot_be_audited_fails(step: Step, tmp_path: Path, config: str, status: int, complaint: str) -> None:
    done = step("Audit", config=config)
    assert (done.returncode, complaint in done.stderr) == (status, True)
    assert not (tmp_path / "output").exists()


def test_every_policy_is_linted_although_one_is_wrong(step: Step) -> None:
    done = step("Lint policies", policies="bad.json good.json")
    assert done.returncode == 1
    assert done.stdout.index("bad.json") < done.stdout.index("good.json")
    assert step("Lint policies").returncode == 0


def test_an_input_is_no_command(step: Step, tmp_path: Path) -> None:
    evil = "$(touch pwned) `touch pwned` ;touch pwned"
    step("Audit", config=f"cloudfront/*.json {evil}", keys=evil, artifact=evil, baseline=evil, **{"fail-on": evil})
    step("Lint policies", policies="$(touch${IFS}pwned)")
    assert not (tmp_path / "pwned").exists()
