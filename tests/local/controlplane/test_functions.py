"""CloudFront functions and monitoring subscriptions, through boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

CODE = "function handler(event) { return event.request; } // \u00fc & <\r\n".encode()
CONFIG: Any = {"Comment": "as it came", "Runtime": "cloudfront-js-2.0"}
NEWER: Any = {"Comment": "as it went", "Runtime": "cloudfront-js-1.0"}
NAME = "as-it_came"


@pytest.fixture
def make_function(cloudfront: CloudFrontClient) -> Callable[..., str]:
    """Makes a function, published or not; returns its ARN."""

    def make(name: str = NAME, *, published: bool = True) -> str:
        made = cloudfront.create_function(Name=name, FunctionConfig=CONFIG, FunctionCode=CODE)
        if published:
            cloudfront.publish_function(Name=name, IfMatch=made["ETag"])
        return made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]

    return make


@pytest.fixture
def running(config: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    """A configuration of a distribution whose default behavior has these associations: pairs of event and ARN."""

    def make(*associations: tuple[str, str], **members: Any) -> dict[str, Any]:
        items = [{"EventType": event, "FunctionARN": arn} for event, arn in associations]
        made = config()
        behavior = {"FunctionAssociations": {"Quantity": len(items), "Items": items}, **members}
        return {**made, "DefaultCacheBehavior": {**made["DefaultCacheBehavior"], **behavior}}

    return make


def test_a_function_s_life_from_development_to_live(cloudfront: CloudFrontClient, refused: Any) -> None:
    made = cloudfront.create_function(Name=NAME, FunctionConfig=CONFIG, FunctionCode=CODE)
    summary = made["FunctionSummary"]
    assert (summary["Name"], summary["Status"], summary["FunctionConfig"]) == (NAME, "UNPUBLISHED", CONFIG)
    assert summary["FunctionMetadata"]["FunctionARN"] == f"arn:aws:cloudfront::123456789012:function/{NAME}"
    assert made["Location"].endswith(f"/function/{NAME}")
    described = cloudfront.describe_function(Name=NAME)
    assert (described["FunctionSummary"], described["ETag"]) == (summary, made["ETag"])
    assert refused(cloudfront.describe_function, Name=NAME, Stage="LIVE")[:2] == ("NoSuchFunctionExists", 404)

    live = cloudfront.publish_function(Name=NAME, IfMatch=made["ETag"])["FunctionSummary"]
    assert (live["Status"], live["FunctionMetadata"]["Stage"]) == ("UNASSOCIATED", "LIVE")
    assert cloudfront.describe_function(Name=NAME)["FunctionSummary"]["Status"] == "UNASSOCIATED"

    answer = cloudfront.update_function(
        Name=NAME, IfMatch=made["ETag"], FunctionConfig=NEWER, FunctionCode=b"function handler() {}"
    )
    etag = cloudfront.describe_function(Name=NAME)["ETag"]
    # The API model calls the header "ETtag", so that is what a client of Amazon's reads.
    assert (answer["ETag"], etag == made["ETag"]) == (etag, False)
    assert cloudfront.describe_function(Name=NAME)["FunctionSummary"]["Status"] == "UNPUBLISHED"
    assert cloudfront.describe_function(Name=NAME, Stage="LIVE")["FunctionSummary"]["FunctionConfig"] == CONFIG
    assert cloudfront.get_function(Name=NAME)["FunctionCode"].read() == b"function handler() {}"
    assert cloudfront.get_function(Name=NAME, Stage="LIVE")["FunctionCode"].read() == CODE

    cloudfront.publish_function(Name=NAME, IfMatch=etag)
    got = cloudfront.get_function(Name=NAME, Stage="LIVE")
    assert (got["FunctionCode"].read(), got["ContentType"]) == (b"function handler() {}", "application/octet-stream")
    cloudfront.delete_function(Name=NAME, IfMatch=etag)
    for stage in ("DEVELOPMENT", "LIVE"):
        assert refused(cloudfront.get_function, Name=NAME, Stage=stage)[0] == "NoSuchFunctionExists"


def test_what_is_published_again_unchanged_keeps_its_version(
    cloudfront: CloudFrontClient, make_function: Callable[..., str]
) -> None:
    make_function()
    before = cloudfront.describe_function(Name=NAME, Stage="LIVE")
    cloudfront.publish_function(Name=NAME, IfMatch=cloudfront.describe_function(Name=NAME)["ETag"])
    after = cloudfront.describe_function(Name=NAME, Stage="LIVE")
    assert (after["ETag"], after["FunctionSummary"]) == (before["ETag"], before["FunctionSummary"])


def test_functions_are_listed_by_stage(cloudfront: CloudFrontClient, make_function: Callable[..., str]) -> None:
    for name, published in (("b", True), ("a", False), ("c", True)):
        make_function(name, published=published)

    def listed(**ask: Any) -> list[tuple[str, str | None]]:
        answer = cloudfront.list_functions(**ask)["FunctionList"]
        found: list[tuple[str, str | None]] = [
            (item["Name"], item["FunctionMetadata"].get("Stage")) for item in answer.get("Items", [])
        ]
        assert answer["Quantity"] == len(found)
        return found

    assert listed(Stage="LIVE") == [("b", "LIVE"), ("c", "LIVE")]
    assert [name for name, _ in listed(Stage="DEVELOPMENT")] == ["a", "b", "c"]
    both = [("a", "DEVELOPMENT"), ("b", "DEVELOPMENT"), ("b", "LIVE"), ("c", "DEVELOPMENT"), ("c", "LIVE")]
    assert listed() == both
    marker = cloudfront.list_functions(MaxItems="2")["FunctionList"]["NextMarker"]
    assert listed(MaxItems="2") + listed(MaxItems="2", Marker=marker) == both


def test_a_published_function_is_associated_and_then_in_use(
    cloudfront: CloudFrontClient, make_function: Callable[..., str], running: Callable[..., Any], refused: Any
) -> None:
    arn = make_function()
    pair = (("viewer-request", arn), ("viewer-response", arn))
    made = cloudfront.create_distribution(DistributionConfig=running(*pair))
    config: Any = made["Distribution"]["DistributionConfig"]
    assert config["DefaultCacheBehavior"]["FunctionAssociations"]["Items"] == [
        {"EventType": event, "FunctionARN": arn} for event, arn in pair
    ]
    described = cloudfront.describe_function(Name=NAME)
    assert described["FunctionSummary"]["Status"] == "DEPLOYED"
    deletion = {"Name": NAME, "IfMatch": described["ETag"]}
    code, status, message = refused(cloudfront.delete_function, **deletion)
    assert (code, status, made["Distribution"]["Id"] in message) == ("FunctionInUse", 409, True)
    config["DefaultCacheBehavior"]["FunctionAssociations"] = {"Quantity": 0}
    cloudfront.update_distribution(Id=made["Distribution"]["Id"], IfMatch=made["ETag"], DistributionConfig=config)
    cloudfront.delete_function(Name=NAME, IfMatch=described["ETag"])


@pytest.mark.parametrize(
    ("associations", "members"),
    [
        ([("viewer-request", "arn:aws:cloudfront::123456789012:function/nowhere")], {}),
        ([("viewer-request", "arn:aws:cloudfront::123456789012:function/draft")], {}),
        ([("viewer-request", "arn:aws:cloudfront::999999999999:function/as-it_came")], {}),
        ([("origin-request", None)], {}),
        ([("viewer-request", None), ("viewer-request", None)], {}),
        (
            [("viewer-request", None)],
            {
                "LambdaFunctionAssociations": {
                    "Quantity": 1,
                    "Items": [
                        {
                            "LambdaFunctionARN": "arn:aws:lambda:us-east-1:123456789012:function:f:1",
                            "EventType": "viewer-response",
                        }
                    ],
                }
            },
        ),
    ],
    ids=["nowhere", "not published", "another account's", "origin event", "one event twice", "beside Lambda@Edge"],
)
def test_an_association_that_cannot_be_is_refused(
    cloudfront: CloudFrontClient,
    make_function: Callable[..., str],
    running: Callable[..., Any],
    refused: Any,
    associations: list[tuple[str, str | None]],
    members: dict[str, Any],
) -> None:
    arn = make_function()
    make_function("draft", published=False)
    config = running(*((event, given or arn) for event, given in associations), **members)
    assert refused(cloudfront.create_distribution, DistributionConfig=config)[:2] == ("InvalidFunctionAssociation", 400)


def test_a_distribution_has_so_many_associations(
    with_plane: Any,
    cloudfront: CloudFrontClient,
    make_function: Callable[..., str],
    running: Callable[..., Any],
    refused: Any,
) -> None:
    with_plane(Quotas(function_associations_per_distribution=1))
    arn = make_function()
    config = running(("viewer-request", arn), ("viewer-response", arn))
    assert refused(cloudfront.create_distribution, DistributionConfig=config)[0] == "TooManyFunctionAssociations"


def test_a_function_that_breaks_a_rule_is_refused(
    with_plane: Any, careless: CloudFrontClient, make_function: Callable[..., str], refused: Any
) -> None:
    with_plane(Quotas(functions=1))
    make_function()

    def refusal(**changes: Any) -> tuple[str, int]:
        given = {"Name": "new", "FunctionConfig": CONFIG, "FunctionCode": CODE, **changes}
        code, status, _ = refused(careless.create_function, **given)
        return code, status

    assert refusal() == ("TooManyFunctions", 400)
    with_plane()
    make_function()
    assert refusal(Name=NAME) == ("FunctionAlreadyExists", 409)
    assert refusal(FunctionCode=b"x" * 10_241) == ("FunctionSizeLimitExceeded", 413)
    assert refusal(FunctionCode=b"x" * 40_961) == ("MalformedXML", 400)
    assert refusal(Name="a name") == ("MalformedXML", 400)
    assert refusal(FunctionConfig={**CONFIG, "Comment": "c" * 129}) == ("InvalidArgument", 400)
    assert refusal(FunctionConfig={**CONFIG, "Runtime": "python3.11"}) == ("MalformedXML", 400)
    store = f"arn:aws:cloudfront::123456789012:key-value-store/{'0' * 36}"
    stores = {"Quantity": 1, "Items": [{"KeyValueStoreARN": store}]}
    assert refusal(FunctionConfig={**CONFIG, "KeyValueStoreAssociations": stores}) == ("InvalidArgument", 400)
    assert [item["Name"] for item in careless.list_functions(Stage="DEVELOPMENT")["FunctionList"]["Items"]] == [NAME]


def test_changes_need_the_version_in_development(
    careless: CloudFrontClient, make_function: Callable[..., str], refused: Any
) -> None:
    make_function()
    live = careless.describe_function(Name=NAME, Stage="LIVE")["ETag"]
    update = {"Name": NAME, "FunctionConfig": CONFIG, "FunctionCode": CODE}
    for call, given in (
        (careless.update_function, update),
        (careless.publish_function, {"Name": NAME}),
        (careless.delete_function, {"Name": NAME}),
    ):
        assert refused(call, **given, IfMatch=live)[:2] == ("PreconditionFailed", 412)
        assert refused(call, **given, IfMatch="none")[:2] == ("InvalidIfMatchVersion", 400)
        assert refused(call, **{**given, "Name": "nowhere"}, IfMatch=live)[0] == "NoSuchFunctionExists"


def test_a_function_has_tags(cloudfront: CloudFrontClient, refused: Any) -> None:
    tags: Any = {"Items": [{"Key": "team", "Value": "shop"}]}
    made = cloudfront.create_function(Name=NAME, FunctionConfig=CONFIG, FunctionCode=CODE, Tags=tags)
    arn = made["FunctionSummary"]["FunctionMetadata"]["FunctionARN"]
    cloudfront.tag_resource(Resource=arn, Tags={"Items": [{"Key": "stage", "Value": "test"}]})
    assert len(cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"]) == 2
    cloudfront.delete_function(Name=NAME, IfMatch=made["ETag"])
    assert refused(cloudfront.list_tags_for_resource, Resource=arn)[:2] == ("NoSuchResource", 404)
    cloudfront.create_function(Name=NAME, FunctionConfig=CONFIG, FunctionCode=CODE)
    assert cloudfront.list_tags_for_resource(Resource=arn)["Tags"]["Items"] == []


def subscription(status: str) -> Any:
    return {"RealtimeMetricsSubscriptionConfig": {"RealtimeMetricsSubscriptionStatus": status}}


def test_a_monitoring_subscription_s_life(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str], refused: Any
) -> None:
    of, get = {"DistributionId": make_distribution()}, cloudfront.get_monitoring_subscription
    assert refused(get, **of)[:2] == ("NoSuchMonitoringSubscription", 404)
    create = cloudfront.create_monitoring_subscription
    assert create(**of, MonitoringSubscription=subscription("Enabled"))["MonitoringSubscription"] == subscription(
        "Enabled"
    )
    taken = refused(create, **of, MonitoringSubscription=subscription("Enabled"))
    assert taken[:2] == ("MonitoringSubscriptionAlreadyExists", 409)
    create(**of, MonitoringSubscription=subscription("Disabled"))
    assert get(**of)["MonitoringSubscription"] == subscription("Disabled")
    cloudfront.delete_monitoring_subscription(**of)
    assert refused(cloudfront.delete_monitoring_subscription, **of)[0] == "NoSuchMonitoringSubscription"
    assert refused(create, **of, MonitoringSubscription={})[0] == "InvalidArgument"
    assert refused(get, DistributionId="ENOWHERE")[:2] == ("NoSuchDistribution", 404)


def test_a_distribution_takes_its_subscription_along(
    endpoint: Any, cloudfront: CloudFrontClient, make_distribution: Callable[..., str]
) -> None:
    distribution = make_distribution(Enabled=False)
    cloudfront.create_monitoring_subscription(
        DistributionId=distribution, MonitoringSubscription=subscription("Enabled")
    )
    etag = cloudfront.get_distribution(Id=distribution)["ETag"]
    cloudfront.delete_distribution(Id=distribution, IfMatch=etag)
    assert len(endpoint.plane._account.store.monitoring_subscriptions) == 0
