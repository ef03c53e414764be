"""Replacing the key that signs, step by step, so that no viewer with a valid signature is refused meanwhile."""

from keyfront.operations.rotation.account import Account
from keyfront.operations.rotation.ledger import Ledger
from keyfront.operations.rotation.probing import Probe, probe_target
from keyfront.operations.rotation.rotation import Done, Outcome, Rotation, Step, Wait
from keyfront.operations.rotation.state import NewKey, Phase, Plan, State

__all__ = [
    "Account",
    "Done",
    "Ledger",
    "NewKey",
    "Outcome",
    "Phase",
    "Plan",
    "Probe",
    "Rotation",
    "State",
    "Step",
    "Wait",
    "probe_target",
]
