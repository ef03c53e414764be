"""Rules on accounts made of plain values: what is a fault, and what only looks like one."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from keyfront.account.audit import Evidence, Finding, Settings, judge
from keyfront.account.audit.checks import RULES
from keyfront.account.audit.values import Bucket, EncryptionKey, FunctionURL, Secret
from keyfront.core.keys import SigningKey
from keyfront.inventory import CacheBehavior, Distribution, Inventory, KeyGroup, Origin, TrustedKey
from keyfront.inventory.values import ForwardedValues, OriginAccessControl, OriginGroup, OriginRequestPolicy, Selection

NOW = datetime(2030, 1, 1, tzinfo=UTC)
KEY = TrustedKey("K2JCJMDEHXQW5F", "links", SigningKey.generate("ecdsa").public_key, NOW)
ARN = "arn:aws:cloudfront::123456789012:distribution/"
KMS = "arn:aws:kms:eu-central-1:123456789012:key/0b3e"
BLOCKED = dict.fromkeys(("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True)
CONTENT = Origin("content", "films.s3.eu-central-1.amazonaws.com", access_control="E2CONTROL")
BY_IDENTITY = replace(CONTENT, access_control="", access_identity="E3IDENTITY")
WEB = "a1b2.lambda-url.eu-central-1.on.aws"


def behavior(pattern: str = "*", *, protected: bool = True, **settings: Any) -> CacheBehavior:
    named = {"target_origin_id": "content", "viewer_protocol_policy": "https-only", **settings}
    groups = ("group",) if protected else ()
    return CacheBehavior(pattern, trusted_key_groups=groups, protected=protected, **named)


def distribution(
    *behaviors: CacheBehavior, named: str = "E1FILMS", origin: Origin = CONTENT, **more: Any
) -> Distribution:
    *ordered, default = behaviors or (behavior(),)
    settings = {"arn": f"{ARN}{named}", "access_logs": True, "origins": (origin,), **more}
    return Distribution(named, f"{named.lower()}.cloudfront.net", default, tuple(ordered), **settings)


def grant(
    *arns: str, action: str = "s3:GetObject", resource: str = "arn:aws:s3:::films/*", **more: Any
) -> dict[str, Any]:
    condition = {"Condition": {"StringEquals": {"AWS:SourceArn": list(arns)}}} if arns else {}
    service = {"Service": "cloudfront.amazonaws.com"}
    return {"Effect": "Allow", "Principal": service, "Action": action, "Resource": resource, **condition, **more}


def document(*statements: Mapping[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def decrypts(*arns: str) -> dict[str, Any]:
    return document(
        {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "kms:*", "Resource": "*"},
        grant(*arns, action="kms:Decrypt", resource="*"),
    )


def account(*distributions: Distribution, **more: Any) -> Evidence:
    inventory = Inventory(
        distributions or (distribution(),),
        {"group": KeyGroup("group", "links", (KEY.id,))},
        {KEY.id: KEY},
        access_controls={"E2CONTROL": OriginAccessControl("E2CONTROL", "c", "always", "s3")},
        origin_request_policies={
            "all": OriginRequestPolicy("all", "Managed-AllViewer", headers=Selection("all")),
            "most": OriginRequestPolicy(
                "most", "AllViewerExceptHostHeader", headers=Selection("all-but", frozenset({"host"}))
            ),
        },
    )
    bucket = Bucket("films", document(grant(f"{ARN}E1FILMS")), BLOCKED, (), kms_key="", objects=())
    return Evidence(inventory, Settings(NOW), **{"buckets": {"films": bucket}, **more})


def encrypted(policy: dict[str, Any] | None, *, origin: Origin = CONTENT, **key: Any) -> Evidence:
    made = EncryptionKey(**{"id": KMS, "arn": KMS, "state": "Enabled", "policy": policy, **key})
    clean = account(distribution(origin=origin))
    bucket = replace(clean.buckets["films"], kms_key=made.id, policy=None)
    return replace(clean, buckets={"films": bucket}, encryption_keys={made.id: made})


def found(evidence: Evidence) -> list[Finding]:
    return [each for each in judge(evidence).findings if str(each.severity) != "info"]


def ids(evidence: Evidence) -> list[str]:
    return [each.rule.id for each in found(evidence)]


def test_a_clean_account_has_no_finding() -> None:
    assert ids(account()) == []


# Buckets


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (document(), "It names no distribution."),
        (document(grant(f"{ARN}E9OTHER")), f"It names {ARN}E9OTHER."),
        (document(grant(f"{ARN}E1FILMS", resource="arn:aws:s3:::films/posters/*")), f"It names {ARN}E1FILMS."),
        (document(grant(f"{ARN}E1FILMS", action="s3:ListBucket")), "It names no distribution."),
        (document(grant(f"{ARN}E1FILMS", Effect="Deny")), "It names no distribution."),
        (document({**grant(), "Condition": {"StringEquals": {"AWS:SourceAccount": "999999999999"}}}), "do not hold"),
    ],
)
def test_a_bucket_that_refuses_its_distribution(policy: dict[str, Any], says: str) -> None:
    clean = account()
    [fault] = found(replace(clean, buckets={"films": replace(clean.buckets["films"], policy=policy)}))
    assert (fault.rule.id, str(fault.severity)) == ("bucket-refuses-distribution", "high")
    assert says in fault.evidence
    assert fault.distributions == ("E1FILMS",)
    assert f"{ARN}E1FILMS" in fault.plan.commands[0]


@pytest.mark.parametrize(
    "policy",
    [
        document(grant(f"{ARN}E9OTHER", f"{ARN}E1FILMS")),
        document({**grant(), "Condition": {"ArnLike": {"aws:SourceArn": f"{ARN}*"}}}),
        document({**grant(), "Condition": {"StringEquals": {"AWS:SourceAccount": "123456789012"}}}),
        document(grant(f"{ARN}E1FILMS", action="s3:Get*")),
        document(grant(f"{ARN}E1FILMS"), {"Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}}}),
        None,
    ],
)  # fmt: skip
def test_a_bucket_that_lets_its_distribution_read(policy: dict[str, Any] | None) -> None:
    clean = account()
    assert "bucket-refuses-distribution" not in ids(
        replace(clean, buckets={"films": replace(clean.buckets["films"], policy=policy)})
    )


@pytest.mark.parametrize(
    ("principal", "refused"),
    [
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E3IDENTITY"}, False),
        ({"AWS": "arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E9OTHER"}, True),
        ({"CanonicalUser": "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be"}, False),
        ({"Service": "cloudfront.amazonaws.com"}, True),
    ],
)
def test_a_bucket_read_by_an_identity(principal: dict[str, str], refused: bool) -> None:
    clean = account(distribution(origin=BY_IDENTITY))
    policy = document({**grant(f"{ARN}E1FILMS"), "Principal": principal})
    policy["Statement"][0].pop("Condition")
    faults = ids(replace(clean, buckets={"films": replace(clean.buckets["films"], policy=policy)}))
    assert ("bucket-refuses-distribution" in faults) == refused


def test_only_what_a_behavior_asks_for_must_be_readable() -> None:
    clean = account(distribution(behavior("films/*"), behavior(protected=False), origin=replace(CONTENT, path="/v1")))
    policy = document(grant(f"{ARN}E1FILMS", resource="arn:aws:s3:::films/v1/films/*"))
    assert ids(replace(clean, buckets={"films": replace(clean.buckets["films"], policy=policy)})) == []


# KMS


def test_a_key_that_lets_this_distribution_decrypt() -> None:
    assert ids(encrypted(decrypts(f"{ARN}E1FILMS"))) == []
    like = decrypts(f"{ARN}E1FILMS")
    like["Statement"][1]["Condition"] = {"ArnLike": {"aws:sourcearn": f"{ARN}E1*"}}
    assert ids(encrypted(like)) == []
    assert ids(encrypted(None)) == []  # not read, which the notes say


@pytest.mark.parametrize(
    ("policy", "says"),
    [
        (decrypts(f"{ARN}E9OTHER"), f"It names {ARN}E9OTHER."),
        (document(decrypts()["Statement"][0]), "It names no distribution."),
        (document(grant(f"{ARN}E1FILMS", action="kms:DescribeKey", resource="*")), "It names no distribution."),
    ],
)
def test_a_key_that_does_not(policy: dict[str, Any], says: str) -> None:
    [fault] = found(encrypted(policy))
    assert (fault.rule.id, str(fault.severity), fault.resource) == ("kms-key-refuses-cloudfront", "high", KMS)
    assert says in fault.evidence
    [command] = fault.plan.commands
    assert command.startswith(f"aws kms put-key-policy --key-id {KMS} --policy-name default --policy '")
    written = json.loads(command.partition("--policy '")[2].removesuffix("'"))
    assert ids(encrypted(written)) == []
    assert written["Statement"][:-1] == policy["Statement"]


def test_a_key_for_any_distribution() -> None:
    [fault] = found(encrypted(decrypts()))
    assert (fault.rule.id, str(fault.severity)) == ("kms-key-open-to-any-distribution", "medium")
    written = json.loads(fault.plan.commands[0].partition("--policy '")[2].removesuffix("'"))
    assert ids(encrypted(written)) == []


def test_amazons_own_key_cannot_be_used() -> None:
    [fault] = found(encrypted(None, id="alias/aws/s3", arn="", managed_by_aws=True))
    assert fault.rule.id == "kms-key-refuses-cloudfront"
    assert "whose policy cannot be changed" in fault.evidence
    assert not fault.plan.commands


def test_an_identity_cannot_read_what_kms_encrypts() -> None:
    faults = found(encrypted(decrypts(f"{ARN}E1FILMS"), origin=BY_IDENTITY))
    assert [each.rule.id for each in faults] == ["kms-with-access-identity"]
    assert "E3IDENTITY" in faults[0].evidence


@pytest.mark.parametrize(
    ("state", "commands"),
    [
        ("Disabled", [f"aws kms enable-key --key-id {KMS}"]),
        ("PendingDeletion", [f"aws kms cancel-key-deletion --key-id {KMS}", f"aws kms enable-key --key-id {KMS}"]),
    ],
)
def test_a_key_that_is_not_enabled(state: str, commands: list[str]) -> None:
    [fault] = found(encrypted(decrypts(f"{ARN}E1FILMS"), state=state))
    assert (fault.rule.id, list(fault.plan.commands)) == ("kms-key-disabled", commands)
    assert state in fault.evidence


# Ways to the origin


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"origin_request_policy_id": "all"}, "Its origin request policy sends Host"),
        ({"forwarded_values": ForwardedValues(headers=Selection("all"))}, "Its forwarded headers sends Host"),
        (
            {"forwarded_values": ForwardedValues(headers=Selection("some", frozenset({"host"})))},
            "Its forwarded headers",
        ),
        ({"origin_request_policy_id": "most"}, ""),
        ({"forwarded_values": ForwardedValues(headers=Selection("some", frozenset({"origin"})))}, ""),
    ],
)
def test_the_viewers_host_sent_to_a_bucket(settings: dict[str, Any], says: str) -> None:
    faults = found(account(distribution(behavior(**settings))))
    assert [each.rule.id for each in faults] == (["host-sent-to-s3"] if says else [])
    assert all(says in each.evidence for each in faults)


def test_a_web_server_may_have_the_host() -> None:
    assert "host-sent-to-s3" not in ids(
        account(distribution(behavior(origin_request_policy_id="all"), origin=Origin("content", "shop.example.com")))
    )


@pytest.mark.parametrize(("auth_type", "open_"), [("NONE", True), ("AWS_IAM", False)])
def test_a_function_url_beside_its_access_control(auth_type: str, open_: bool) -> None:
    clean = account(distribution(origin=Origin("content", WEB, access_control="E2CONTROL")))
    evidence = replace(clean, function_urls={WEB: FunctionURL(WEB, "download", auth_type)})
    faults = found(evidence)
    assert [each.rule.id for each in faults] == (["function-url-open"] if open_ else [])
    for fault in faults:
        assert "--principal cloudfront.amazonaws.com" in fault.plan.commands[0]
        assert "--action lambda:InvokeFunction " in fault.plan.commands[1]
        assert fault.plan.commands[2] == (
            "aws lambda update-function-url-config --function-name download --auth-type AWS_IAM"
        )


# Open beside protected


def objects(*keys: str, **more: Any) -> dict[str, Bucket]:
    return {"films": replace(account().buckets["films"], objects=keys, **more)}


def test_the_same_objects_through_another_distribution() -> None:
    shut = distribution(behavior("films/*"), behavior(protected=False))
    free = distribution(behavior(protected=False), named="E2COPY")
    [fault] = [each for each in found(account(shut, free)) if each.rule.id == "open-through-another-distribution"]
    assert (str(fault.severity), fault.resource, fault.distributions) == ("high", "E2COPY:*", ("E2COPY",))
    assert fault.example.startswith("/films/")


@pytest.mark.parametrize(
    "free",
    [
        distribution(behavior("films/*"), behavior(protected=False), named="E2COPY"),
        distribution(behavior(protected=False), named="E2COPY", enabled=False),
        distribution(behavior(protected=False), named="E2COPY", origin=replace(CONTENT, path="/posters")),
        distribution(behavior(protected=False), named="E2COPY", origin=Origin("content", "other.s3.amazonaws.com")),
    ],
)
def test_other_objects_through_another_distribution_are_none_of_it(free: Distribution) -> None:
    shut = distribution(behavior("films/*"), behavior(protected=False))
    assert "open-through-another-distribution" not in ids(account(shut, free))


def test_a_folder_of_the_same_bucket_reached_by_an_origin_path() -> None:
    shut = distribution(behavior("films/*"), behavior(protected=False))
    free = distribution(behavior(protected=False), named="E2COPY", origin=replace(CONTENT, path="/films"))
    [fault] = [each for each in found(account(shut, free)) if each.rule.id == "open-through-another-distribution"]
    assert fault.example.startswith("/films/")


def test_the_same_kind_of_file_under_an_open_behavior() -> None:
    behaviors = distribution(behavior("films/*"), behavior("trailers/*", protected=False), behavior(protected=False))
    keys = ("films/1.mp4", "trailers/1.mp4", "extras/a b.mp4", "index.html", "films/poster.jpg", "logo.jpg")
    faults = [each for each in found(account(behaviors, buckets=objects(*keys))) if each.rule.id == "same-content-open"]
    assert {each.resource: each.example for each in faults} == {
        "E1FILMS:trailers/*": "/trailers/1.mp4",
        "E1FILMS:*": "/extras/a%20b.mp4",
    }


@pytest.mark.parametrize(
    ("patterns", "open_"),
    [
        (("films/*", "music/*", "audio-2/*"), "audio-2/*"),
        (("films/*.mp4", "music/*.mp4", "audio/*.mp4"), "audio/*.mp4"),
        (("films/*", "music/*", "static/*"), ""),
        (("films/*", "music/*", "*.css"), ""),
        (("films/*", "audio-2/*"), ""),
    ],
)
def test_one_open_behavior_among_protected_ones(patterns: tuple[str, ...], open_: str) -> None:
    *shut, free = patterns
    made = distribution(*map(behavior, shut), behavior(free, protected=False), behavior(protected=False))
    faults = [each for each in found(account(made)) if each.rule.id == "open-beside-protected"]
    assert [each.resource for each in faults] == ([f"E1FILMS:{open_}"] if open_ else [])


def test_an_origin_group_is_its_first_origin() -> None:
    group = OriginGroup("content", ("first", "second"))
    origins = (replace(CONTENT, id="first"), replace(CONTENT, id="second", domain_name="b.s3.amazonaws.com"))
    shut = distribution(behavior("films/*"), behavior(protected=False))
    free = distribution(behavior(protected=False), named="E2COPY", origins=origins, origin_groups=(group,))
    assert "open-through-another-distribution" in ids(account(shut, free))


# Keys that go


@pytest.mark.parametrize(
    ("secret", "command"),
    [
        (Secret("arn:s", "shop-signing-key", "secret", True, state="deleted", ends="2030-01-08"),
         "aws secretsmanager restore-secret --secret-id shop-signing-key"),
        (Secret("arn:k", "0b3e", "kms", False, state="pending", ends="2030-01-08"),
         "aws kms cancel-key-deletion --key-id 0b3e"),
        (Secret("arn:k", "0b3e", "kms", False, state="disabled"), "aws kms enable-key --key-id 0b3e"),
        (Secret("arn:p", "/shop/signing-key", "SecureString", True, state="expires", ends="2030-01-08T00:00:00Z"),
         "aws ssm get-parameter --with-decryption --name /shop/signing-key"),
    ],
)  # fmt: skip
def test_a_key_that_goes_is_told_with_what_brings_it_back(secret: Secret, command: str) -> None:
    [fault] = found(replace(account(), secrets=(secret,)))
    assert (fault.rule.id, str(fault.severity)) == ("private-key-going", "high")
    assert fault.plan.commands[0].startswith(command)
    assert secret.ends in fault.evidence
    assert '--value "$(' not in fault.plan.commands[0]


def test_a_parameter_that_is_no_key_may_go() -> None:
    assert ids(replace(account(), secrets=(Secret("arn:p", "/shop/banner", "String", False, state="expires"),))) == []


def test_the_page_lists_every_finding_as_the_code_has_it() -> None:
    page = (Path(__file__).parents[3] / "docs" / "audit.md").read_text("utf-8")
    listed = [
        tuple(part.strip() for part in line.strip("|").split("|"))
        for line in page.splitlines()
        if line.startswith("| `")
    ]
    assert listed == [(f"`{rule.id}`", rule.title, rule.why) for rule in RULES]
