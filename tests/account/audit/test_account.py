"""Planted faults are found, each by its name; a clean account has none."""

import copy
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from keyfront.cli import main
from keyfront.core.keys import SigningKey


def _front(laptop: Any, *patterns: str, groups: bool = False, **settings: Any) -> None:
    def change(config: dict[str, Any]) -> None:
        items = []
        for number, pattern in enumerate(patterns):
            item = copy.deepcopy(config["DefaultCacheBehavior"]) | {"PathPattern": pattern} | settings
            if not groups and number == 0:
                item["TrustedKeyGroups"] = {"Enabled": False, "Quantity": 0}
            items.append(item)
        config["CacheBehaviors"] = {"Quantity": len(items), "Items": items}

    laptop.configure(change)


def _default(laptop: Any, **settings: Any) -> None:
    laptop.configure(lambda config: config["DefaultCacheBehavior"].update(settings))


def _origin(laptop: Any, change: Any) -> None:
    laptop.configure(lambda config: change(config["Origins"]["Items"][0]))


def _web(laptop: Any, *headers: tuple[str, str], protocol: str = "https-only") -> None:
    def change(origin: dict[str, Any]) -> None:
        del origin["S3OriginConfig"]
        origin |= {
            "DomainName": "origin.example.com", "OriginAccessControlId": "",
            "CustomOriginConfig": {"HTTPPort": 80, "HTTPSPort": 443, "OriginProtocolPolicy": protocol,
                "OriginSslProtocols": {"Quantity": 1, "Items": ["TLSv1.2"]}, "OriginReadTimeout": 30,
                "OriginKeepaliveTimeout": 5},
            "CustomHeaders": {
                "Quantity": len(headers), "Items": [{"HeaderName": n, "HeaderValue": v} for n, v in headers]
            },
        }  # fmt: skip

    _origin(laptop, change)


def _bucket_policy(laptop: Any, principal: Any, **members: Any) -> None:
    s3, bucket = laptop.client("s3"), laptop.made.bucket
    s3.delete_public_access_block(Bucket=bucket)
    statement = {"Effect": "Allow", "Principal": principal, "Action": "s3:Get*", "Resource": f"arn:aws:s3:::{bucket}/*"}
    s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps({"Version": "2012-10-17", "Statement": statement | members}))


def _key(laptop: Any, name: str) -> str:
    made = laptop.client("cloudfront").create_public_key(
        PublicKeyConfig={
            "CallerReference": name, "Name": name, "EncodedKey": SigningKey.generate("ecdsa").public_key.pem
        }
    )  # fmt: skip
    return str(made["PublicKey"]["Id"])


def _group(laptop: Any, size: int = 1) -> str:
    keys = [_key(laptop, f"k{number}") for number in range(size)]
    made = laptop.client("cloudfront").create_key_group(KeyGroupConfig={"Name": "other", "Items": keys})
    return str(made["KeyGroup"]["Id"])


def _second(laptop: Any) -> None:
    cloudfront = laptop.client("cloudfront")
    config = cloudfront.get_distribution_config(Id=laptop.made.distribution_id)["DistributionConfig"]
    cloudfront.create_distribution(DistributionConfig=config | {"CallerReference": "second"})


def _parameter(laptop: Any, value: str) -> None:
    laptop.client("ssm").put_parameter(Name="/shop/signing-key", Type="String", Value=value)


def _document(laptop: Any) -> None:
    key = {"key_pair_id": "K1", "private_key": SigningKey.generate("ecdsa").pem()}
    _parameter(laptop, json.dumps(key))


def _secret(laptop: Any) -> None:
    manager = laptop.client("secretsmanager")
    manager.create_secret(Name="shop-signing-key", SecretString="x")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "secretsmanager:GetSecretValue", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    manager.put_resource_policy(SecretId="shop-signing-key", ResourcePolicy=policy)


def _kms(laptop: Any) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "kms:Sign", "Resource": "*"}
    laptop.client("kms").create_key(
        KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048",
        Policy=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )  # fmt: skip


_ANY_CLOUDFRONT = {"Service": "cloudfront.amazonaws.com"}
_ACCOUNTS: list[list[tuple[str, str, Any]]] = [
    [
        ("private-path-public", "high", lambda a: _front(a, "private/*")),
        ("bucket-public", "critical", lambda a: _bucket_policy(a, "*")),
        ("private-key-in-clear", "critical", _document),
        ("sha1-in-use", "medium", lambda _: None),  # of the same document
        ("private-key-open", "critical", _secret),
        ("key-in-no-group", "low", lambda a: _key(a, "left")),
        ("refusals-look-like-success", "low", lambda a: a.configure(lambda c: c.update(CustomErrorResponses={
            "Quantity": 1,
            "Items": [{"ErrorCode": 403, "ResponsePagePath": "/no.html", "ResponseCode": "200",
                "ErrorCachingMinTTL": 1}],
        }))),
        ("key-shared", "medium", _second),
    ],
    [
        ("behavior-shadows-protected", "high", lambda a: _front(a, "*.mp4", "films/*")),
        ("origin-without-access-control", "high", lambda a: _origin(a, lambda o: o.update(OriginAccessControlId=""))),
        ("bucket-public", "critical", lambda a: _bucket_policy(
            a, {"AWS": ["*"]}, Condition={"StringLike": {"aws:Referer": "https://shop.example/*"}})),
        ("private-key-open", "critical", _kms),
        ("private-key-in-clear", "low", lambda a: _parameter(a, "elsewhere")),
        ("group-untrusted", "low", _group),
    ],
    [
        ("behavior-shadows-protected", "critical", lambda a: _front(a, "f*", "films/*")),
        ("bucket-open-to-any-distribution", "high", lambda a: _bucket_policy(a, _ANY_CLOUDFRONT)),
        ("group-full", "medium", lambda a: _group(a, 5)),
    ],
    [
        ("behavior-shadows-protected", "medium", lambda a: _front(a, "films/trailers/*", "films/*")),
        ("bucket-access-not-blocked", "low",
         lambda a: a.client("s3").delete_public_access_block(Bucket=a.made.bucket)),
        ("quota-near", "medium", lambda a: [_key(a, f"n{number}") for number in range(8)]),
    ],
    [
        ("behavior-unreachable", "low", lambda a: _front(a, "f*", "films/*", groups=True)),
        ("protected-over-http", "medium", lambda a: _default(a, ViewerProtocolPolicy="allow-all")),
        ("custom-origin-open", "high", _web),
    ],
    [
        ("legacy-trusted-signers", "high", lambda a: _default(
            a, TrustedSigners={"Enabled": True, "Quantity": 1, "Items": ["self"]},
            TrustedKeyGroups={"Enabled": False, "Quantity": 0})),
        ("origin-secret-weak", "medium", lambda a: _web(a, ("x-secret", "changeme"))),
    ],
    [("origin-over-http", "medium", lambda a: _web(a, ("x-secret", "q8Zr2LmV0tYw7PdNc4Kf"), protocol="http-only"))],
]  # fmt: skip
"""Faults by their name and severity. Those of one account do not hide each other, and none brings another's name."""
_SEVERITIES = ("low", "medium", "high", "critical")


@pytest.mark.large
@pytest.mark.parametrize("faults", _ACCOUNTS, ids=lambda faults: faults[0][0])
def test_planted_faults_are_found(laptop: Any, audit: Any, faults: list[tuple[str, str, Any]]) -> None:
    for _, _, plant in faults:
        plant(laptop)
    worst = max((severity for _, severity, _ in faults), key=_SEVERITIES.index)
    status, report = audit("--fail-on", worst)
    found = {(each["id"], each["severity"]) for each in report["findings"]}
    assert {(finding, severity) for finding, severity, _ in faults} - found == set()
    assert all(each["fix"] and each["why"] and each["resource"] for each in report["findings"])
    assert status == 1
    assert "BEGIN" not in json.dumps(report)


def test_a_clean_account_has_nothing_above_info(audit: Any) -> None:
    status, report = audit("--fail-on", "low")
    assert [each for each in report["findings"] if each["severity"] != "info"] == []
    assert status == 0
    assert [each["needs"] for each in report["not_checked"]] == ["--access-log FILE"]


def _encrypted(laptop: Any, name: str, *, by: str, decrypts: bool) -> str:
    """A distribution with a bucket that KMS encrypts, read by an `identity` or a `control`. Returns its id."""
    cloudfront, s3, kms = (laptop.client(each) for each in ("cloudfront", "s3", "kms"))
    root = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::123456789012:root"},
        "Action": "kms:*",
        "Resource": "*",
    }
    key = kms.create_key(Policy=json.dumps({"Statement": [root]}))["KeyMetadata"]["Arn"]
    s3.create_bucket(Bucket=name)
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    s3.put_bucket_encryption(Bucket=name, ServerSideEncryptionConfiguration={"Rules": [rule]})
    config = cloudfront.get_distribution_config(Id=laptop.made.distribution_id)["DistributionConfig"]
    origin = config["Origins"]["Items"][0] | {"DomainName": f"{name}.s3.us-east-1.amazonaws.com"}
    reader: Any = {"Service": "cloudfront.amazonaws.com"}
    if by == "identity":
        made = cloudfront.create_cloud_front_origin_access_identity(
            CloudFrontOriginAccessIdentityConfig={"CallerReference": name, "Comment": name}
        )["CloudFrontOriginAccessIdentity"]["Id"]
        origin |= {
            "OriginAccessControlId": "",
            "S3OriginConfig": {"OriginAccessIdentity": f"origin-access-identity/cloudfront/{made}"},
        }
        reader = {"AWS": f"arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity {made}"}
    config |= {"CallerReference": name, "Origins": {"Quantity": 1, "Items": [origin]}}
    distribution = cloudfront.create_distribution(DistributionConfig=config)["Distribution"]
    this = {"StringEquals": {"AWS:SourceArn": distribution["ARN"]}}
    condition = {} if by == "identity" else {"Condition": this}
    read = {"Effect": "Allow", "Principal": reader, "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{name}/*"}
    s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Statement": [read | condition]}))
    if decrypts:
        use = {"Effect": "Allow", "Principal": reader, "Action": "kms:Decrypt", "Resource": "*", "Condition": this}
        kms.put_key_policy(KeyId=key, PolicyName="default", Policy=json.dumps({"Statement": [root, use]}))
    return str(distribution["Id"])


def test_buckets_that_kms_encrypts_are_found_by_who_can_read_them(laptop: Any, audit: Any) -> None:
    a = _encrypted(laptop, "kms-a", by="identity", decrypts=False)
    b = _encrypted(laptop, "kms-b", by="control", decrypts=False)
    c = _encrypted(laptop, "kms-c", by="control", decrypts=True)
    about = [each for each in audit()[1]["findings"] if each["id"].startswith(("kms-", "bucket-refuses"))]
    assert sorted((each["id"], *each["distributions"]) for each in about) == [
        ("kms-key-refuses-cloudfront", b),
        ("kms-with-access-identity", a),
    ]
    assert c not in json.dumps(about)


def test_keys_that_go_are_found(laptop: Any, audit: Any) -> None:
    manager, kms = laptop.client("secretsmanager"), laptop.client("kms")
    manager.create_secret(Name="shop-signing-key", SecretString="x")
    manager.delete_secret(SecretId="shop-signing-key", RecoveryWindowInDays=7)
    key = kms.create_key(KeyUsage="SIGN_VERIFY", KeySpec="RSA_2048")["KeyMetadata"]["KeyId"]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    fixes = {each["fix"] for each in audit()[1]["findings"] if each["id"] == "private-key-going"}
    assert fixes == {
        "aws secretsmanager restore-secret --secret-id shop-signing-key",
        f"aws kms cancel-key-deletion --key-id {key} && aws kms enable-key --key-id {key}",
    }


@pytest.mark.large
def test_the_plan_of_fixes_changes_what_the_audit_found(
    laptop: Any, audit: Any, need_tool: Callable[[str], Path], tmp_path: Path
) -> None:
    _front(laptop, "secret/*", "films/*")
    _default(laptop, ViewerProtocolPolicy="allow-all")
    _bucket_policy(laptop, _ANY_CLOUDFRONT)
    script = audit("--fix-plan", "cli", form="")[1]
    need_tool("jq")
    environment = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",  # the AWS CLI comes with `make`
        "AWS_ENDPOINT_URL": laptop.url, "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "HOME": str(tmp_path),
    }  # fmt: skip
    done = subprocess.run(
        ["/bin/sh"], input=script, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    left = {each["id"] for each in audit()[1]["findings"] if each["severity"] != "info"}
    assert left == set()


def test_ipv6_counts_where_policies_carry_addresses(laptop: Any, audit: Any) -> None:
    laptop.configure(lambda config: config.update(IsIPV6Enabled=True))
    assert audit("--fail-on", "low")[0] == 0
    assert audit("--fail-on", "medium", "--policies-carry-ip")[0] == 1


def test_what_is_ignored_is_left_out_and_counted(laptop: Any, audit: Any, tmp_path: Any) -> None:
    key = _key(laptop, "left")
    baseline = tmp_path / "baseline"
    baseline.write_text(f"# kept for the old player\nkey-in-no-group:{key}\n")
    status, report = audit("--fail-on", "low", "--baseline", str(baseline))
    assert (status, report["ignored"]) == (0, 1)
    assert audit("--fail-on", "low", "--ignore", "key-in-no-group:KOTHER")[0] == 1


def test_sarif_places_every_result_in_a_file_and_names_its_rule(laptop: Any, audit: Any) -> None:
    _front(laptop, "*.mp4", "films/*")
    _, log = audit(form="--sarif")
    run = log["runs"][0]
    rules = run["tool"]["driver"]["rules"]
    assert log["version"] == "2.1.0"
    assert len({rule["id"] for rule in rules}) == len(rules)
    for result in run["results"]:
        assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["level"] in ("none", "note", "warning", "error")
        assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] == "main.tf"
        assert result["locations"][0]["logicalLocations"][0]["fullyQualifiedName"]
    prints = [result["partialFingerprints"]["keyfront/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    assert prints == [
        each["partialFingerprints"]["keyfront/v1"] for each in audit(form="--sarif")[1]["runs"][0]["results"]
    ]


def test_the_drawing_is_xml_whatever_things_are_called(laptop: Any, audit: Any, tmp_path: Any) -> None:
    laptop.configure(lambda config: config.update(Comment='<b onclick="x">&]]>'))
    audit("--graph", str(tmp_path / "out.svg"))
    root = ElementTree.fromstring((tmp_path / "out.svg").read_text())
    assert len(root.findall("{*}g")) == 4
    assert len(root.findall("{*}path")) == 3


def test_a_permission_that_is_missing_is_named_and_nothing_passes_silently(laptop: Any) -> None:
    from datetime import UTC, datetime

    from botocore.exceptions import ClientError

    from keyfront.account.audit import Settings, judge, read_account

    class Denied:
        def __getattr__(self, name: str) -> Any:
            def refuse(*_: Any, **__: Any) -> None:
                raise ClientError({"Error": {"Code": "AccessDenied"}}, name)

            return refuse

    cloudfront = laptop.client("cloudfront")
    denied: Any = Denied()
    account, notes = read_account(cloudfront, lambda _: denied, Settings(datetime.now(UTC)))
    needed = " ".join(note.needs for note in judge(account, notes).not_checked)
    for action in (
        "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketAcl", "ssm:DescribeParameters",
        "secretsmanager:ListSecrets", "kms:ListKeys",
    ):  # fmt: skip
        assert f"iam action {action}" in needed


def test_the_report_is_a_table_for_each_distribution(laptop: Any, audit: Any) -> None:
    _front(laptop, "private/*")
    _key(laptop, "left")
    report = audit(form="")[1]
    distribution, account = report.index(f"Distribution {laptop.made.distribution_id}"), report.index("The account")
    assert distribution < report.index("private-path-public") < account < report.index("key-in-no-group")


def test_one_form_of_output_at_a_time(laptop: Any, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["audit", "--endpoint-url", laptop.url, "--sarif", "--fix-plan", "cli"]) == 2
    assert "give one of them" in capsys.readouterr().err
