"""The steps of a rotation. Each reads the current state, does what is missing, and saves its progress.

Source: Developer Guide, "Rotating key pairs". The order matters: the new key is trusted everywhere before any signer
uses it, and the old key until its last link has expired. So no valid link is refused.
"""

import secrets
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from keyfront.account.rotation.account import Account
from keyfront.account.rotation.key_uses import KeyUses, ReadLogs, may_delete, may_remove
from keyfront.account.rotation.ledger import Ledger
from keyfront.account.rotation.outcomes import Done, Outcome, Step, Wait
from keyfront.account.rotation.probing import Probe
from keyfront.account.rotation.state import Phase, Plan, State
from keyfront.core.keys import PrivateKey, SigningKey
from keyfront.core.signing import Signer
from keyfront.errors import InputError, KeyfrontError
from keyfront.keystore import KMSKey, SignerDocument, WritableSource

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient


class Rotation:
    """The rotation of a key group's signing key. Several processes may take turns; one works at a time."""

    def __init__(
        self,
        account: Account,
        ledger: Ledger,
        open_signers: Callable[[str], WritableSource],
        probe: Probe,
        *,
        kms: "Callable[[], KMSClient]",
        find_probe_url: Callable[[str], str],
        read_logs: ReadLogs | None = None,
        clock: Callable[[], float] = time.time,
        pause: float = 1.0,
    ) -> None:
        """`open_signers` opens the address of the signers' document. `find_probe_url` finds a URL for testing a
        group's keys. `read_logs` says what access logs show of a key. `clock` returns seconds since the epoch. `pause`
        is the number of seconds between probes."""
        self._account = account
        self._ledger = ledger
        self._open_signers = open_signers
        self._probe = probe
        self._kms = kms
        self._find_probe_url = find_probe_url
        self._read_logs = read_logs
        self._clock = clock
        self._pause = pause

    def start(self, plan: Plan) -> State:
        """Begin, after checking everything that could stop the rotation later. Changes nothing in CloudFront.

        Raises `InputError`, `QuotaError` and `BusyError`.
        """
        if self._ledger.read() is not None:
            raise InputError(f"a rotation of this group is in progress: continue or abort it ({self._ledger.name})")
        group = self._account.group(plan.group)
        self._account.has_room(group)
        source = self._open_signers(plan.signer)
        document = SignerDocument.load(source)
        if document is None:
            raise InputError(f"{source.name} holds nothing: there is no key to rotate yet; store one first")
        if document.key_pair_id not in group.keys:
            raise InputError(
                f"{source.name} signs with {document.key_pair_id}, which {group.name} ({group.id}) does not hold "
                f"({', '.join(group.keys)}): choose the group of that key, or fix the document"
            )
        plan = replace(plan, probe_url=plan.probe_url or self._find_probe_url(group.id))
        old = document.open(self._kms)
        if isinstance(old, SigningKey):
            # The response does not matter. A certificate that is not trusted would stop the rotation halfway.
            self._probe(Signer(document.key_pair_id, old, clock=self._clock), plan.probe_url or "")
        state = State(
            plan=plan,
            # Only letters, digits and dashes: it becomes part of a name.
            id=f"{group.name[:40]}-{secrets.token_hex(6)}",
            started=self._clock(),
            phase=Phase.BEGUN,
            old_id=document.key_pair_id,
            key=self._new_key(plan, old),
            hash_algorithm="SHA256" if plan.new.kms_key else plan.new.hash_algorithm or document.hash_algorithm,
            version=document.version + 1,
        )
        self._ledger.take()
        self._ledger.begin(state)
        return state

    def state(self) -> State | None:
        """Return the current rotation; `None` if there is none."""
        return self._ledger.read()

    def abort(self) -> State:
        """Make `advance` undo the rotation from now on. Raises `InputError` if it is too late or too early.

        Before the switch, the new key is removed. After it, the signers get the old document back, and the new key is
        removed when its links have expired.
        """
        self._ledger.take()
        state = self._begun()
        if state.back:
            return state
        # The last step may not have been saved, so the account and the document count, not only the phase.
        if state.old_id not in self._account.group(state.plan.group).keys:
            raise InputError(
                f"it is too late to abort, because {state.old_id} is not trusted any more: continue, and rotate again"
            )
        if state.phase is Phase.PROVED and self._holds(state) == state.new_id:
            state = state.at(Phase.SWITCHED, switched_at=self._clock())
        state = replace(state, back=True)
        self._ledger.write(state)
        return state

    def advance(self) -> Outcome:
        """Do the next step, or return what to wait for. Raises `BusyError` if another process works on it."""
        self._ledger.take()
        state = self._begun()
        return self._undo(state) if state.back else self._go_on(state)

    def hold(self) -> None:
        """Renew the lease on the rotation. Raises `BusyError` if another process has taken over."""
        self._ledger.hold()

    @contextmanager
    def working(self) -> Iterator[None]:
        """Release the rotation at the end of the block, so that other processes can continue at once."""
        try:
            yield
        finally:
            self._ledger.release()

    def _begun(self) -> State:
        state = self._ledger.read()
        if state is None:
            raise InputError("no rotation of this group is in progress: begin one with keyfront rotate start")
        return state

    def _go_on(self, state: State) -> Outcome:
        match state.phase:
            case Phase.BEGUN:
                return self._upload(state)
            case Phase.UPLOADED:
                return self._add(state)
            case Phase.ADDED:
                return self._prove(state)
            case Phase.PROVED:
                return self._switch(state)
            case Phase.SWITCHED:
                return self._remove(state)
            case Phase.REMOVED:
                return self._delete(state)

    def _upload(self, state: State) -> Outcome:
        key = self._new(state)
        comment = f"Replaces {state.old_id} in {state.plan.group} (keyfront rotate)"
        new_id = self._account.upload(state.key_name, key.public_key, comment)
        self._ledger.write(state.at(Phase.UPLOADED, new_id=new_id))
        return Step(f"uploaded the new public key as {new_id}")

    def _add(self, state: State) -> Outcome:
        assert state.new_id is not None
        self._account.add(state.plan.group, state.new_id)
        self._ledger.write(state.at(Phase.ADDED, added_at=self._clock()))
        return Step(f"added {state.new_id} to key group {state.plan.group}, beside {state.old_id}")

    def _prove(self, state: State) -> Outcome:
        assert state.new_id is not None
        assert state.added_at is not None
        ready = state.added_at + state.plan.propagation
        if self._clock() < ready:
            return Wait("the edge locations are learning of the new key", ready)
        signer = Signer(state.new_id, self._new(state), state.hash_algorithm, clock=self._clock)
        for number in range(state.plan.probes):
            if number % 5 == 4:
                self._ledger.hold()  # twenty responses may take a while
            if refused := self._probe(signer, state.plan.probe_url or ""):
                text = f"the new key is not trusted everywhere yet (probe {number + 1}: {refused})"
                return Wait(text, self._clock() + self._pause)
        self._ledger.write(state.at(Phase.PROVED))
        return Step(f"proved: {state.plan.probes} requests in a row, signed with {state.new_id}, were allowed")

    def _switch(self, state: State) -> Outcome:
        source = self._signers(state)
        document = SignerDocument.load(source)
        if document is None or document.key_pair_id not in (state.old_id, state.new_id):
            holds = "nothing" if document is None else document.key_pair_id
            raise InputError(
                f"{source.name} holds {holds}, but this rotation replaces {state.old_id}: someone else has changed "
                "the document; abort, and start again"
            )
        if document.key_pair_id == state.old_id:
            self._ledger.keep_previous(document.to_json())
            # The last check before the one write that signers see.
            self._ledger.hold()
            if state.new_id not in self._account.group(state.plan.group).keys:
                raise InputError(
                    f"{state.new_id} is no longer in key group {state.plan.group}: someone else removed it; abort"
                )
            state.document().save(source)
        # The signers have the new key now, so it is removed here.
        key = {name: value for name, value in state.key.items() if name != "private_key"}
        self._ledger.write(state.at(Phase.SWITCHED, switched_at=self._clock(), key=key))
        return Step(f"switched the signers: {source.name} names {state.new_id}")

    def _remove(self, state: State) -> Outcome:
        if waiting := self._expiring(state, state.old_id):
            return waiting
        if self._holds(state) != state.new_id:
            raise InputError(
                f"the signers do not sign with {state.new_id} (someone else changed {state.plan.signer}): "
                f"{state.old_id} stays in the group"
            )
        self._ledger.hold()
        self._account.remove(state.plan.group, state.old_id)
        self._ledger.write(state.at(Phase.REMOVED, removed_at=self._clock()))
        return Step(f"removed {state.old_id} from key group {state.plan.group}")

    def _delete(self, state: State) -> Outcome:
        if state.plan.logs and (waiting := may_delete(state, self._seen(state), self._clock())):
            return waiting
        held = self._account.delete(state.old_id)
        self._ledger.end()
        stays = f"; {state.old_id} stays, because {', '.join(held)} still holds it" if held else ""
        return Done(f"rotated: {state.new_id} signs, and {state.old_id} is no longer trusted{stays}")

    def _undo(self, state: State) -> Outcome:
        if state.phase is Phase.SWITCHED:
            return self._switch_back(state)
        there = state.new_id or self._uploaded(state)
        if there is not None:
            if state.switched_at is not None and (waiting := self._expiring(state, there)):
                return waiting
            self._ledger.hold()
            self._account.remove(state.plan.group, there)
            self._account.delete(there)
        self._ledger.end()
        return Done(f"undone: {state.old_id} signs as before" + (f", and {there} is deleted" if there else ""))

    def _switch_back(self, state: State) -> Outcome:
        source = self._signers(state)
        if self._holds(state) == state.new_id:
            previous = self._ledger.previous()
            if previous is None:
                raise InputError(f"{self._ledger.name}/previous is missing: the old key cannot be restored; continue")
            self._ledger.hold()
            if state.old_id not in self._account.group(state.plan.group).keys:
                raise InputError(
                    f"{state.old_id} is no longer in key group {state.plan.group}, so its links would be refused: add "
                    "it (keyfront groups add), wait some minutes, and abort again"
                )
            SignerDocument.parse(previous, source=f"SSM parameter {self._ledger.name}/previous").save(source)
        # Now it is like a rotation that was never switched, except for the new key's links.
        self._ledger.write(state.at(Phase.PROVED, switched_at=self._clock()))
        return Step(f"switched the signers back: {source.name} names {state.old_id}")

    def _expiring(self, state: State, key_id: str) -> Wait | None:
        end = state.removable_at
        assert end is not None
        if state.plan.logs and not state.back:
            unused = state.unused_at or end
            if self._clock() < unused:
                return Wait(f"signers may still use {key_id}", unused)
            return may_remove(state, self._seen(state), self._clock())
        return Wait(f"the links that {key_id} signed must expire", end) if self._clock() < end else None

    def _seen(self, state: State) -> KeyUses:
        assert state.plan.logs is not None
        if self._read_logs is None:
            raise InputError(
                f"the rotation reads access logs ({state.plan.logs}), which this program cannot: use keyfront rotate"
            )
        since = state.started if state.removed_at is None else state.removed_at
        return self._read_logs(state.plan.logs, state.old_id, self._account.public_key(state.old_id), since)

    def _uploaded(self, state: State) -> str | None:
        """Return the new key's id if it was uploaded but not saved."""
        from keyfront.account.key_groups import public_keys

        return next((key.id for key in public_keys(self._account.client) if key.name == state.key_name), None)

    def _signers(self, state: State) -> WritableSource:
        return self._open_signers(state.plan.signer)

    def _holds(self, state: State) -> str | None:
        document = SignerDocument.load(self._signers(state))
        return document.key_pair_id if document else None

    def _new_key(self, plan: Plan, old: PrivateKey) -> dict[str, str]:
        if plan.new.kms_key is not None:
            # Read now, so that a key of the wrong kind is found before anything changes.
            return {"kms_key": KMSKey(plan.new.kms_key, self._kms()).arn}
        return {"private_key": SigningKey.generate(plan.new.algorithm or old.algorithm).pem()}

    def _new(self, state: State) -> PrivateKey:
        if state.key.get("kms_key"):
            return KMSKey(state.key["kms_key"], self._kms())
        if "private_key" not in state.key:
            raise KeyfrontError("the new key is no longer in the rotation's state: the signers have it")
        return SigningKey.load(state.key["private_key"])
