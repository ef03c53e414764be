"""What the constructs synthesise, and what they refuse."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.integrations.cdk.conftest import Synthesised, everything

from keyfront import SigningKey as PrivateKey
from keyfront.errors import InputError

pytestmark = pytest.mark.large


def _of_type(template: dict[str, Any], kind: str) -> dict[str, Any]:
    return {name: each for name, each in template["Resources"].items() if each["Type"] == kind}


def _pem() -> str:
    return PrivateKey.generate("ecdsa").public_key.pem


def test_the_logical_id_of_a_key_follows_its_bytes(synthesised: Synthesised) -> None:
    old, both, new = (
        set(_of_type(synthesised.template(each), "AWS::CloudFront::PublicKey")) for each in synthesised.folders
    )
    # The old key has other line ends in the second app, and is the same resource.
    assert old < both
    assert new < both
    assert len(both) == 3
    assert len(old & new) == 1, "the key in KMS stays"


def test_the_group_has_the_keys_and_the_distribution_trusts_it(synthesised: Synthesised) -> None:
    from aws_cdk.assertions import Match, Template

    made = synthesised.template("both")
    template = Template.from_json(made)
    (group,) = _of_type(made, "AWS::CloudFront::KeyGroup")
    template.resource_count_is("AWS::CloudFront::PublicKey", 3)
    behavior = {
        "TrustedKeyGroups": [{"Ref": group}],
        "ViewerProtocolPolicy": "redirect-to-https",
        "Compress": True,
    }
    public = Match.object_like({"PathPattern": "/public/*", "TrustedKeyGroups": Match.absent()})
    template.has_resource_properties(
        "AWS::CloudFront::Distribution",
        {
            "DistributionConfig": Match.object_like(
                {"DefaultCacheBehavior": Match.object_like(behavior), "CacheBehaviors": [public]}
            )
        },
    )


def test_content_has_the_options_of_the_terraform_module(stack_of: Callable[..., Any], tmp_path: Path) -> None:
    from aws_cdk import aws_cloudfront, aws_kms, aws_lambda, aws_s3
    from aws_cdk.assertions import Match, Template

    from keyfront.integrations.cdk import AccessLogs, Behavior, BucketOrigin, CustomOrigin, OriginGroup, PrivateContent

    _, stack = stack_of(tmp_path)
    headers = {
        name: aws_cloudfront.ResponseHeadersPolicy.from_response_headers_policy_id(stack, name, name)
        for name in ("usual", "own")
    }
    url = aws_lambda.Function(
        stack,
        "Api",
        code=aws_lambda.Code.from_inline("def handler(event, context): pass"),
        handler="index.handler",
        runtime=aws_lambda.Runtime.PYTHON_3_13,
    ).add_function_url()
    PrivateContent(
        stack,
        "Content",
        key_groups=[],
        default_origin="both",
        default_response_headers_policy=headers["usual"],
        behaviors=[
            Behavior("/own/*", [], "server", response_headers_policy=headers["own"]),
            Behavior("/old/*", [], "archive"),
            Behavior("/api/*", [], "api"),
        ],
        origin_shield_region="eu-west-1",
        abort_incomplete_uploads_days=3,
        buckets={"archive": BucketOrigin(aws_s3.Bucket(stack, "Archive"), "/films", "us-east-2")},
        custom_origins={
            "server": CustomOrigin(
                "example.com", "match-viewer", https_port=8443, read_timeout=60, headers={"X-Secret": "s"}
            )
        },
        function_urls={"api": url},
        origin_groups={"both": OriginGroup("content", "archive", [403, 404])},
        access_logs=AccessLogs(prefix="cf/", include_cookies=True, expire_days=30, kms_key=aws_kms.Key(stack, "Key")),
    )

    template = Template.from_stack(stack)
    (made,) = _of_type(template.to_json(), "AWS::CloudFront::Distribution").values()
    config = made["Properties"]["DistributionConfig"]
    (group,) = config["OriginGroups"]["Items"]
    assert group["FailoverCriteria"]["StatusCodes"] == {"Items": [403, 404], "Quantity": 2}
    assert config["DefaultCacheBehavior"]["TargetOriginId"] == group["Id"]
    behaviors = {each["PathPattern"]: each for each in config["CacheBehaviors"]}
    policies = [behaviors[each]["ResponseHeadersPolicyId"] for each in ("/own/*", "/old/*")]
    assert policies == ["own", "usual"] == ["own", config["DefaultCacheBehavior"]["ResponseHeadersPolicyId"]]
    by_id = {each["Id"]: each for each in config["Origins"]}
    first, second = (by_id[each["OriginId"]] for each in group["Members"]["Items"])
    assert [each["OriginShield"]["OriginShieldRegion"] for each in (first, second)] == ["eu-west-1", "us-east-2"]
    assert second["OriginPath"] == "/films"
    server = by_id[behaviors["/own/*"]["TargetOriginId"]]
    assert server["OriginCustomHeaders"] == [{"HeaderName": "X-Secret", "HeaderValue": "s"}]
    wanted = {"HTTPSPort": 8443, "OriginProtocolPolicy": "match-viewer", "OriginReadTimeout": 60}
    assert wanted.items() <= server["CustomOriginConfig"].items()
    assert "OriginAccessControlId" in by_id[behaviors["/api/*"]["TargetOriginId"]]
    assert {"IncludeCookies": True, "Prefix": "cf/"}.items() <= config["Logging"].items()
    days = {"ExpirationInDays": 30}
    template.has_resource_properties(
        "AWS::S3::Bucket",
        {
            "LifecycleConfiguration": {"Rules": [Match.object_like(days)]},
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [Match.object_like({"BucketKeyEnabled": True})]},
        },
    )
    template.has_resource_properties(
        "AWS::KMS::Key",
        {
            "KeyPolicy": Match.object_like(
                {
                    "Statement": Match.array_with(
                        [
                            Match.object_like(
                                {
                                    "Action": "kms:GenerateDataKey*",
                                    "Principal": {"Service": "delivery.logs.amazonaws.com"},
                                }
                            )
                        ]
                    )
                }
            )
        },
    )


def test_functions_run_in_the_behaviors_that_name_them(synthesised: Synthesised) -> None:
    made = synthesised.template("old")
    (distribution,) = _of_type(made, "AWS::CloudFront::Distribution").values()
    (public,) = distribution["Properties"]["DistributionConfig"]["CacheBehaviors"]
    assert [each["EventType"] for each in public["FunctionAssociations"]] == ["viewer-request"]
    (edge,) = public["LambdaFunctionAssociations"]
    assert (edge["EventType"], edge.get("IncludeBody")) == ("origin-response", None)
    (version,) = _of_type(made, "AWS::Lambda::Version")
    assert edge["LambdaFunctionARN"] == {"Ref": version}


def test_only_the_distribution_reads_the_bucket(synthesised: Synthesised) -> None:
    made = synthesised.template("old")
    (bucket,) = (
        name for name in _of_type(made, "AWS::S3::Bucket") if name.startswith("Content") and "Logs" not in name
    )
    settings = made["Resources"][bucket]["Properties"]
    assert all(settings["PublicAccessBlockConfiguration"].values())
    assert settings["VersioningConfiguration"] == {"Status": "Enabled"}
    (policy,) = (
        each["Properties"]["PolicyDocument"]["Statement"]
        for each in _of_type(made, "AWS::S3::BucketPolicy").values()
        if each["Properties"]["Bucket"] == {"Ref": bucket}
    )
    allowed = [each for each in policy if each["Effect"] == "Allow"]
    assert [each["Principal"] for each in allowed] == [{"Service": "cloudfront.amazonaws.com"}]
    assert all("AWS:SourceArn" in each["Condition"]["StringEquals"] for each in allowed)
    assert any(each["Effect"] == "Deny" and "aws:SecureTransport" in json.dumps(each) for each in policy)


def test_the_function_may_sign_and_write_its_log_and_nothing_else(synthesised: Synthesised) -> None:
    made = synthesised.template("old")
    (policy,) = (each for name, each in _of_type(made, "AWS::IAM::Policy").items() if name.startswith("Downloads"))
    statements = policy["Properties"]["PolicyDocument"]["Statement"]
    actions = {each["Sid"]: each["Action"] for each in statements}
    assert actions == {
        "ReadPublicKey": "kms:GetPublicKey",
        "Sign": "kms:Sign",
        "WriteOwnLog": ["logs:CreateLogStream", "logs:PutLogEvents"],
    }
    assert all(each["Resource"] != "*" for each in statements)
    (role,) = (each for name, each in _of_type(made, "AWS::IAM::Role").items() if name.startswith("Downloads"))
    assert "ManagedPolicyArns" not in role["Properties"]


def test_log_queries_are_those_of_the_terraform_module(stack_of: Callable[..., Any], tmp_path: Path) -> None:
    from keyfront.integrations.cdk import LogQueries

    app, stack = stack_of(tmp_path)
    LogQueries(
        stack,
        "Logs",
        name="shop-logs",
        bucket="my-access-logs",
        prefix="/AWSLogs/",
        format="parquet",
        distribution_ids=["E1AAAAAAAAAAAA"],
        first_day="2030-01-31",
        scan_limit_gb=2,
    )
    app.synth()
    made = json.loads((tmp_path / "Shop.template.json").read_text())
    (table,) = _of_type(made, "AWS::Glue::Table").values()
    settings = table["Properties"]["TableInput"]
    assert settings["Parameters"] == {
        "EXTERNAL": "TRUE",
        "projection.enabled": "true",
        "projection.distributionid.type": "enum",
        "projection.distributionid.values": "E1AAAAAAAAAAAA",
        "projection.day.type": "date",
        "projection.day.format": "yyyy/MM/dd",
        "projection.day.range": "2030/01/31,NOW",
        "projection.day.interval": "1",
        "projection.day.interval.unit": "DAYS",
        "storage.location.template": "s3://my-access-logs/AWSLogs/${distributionid}/${day}/",
    }
    assert [each["Name"] for each in settings["PartitionKeys"]] == ["distributionid", "day"]
    columns = [each["Name"] for each in settings["StorageDescriptor"]["Columns"]]
    assert len(columns) == 33 + 4, "the 33 fields, and those that a log may lack and no partition has"
    assert {"cs_user_agent", "timestamp_ms", "c_country"} <= set(columns)
    (group,) = _of_type(made, "AWS::Athena::WorkGroup").values()
    assert group["Properties"]["WorkGroupConfiguration"]["BytesScannedCutoffPerQuery"] == 2 * 1024**3
    folder = Path(__file__).parents[3] / "terraform" / "modules" / "log-queries" / "queries"
    where = "day >= date_format(current_date - INTERVAL '7' DAY, '%Y/%m/%d')"
    queries = {each["Properties"]["Name"]: each for each in _of_type(made, "AWS::Athena::NamedQuery").values()}
    assert len(queries) == 5
    for file in folder.iterdir():
        text = file.read_text().replace("${table}", '"shop_logs"."files"').replace("${where}", where)
        assert queries[f"shop-logs-{file.stem}"]["Properties"]["QueryString"] == text


def test_no_template_has_a_private_key_or_a_secret(synthesised: Synthesised) -> None:
    for name in synthesised.folders:
        text = json.dumps(synthesised.template(name))
        assert "PRIVATE KEY" not in text
        assert "SecretString" not in text


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"keys": {}}, "has 1 to 5 public keys; keys and kms_keys have 0"),
        ({"keys": {"a b": _pem()}}, "the name of a key is 'a b': use 1 to 40 letters"),
        ({"keys": {"a": _pem(), "b": _pem()}}, "there are several keys (a, b): set current"),
        ({"keys": {"a": _pem()}, "current": "c"}, "current is 'c', which is not one of the keys a"),
        ({"keys": {"a": "nothing"}}, "the key a cannot be used"),
        ({"keys": {"a": _pem()}, "kms_keys": {"a": "arn:aws:kms:x"}}, "share a name: a"),
        ({"keys": {"a": _pem()}, "name": "no spaces"}, "name is 'no spaces'"),
    ],
    ids=["none", "name", "several", "current", "damaged", "twice", "group"],
)
def test_a_group_that_cannot_work_is_refused(
    stack_of: Callable[..., Any], tmp_path: Path, given: dict[str, Any], said: str
) -> None:
    from keyfront.integrations.cdk import TrustedKeyGroup

    _, stack = stack_of(tmp_path)
    with pytest.raises(InputError) as refused:
        TrustedKeyGroup(stack, "Keys", **given)
    assert said in str(refused.value)


def test_a_private_key_is_refused_and_not_shown(stack_of: Callable[..., Any], tmp_path: Path) -> None:
    from keyfront.integrations.cdk import TrustedKeyGroup

    private = PrivateKey.generate("ecdsa").pem()
    _, stack = stack_of(tmp_path)
    with pytest.raises(InputError, match="the key a is a private key") as refused:
        TrustedKeyGroup(stack, "Keys", keys={"a": private})
    assert private.splitlines()[1] not in str(refused.value)


def test_other_constructs_refuse_what_cannot_work(stack_of: Callable[..., Any], tmp_path: Path) -> None:
    from aws_cdk import aws_lambda

    from keyfront.integrations.cdk import Behavior, DownloadEndpoint, LogQueries, PrivateContent, SigningKey

    _, stack = stack_of(tmp_path)
    key = SigningKey(stack, "Key", name="shop/key", kind="parameter")
    code = aws_lambda.Code.from_inline("def handler(event, context): pass")
    endpoint: dict[str, Any] = {
        "package": code,
        "handler": "index.handler",
        "cloudfront_domain": "d1.cloudfront.net",
        "signing_key": key,
    }
    logs: dict[str, Any] = {"name": "logs", "bucket": "my-logs"}
    refusals: list[tuple[str, Callable[[str], object]]] = [
        ("name is 'Logs': use 3 to 36", lambda name: LogQueries(stack, name, **{**logs, "name": "Logs"})),
        ("bucket is 's3://a'", lambda name: LogQueries(stack, name, **{**logs, "bucket": "s3://a"})),
        ("fields lacks cs(Cookie)", lambda name: LogQueries(stack, name, **logs, fields=_FEW)),
        ("first_day is '20300131'", lambda name: LogQueries(stack, name, **logs, first_day="20300131")),
        ("days is 0", lambda name: LogQueries(stack, name, **logs, days=0)),
        ("format is 'csv'", lambda name: LogQueries(stack, name, **{**logs, "format": "csv"})),
        ("distribution_ids is empty", lambda name: LogQueries(stack, name, **logs, distribution_ids=[])),
        ("not beginning with aws or ssm", lambda name: SigningKey(stack, name, name="aws/key")),
        ("certificate is missing", lambda name: PrivateContent(stack, name, key_groups=[], aliases=["a.example.com"])),
        ("there is no origin:", lambda name: PrivateContent(stack, name, key_groups=[], create_bucket=False)),
        (
            "there is no origin 'other': use one of content",
            lambda name: PrivateContent(stack, name, key_groups=[], behaviors=[Behavior("/a", [], "other")]),
        ),
        *(
            (said, partial(lambda given, name: PrivateContent(stack, name, key_groups=[], **given), given))
            for said, given in _refused_content(stack)
        ),
        ("environment has SIGNER", lambda name: DownloadEndpoint(stack, name, **endpoint, environment={"SIGNER": "x"})),
        ("timeout_seconds is 60", lambda name: DownloadEndpoint(stack, name, **endpoint, timeout_seconds=60)),
        ("of a distribution", lambda name: DownloadEndpoint(stack, name, **endpoint, key_pair_id="E1ABCDEFGHIJKL")),
    ]
    for number, (said, make) in enumerate(refusals):
        with pytest.raises(InputError) as refused:
            make(f"Refused{number}")
        assert said in str(refused.value)


def _refused_content(stack: Any) -> list[tuple[str, dict[str, Any]]]:
    from aws_cdk import aws_kms

    from keyfront.integrations.cdk import AccessLogs, Behavior, CustomOrigin, OriginGroup

    def behavior(**given: Any) -> dict[str, Any]:
        return {"behaviors": [Behavior("/a", [], **given)]}

    def custom(*given: Any) -> dict[str, Any]:
        return {"custom_origins": {"a": CustomOrigin(*given)}}

    def group(*given: Any) -> dict[str, Any]:
        return {"custom_origins": {"a": CustomOrigin("example.com")}, "origin_groups": {"g": OriginGroup(*given)}}

    both = {"functions": {"viewer-request": None}, "lambda_functions": {"viewer-request": None}}
    owned = AccessLogs(bucket=cast(Any, "a bucket"), kms_key=aws_kms.Key(stack, "LogKey"))
    return [
        ("functions of /a has the event type 'origin-request'", behavior(functions={"origin-request": None})),
        ("include_body of /a has the event type 'origin-response'", behavior(include_body=["origin-response"])),
        ("include_body of /a has 'viewer-request', and lambda_functions", behavior(include_body=["viewer-request"])),
        ("of /a both have 'viewer-request'", behavior(**both)),
        ("domain_name is 'https://a'", custom("https://a")),
        ("protocol_policy is 'https'", custom("example.com", "https")),
        ("there is no origin 'b' for an origin group", group("a", "b")),
        ("are both 'a': give two origins", group("a", "a")),
        ("status_codes is [500, 501]", group("a", "content", [500, 501])),
        ("two origins have the name 'content'", {"custom_origins": {"content": CustomOrigin("example.com")}}),
        ("origin_shield_region is 'Dublin'", {"origin_shield_region": "Dublin"}),
        ("abort_incomplete_uploads_days is 0", {"abort_incomplete_uploads_days": 0}),
        ("expire_days of access_logs is 0", {"access_logs": AccessLogs(expire_days=0)}),
        ("kms_key of access_logs is for the construct's own bucket", {"access_logs": owned}),
    ]


_FEW = ["date", "time", "c-ip", "sc-status", "sc-bytes", "time-taken", "cs-method", "cs-protocol", "cs-uri-stem"]
_FEW += ["cs-uri-query", "cs(Host)", "x-host-header", "cs(Referer)", "cs(User-Agent)"]
_FEW += ["x-edge-result-type", "x-edge-detailed-result-type"]
_EXPLAINED = {
    "AwsSolutions-APIG1",
    "AwsSolutions-APIG4",
    "AwsSolutions-CFR1",
    "AwsSolutions-CFR2",
    "AwsSolutions-CFR4",
    "AwsSolutions-L1",
    "AwsSolutions-S1",
    "AwsSolutions-SMG4",
}
"""The rules of cdk-nag that a plain stack does not pass. docs/cdk.md explains each."""


def test_cdk_nag_finds_only_what_the_page_explains(
    cdk_library: Any, stack_of: Callable[..., Any], tmp_path: Path
) -> None:
    import cdk_nag as nag

    app, stack = stack_of(tmp_path)
    everything(stack, {"a": _pem()}, "a")
    cdk_library.Validations.of(app).add_plugins(nag.AwsSolutionsChecks(app))
    with pytest.raises(RuntimeError, match="AwsSolutions"):
        app.synth()
    report = json.loads((tmp_path / "validation-report.json").read_text())
    found = {each["ruleName"] for plugin in report["pluginReports"] for each in plugin["violations"]}
    assert found == _EXPLAINED
    page = (Path(__file__).parents[3] / "docs" / "cdk.md").read_text()
    assert all(each in page for each in _EXPLAINED)


def test_the_policy_of_the_page_about_video_is_the_one_of_the_api(stack_of: Callable[..., Any], tmp_path: Path) -> None:
    from aws_cdk.assertions import Template

    page = (Path(__file__).parents[3] / "docs" / "video.md").read_text("utf-8")
    code = next(block for block in page.split("```python\n") if "ResponseHeadersPolicy(" in block).split("```")[0]
    _, stack = stack_of(tmp_path)
    exec(code, {"stack": stack})
    made = _of_type(Template.from_stack(stack).to_json(), "AWS::CloudFront::ResponseHeadersPolicy")
    (policy,) = (each["Properties"]["ResponseHeadersPolicyConfig"] for each in made.values())
    wanted = json.loads(page.split("```json\n")[1].split("```")[0])
    for name, value in wanted["CorsConfig"].items():
        items = {"Items": value["Items"]} if isinstance(value, dict) else value
        assert policy["CorsConfig"][name] == items
