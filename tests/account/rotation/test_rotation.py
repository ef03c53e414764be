"""A rotation: its order, killed at every point, undone at every point, and two at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import pytest
from tests.account.rotation.conftest import KEY, KilledError

from keyfront.account.rotation import Done, NewKey, Phase, Wait
from keyfront.account.rotation.account import QuotaError
from keyfront.account.rotation.ledger import LEASE_SECONDS, BusyError
from keyfront.core.keys import SigningKey
from keyfront.errors import InputError, ServiceError
from keyfront.keystore import KMSReference, SignerDocument

if TYPE_CHECKING:
    from tests.account.rotation.conftest import World


def finished(world: World, *, undone: bool = False) -> None:
    """Only one of both keys is left, the signers have it, and nothing else remains."""
    keys = world.keys()
    assert len(keys) == 1
    assert (keys == [world.old_id]) == undone
    assert world.public_keys() == keys
    assert world.document.key_pair_id == keys[0]
    assert world.parameters() == ["/shop/signing-key"]
    world.was_safe()


def test_a_rotation_replaces_the_key_in_the_safe_order(world: World) -> None:
    one = world.worker()
    one.start(world.plan())
    phases = []
    while not isinstance(outcome := one.advance(), Done):
        world.watch()
        state = one.state()
        assert state is not None
        phases.append(state.phase)
        if isinstance(outcome, Wait):
            world.clock.now = outcome.until
    assert list(dict.fromkeys(phases)) == [
        *(Phase.UPLOADED, Phase.ADDED, Phase.PROVED, Phase.SWITCHED, Phase.REMOVED),
    ]
    world.watch()
    finished(world)
    document = world.document
    assert (document.version, document.hash_algorithm, document.key.algorithm) == (7, "SHA1", "ecdsa")


def test_the_new_key_signs_only_after_the_edge_lets_it_in(world: World) -> None:
    one = world.worker()
    one.start(world.plan(propagation=0))
    one.advance(), one.advance()
    world.watch()
    waited = one.advance()
    assert isinstance(waited, Wait)
    assert "not trusted everywhere yet (probe 1: unknown-key)" in waited.text
    world.run(one)
    finished(world)


def rotate(world: World, *, undo_at: Phase | None = None) -> None:
    """To the end, watched at every step; from `undo_at` on backwards."""
    one = world.worker("first")
    one.start(world.plan())
    world.run(one, undo_at=undo_at)


def killed(make_world: Callable[[], World], undo_at: Phase | None = None) -> Iterator[World]:
    """For each change that a rotation or its undoing makes: an account in which it was killed behind that."""
    whole = make_world()
    rotate(whole, undo_at=undo_at)
    for at in range(whole.changes_before_undo + 1, whole.changes + 1):
        world = make_world()
        world.kill = at
        with pytest.raises(KilledError):
            rotate(world, undo_at=undo_at)
        world.kill = None
        world.watch()
        # Whoever comes next waits until it is sure that the first has died.
        world.clock.now += LEASE_SECONDS + 1
        yield world


@pytest.mark.large
def test_killed_at_any_point_the_next_one_finishes_it(make_world: Callable[[], World]) -> None:
    ends = []
    for world in killed(make_world):
        second = world.worker("second")
        began = second.state() is not None
        world.run(second)
        finish_leases(world)
        ended = world.document.key_pair_id != world.old_id
        finished(world, undone=not ended)
        ends.append((began, ended))
    # Before the first record there is nothing to finish, and behind the last one nothing is left.
    assert ends[0] == (False, False)
    assert ends[-1] == (False, True)
    assert set(ends[1:-2]) == {(True, True)}


@pytest.mark.large
def test_killed_at_any_point_it_can_be_undone_until_the_old_key_is_gone(make_world: Callable[[], World]) -> None:
    late = undone = 0
    for world in killed(make_world):
        second = world.worker("second")
        if second.state() is None:
            continue
        if world.trusts(world.old_id):
            second.abort()
            undone += 1
        else:
            late += 1
            with pytest.raises(InputError, match="too late to abort"):
                second.abort()
        going = world.trusts(world.old_id)
        world.run(second)
        finish_leases(world)
        finished(world, undone=going)
    assert late
    assert undone


@pytest.mark.large
@pytest.mark.parametrize("undo_at", [Phase.ADDED, Phase.SWITCHED])
def test_killed_while_it_is_undone_the_next_one_undoes_it(make_world: Callable[[], World], undo_at: Phase) -> None:
    for world in killed(make_world, undo_at):
        second = world.worker("second")
        state = second.state()
        assert state is None or state.back
        world.run(second)
        finish_leases(world)
        finished(world, undone=True)


def finish_leases(world: World) -> None:
    """A worker that died behind its last step leaves a lease, which the next rotation clears away."""
    for name in world.parameters():
        if "/lease/" in name:
            world.ssm.delete_parameter(Name=name)


@pytest.mark.parametrize("phase", list(Phase)[:-1])
def test_undone_at_any_phase(world: World, phase: Phase) -> None:
    rotate(world, undo_at=phase)
    finished(world, undone=True)


def test_two_at_once_are_one_and_a_refusal(world: World) -> None:
    one, two = world.worker("one"), world.worker("two")
    one.start(world.plan())
    with pytest.raises(InputError, match="is in progress"):
        two.start(world.plan())
    for work in (two.advance, two.abort):
        with pytest.raises(BusyError, match="one is working on this rotation; if it has died, try again in 120 s"):
            work()
    with one.working():
        one.advance()
    two.advance()
    with pytest.raises(BusyError, match="two is working"):
        one.advance()
    world.run(two)
    finished(world)


def test_who_was_taken_for_dead_notices_before_the_next_change(world: World) -> None:
    slow, quick = world.worker("slow"), world.worker("quick")
    slow.start(world.plan())
    world.clock.now += LEASE_SECONDS + 1
    quick.advance()
    before = world.keys()
    with pytest.raises(BusyError, match="taken over this rotation"):
        slow.advance()
    assert world.keys() == before


def test_a_full_group_is_seen_before_anything_changes(world: World) -> None:
    others = []
    for number in range(4):
        pem = SigningKey.generate("ecdsa").public_key.pem
        config = {"CallerReference": f"{number}", "Name": f"n{number}", "EncodedKey": pem}
        made = world.cloudfront.create_public_key(PublicKeyConfig=config)  # type: ignore[arg-type]
        others.append(made["PublicKey"]["Id"])
    etag = world.cloudfront.get_key_group(Id=world.group)["ETag"]
    world.cloudfront.update_key_group(
        Id=world.group, IfMatch=etag, KeyGroupConfig={"Name": "shop", "Items": [world.old_id, *others]}
    )
    keys = world.public_keys()
    with pytest.raises(QuotaError, match="holds 5 keys, and CloudFront allows 5: first remove a key"):
        world.worker().start(world.plan())
    assert world.public_keys() == keys
    assert world.parameters() == ["/shop/signing-key"]


def test_a_document_of_another_group_or_none_is_refused(world: World) -> None:
    SignerDocument("KOTHER", KEY).save(world.source)
    with pytest.raises(InputError, match=r"signs with KOTHER, which shop .* does not hold"):
        world.worker().start(world.plan())
    with pytest.raises(InputError, match="SSM parameter /nothing holds nothing"):
        world.worker().start(world.plan(signer="ssm:/nothing"))
    assert world.parameters() == ["/shop/signing-key"]


def test_a_grace_shorter_than_the_longest_life_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="a grace of 60 s is shorter than the longest lifetime"):
        world.plan(grace=60, longest_life=61)


def test_from_ecdsa_to_rsa_and_to_kms(world: World) -> None:
    one = world.worker()
    one.start(world.plan(new=NewKey("rsa", hash_algorithm="SHA256")))
    world.run(one)
    document = world.document
    assert (document.key.algorithm, document.hash_algorithm) == ("rsa", "SHA256")
    arn = world.kms.create_key(KeySpec="ECC_NIST_P256", KeyUsage="SIGN_VERIFY")["KeyMetadata"]["Arn"]
    two = world.worker()
    two.start(world.plan(new=NewKey(kms_key=arn)))
    world.run(two)
    document = world.document
    assert isinstance(document.key, KMSReference)
    assert (document.hash_algorithm, document.version) == ("SHA256", 8)
    world.was_safe()


def test_a_kms_key_that_is_not_there_is_refused_before_anything_changes(world: World) -> None:
    with pytest.raises(ServiceError, match="KMS key alias/none"):
        world.worker().start(world.plan(new=NewKey(kms_key="alias/none")))
    assert world.parameters() == ["/shop/signing-key"]


def test_an_old_key_that_another_group_holds_is_not_deleted(world: World) -> None:
    world.cloudfront.create_key_group(KeyGroupConfig={"Name": "other", "Items": [world.old_id]})
    one = world.worker()
    one.start(world.plan())
    done = world.run(one)
    assert isinstance(done, Done)
    assert f"{world.old_id} stays, because other (" in done.text
    assert world.old_id in world.public_keys()


def test_a_document_that_somebody_else_changed_stops_it(world: World) -> None:
    one = world.worker()
    one.start(world.plan())
    world.run(one, until=Phase.PROVED)
    SignerDocument("KOTHER", KEY).save(world.source)
    with pytest.raises(InputError, match=r"holds KOTHER, but this rotation replaces .* abort"):
        one.advance()


def test_no_key_is_in_a_repr_or_in_what_is_told(world: World) -> None:
    one = world.worker()
    state = one.start(world.plan())
    secret = state.key["private_key"].splitlines()[1]
    assert secret not in repr(state)
    assert secret not in str(one.state())
    world.run(one)
    assert secret in world.document.to_json()


def test_a_state_of_another_version_is_refused(world: World) -> None:
    world.ssm.put_parameter(Name=f"/keyfront/rotation/{world.group}", Type="SecureString", Value='{"format":2}')
    with pytest.raises(InputError, match="another version of keyfront"):
        world.worker().state()
    world.ssm.put_parameter(
        Name=f"/keyfront/rotation/{world.group}", Type="SecureString", Value='{"format":1}', Overwrite=True
    )
    with pytest.raises(InputError, match="does not hold a rotation"):
        world.worker().state()
