"""The stack of docs/infrastructure.md, by Terraform and by the CDK, as the page has it: the audit reports the same."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.integrations.cdk.conftest import Synthesised
from tests.local.cloudformation.conftest import Laptop, laptop, shared_laptop  # noqa: F401  fixtures
from tests.terraform.modules.conftest import Workspace
from tests.terraform.provider import Providers, providers  # noqa: F401  a fixture

from keyfront.account.audit import Settings, judge, read_account

pytestmark = pytest.mark.large
_ROOT = Path(__file__).parents[3]
_PAGE = (_ROOT / "docs" / "infrastructure.md").read_text("utf-8")
Finding = tuple[str, str, str, str]


@pytest.fixture
def folder(synthesised: Synthesised, tmp_path: Path) -> Path:
    """A reader's folder: the modules, and a public key."""
    unwanted = shutil.ignore_patterns(".terraform*", "tests")
    shutil.copytree(_ROOT / "terraform" / "modules", tmp_path / "modules", ignore=unwanted)
    shutil.copy(synthesised.page.with_name("public_key.pem"), tmp_path)
    return tmp_path


@pytest.fixture
def template(synthesised: Synthesised) -> str:
    """What `cdk synth` writes, without what needs an account that was bootstrapped."""
    document = json.loads((synthesised.page / "Shop.template.json").read_text())
    return json.dumps({name: value for name, value in document.items() if name not in ("Rules", "Parameters")})


@pytest.fixture
def terraform(
    folder: Path,
    terraform_program: Path,
    terraform_init: list[str],
    providers: Providers,  # noqa: F811
    laptop: Laptop,  # noqa: F811
) -> Workspace:
    # Nothing ever becomes deployed, because no edge reports that it has the change.
    (configuration,) = re.findall(r"^```hcl\n(.*?)^```$", _PAGE, re.MULTILINE | re.DOTALL)
    instant = r"\1\n  wait_for_deployment = false"
    text, changed = re.subn(r"^(  access_logs +=.*)$", instant, configuration, flags=re.MULTILINE)
    assert changed == 1
    (folder / "main.tf").write_text(text)
    return Workspace(terraform_program, folder, laptop.url, terraform_init, providers)


def _report(laptop: Laptop) -> tuple[list[Finding], list[str]]:  # noqa: F811
    """What the audit finds and what it cannot check, with words for ids and names, which differ by account."""
    # Next year, and with a word that the open folder has: so that there is something to report.
    settings = Settings(datetime.now(UTC) + timedelta(days=400), private_words=frozenset({"public"}))
    report = judge(*read_account(laptop.client("cloudfront"), laptop.client, settings))
    cloudfront = laptop.client("cloudfront")
    (distribution,) = cloudfront.list_distributions()["DistributionList"]["Items"]
    (key,) = cloudfront.list_public_keys()["PublicKeyList"]["Items"]
    (group,) = cloudfront.list_key_groups()["KeyGroupList"]["Items"]
    named = {distribution["Id"]: "DISTRIBUTION", key["Id"]: "KEY", key["Name"]: "KEY", group["KeyGroup"]["Id"]: "GROUP"}
    named |= {bucket["Name"]: "BUCKET" for bucket in laptop.client("s3").list_buckets()["Buckets"]}
    named |= {distribution["DomainName"]: "DOMAIN"}

    def plain(text: str) -> str:
        return re.sub("|".join(map(re.escape, named)), lambda found: named[found[0]], text)

    found = sorted(
        (each.rule.id, str(each.severity), plain(each.resource), plain(each.evidence)) for each in report.findings
    )
    return found, [str(each) for each in report.not_checked]


def test_the_audit_reports_the_same_for_both(terraform: Workspace, template: str, laptop: Laptop) -> None:  # noqa: F811
    terraform.initialise()
    terraform("apply", "-auto-approve")
    by_terraform = _report(laptop)
    laptop.reset()

    client = laptop.client("cloudformation")
    client.create_stack(StackName="Shop", TemplateBody=template, Capabilities=["CAPABILITY_IAM"])
    client.get_waiter("stack_create_complete").wait(StackName="Shop", WaiterConfig={"Delay": 1})
    by_cdk = _report(laptop)
    assert by_terraform == by_cdk
    assert by_terraform[0], "an audit that finds nothing compares nothing"
