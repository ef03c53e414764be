"""When a distribution is deployed: what the edges report, and what the API says of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.errors import InputError
from keyfront.local.controlplane import ControlPlane
from keyfront.local.controlplane.propagation import Propagation

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from tests.local.controlplane.conftest import WithPlane


@pytest.fixture
def edges() -> Propagation:
    """Two registered edges."""
    edges = Propagation()
    edges.register("one")
    edges.register("two")
    return edges


def test_without_edges_everything_is_deployed_at_once() -> None:
    alone = Propagation()
    alone.changed("E1", "v1")
    assert not alone.under_way("E1", "v1")


def test_a_change_is_deployed_when_every_edge_has_it(edges: Propagation) -> None:
    edges.changed("E1", "v1")
    assert edges.under_way("E1", "v1")
    edges.applied("one", {"E1": "v1"})
    assert edges.under_way("E1", "v1")
    edges.applied("two", {"E1": "v1", "E2": "v9"})
    assert not edges.under_way("E1", "v1")


def test_an_edge_with_an_older_version_does_not_count(edges: Propagation) -> None:
    edges.changed("E1", "v1")
    edges.changed("E1", "v2")
    for edge in ("one", "two"):
        edges.applied(edge, {"E1": "v1"})
    assert edges.under_way("E1", "v2")
    for edge in ("one", "two"):
        edges.applied(edge, {"E1": "v2"})
    assert not edges.under_way("E1", "v2")


def test_an_edge_that_is_forgotten_holds_nothing_up(edges: Propagation) -> None:
    edges.changed("E1", "v1")
    edges.applied("one", {"E1": "v1"})
    edges.forget("two")
    assert not edges.under_way("E1", "v1")
    edges.forget("nobody")


def test_an_edge_that_starts_later_takes_nothing_back_but_is_waited_for_from_then_on(edges: Propagation) -> None:
    edges.changed("E1", "v1")
    edges.changed("E2", "v1")
    for edge in ("one", "two"):
        edges.applied(edge, {"E1": "v1"})
    edges.register("three")
    assert not edges.under_way("E1", "v1")
    for edge in ("one", "two"):
        edges.applied(edge, {"E2": "v1"})
    assert edges.under_way("E2", "v1")
    edges.applied("three", {"E2": "v1"})
    assert not edges.under_way("E2", "v1")


def test_an_edge_that_restarts_has_to_report_again(edges: Propagation) -> None:
    edges.changed("E1", "v1")
    edges.applied("one", {"E1": "v1"})
    edges.register("one")
    edges.applied("two", {"E1": "v1"})
    assert edges.under_way("E1", "v1")


def test_an_edge_that_has_not_registered_is_told_so(edges: Propagation) -> None:
    with pytest.raises(InputError, match=r"'three'.*register"):
        edges.applied("three", {"E1": "v1"})


def test_a_distribution_is_in_progress_until_the_edges_have_it_and_again_after_an_update(
    cloudfront: CloudFrontClient, with_plane: Callable[..., ControlPlane], config: Callable[..., Any]
) -> None:
    propagation = with_plane().propagation
    propagation.register("edge")
    created = cloudfront.create_distribution(DistributionConfig=config())
    made = created["Distribution"]

    def statuses() -> set[str]:
        listed = cloudfront.list_distributions()["DistributionList"]["Items"]
        return {cloudfront.get_distribution(Id=made["Id"])["Distribution"]["Status"], listed[0]["Status"]}

    assert made["Status"] == "InProgress"
    assert statuses() == {"InProgress"}
    propagation.applied("edge", {made["Id"]: created["ETag"]})
    assert statuses() == {"Deployed"}
    cloudfront.get_waiter("distribution_deployed").wait(Id=made["Id"], WaiterConfig={"Delay": 1, "MaxAttempts": 1})

    disabled: Any = {**made["DistributionConfig"], "Enabled": False}
    updated = cloudfront.update_distribution(Id=made["Id"], IfMatch=created["ETag"], DistributionConfig=disabled)
    assert updated["Distribution"]["Status"] == "InProgress"
    with pytest.raises(cloudfront.exceptions.DistributionNotDisabled, match="InProgress"):
        cloudfront.delete_distribution(Id=made["Id"], IfMatch=updated["ETag"])
    propagation.applied("edge", {made["Id"]: updated["ETag"]})
    cloudfront.delete_distribution(Id=made["Id"], IfMatch=updated["ETag"])


def test_a_refused_update_leaves_the_distribution_deployed(
    cloudfront: CloudFrontClient, with_plane: Callable[..., ControlPlane], config: Callable[..., Any]
) -> None:
    propagation = with_plane().propagation
    propagation.register("edge")
    created = cloudfront.create_distribution(DistributionConfig=config())
    made = created["Distribution"]
    propagation.applied("edge", {made["Id"]: created["ETag"]})
    wrong: Any = {**made["DistributionConfig"], "Comment": "c" * 129}
    with pytest.raises(cloudfront.exceptions.InvalidArgument):
        cloudfront.update_distribution(Id=made["Id"], IfMatch=created["ETag"], DistributionConfig=wrong)
    assert cloudfront.get_distribution(Id=made["Id"])["Distribution"]["Status"] == "Deployed"


def test_changing_the_keys_of_a_trusted_group_moves_no_distribution(
    cloudfront: CloudFrontClient,
    with_plane: Callable[..., ControlPlane],
    make_key: Callable[[], str],
    make_group: Callable[..., str],
    trusting: Callable[..., str],
) -> None:
    propagation = with_plane().propagation
    group = make_group()
    distribution = trusting(group)
    propagation.register("edge")
    got = cloudfront.get_key_group_config(Id=group)
    more: Any = {**got["KeyGroupConfig"], "Items": [*got["KeyGroupConfig"]["Items"], make_key()]}
    cloudfront.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=more)
    assert cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed"


def test_a_distribution_whose_etag_changes_on_its_way_is_still_on_its_way(
    cloudfront: CloudFrontClient,
    with_plane: Callable[..., ControlPlane],
    make_group: Callable[..., str],
    trusting: Callable[..., str],
) -> None:
    propagation = with_plane().propagation
    propagation.register("edge")
    group = make_group()
    distribution = trusting(group)
    got = cloudfront.get_key_group_config(Id=group)
    more: Any = {**got["KeyGroupConfig"], "Comment": "other"}
    cloudfront.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=more)
    now = cloudfront.get_distribution(Id=distribution)
    assert now["Distribution"]["Status"] == "InProgress"
    propagation.applied("edge", {distribution: now["ETag"]})
    assert cloudfront.get_distribution(Id=distribution)["Distribution"]["Status"] == "Deployed"


@pytest.mark.parametrize("kind", ["key group", "response headers policy", "cache policy"])
def test_what_a_distribution_uses_changes_its_etag_as_reports_say(
    cloudfront: CloudFrontClient,
    refused: Callable[..., tuple[str, int, str]],
    make_group: Callable[..., str],
    make_distribution: Callable[..., str],
    config: Callable[..., dict[str, Any]],
    kind: str,
) -> None:
    group = make_group()
    headers = cloudfront.create_response_headers_policy(ResponseHeadersPolicyConfig={"Name": "headers"})
    caching = cloudfront.create_cache_policy(CachePolicyConfig={"Name": "short", "MinTTL": 0})
    behavior = {
        **config()["DefaultCacheBehavior"],
        "TrustedKeyGroups": {"Enabled": True, "Quantity": 1, "Items": [group]},
        "ResponseHeadersPolicyId": headers["ResponseHeadersPolicy"]["Id"],
        "CachePolicyId": caching["CachePolicy"]["Id"],
    }
    using, other = make_distribution(DefaultCacheBehavior=behavior), make_distribution()
    before = {each: cloudfront.get_distribution(Id=each) for each in (using, other)}
    if kind == "key group":
        got = cloudfront.get_key_group_config(Id=group)
        named: Any = {**got["KeyGroupConfig"], "Comment": "other"}
        cloudfront.update_key_group(Id=group, IfMatch=got["ETag"], KeyGroupConfig=named)
    elif kind == "response headers policy":
        identifier = headers["ResponseHeadersPolicy"]["Id"]
        cloudfront.update_response_headers_policy(
            Id=identifier, IfMatch=headers["ETag"], ResponseHeadersPolicyConfig={"Name": "headers", "Comment": "other"}
        )
    else:
        changed: Any = {**caching["CachePolicy"]["CachePolicyConfig"], "Comment": "other"}
        cloudfront.update_cache_policy(
            Id=caching["CachePolicy"]["Id"], IfMatch=caching["ETag"], CachePolicyConfig=changed
        )
    moved = kind != "cache policy"
    after = cloudfront.get_distribution(Id=using)
    assert (after["ETag"] != before[using]["ETag"]) is moved
    assert after["Distribution"] == before[using]["Distribution"]
    assert cloudfront.get_distribution(Id=other)["ETag"] == before[other]["ETag"]
    if moved:
        update: Any = {"DistributionConfig": after["Distribution"]["DistributionConfig"], "Id": using}
        stale = refused(cloudfront.update_distribution, IfMatch=before[using]["ETag"], **update)
        assert stale[:2] == ("PreconditionFailed", 412)


def test_each_change_is_called_out_and_nothing_else(
    cloudfront: CloudFrontClient, with_plane: WithPlane, config: Callable[..., dict[str, Any]]
) -> None:
    called: list[int] = []
    with_plane(on_change=lambda: called.append(1))
    given: Any = config()
    made = cloudfront.create_distribution(DistributionConfig=given)
    assert len(called) == 1
    cloudfront.get_distribution(Id=made["Distribution"]["Id"])
    with pytest.raises(cloudfront.exceptions.PreconditionFailed):
        cloudfront.delete_distribution(Id=made["Distribution"]["Id"], IfMatch="EAAAAAAAAAAAAA")
    assert len(called) == 1
    batch: Any = {"Paths": {"Quantity": 1, "Items": ["/*"]}, "CallerReference": "one"}
    cloudfront.create_invalidation(DistributionId=made["Distribution"]["Id"], InvalidationBatch=batch)
    assert len(called) == 2
