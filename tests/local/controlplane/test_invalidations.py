"""Invalidations, through boto3."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.local.controlplane import ControlPlane, Quotas

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient

Refusal = Callable[..., tuple[str, int, str]]


def _batch(*paths: str, reference: str = "one") -> Any:
    return {"CallerReference": reference, "Paths": {"Quantity": len(paths), "Items": list(paths)}}


def test_an_invalidation_is_created_read_and_listed(
    cloudfront: CloudFrontClient, make_distribution: Callable[..., str]
) -> None:
    distribution = make_distribution()
    created = cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=_batch("/a", "/b/*"))
    made = created["Invalidation"]
    assert re.fullmatch("I[A-Z0-9]{13}", made["Id"])
    assert (made["Status"], made["InvalidationBatch"]) == ("Completed", _batch("/a", "/b/*"))
    assert created["Location"].endswith(f"/distribution/{distribution}/invalidation/{made['Id']}")
    assert cloudfront.get_invalidation(DistributionId=distribution, Id=made["Id"])["Invalidation"] == made
    listed = cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"]
    summary = {"Id": made["Id"], "CreateTime": made["CreateTime"], "Status": "Completed"}
    assert (listed["Quantity"], listed["IsTruncated"], listed["Items"]) == (1, False, [summary])


def test_an_invalidation_is_in_progress_until_every_edge_has_dropped_the_files(
    cloudfront: CloudFrontClient, with_plane: Callable[..., ControlPlane], make_distribution: Callable[..., str]
) -> None:
    propagation = with_plane().propagation
    propagation.register("one")
    propagation.register("two")
    distribution = make_distribution()

    def status() -> tuple[str, int]:
        got = cloudfront.get_invalidation(DistributionId=distribution, Id=made["Id"])["Invalidation"]["Status"]
        return got, cloudfront.get_distribution(Id=distribution)["Distribution"]["InProgressInvalidationBatches"]

    made = cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=_batch("/a"))["Invalidation"]
    assert made["Status"] == "InProgress"
    propagation.applied("one", {made["Id"]: made["Id"]})
    assert status() == ("InProgress", 1)
    propagation.applied("two", {made["Id"]: made["Id"]})
    assert status() == ("Completed", 0)


def test_the_same_request_again_gets_the_same_invalidation(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    distribution, other = make_distribution(), make_distribution()

    def create(distribution: str, batch: Any) -> str:
        return cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=batch)["Invalidation"][
            "Id"
        ]

    first = create(distribution, _batch("/a"))
    assert create(distribution, _batch("/a")) == first
    assert create(distribution, _batch("/a", reference="two")) != first
    assert create(other, _batch("/b")) != first
    answer = refused(cloudfront.create_invalidation, DistributionId=distribution, InvalidationBatch=_batch("/b"))
    assert answer[:2] == ("InvalidationBatchAlreadyExists", 409)


@pytest.mark.parametrize("paths", [[], ["a"], ["/a b"], ["/*/a"], ["/**"], [""]])
def test_a_path_that_names_no_file_is_refused(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str], paths: list[str]
) -> None:
    distribution = make_distribution()
    create = cloudfront.create_invalidation
    answer = refused(create, DistributionId=distribution, InvalidationBatch=_batch(*paths))
    assert answer[:2] == ("InvalidArgument", 400)


def test_invalidations_in_progress_have_a_quota(
    cloudfront: CloudFrontClient,
    refused: Refusal,
    with_plane: Callable[..., ControlPlane],
    make_distribution: Callable[..., str],
) -> None:
    plane = with_plane(Quotas(invalidation_paths_in_progress=2, invalidation_wildcards_in_progress=1))
    plane.propagation.register("edge")
    distribution = make_distribution()

    def ask(*paths: str) -> dict[str, Any]:
        batch = _batch(*paths, reference=" ".join(paths))
        return {"DistributionId": distribution, "InvalidationBatch": batch}

    create = cloudfront.create_invalidation
    assert refused(create, **ask("/a", "/b", "/c"))[:2] == ("BatchTooLarge", 413)
    assert refused(create, **ask("/a/*", "/b/*"))[:2] == ("TooManyInvalidationsInProgress", 400)
    made = [cloudfront.create_invalidation(**ask("/a"))["Invalidation"]["Id"]]
    made.append(cloudfront.create_invalidation(**ask("/a/*"))["Invalidation"]["Id"])
    assert refused(create, **ask("/b", "/c"))[:2] == ("TooManyInvalidationsInProgress", 400)
    assert refused(create, **ask("/b/*"))[:2] == ("TooManyInvalidationsInProgress", 400)
    plane.propagation.applied("edge", {each: each for each in made})
    assert cloudfront.create_invalidation(**ask("/b", "/c/*"))["Invalidation"]["Status"] == "InProgress"


def test_an_invalidation_belongs_to_its_distribution(
    cloudfront: CloudFrontClient, refused: Refusal, make_distribution: Callable[..., str]
) -> None:
    distribution, other = make_distribution(), make_distribution()
    made = cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=_batch("/a"))
    get = cloudfront.get_invalidation
    assert refused(get, DistributionId=other, Id=made["Invalidation"]["Id"])[:2] == ("NoSuchInvalidation", 404)
    assert refused(get, DistributionId=distribution, Id="I0")[:2] == ("NoSuchInvalidation", 404)
    assert refused(get, DistributionId="E0", Id="I0")[:2] == ("NoSuchDistribution", 404)
    assert cloudfront.list_invalidations(DistributionId=other)["InvalidationList"]["Quantity"] == 0
    assert refused(cloudfront.list_invalidations, DistributionId="E0")[:2] == ("NoSuchDistribution", 404)


def test_invalidations_go_with_their_distribution(
    cloudfront: CloudFrontClient, with_plane: Callable[..., ControlPlane], make_distribution: Callable[..., str]
) -> None:
    plane = with_plane(Quotas(invalidation_paths_in_progress=1))
    distribution, other = make_distribution(Enabled=False), make_distribution()
    plane.propagation.register("edge")
    cloudfront.create_invalidation(DistributionId=distribution, InvalidationBatch=_batch("/a"))
    etag = cloudfront.get_distribution(Id=distribution)["ETag"]
    cloudfront.delete_distribution(Id=distribution, IfMatch=etag)
    made = cloudfront.create_invalidation(DistributionId=other, InvalidationBatch=_batch("/a"))
    assert made["Invalidation"]["Status"] == "InProgress"
