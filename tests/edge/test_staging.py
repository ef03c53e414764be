"""Continuous deployment at the edge: who gets to the staging distribution, and who does not."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from keyfront.edge.configuration import configure
from keyfront.edge.request.staging import goes_to_staging
from keyfront.edge.request.viewer import Request
from keyfront.inventory import DeploymentPolicy

if TYPE_CHECKING:
    from tests.edge.conftest import Laid

STAGING = "d2.cloudfront.localhost"
HEADER = ("aws-cf-cd-test", "yes")


def serve(laid: Laid, **policy: Any) -> None:
    """Serve E1, whose staging distribution E2 has a root of its own."""
    staging_settings = {name: policy.pop(name) for name in ("enabled_staging",) if name in policy}
    primary = replace(laid.distribution(laid.behavior()), default_root_object="old.html", deployment_policy="p1")
    staging = replace(
        primary,
        id="E2",
        domain_name=STAGING,
        aliases=(),
        default_root_object="new.html",
        staging=True,
        deployment_policy="",
        enabled=staging_settings.get("enabled_staging", True),
    )
    made = DeploymentPolicy(**{"id": "p1", "enabled": True, "staging_names": (STAGING,), **policy})
    inventory = replace(laid.inventory(primary, staging), deployment_policies={made.id: made})
    laid.edge.configuration = configure(inventory)
    laid.origin.answer("/old.html", b"old")
    laid.origin.answer("/new.html", b"new")


def test_a_header_and_its_value_select_the_staging_distribution(laid: Laid) -> None:
    serve(laid, header=HEADER)
    get = laid.viewer.get
    assert get("/", headers={"Aws-Cf-Cd-Test": "yes"}).body == b"new"
    assert get("/").body == get("/", headers={"aws-cf-cd-test": "no"}).body == b"old"


def test_the_two_distributions_share_no_cache(laid: Laid) -> None:
    serve(laid, header=HEADER)
    laid.origin.answer("/same", b"same")
    get = laid.viewer.get
    assert [get("/same").cache, get("/same", headers={"aws-cf-cd-test": "yes"}).cache] == ["Miss", "Miss"]
    assert [get("/same").cache, get("/same", headers={"aws-cf-cd-test": "yes"}).cache] == ["Hit", "Hit"]


def test_viewers_cannot_ask_the_staging_distribution_itself(laid: Laid) -> None:
    serve(laid, header=HEADER)
    for host in (STAGING, "e2.cloudfront.localhost"):
        assert laid.viewer.get("/", host=host).status == 403
    assert laid.outcomes[-1].reason == "unknown-host"


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"enabled": False}, ""),
        ({"enabled_staging": False}, "no staging distribution that is enabled"),
        ({"staging_names": ("other.example.com",)}, "no staging distribution that is enabled"),
        ({"id": "p2"}, "no staging distribution that is enabled"),
    ],
)
def test_without_a_policy_in_effect_the_primary_answers_everything(
    laid: Laid, caplog: pytest.LogCaptureFixture, changes: dict[str, Any], says: str
) -> None:
    serve(laid, **{"header": HEADER, **changes})
    assert laid.viewer.get("/", headers={"aws-cf-cd-test": "yes"}).body == b"old"
    assert says in caplog.text


def viewers(count: int) -> list[Request]:
    return [
        Request(
            {
                "method": "GET",
                "scheme": "http",
                "http_version": "1.1",
                "raw_path": b"/",
                "query_string": b"",
                "client": (f"10.0.{number // 250}.{number % 250}", 1),
                "headers": [],
            }
        )
        for number in range(count)
    ]


@pytest.mark.parametrize("session", [0, 600])
def test_a_weight_is_the_part_of_the_requests(laid: Laid, session: int) -> None:
    serve(laid, weight=0.15, session_seconds=session)
    traffic = laid.edge.configuration.distributions["E1"].traffic
    assert traffic is not None
    taken = sum(goes_to_staging(traffic.policy, viewer, 1.8e9) for viewer in viewers(2000))
    # Six standard deviations: about one run in a billion fails by chance.
    assert 300 - 96 < taken < 300 + 96


def test_a_viewer_stays_where_it_is_for_a_session_and_is_chosen_anew_later(laid: Laid) -> None:
    serve(laid, weight=0.5, session_seconds=600)
    traffic = laid.edge.configuration.distributions["E1"].traffic
    assert traffic is not None
    (viewer,) = viewers(1)
    begin = 600 * 3_000_000
    assert len({goes_to_staging(traffic.policy, viewer, begin + seconds) for seconds in (0, 1, 599.9)}) == 1
    assert {goes_to_staging(traffic.policy, viewer, begin + 600 * number) for number in range(40)} == {True, False}


def test_no_weight_sends_nobody(laid: Laid) -> None:
    serve(laid, weight=0.0)
    assert {laid.viewer.get("/").body for _ in range(5)} == {b"old"}


def test_what_the_edge_does_not_run_is_said(laid: Laid, caplog: pytest.LogCaptureFixture) -> None:
    distribution = laid.distribution(laid.behavior(encryption="C1"))
    origins = tuple(replace(origin, vpc_origin="vo_1") for origin in distribution.origins)
    inventory = laid.inventory(replace(distribution, origins=origins, web_acl="arn:acl"))
    laid.edge.configuration = configure(inventory)
    for text in ("web ACL", "arn:acl", "field-level encryption", "C1", "VPC origin vo_1", "requests to it get 502"):
        assert text in caplog.text
    assert laid.viewer.get("/a").status == 502
