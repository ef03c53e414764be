"""The proof in short: see `proof.py`, and `make proof-rotation` for all of it."""

from collections.abc import Iterator

import pytest
from tests.account.rotation import proof

from keyfront.web.serving import CAN_SHARE_PORTS

pytestmark = pytest.mark.skipif(not CAN_SHARE_PORTS, reason="this system does not spread connections over processes")


@pytest.fixture(scope="module")
def machine() -> Iterator[proof.Machine]:
    with proof.machine(proof.SHORT) as running:
        yield running


def test_one_that_is_turned_back_after_the_switch_refuses_nobody(machine: proof.Machine) -> None:
    result = proof.under_load("aborted after the switch", machine, proof.aborted("switched"))
    print(result.line())
    assert result.counts.refused == []
    assert result.late == 0


def test_the_load_notices_keys_that_are_replaced_at_once(machine: proof.Machine) -> None:
    result = proof.under_load("replaced at once", machine, proof.replaced_at_once)
    print(result.line())
    assert result.counts.refused


def test_one_that_is_killed_and_continued_from_a_file_to_a_key_in_kms_refuses_nobody(machine: proof.Machine) -> None:
    moved = proof.to_a_file(machine)
    key = proof.kms_key(moved)[0]
    result = proof.under_load("killed and continued, a file to KMS", moved, proof.killed(1, "--kms-key", key))
    print(result.line())
    assert result.counts.refused == []
    assert len(result.counts.asked) == 2
    assert result.late == 0
    assert result.kills == 1
    document = moved.document()
    assert document is not None
    assert "private_key" not in document.to_json()
