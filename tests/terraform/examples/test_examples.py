"""Every example, and a configuration unlike ours: applied to a laptop, planned clean, exercised, destroyed."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
import threading
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from tests.servers import Quiet, http_server
from tests.terraform.examples.at_the_edge import private_app, token_links
from tests.waiting import wait_until

from keyfront import Signer, SigningKey

_ROOT = Path(__file__).parents[3]
_SHORT = timedelta(minutes=5)


def _key_pair(folder: Path) -> SigningKey:
    """As `keyfront keys generate --out FOLDER` makes it."""
    key = SigningKey.generate("rsa")
    key.write(folder)
    return key


@dataclass(frozen=True)
class Place:
    """Where a scenario plays: a laptop, and Terraform that a switch sends there."""

    laptop: Any
    terraform: Any
    as_written: Callable[..., str]


def _written() -> list[str]:
    """The commands of docs/terraform.md that lead from nothing to a download; the laptop of the first runs already."""
    page = (_ROOT / "docs" / "terraform.md").read_text("utf-8")
    section = page.partition("## From nothing to a download\n")[2].partition("\n## ")[0]
    commands = re.findall(r"^\$ (.*)$", section, re.MULTILINE)
    assert commands[0] == "keyfront up --addressing port"
    assert commands[-1].endswith(" destroy")
    return commands[1:]


def quickstart(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    *until_the_download, destroy = _written()
    said = place.as_written(until_the_download)
    assert "No changes." in said
    assert "<Code>MissingKey</Code>" in said
    # By way of the API, whose function runs here, and signed by hand.
    assert said.endswith("Only with a signature.\nOnly with a signature.\n")
    assert "PRIVATE KEY" not in (terraform.folder / "terraform.tfstate").read_text()

    outputs = terraform.outputs()
    key = SigningKey.load(terraform.folder / "keys" / "private_key.pem")
    assert laptop.fetch(outputs["url"])[0] == 403
    signed = Signer(outputs["key_pair_id"], key).sign_url(outputs["url"], expires=_SHORT)
    assert laptop.fetch(signed) == (200, b"Only with a signature.\n")

    # The function ran in the package's own handler, and what it wrote is where its log belongs.
    configured = laptop.client("lambda").get_function_configuration(FunctionName="keyfront-quickstart")
    assert configured["Handler"] == "keyfront.backend.aws_lambda.handler"
    variables = configured["Environment"]["Variables"]
    logged = laptop.client("logs").filter_log_events(logGroupName="/aws/lambda/keyfront-quickstart")["events"]
    assert any(event["message"].startswith("REPORT RequestId: ") for event in logged)
    assert not any("Signature=" in event["message"] for event in logged)

    # Another key pair takes the first one's place, in the group and in the parameter, in one apply.
    for file in (terraform.folder / "keys").iterdir():
        file.unlink()
    other = _key_pair(terraform.folder / "keys")
    changed = terraform.apply(plan=False)
    assert changed["key_pair_id"] != outputs["key_pair_id"]
    signed = Signer(changed["key_pair_id"], other).sign_url(outputs["url"], expires=_SHORT)
    wait_until(lambda: laptop.fetch(signed)[0] == 200)
    parameter = laptop.client("ssm").get_parameter(Name=variables["PRIVATE_KEY_PARAMETER"], WithDecryption=True)
    document = json.loads(parameter["Parameter"]["Value"])
    assert document["key_pair_id"] == changed["key_pair_id"]
    assert SigningKey.load(document["private_key"]).public_key.pem == other.public_key.pem
    # A fresh process of the function has the new id and key.
    again = place.as_written([*until_the_download[:2], *(each for each in until_the_download if "api_url" in each)])
    assert again == "Only with a signature.\n"
    assert "Destroy complete!" in place.as_written([until_the_download[0], destroy], terraform.running_provider())
    assert terraform.state()["resources"] == []


def kms(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    outputs = terraform.apply()
    assert laptop.fetch(outputs["url"])[0] == 403
    command = [str(Path(sys.executable).with_name("keyfront")), "sign", outputs["url"], "--expires", "5m"]
    command += ["--signer", outputs["signer"], "--key-id", outputs["key_pair_id"]]
    # Who signs is not who deploys: these requests are not among those that Terraform sent.
    environment = {**os.environ, **terraform.switch, "AWS_ENDPOINT_URL": laptop.printed["endpoint"]}
    # It waits ten seconds for KMS, which is not enough on a very busy machine.
    for _ in range(3):
        made = subprocess.run(
            command, cwd=terraform.folder, env=environment, capture_output=True, text=True, timeout=60
        )
        if "did not answer within" not in made.stderr:
            break
    assert made.returncode == 0, made.stderr
    signed = made.stdout.strip()
    assert signed.endswith("&Hash-Algorithm=SHA256")
    assert laptop.fetch(signed) == (200, b"Only with a signature by KMS.\n")
    assert laptop.fetch(signed.removesuffix("&Hash-Algorithm=SHA256"))[0] == 403
    terraform.destroy()


def rotation(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    keys = {name: _key_pair(terraform.folder / "keys" / name) for name in ("a", "b")}
    outputs = terraform.apply(phase=1)
    url = outputs["url"]
    assert laptop.fetch(url)[0] == 403
    signers = {"a": Signer(outputs["key_pair_id"], keys["a"])}

    def link(name: str) -> str:
        return signers[name].sign_url(url, expires=_SHORT)

    current, done, answers = "a", threading.Event(), dict.fromkeys("ab", 0)
    refused: list[tuple[str, int]] = []

    def keep_asking() -> None:
        while not done.is_set():
            name = current
            status, body = laptop.fetch(link(name))
            if status == 200 and body.startswith(b"Only with a signature"):
                answers[name] += 1
            else:
                refused.append((name, status))
            done.wait(0.1)

    viewer = threading.Thread(target=keep_asking)
    viewer.start()
    try:
        both = terraform.apply(plan=False, phase=2)
        assert both["key_pair_id"] == outputs["key_pair_id"]
        signers["b"] = Signer(both["key_pair_ids"]["b"], keys["b"])
        # Trusted everywhere before anybody signs with it.
        wait_until(lambda: laptop.fetch(link("b"))[0] == 200)
        switched = terraform.apply(plan=False, phase=3)
        assert switched["key_pair_id"] == signers["b"].key_pair_id
        assert Path(switched["private_key"]).parent.name == "b"
        current = "b"
        wait_until(lambda: answers["b"] > 0)
        assert laptop.fetch(link("a"))[0] == 200
        terraform.apply(phase=4)
        wait_until(lambda: laptop.fetch(link("a"))[0] == 403)
    finally:
        done.set()
        viewer.join()
    assert refused == []
    assert all(answers.values()), answers
    terraform.destroy(phase=4)


def two_teams(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    keys = {name: _key_pair(terraform.folder / "keys" / name) for name in ("a", "b")}
    outputs = terraform.apply()
    signers = {name: Signer(outputs["key_pair_ids"][name], key) for name, key in keys.items()}
    for owner in ("a", "b"):
        url = outputs["urls"][owner]
        assert laptop.fetch(url)[0] == 403
        for name, signer in signers.items():
            status, body = laptop.fetch(signer.sign_url(url, expires=_SHORT))
            if name == owner:
                assert (status, body) == (200, f"For team {owner} alone.\n".encode())
            else:
                assert (status, b"<Code>InvalidKey</Code>" in body) == (403, True)
    for signer in signers.values():
        link = signer.sign_url(outputs["urls"]["both"], expires=_SHORT)
        assert laptop.fetch(link) == (200, b"For both teams.\n")
    terraform.destroy()


class _Server(Quiet):
    """Answers only whoever knows the secret, as a server behind CloudFront should."""

    def do_GET(self) -> None:
        known = self.headers.get("X-Origin-Secret") == "between us"
        self.send_response(404 if "gone" in self.path else 200 if known else 401)
        self.end_headers()
        self.wfile.write(f"{self.path} from the server\n".encode() if known else b"no")


def custom_origin(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    key = _key_pair(terraform.folder / "keys")
    with http_server(_Server) as port:
        terraform.variables.update(origin_http_port=port, origin_secret="between us")
        outputs = terraform.apply()
        assert "between us" not in terraform.said
        url = f"{outputs['url']}/films/42?cut=long"
        assert laptop.fetch(url)[0] == 403
        signed = Signer(outputs["key_pair_id"], key).sign_url(url, expires=_SHORT)
        assert laptop.fetch(signed) == (200, b"/films/42 from the server\n")
        terraform.destroy()


def stranger(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    keys = {"a": SigningKey.generate("rsa"), "b": SigningKey.generate("ecdsa")}
    terraform.variables["readers"] = {name: key.public_key.pem for name, key in keys.items()}
    with http_server(_Server) as port:
        terraform.variables["api_port"] = port
        outputs = terraform.apply()
        url = outputs["url"]
        signers = [Signer(outputs["ids"][name], key) for name, key in keys.items()]
        open_to_all = (200, b"public/missing.txt in site\n")
        # It does not wait for the deployment.
        wait_until(lambda: laptop.fetch(f"{url}/public/missing.txt") == open_to_all)
        found = {
            "book.txt": (200, b"book.txt in site\n"),
            "media/film.txt": (200, b"media/film.txt in media\n"),
            "either/first.txt": (200, b"either/first.txt in media\n"),
            "either/second.txt": (200, b"either/second.txt in site\n"),
            "api/list?page=2": (200, b"/v1/api/list?page=2 from the server\n"),
            "api/gone": (400, b"public/missing.txt in site\n"),
        }
        for path, answer in found.items():
            assert laptop.fetch(f"{url}/{path}")[0] == 403, path
            for signer in signers:
                assert laptop.fetch(signer.sign_url(f"{url}/{path}", expires=_SHORT)) == answer, path
        # As somebody's state was before they moved the resource.
        terraform("state", "mv", 'aws_s3_bucket.each["media"]', "aws_s3_bucket.media")
        terraform.apply(plan=False)
        assert 'aws_s3_bucket.media has moved to aws_s3_bucket.each["media"]' in terraform.said
        assert "0 added, 0 changed, 0 destroyed" in terraform.said
        terraform.destroy()


_REPORTS = """
def answer(event, context):
    return {"statusCode": 200, "body": "a report for " + event["rawPath"] + chr(10)}

def at_the_edge(event, context):
    request = event["Records"][0]["cf"]["request"]
    if request["uri"] == "/films/made.txt":
        return {"status": "200", "statusDescription": "OK", "body": "made at the edge" + chr(10)}
    return request
"""


def grown(place: Place) -> None:
    laptop, terraform = place.laptop, place.terraform
    terraform.initialise()
    terraform.variables["package"] = str(
        _ROOT / "terraform" / "modules" / "download-endpoint" / "tests" / "package.zip"
    )
    keys = {name: SigningKey.generate("ecdsa") for name in ("a", "b")}
    terraform.variables["keys"] = {name: key.public_key.pem for name, key in keys.items()}
    with _existing(laptop) as existing:
        terraform.variables.update(existing)
        terraform.apply(revision=1)
        outputs = terraform.apply(revision=2)
        url = outputs["url"]
        signer = Signer(outputs["key_pair_id"], keys["a"])

        def ask(path: str) -> tuple[int, bytes]:
            answer: tuple[int, bytes] = laptop.fetch(signer.sign_url(f"{url}/{path}", expires=_SHORT))
            return answer

        # From the archive, since the first bucket of the origin group does not have it.
        wait_until(lambda: ask("films/old.txt") == (200, b"an old film\n"))
        assert ask("films/made.txt") == (200, b"made at the edge\n")
        assert ask("reports/2030") == (200, b"a report for /reports/2030\n")
        assert ask("page.html") == (200, b"two")
        for path in ("films/old.txt", "films/made.txt", "reports/2030", "page.html"):
            assert laptop.fetch(f"{url}/{path}")[0] == 403, path
        with laptop.opener.open(signer.sign_url(f"{url}/page.html", expires=_SHORT), timeout=60) as answer:
            assert answer.headers["X-Content-Type-Options"] == "nosniff"
        terraform.destroy(revision=2)


@contextmanager
def _existing(laptop: Any) -> Iterator[dict[str, object]]:
    """What our modules get from elsewhere: a bucket with a file, functions, a key. Gives the variables of `grown`."""
    iam, functions, s3, kms = (laptop.client(service) for service in ("iam", "lambda", "s3", "kms"))
    name = "keyfront-grown-existing"
    services = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]
    trust = [{"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": services}}]
    document = json.dumps({"Version": "2012-10-17", "Statement": trust})
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)["Role"]["Arn"]
    package = io.BytesIO()
    with zipfile.ZipFile(package, "w") as archive:
        archive.writestr("reports.py", _REPORTS)
    handlers = ("answer", "at_the_edge")
    for handler in handlers:
        functions.create_function(
            FunctionName=f"{name}-{handler}",
            Runtime="python3.12",
            Role=role,
            Handler=f"reports.{handler}",
            Code={"ZipFile": package.getvalue()},
            Timeout=20,
        )
    version = functions.publish_version(FunctionName=f"{name}-at_the_edge")["FunctionArn"]
    address = functions.create_function_url_config(FunctionName=f"{name}-answer", AuthType="AWS_IAM")["FunctionUrl"]
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="films/old.txt", Body=b"an old film\n")
    key = kms.create_key()["KeyMetadata"]
    yield {
        "archive": name,
        "edge_function_arn": version,
        "reports": {"url": address, "function_name": f"{name}-answer"},
        "log_key_arn": key["Arn"],
    }
    kms.schedule_key_deletion(KeyId=key["KeyId"], PendingWindowInDays=7)
    s3.delete_object(Bucket=name, Key="films/old.txt")
    s3.delete_bucket(Bucket=name)
    for handler in handlers:
        functions.delete_function(FunctionName=f"{name}-{handler}")
        laptop.client("logs").delete_log_group(logGroupName=f"/aws/lambda/{name}-{handler}")
    iam.delete_role(RoleName=name)


_SCENARIOS = {
    "quickstart": quickstart,
    "kms": kms,
    "rotation": rotation,
    "two-teams": two_teams,
    "custom-origin": custom_origin,
    "private-app": private_app,
    "token-links": token_links,
    "stranger": stranger,
    "grown": grown,
}

_FUNCTIONS = ("private-app", "token-links")

# Allowed although no request of the scenarios needs it.
_WITHOUT_A_REQUEST = {
    # They put back what somebody changed by hand; nothing in the modules changes it.
    *("cloudfront:UpdatePublicKey", "iam:UpdateAssumeRolePolicy", "iam:UpdateRole"),
    # Lambda reads the package for whoever names it, by version too.
    "s3:GetObjectVersion",
    # Lambda@Edge asks for them (Developer Guide, "Set up IAM permissions and roles for Lambda@Edge").
    *("lambda:EnableReplication*", "lambda:DisableReplication*"),
    # CloudWatch Logs, when a log group loses its key.
    "logs:DisassociateKmsKey",
    # Lambda answers a function with its tags only to whoever may list them.
    "lambda:ListTags",
    # API Gateway's newer names for changes of tags, beside POST and DELETE.
    *("apigateway:TagResource", "apigateway:UntagResource"),
    # When an object loses its last tag.
    "s3:DeleteObjectTagging",
    # API Gateway asks for them when a stage gets access logs (Developer Guide, "Permissions to activate logging").
    *("logs:CreateLogDelivery", "logs:DeleteLogDelivery", "logs:GetLogDelivery", "logs:ListLogDeliveries"),
    *("logs:UpdateLogDelivery", "logs:DescribeResourcePolicies", "logs:PutResourcePolicy"),
}


def _inventory(laptop: Any) -> set[str]:
    """Everything in the account that the examples could have left there."""
    cloudfront, kms = laptop.client("cloudfront"), laptop.client("kms")
    usable = [
        key["KeyId"]
        for key in kms.list_keys()["Keys"]
        if kms.describe_key(KeyId=key["KeyId"])["KeyMetadata"]["KeyState"] != "PendingDeletion"
    ]
    items: list[object] = [
        *(d["Id"] for d in cloudfront.list_distributions()["DistributionList"].get("Items", [])),
        *(g["KeyGroup"]["Id"] for g in cloudfront.list_key_groups()["KeyGroupList"].get("Items", [])),
        *(k["Id"] for k in cloudfront.list_public_keys()["PublicKeyList"].get("Items", [])),
        *(c["Id"] for c in cloudfront.list_origin_access_controls()["OriginAccessControlList"].get("Items", [])),
        *(b["Name"] for b in laptop.client("s3").list_buckets()["Buckets"]),
        *(p["Name"] for p in laptop.client("ssm").describe_parameters()["Parameters"]),
        *(f["FunctionName"] for f in laptop.client("lambda").list_functions()["Functions"]),
        *(r["Arn"] for r in laptop.client("iam").list_roles()["Roles"]),
        *(p["Arn"] for p in laptop.client("iam").list_policies(Scope="Local")["Policies"]),
        *(a["ApiId"] for a in laptop.client("apigatewayv2").get_apis()["Items"]),
        *(g["logGroupName"] for g in laptop.client("logs").describe_log_groups()["logGroups"]),
        *(a["AliasName"] for a in kms.list_aliases()["Aliases"] if not a["AliasName"].startswith("alias/aws/")),
        *usable,
    ]
    return set(map(str, items))


Running = tuple[dict[str, "Future[None]"], list[tuple[Any, set[str]]]]


@pytest.fixture(scope="session")
def running(laptop: Any, laptop_with_names: Any, in_folder: Any, as_written: Any, together: Any) -> Running:
    """All scenarios, started, and what was in each account before."""
    before = [(each, _inventory(each)) for each in (laptop, laptop_with_names)]

    def play(name: str) -> Callable[[], None]:
        # An account has ten public keys: they are not enough for all at once.
        chosen = laptop_with_names if name in ("two-teams", *_FUNCTIONS, "stranger", "grown") else laptop
        # The deployer's policy is for the modules. It need not allow what the stranger makes, nor functions.
        unrecorded = name in ("stranger", *_FUNCTIONS)
        at = {"AWS_ENDPOINT_URL": chosen.printed["endpoint"]} if unrecorded else {}
        terraform = in_folder(name, {} if name == "two-teams" else chosen.switch() | at)
        if name == "two-teams":
            (terraform.folder / "keyfront_override.tf").write_text(chosen.provider())
        return lambda: _SCENARIOS[name](Place(chosen, terraform, as_written))

    return together({name: play(name) for name in _SCENARIOS}), before


@pytest.mark.parametrize("name", _SCENARIOS)
def test_it_is_applied_planned_clean_exercised_and_destroyed(running: Running, name: str) -> None:
    running[0][name].result()


def test_nothing_is_left_in_the_account(running: Running) -> None:
    scenarios, before = running
    failed = [name for name, scenario in scenarios.items() if scenario.exception()]
    if failed:
        pytest.skip(f"what failed could not clean up: {', '.join(failed)}")
    for laptop, inventory in before:
        assert _inventory(laptop) == inventory


def test_the_deployers_policy_allows_what_terraform_asked_for_and_no_more(running: Running, permissions: Any) -> None:
    scenarios, laptops = running
    for scenario in scenarios.values():
        scenario.exception()
    keyfront = str(Path(sys.executable).with_name("keyfront"))
    given = ["--account", permissions.ACCOUNT, "--region", permissions.REGION, "--prefix", "keyfront"]
    printed = subprocess.run([keyfront, "terraform", "deployer-policy", *given], capture_output=True, check=True)
    policy = json.loads(printed.stdout)
    calls = [call for each, _ in laptops for call in each.calls]
    wanted = {each for call in calls for each in permissions.needed(call.method, call.target, call.headers, call.body)}
    assert sorted(each for each in wanted if not permissions.allows(policy, each)) == []
    allowed = {action for statement in policy["Statement"] for action in statement["Action"]}
    asked = {each.action for each in wanted}
    assert sorted(allowed - asked - _WITHOUT_A_REQUEST) == []
    assert sorted(asked & _WITHOUT_A_REQUEST) == []
    # What would open what is protected is none of a deployer's.
    assert not allowed & {"kms:Sign", "kms:Decrypt", "iam:AttachRolePolicy", "iam:CreateUser"}
