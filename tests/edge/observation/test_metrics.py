"""Metrics, from requests that a real edge answered."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from prometheus_client import generate_latest

from keyfront.edge.observation.metrics import Metrics

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.edge.conftest import Laid, Lay


@pytest.fixture
def metrics() -> Metrics:
    return Metrics("LOC1-P1")


@pytest.fixture
def laid(lay: Lay, metrics: Metrics) -> Laid:
    made = lay(observers=[metrics])
    made.origin.answer("/book.epub", b"content", headers={"Cache-Control": "max-age=60"})
    made.serve(made.behavior(trusted_key_groups=("g1",)))
    return made


def value(metrics: Metrics, name: str, **labels: str) -> float:
    return metrics.registry.get_sample_value(name, {"location": "LOC1-P1", **labels}) or 0


def test_requests_are_counted_by_status_and_cache(
    laid: Laid, metrics: Metrics, eventually: Callable[..., None]
) -> None:
    target = laid.signed("/book.epub")
    for _ in range(3):
        laid.viewer.get(target)
    eventually(lambda: value(metrics, "keyfront_edge_requests_total", status="200", cache="Hit") == 2)
    assert value(metrics, "keyfront_edge_requests_total", status="200", cache="Miss") == 1
    assert value(metrics, "keyfront_edge_sent_bytes_total") > 3 * len(b"content")


def test_decisions_are_counted_by_reason_and_key(laid: Laid, metrics: Metrics, eventually: Callable[..., None]) -> None:
    laid.viewer.get(laid.signed("/book.epub"))
    laid.viewer.get("/book.epub")
    name = "keyfront_edge_decisions_total"
    eventually(lambda: value(metrics, name, reason="missing-key-pair-id", key_pair_id="none") == 1)
    assert value(metrics, name, reason="allowed", key_pair_id="K1") == 1


def test_ids_that_nobody_trusts_do_not_become_labels(
    laid: Laid, metrics: Metrics, eventually: Callable[..., None]
) -> None:
    for number in range(5):
        laid.viewer.get(f"/book.epub?Key-Pair-Id=K{number}9&Expires=1&Signature=a")
    name = "keyfront_edge_decisions_total"
    eventually(lambda: value(metrics, name, reason="unknown-key", key_pair_id="other") == 5)
    assert b'key_pair_id="K' not in generate_latest(metrics.registry)
